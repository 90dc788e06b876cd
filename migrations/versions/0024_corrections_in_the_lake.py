"""Corrections of closed months for the lake, and what caches and batches saved, kept with each call.

Revision: 0024
Follows: 0023
"""

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
