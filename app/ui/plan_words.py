"""Plans as people read them: the names of what they say, and how a version stands."""

from app.commands.texts import plain
from app.records.plan_terms import PlanFeature, PlanLimit
from app.records.plans import PlanNow
from app.ui import words
from app.ui.markup import Markup, tag

_NAMES = {
    "name": "Name",
    "price": "Price",
    "currency": "Currency",
    "billing_period": "Paid",
    "description": "Description",
    "generation_credits": "Credits for generations",
    "has_watermark": "Watermark",
}
PERIODS = {"day": "a day", "month": "a month", "year": "a year", "lifetime": "in all"}
PAID = {"monthly": "a month", "annual": "a year"}


def field_name(field: str) -> str:
    """`limit emails month` is E-mails a month."""
    kind, *rest = field.split()
    if kind == "limit":
        return f"{words.spelled(rest[0])} {PERIODS[rest[1]]}"
    return words.spelled(rest[0]) if kind == "feature" else _NAMES[field]


def field_told(value: object) -> str:
    """What it says; of a limit and a feature that are not there: a dash."""
    if isinstance(value, PlanFeature) and value.meter:
        return f"metered by {words.spelled(value.meter)}"
    return str(value) if isinstance(value, PlanLimit | PlanFeature) else plain(value)


def price_told(one: PlanNow) -> str:
    """With its currency and period."""
    return f"{words.money(one.price, one.currency)} {PAID[one.billing_period]}"


def standing(one: PlanNow) -> str:
    """Where a version is on its way, and since or from when."""
    if one.status == "scheduled" and one.publishes_on:
        return f"live from {words.day(one.publishes_on)}, UTC"
    if one.status == "published" and one.published_at:
        return f"live since {words.day(one.published_at.date())}"
    if one.status == "retired" and one.retired_at:
        return f"sold no more since {words.day(one.retired_at.date())}"
    return "draft, waits for approval" if one.waits_for_approval else one.status


def chips(*texts: object) -> Markup:
    return tag("div", *(tag("span", one, class_="sl-chip") for one in texts), class_="sl-chips")
