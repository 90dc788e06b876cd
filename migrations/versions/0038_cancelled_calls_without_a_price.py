"""Cancelled calls without a price are counted as unpriced, as those that ended otherwise are.

A reader who leaves in the middle of an answer cancels the call; the provider charges for what it wrote by then, and
nobody is told how much. Such a cost was in no sum and, unlike that of other calls without a price, in no count.

Revision: 0038
Follows: 0037
"""

from migrations.running import run

revision = "0038"
down_revision = "0037"

_TWO, _THREE = "(''completed'', ''failed'')", "(''completed'', ''failed'', ''cancelled'')"

# The sums of days, what a close counts, and what a replay of usage meets: each says otherwise what it said.
SAYING = """
DO $do$
DECLARE
    one regprocedure;
    said text;
BEGIN
    FOREACH one IN ARRAY ARRAY['count_ai_generations()', 'close_ai_month(date, uuid)',
        'metered_calls(uuid, text, timestamptz, timestamptz, text)']::regprocedure[]
    LOOP
        said := pg_get_functiondef(one);
        IF position('{old}' IN said) = 0 THEN
            RAISE EXCEPTION '% does not say which calls have ended.', one;
        END IF;
        EXECUTE replace(said, '{old}', '{new}');
    END LOOP;
END
$do$;
"""
RECOUNT = """
UPDATE ai_cost_tracking AS t
SET unpriced_count = t.unpriced_count {sign} c.calls
FROM (
    SELECT workspace_id, user_id, (created_at AT TIME ZONE 'UTC')::date AS date, provider, model, COUNT(*) AS calls
    FROM ai_generations
    WHERE status = 'cancelled' AND cost IS NULL
    GROUP BY workspace_id, user_id, (created_at AT TIME ZONE 'UTC')::date, provider, model
) AS c
WHERE (t.workspace_id, t.user_id, t.date, t.provider, t.model)
    = (c.workspace_id, c.user_id, c.date, c.provider, c.model);
"""


def upgrade() -> None:
    run(SAYING.format(old=_TWO, new=_THREE))
    run(RECOUNT.format(sign="+"))


def downgrade() -> None:
    run(RECOUNT.format(sign="-"))
    run(SAYING.format(old=_THREE, new=_TWO))
