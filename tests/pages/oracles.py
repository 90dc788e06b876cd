"""What pages must show, counted from the rows under the same filters: nothing of the metrics layer takes part."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app.ui.words import PRODUCT_NAMES

ROLES = ("admin", "limited")
# Of finance pages.
FINANCE_ROLES = ("finance", "limited-finance")
_LIMITED = "SELECT UNNEST(workspace_ids) FROM team_members WHERE email = '{role}@test.example'"
_ALL = "SELECT id FROM workspaces WHERE kind = 'customer' AND deleted_at IS NULL"
# Of amounts: the rate of the day, or the last one known before it.
IN_DOLLARS = """(
    SELECT r.rate FROM fx_rates AS r
    WHERE r.currency = {currency} AND r.reporting_currency = 'USD' AND r.day <= {day}
    ORDER BY r.day DESC LIMIT 1
)"""


@dataclass(frozen=True)
class Choice:
    """A set of filters: as an address holds it, and as SQL."""

    address: str
    since: date
    until: date
    product: str | None = None

    def holds(self, at: str, role: str, *, product: str = "c.product", workspace: str = "t.workspace_id") -> str:
        """The condition that rows meet; `at` is their time or day, in UTC like the site."""
        days = f"{at} >= DATE '{self.since}' AND {at} < DATE '{self.until}'"
        seen = f"{workspace} IN ({_LIMITED.format(role=role) if role.startswith('limited') else _ALL})"
        return f"{days} AND {seen}" + (f" AND {product} = '{self.product}'" if self.product else "")


def choices(product: str) -> dict[str, Choice]:
    """Three sets: what a page shows at first, a product over a quarter, and days that were picked."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    picked = (tomorrow - timedelta(days=45), tomorrow - timedelta(days=15))
    days = [("period", "Custom"), *(("days", day.isoformat()) for day in picked)]
    return {
        "first": Choice("", tomorrow - timedelta(days=28), tomorrow),
        "product": Choice(
            urlencode({"period": "Last 90 days", "product": PRODUCT_NAMES[product]}),
            tomorrow - timedelta(days=90),
            tomorrow,
            product,
        ),
        "picked": Choice(urlencode([*days, ("compare", "Off")]), picked[0], picked[1] + timedelta(days=1)),
    }


def same(shown: Decimal | None, counted: object, *, within: float = 1e-9) -> bool:
    """Exact, but for the last places of a quotient; percentiles are told within a hundredth."""
    if shown is None or counted is None:
        return shown is None and counted is None
    return float(shown) == pytest.approx(float(counted), rel=within, abs=1e-9)  # type: ignore[arg-type]
