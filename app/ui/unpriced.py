"""Use without a price: how much there is of which model, since when, and why; what it cost is not known."""

from typing import Any

from app.metrics.metric import Unit
from app.ui import words
from app.ui.cards import LIVE
from app.ui.links import address
from app.ui.live import read
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table

_BOOK = "price_book"
NOT_TRIED = "Not looked at yet: the next pricing does, within minutes."


def unpriced_use(scope: Scope) -> None:
    """Of the page's days and filters; each model leads to the book, where a price for it can be approved."""
    narrowed: dict[str, Any] = {name: scope.where.get(name) for name in ("workspace", "provider", "model", "product")}
    found = read("unpriced_models", scope, since=scope.since, until=scope.until, **narrowed)
    others = [words.spelled(name).lower() for name in scope.where if name not in narrowed]
    unfiltered = f" Not narrowed by {' and '.join(others)}." if others else ""
    table(
        [
            vars(one)
            | {name: words.spelled(getattr(one, name)) for name in ("provider", "service_tier")}
            | {
                "reason": one.reason or NOT_TRIED,
                "mend": "Add a price",
                "book": address(_BOOK, scope, model=one.model),
            }
            for one in found.rows
        ],
        name="unpriced",
        title="Use without a price",
        why=f"Its cost is unknown, not zero, and is in none of the sums. {LIVE}{unfiltered}",
        columns={
            "model": "Model",
            "provider": "Provider",
            "service_tier": "Tier",
            "calls": Column("Calls", Unit.COUNT),
            "mend": Column("Price book", leads="book"),
            "reason": "Why",
            "first_at": "Since",
            "last_at": "Last",
        },
        scope=scope,
        empty=("Everything that was used has a price.", "Calls of a model without one would be listed here."),
        read=found,
    )
