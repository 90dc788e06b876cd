"""How contacts stand and when they last did anything: by recency, and by the month in which they came."""

from collections.abc import Sequence

from app.metrics.metric import Unit
from app.records.contacts import RECENCIES, Cohort
from app.ui import words
from app.ui.cards import LIVE, card
from app.ui.empty import empty_card
from app.ui.live import read
from app.ui.markup import Markup, tag
from app.ui.scope import Scope
from db.tables.audience import CONTACT_STATUSES

_RECENT = {
    "30 days": "in the last 30 days",
    "60 days": "31 to 60 days ago",
    "90 days": "61 to 90 days ago",
    "180 days": "91 to 180 days ago",
    "365 days": "181 to 365 days ago",
    "longer": "longer ago",
    "never": "never",
}
_SHARES = {
    "subscribed": "Subscribed",
    "unsubscribed": "Unsubscribed",
    "bounced": "Bounced",
    "complained": "Complained",
    "engaged_30_days": "Active, 30 days",
    "engaged_90_days": "Active, 90 days",
    "never_engaged": "Never active",
}
_BAR = tag("span", "As a bar", class_="sl-unseen")
_EMPTY = empty_card("Nobody is here.", "Contacts come with an import, a form, or a workspace's own list.")


def recencies(scope: Scope) -> None:
    """A row for each time since they were last active, and a column for each status."""
    found = read("recency", scope, workspace=scope.where.get("workspace"))
    counts = {(row.recency, row.status): row.contacts for row in found.rows}
    statuses = [one for one in CONTACT_STATUSES if any(status == one for _, status in counts)]
    listed = {
        told: [counts.get((key, one), 0) for one in statuses] for key, told in _RECENT.items() if key in RECENCIES
    }
    whole = [sum(column) for column in zip(*listed.values(), strict=True)]
    largest = max((sum(row) for row in listed.values()), default=0) or 1
    body = [_standing(name, row, largest) for name, row in listed.items()]
    foot = tag("tfoot", _standing("Together", whole, 0))
    head = ("Last opened or clicked", _BAR, "Contacts", *(words.spelled(one) for one in statuses))
    card(
        "Status and last activity",
        _table(head, body, foot) if counts else _EMPTY,
        why=f"As contacts stand now, whatever period is chosen. {LIVE}{_unfiltered(scope)}",
        read=found,
        scope=scope,
    )


def came(scope: Scope) -> None:
    """A row for each month in which contacts came: of all of them, how many stand how now."""
    found = read("cohorts", scope, workspace=scope.where.get("workspace"))
    head = ("Came in", "Contacts", *_SHARES.values())
    body = [_cohort(row) for row in reversed(found.rows)]
    card(
        "By the month in which they came",
        _table(head, body) if found.rows else _EMPTY,
        why=f"How many of each month's contacts stand how now; active is opened or clicked. {LIVE}{_unfiltered(scope)}",
        read=found,
        scope=scope,
    )


def _standing(name: str, counts: Sequence[int], largest: int) -> Markup:
    whole = sum(counts)
    width = f"width:{whole / largest * 100:.2f}%" if largest else ""
    drawn = tag("div", tag("i", style=width), class_="bar sl-c0") if largest else ""
    figures = (tag("td", words.count(count), class_="number") for count in counts)
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", drawn, class_="drawn"),
        tag("td", words.count(whole), class_="number"),
        *figures,
    )


def _cohort(row: Cohort) -> Markup:
    whole = row.contacts
    return tag(
        "tr",
        tag("th", words.bucket("month", row.month), scope="row"),
        tag("td", words.count(whole), class_="number"),
        *(_share(getattr(row, name) / whole, f"{getattr(row, name):,} of {whole:,}") for name in _SHARES),
    )


def _share(share: float, hint: str) -> Markup:
    """The more of them, the more of a tint behind the figure, which stays readable."""
    tint = tag("i", class_="sl-c0", style=f"opacity:{share * 0.3:.2f}")
    return tag("td", tint, words.figure(share, Unit.PERCENT), class_="number tinted", title=hint)


def _table(head: Sequence[str], body: Sequence[Markup], *foot: Markup) -> Markup:
    named = (tag("th", name, scope="col", class_="number" if place > 0 else None) for place, name in enumerate(head))
    drawn = tag("table", tag("thead", tag("tr", *named)), tag("tbody", *body), *foot, class_="sl-table sl-funnel")
    return tag("div", drawn, class_="sl-scroll", tabindex=0, role="region", aria_label="Table")


def _unfiltered(scope: Scope) -> str:
    """Filters by which contacts themselves are not told apart."""
    others = [words.spelled(name).lower() for name in scope.where if name != "workspace"]
    return f" Not narrowed by {' and '.join(others)}." if others else ""
