"""The chain of the audit log on its page: how far it is sealed, when it was verified, and verifying it now."""

import streamlit as st

from app import serving
from app.access import Viewer
from app.commands.audit import verify_audit
from app.commands.audit_chain import ChainNow, Verified, chain_now
from app.commands.company import sees_whole_company
from app.ui import words
from app.ui.failure import say_refused
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.scope import Scope
from db.errors import SightlineError

_FOUND = "audit-verified"


def chain(scope: Scope) -> None:
    """For those who see the whole company: the chain is of all its rows."""
    if not sees_whole_company(serving.engines().ro, scope.viewer):
        st.html(tag("p", "You see changes in your workspaces. The log as a whole is sealed and verified for those who"
            " see all of it.", class_="sl sl-small sl-muted"))  # fmt: skip
        return
    with st.container(border=True, key="card-chain"):
        now = chain_now(serving.engines().pipe, scope.viewer)
        why = "Each row is sealed with a hash over what it says and over the row before it."
        st.html(tag("section", tag("h2", "The chain"), tag("p", why, class_="why"), _facts(now), class_="sl sl-card"))
        if st.button("Verify now", icon=":material/verified:", help="Seals what waits and looks at every row."):
            _verify(scope.viewer)
        _result(st.session_state.pop(_FOUND, None))


def _facts(now: ChainNow) -> Markup:
    facts: dict[str, object] = {
        "Sealed": f"{now.head.number:,} rows, through position {now.position:,}" if now.head else "nothing yet",
        "Waiting": f"{words.counted(now.waiting, 'row')}, sealed within a minute" if now.waiting else "nothing",
        "Verified": _verified(now),
        "Head": _head(now) if now.head else None,
    }
    listed = [part for name, value in facts.items() if value for part in (tag("dt", name), tag("dd", value))]
    return tag("div", tag("dl", *listed, class_="facts"), class_="sl-receipt")


def _verified(now: ChainNow) -> str:
    if now.verified_at is None:
        return "never"
    through = f"through number {now.verified_through:,} on {words.moment(now.verified_at)} UTC by {now.verified_by}"
    return f"{through}: {now.found or 'as it was sealed'}"


def _head(now: ChainNow) -> Markup:
    """Whole, to be kept elsewhere: it tells of a tail that was cut, and of a chain that was written anew."""
    return tag("code", str(now.head), style="overflow-wrap:anywhere;font-size:.75rem")


def _verify(viewer: Viewer) -> None:
    still_here(viewer)
    bar = st.progress(0.0, "Verifying …")

    def told(seen: Verified) -> None:
        total = max(seen.total, seen.head.number, 1)
        bar.progress(min(1.0, seen.head.number / total), f"Verifying … {seen.head.number:,} of {total:,}")

    try:
        st.session_state[_FOUND] = verify_audit(serving.engines(), viewer, told=told)
    except SightlineError as refusal:
        st.session_state[_FOUND] = refusal
    st.rerun()


def _result(found: Verified | SightlineError | None) -> None:
    """Of the click before: the page was drawn anew with what is known by now."""
    if isinstance(found, SightlineError):
        say_refused(found)
    elif found is not None and found.is_whole:
        st.html(tag("div", tag("b", f"{words.counted(found.rows, 'row')} are as they were sealed."),
            class_="sl sl-empty", role="status"))  # fmt: skip
    elif found is not None:
        listed = tag("ul", *(tag("li", one.says) for one in found.findings))
        st.html(tag("div", tag("b", "The audit log is not as it was sealed."), listed, class_="sl sl-refused",
            role="alert"))  # fmt: skip
