"""Pages may ask by the engine's own rule what a period brings along: without a call there is no balance that says it.

Revision: 0035
Follows: 0034
"""

from migrations.running import run

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    run("GRANT EXECUTE ON FUNCTION quota_left_over(bigint, bigint, bigint) TO app_ro;")


def downgrade() -> None:
    run("REVOKE EXECUTE ON FUNCTION quota_left_over(bigint, bigint, bigint) FROM app_ro;")
