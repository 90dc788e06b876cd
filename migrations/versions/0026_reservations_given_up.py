"""What a call holds can be given up by hand: it expires before its time, and the audit log says who did it and why.

A call whose process was lost holds its quota until the reservation expires. Expired, and not released: should the call
still end, it is counted as any late one is.

Revision: 0026
Follows: 0025
"""

from migrations.running import run

revision = "0026"
down_revision = "0025"

GIVING_UP = """
CREATE FUNCTION give_up_quota_reservation(
    workspace uuid, reservation uuid, at timestamptz DEFAULT clock_timestamp()
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    one record;
    given_up integer := 0;
BEGIN
    -- This runs as the owner, who sees everyone.
    IF workspace <> ALL (COALESCE(app_workspaces(), '{}')) THEN
        RAISE EXCEPTION 'The workspace is not one of this transaction''s.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR one IN
        SELECT r.id, r.balance_id, r.idempotency_key, r.amount, r.answer, r.key_place, r.expires_at, b.meter
        FROM quota_reservations AS r
        JOIN quota_balances AS b ON b.workspace_id = r.workspace_id AND b.id = r.balance_id
        WHERE r.workspace_id = workspace AND r.state = 'held' AND r.idempotency_key = (
            SELECT k.idempotency_key FROM quota_reservations AS k
            WHERE k.workspace_id = workspace AND k.id = reservation
        )
        ORDER BY r.balance_id
        FOR UPDATE OF r
    LOOP
        UPDATE quota_reservations AS r SET state = 'expired', expires_at = LEAST(r.expires_at, at)
        WHERE r.workspace_id = workspace AND r.id = one.id;
        PERFORM move_quota(workspace, one.balance_id, one.amount, 0, at);
        IF one.key_place = 1 AND (one.answer #>> '{asked,credits}')::integer > 0 THEN
            PERFORM return_credits(workspace, one.id, (one.answer #>> '{asked,credits}')::integer);
        END IF;
        INSERT INTO audit_log (actor, action, table_name, row_key, workspace_id, before, after, reason)
        VALUES (NULLIF(current_setting('app.actor', true), ''), 'update', 'quota_reservations', one.id::text, workspace,
            jsonb_build_object('state', 'held', 'meter', one.meter, 'amount', one.amount, 'expires_at', one.expires_at),
            jsonb_build_object('state', 'expired', 'meter', one.meter, 'amount', one.amount, 'expires_at',
                LEAST(one.expires_at, at)),
            NULLIF(current_setting('app.reason', true), ''));
        given_up := given_up + 1;
    END LOOP;
    RETURN given_up;
END
$$;
GRANT EXECUTE ON FUNCTION give_up_quota_reservation(uuid, uuid, timestamptz) TO app_rw;
"""


def upgrade() -> None:
    run(GIVING_UP)


def downgrade() -> None:
    run("DROP FUNCTION give_up_quota_reservation(uuid, uuid, timestamptz);")
