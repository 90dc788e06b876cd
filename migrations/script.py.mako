"""${message}

Revision: ${up_revision}
Follows: ${down_revision | comma,n}
"""

from migrations.running import run

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    run("""
    """)


def downgrade() -> None:
    run("""
    """)
