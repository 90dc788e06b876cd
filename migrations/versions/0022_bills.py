"""Providers' bills: files that were read, what they say per unit, and who approved them.

Revision: 0022
Follows: 0021
"""

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
