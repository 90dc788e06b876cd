"""Files that pages make and Streamlit serves to whoever has their address: here, to those for whom they were made."""

from pathlib import PurePosixPath
from uuid import UUID

from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx

_ENOUGH = 1_000
_people: dict[str, UUID] = {}


def remember_for(member_id: UUID) -> None:
    """Whatever this page makes from now on is this person's."""
    context = get_script_run_ctx()
    if context is None:
        return
    if len(_people) > _ENOUGH:
        _forget_gone()
    _people[context.session_id] = member_id


def is_made_for(path: str, member_id: UUID) -> bool:
    """Whether an open page of this person made the file of this address."""
    if not Runtime.exists():
        return False
    key = PurePosixPath(path).stem
    # Streamlit tells nobody else whose file it is.
    made = Runtime.instance().media_file_mgr._files_by_session_and_coord  # noqa: SLF001
    return any(key in files.values() for session, files in list(made.items()) if _people.get(session) == member_id)


def _forget_gone() -> None:
    for session in list(_people):
        if not Runtime.instance().is_active_session(session):
            _people.pop(session, None)
