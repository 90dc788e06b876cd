"""A hold that has expired is asked for anew, also under its own key.

Whoever asked again under a key was let through as long as its row was there, which is a day after it expired: what it
had held was free for others by then, and nothing was held for it.

Revision: 0039
Follows: 0038
"""

from migrations.running import run

revision = "0039"
down_revision = "0038"

_KNOWN = "AND h.call_key = hold_ai_budget.call_key"
_KEPT = "ON CONFLICT DO NOTHING"
_SAID = {
    f"{_KNOWN});": f"{_KNOWN} AND h.expires_at > clock_timestamp());",
    f"{_KEPT};": """ON CONFLICT ON CONSTRAINT ai_holds_workspace_id_call_key_is_unique DO UPDATE
            SET user_id = EXCLUDED.user_id, product = EXCLUDED.product, provider = EXCLUDED.provider,
                generation_type = EXCLUDED.generation_type, amount = EXCLUDED.amount, arrived = 0,
                is_estimate = true, settled_at = NULL, expires_at = EXCLUDED.expires_at
            WHERE ai_holds.expires_at <= clock_timestamp();""",
}
SAYING = """
DO $do$
DECLARE
    said text := pg_get_functiondef('hold_ai_budget(uuid, uuid, text, text, text, numeric, text, integer)'
        ::regprocedure);
BEGIN
    IF position($old${old}$old$ IN said) = 0 THEN
        RAISE EXCEPTION 'The function of holds does not say what is to be changed.';
    END IF;
    EXECUTE replace(said, $old${old}$old$, $new${new}$new$);
END
$do$;
"""


def upgrade() -> None:
    for old, new in _SAID.items():
        run(SAYING.format(old=old, new=new))


def downgrade() -> None:
    for old, new in _SAID.items():
        run(SAYING.format(old=new, new=old))
