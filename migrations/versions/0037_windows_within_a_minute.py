"""A window that begins within a minute knows what was used before it.

E-mails and contacts are told by the minute, at its first moment. Where that lay before the window, the replay met them
before it had looked up how its limits stood, and took nothing to be used. Now they come when the window begins.

Revision: 0037
Follows: 0036
"""

from importlib import import_module

from migrations.running import run

revision = "0037"
down_revision = "0036"

_REPLAY = import_module("migrations.versions.0029_replayed_quotas")
_FIRST_MOMENTS = {
    "w.owner_id, date_trunc('minute', c.created_at),\n": "w.owner_id,"
    " GREATEST(since, date_trunc('minute', c.created_at)),\n",
    "        date_trunc('minute', s.first_sent_at), '{": "        GREATEST(since, date_trunc('minute',"
    " s.first_sent_at)), '{",
}


def upgrade() -> None:
    run(_calls(_FIRST_MOMENTS))


def downgrade() -> None:
    run(_calls({}))


def _calls(said: dict[str, str]) -> str:
    """What each meter counts, as it was written down first, with some of it said otherwise."""
    text: str = _REPLAY.CALLS
    found = text[: text.index("\n$$;") + len("\n$$;")].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    for old, new in said.items():
        if found.count(old) != 1:
            raise ValueError(f"The calls do not say once: {old}")
        found = found.replace(old, new)
    return found
