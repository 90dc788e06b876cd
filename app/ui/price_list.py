"""The price book on its page: what is valid when, and everything that was ever said of one price."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import streamlit as st

from app.metrics.metric import Unit
from app.records.prices import BookPrice, PastPrice
from app.ui import words
from app.ui.cards import LIVE
from app.ui.links import address, anchor
from app.ui.live import read
from app.ui.markup import tag
from app.ui.rows import Column, Columns
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

PAGE = "price_book"
_NOW, _PERIOD, _EVER = "Now", "In this period", "At any time"
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
_MILLION = 1_000_000
PRICE = Column("Price", Unit.MONEY, currency="USD", is_exact=True)
_BOOK: Columns = {
    "model": Column("Model", opens=PAGE, key="id"),
    "what": "Charged for",
    "tier": "Tier",
    "price": PRICE,
    "per": "For",
    "valid_from": "Valid from",
    "holds_until": "Until",
    "known_from": "Known since",
    "version": Column("Version", Unit.COUNT),
    "source": "Source",
}
_PAST: Columns = {
    "state": "State",
    "price": PRICE,
    "per": "For",
    "valid_from": "Valid from",
    "valid_to": "Until",
    "known_from": "Known since",
    "version": Column("Version", Unit.COUNT),
    "decided_at": "Decided",
    "decided_by": "By",
    "superseded_at": "Superseded",
    "source": "Source",
}


def book(scope: Scope) -> None:
    """What the book says: now, on the days of the page, or of any day."""
    when = one_of("valid", (_NOW, _PERIOD, _EVER), label="Valid")
    days = {_PERIOD: (scope.since, scope.until), _EVER: (_FIRST, _LAST)}.get(when, (None, None))
    chosen = chosen_models(scope)
    found = read(
        "book_prices",
        scope,
        since=days[0],
        until=days[1],
        provider=chosen["provider"],
        model=chosen["model"],
    )
    table(
        with_days([_listed(one) for one in found.rows], "valid_from", "holds_until", "known_from"),
        name="prices",
        title="The price book",
        why=f"Prices are never edited: a newer one supersedes or follows. Days begin at midnight UTC. {LIVE}",
        columns=_BOOK,
        scope=scope,
        empty=("The book has no such price.", "Look for prices among the proposals, or choose fewer filters."),
        read=found,
    )


def past(scope: Scope, key: UUID) -> None:
    """All that was ever said of what a price is for, or that there is no such price."""
    everything = replace(scope, query=tuple((name, value) for name, value in scope.query if name != PAGE))
    found = read("past_prices", scope, price=key)
    mine = next((one for one in read("book_prices", scope, since=_FIRST, until=_LAST).rows if one.id == key), None)
    title = f"History of {mine.provider}/{mine.model}" if mine else "History of a price"
    table(
        with_days(
            [_told(one) for one in found.rows], "valid_from", "valid_to", "known_from", "decided_at", "superseded_at"
        ),
        name="past-prices",
        title=title,
        why=f"{what_of(mine)}. What was known when, who decided it, and where it is from. {LIVE}" if mine else LIVE,
        columns=_PAST,
        scope=scope,
        empty=("There is no such price.", "Open one from the list below."),
        read=found,
    )
    st.html(tag("p", anchor("Back to the book", address(PAGE, everything)), class_="sl sl-small"))


def price_key() -> UUID | None:
    """The price that the address names."""
    try:
        return UUID(st.query_params.get(PAGE, ""))
    except ValueError:
        return None


def chosen_models(scope: Scope) -> dict[str, tuple[str, ...]]:
    """What the page's filters choose of providers and models."""
    return {name: tuple(str(one) for one in scope.where.get(name, ())) for name in ("provider", "model")}


def what_of(one: Any) -> str:  # noqa: ANN401 - a row of the book, or a proposal for it
    """What is charged for, of which kind, in which tier and context."""
    return charged_for(one) + ("" if one.service_tier == "standard" else f", {one.service_tier}")


def charged_for(one: Any) -> str:  # noqa: ANN401 - as above
    context = f", from {one.context_from:,} tokens" if one.context_from else ""
    return f"{words.spelled(one.unit)} {one.variant}".strip() + context


def per_of(per: int) -> str:
    """For how many a price is."""
    return "a million" if per == _MILLION else "one" if per == 1 else f"{per:,}"


def source_of(source: str, reference: str | None) -> str:
    return f"{source}: {reference}" if reference else source


def price_of(price: Decimal, per: int) -> str:
    return f"{words.exact(price)} USD for {per_of(per)}"


def with_days(rows: Sequence[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Moments as days of UTC, where all of a column are midnights: as prices change."""
    listed = [dict(row) for row in rows]
    for name in names:
        moments = [row[name].astimezone(UTC) for row in listed if isinstance(row[name], datetime)]
        if all(at == at.replace(hour=0, minute=0, second=0, microsecond=0) for at in moments):
            for row in listed:
                row[name] = row[name].astimezone(UTC).date() if row[name] is not None else None
    return listed


def _listed(one: BookPrice) -> dict[str, Any]:
    return vars(one) | {
        "model": f"{one.provider}/{one.model}",
        "what": charged_for(one),
        "tier": words.spelled(one.service_tier),
        "per": per_of(one.per),
        "source": source_of(one.source, one.reference),
    }


def _told(one: PastPrice) -> dict[str, Any]:
    return vars(one) | {
        "state": one.state.capitalize(),
        "per": per_of(one.per),
        "version": one.version or None,
        "source": source_of(one.source, one.reference),
    }
