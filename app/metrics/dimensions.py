"""By what figures can be split and filtered: where each dimension lies in the rollups, or how it is reached."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from app.metrics import lookups
from app.metrics.errors import UnknownDimensionError, did_you_mean
from app.metrics.lookups import Lookup
from app.metrics.shapes import Shape
from db.tables.ai import GENERATION_STATUSES, GENERATION_TYPES, SERVICE_TIERS
from db.tables.billing import CREDIT_TRANSACTION_TYPES, INVOICE_STATUSES
from db.tables.campaigns import CAMPAIGN_STATUSES
from db.tables.facts import AD_PLATFORMS, BOUNCE_TYPES
from db.tables.products import AI_PROVIDERS, CHANNELS, METERS, PERIODS, PRODUCTS, TIERS


class Kind(StrEnum):
    """What the values of a dimension are."""

    TEXT = "text"
    WHOLE = "whole number"
    KEY = "key"
    BUCKET = "time"


@dataclass(frozen=True)
class Way:
    """A column of a rollup that holds the dimension, or a lookup that leads to it."""

    column: str
    lookup: Lookup | None = None
    only: frozenset[str] = frozenset()
    not_in: frozenset[str] = frozenset()

    def is_open(self, shape: Shape) -> bool:
        if (self.only and shape.name not in self.only) or shape.name in self.not_in:
            return False
        if self.lookup is None:
            return self.column in shape.grain
        return all(column in shape.grain for column, _ in self.lookup.keys)


@dataclass(frozen=True)
class Label:
    """Where a key's shown form and its name stand."""

    lookup: str
    key: str
    shown: str
    name: str


@dataclass(frozen=True)
class Dimension:
    """Something to split or filter by."""

    name: str
    meaning: str
    ways: tuple[Way, ...]
    kind: Kind = Kind.TEXT
    label: Label | None = None
    # All values that there can be, where there is a list of them.
    values: frozenset[str] = frozenset()

    def way(self, shape: Shape) -> Way | None:
        """How a rollup gets there, if it does."""
        return next((way for way in self.ways if way.is_open(shape)), None)

    @property
    def is_bucket(self) -> bool:
        return self.kind is Kind.BUCKET


_ATTRIBUTION = frozenset({"attribution_days"})


def _in(*columns: str) -> tuple[Way, ...]:
    return tuple(Way(column) for column in columns)


def _via(lookup: Lookup, column: str) -> Way:
    return Way(column, lookup)


def _text(name: str, meaning: str, column: str = "", values: Iterable[str] = ()) -> Dimension:
    return Dimension(name, meaning, _in(column or name), values=frozenset(values))


def _time(name: str, meaning: str) -> Dimension:
    return Dimension(name, meaning, _in("day"), Kind.BUCKET)


def _of_campaign(column: str) -> tuple[Way, ...]:
    return (_via(lookups.CAMPAIGNS, column), _via(lookups.TOUCHES, column))


GRAINS = ("day", "week", "month", "quarter", "year")
BREAKDOWN_DIMENSIONS = ("hour", "platform", "placement", "age", "gender", "location")

_KEYS = (
    Dimension(
        "workspace",
        "The customer's workspace.",
        _in("workspace_code"),
        Kind.KEY,
        Label("workspaces", "code", "id", "name"),
    ),
    Dimension(
        "campaign",
        "The campaign; of attributed figures, the one that was touched.",
        _in("campaign_code", "touch_campaign_code"),
        Kind.KEY,
        Label("campaigns", "code", "id", "name"),
    ),
    Dimension("user", "Who used a product.", _in("user_code"), Kind.KEY, Label("users", "code", "id", "name")),
    Dimension(
        "plan",
        "The plan: of revenue, the one that was paid for; of usage and cost, the one that the workspace had that day.",
        (Way("plan_id"), _via(lookups.SUBSCRIBED, "plan_id")),
        label=Label("plans", "id", "id", "name"),
    ),
    Dimension(
        "component",
        "The part of a page.",
        _in("component_id"),
        label=Label("campaign_components", "id", "id", "name"),
    ),
)
_TEXTS = (
    Dimension(
        "product",
        "The product: where the figure has none of its own, that of its campaign.",
        (Way("product"), *_of_campaign("product")),
        values=frozenset(PRODUCTS),
    ),
    Dimension("channel", "The channel of the campaign.", _of_campaign("channel"), values=frozenset(CHANNELS)),
    Dimension(
        "campaign_status",
        "How the campaign stands in this version of the lake.",
        _of_campaign("status"),
        values=frozenset(CAMPAIGN_STATUSES),
    ),
    Dimension(
        "tier",
        "The tier of the plan.",
        (Way("tier"), Way("tier", lookups.PLANS), _via(lookups.SUBSCRIBED, "tier")),
        values=frozenset(TIERS),
    ),
    Dimension("workspace_country", "The country of the workspace.", (_via(lookups.WORKSPACES, "country"),)),
    Dimension("component_type", "The kind of the part of a page.", (_via(lookups.COMPONENTS, "component_type"),)),
    Dimension("model", "The AI model.", (Way("model", not_in=_ATTRIBUTION),)),
    Dimension("attribution_model", "How conversions are given to touches.", (Way("model", only=_ATTRIBUTION),)),
    _text("provider", "Who runs the AI model.", values=AI_PROVIDERS),
    _text("generation_type", "What was to be made.", values=GENERATION_TYPES),
    _text("status", "How an attempt ended.", values=GENERATION_STATUSES),
    _text("error_code", "Why an attempt failed, as its provider codes it."),
    _text("service_tier", "The provider's class of service.", values=SERVICE_TIERS),
    _text("country", "Where the visitor is."),
    _text("source", "From where the visitor came."),
    _text("medium", "By what kind of link the visitor came."),
    _text("conversion_type", "What the visitor did."),
    _text("device", "On what an e-mail was read.", "device_type"),
    _text("domain", "The receiving domain of an e-mail.", "email_domain"),
    _text("link", "The address that was clicked.", "link_url"),
    _text("bounce_type", "The class of a bounce.", values=BOUNCE_TYPES),
    _text("bounce_reason", "What the receiving server said."),
    _text("platform", "The ad platform's app.", values=AD_PLATFORMS),
    _text("placement", "The place of the ad."),
    _text("age", "The age of those who saw the ad.", "age_range"),
    _text("gender", "The gender of those who saw the ad.", values=("female", "male", "unknown")),
    _text("location", "Where the ad was seen, or the e-mail opened."),
    _text("currency", "The currency of an amount; split by it, amounts are not converted."),
    _text("optimization_type", "What the optimizer changed."),
    _text("feature", "The feature of a product."),
    _text("meter", "What a quota counts.", values=METERS),
    _text("quota_period", "How long a quota runs.", "period", PERIODS),
    _text("transaction_type", "Why credits came or went.", values=CREDIT_TRANSACTION_TYPES),
    _text("invoice_kind", "An invoice or a credit note.", values=("invoice", "credit_note")),
    _text("invoice_status", "How an invoice stands.", values=INVOICE_STATUSES),
)
_TIMES = (
    _time("day", "The day, in the reporting zone."),
    _time("week", "The week, by its Monday."),
    _time("month", "The month, by its first day."),
    _time("quarter", "The quarter, by its first day."),
    _time("year", "The year, by its first day."),
    Dimension("weekday", "The day of the week: 1 is Monday.", _in("day"), Kind.WHOLE),
    Dimension("hour", "The hour of the day.", _in("hour"), Kind.WHOLE),
)


@cache
def dimensions() -> Mapping[str, Dimension]:
    """Every dimension by its name."""
    return {dimension.name: dimension for dimension in (*_KEYS, *_TEXTS, *_TIMES)}


def dimension(name: str) -> Dimension:
    """A dimension by its name."""
    found = dimensions().get(name)
    if found is None:
        raise UnknownDimensionError(
            f"No dimension is named '{name}'.",
            why="Figures can be split and filtered only by what rollups hold.",
            fix=did_you_mean(name, dimensions(), "`sightline metrics --dimensions` lists them all."),
        )
    return found
