"""Money: invoices, recognised revenue, recurring revenue, margin, and credits."""

from app.access import Permission
from app.metrics.ai import COST
from app.metrics.metric import Difference, Direction, Metric, Ratio, Stock, Sum, Unit, When

UP, DOWN, NEITHER = Direction.UP, Direction.DOWN, Direction.NEITHER
_READ = Permission.MONEY_READ
# A void invoice was never owed; it still counts as issued where statuses are asked for by name.
_OWED = (When("invoice_status", ("void",), is_excluded=True),)


def _amount(
    name: str, meaning: str, good: Direction, *aliases: str, measure: str = "", when: tuple[When, ...] = ()
) -> Sum:
    return Sum(
        name=name,
        meaning=meaning,
        unit=Unit.MONEY,
        good=good,
        permission=_READ,
        aliases=aliases,
        measure=measure or name,
        when=when,
        is_whole=False,
    )


def _count(name: str, meaning: str, good: Direction, measure: str = "", when: tuple[When, ...] = ()) -> Sum:
    return Sum(
        name=name, meaning=meaning, unit=Unit.COUNT, good=good, permission=_READ, measure=measure or name, when=when
    )


def _credits(name: str, meaning: str, kind: str, *, is_taken: bool = False) -> Sum:
    return Sum(
        name=name,
        meaning=meaning,
        unit=Unit.CREDITS,
        good=NEITHER,
        permission=_READ,
        measure="credits_moved",
        when=(When("transaction_type", (kind,)),),
        is_negated=is_taken,
    )


def _at_start(name: str, meaning: str, level: Stock, change: Sum) -> Difference:
    return Difference(
        name=name,
        meaning=meaning,
        unit=level.unit,
        good=level.good,
        permission=_READ,
        minuend=level,
        subtrahend=change,
    )


def _stock(name: str, meaning: str, unit: Unit, good: Direction, *, added: Sum, removed: Sum | None = None) -> Stock:
    return Stock(name=name, meaning=meaning, unit=unit, good=good, permission=_READ, added=added, removed=removed)


REVENUE = _amount(
    "recognised_revenue",
    "Revenue by the days that were paid for: net of tax, discounts and credit notes, without drafts and voids.",
    UP,
    "revenue",
)
MARGIN = Difference(
    name="margin",
    meaning="Recognised revenue less AI cost; below zero where a customer costs more than they pay.",
    unit=Unit.MONEY,
    good=UP,
    permission=_READ,
    minuend=REVENUE,
    subtrahend=COST,
)
INVOICED = _amount(
    "invoiced",
    "Totals of issued invoices with tax, credit notes taken off; void ones are not in it.",
    UP,
    "invoiced_total",
    measure="invoiced_total",
    when=_OWED,
)
PAID = _amount("invoiced_paid", "What was paid of issued invoices.", UP, when=_OWED)
MRR_CHANGE = _amount("mrr_change", "How monthly recurring revenue changed: its five movements together.", UP)
MRR = _stock(
    "mrr",
    "Monthly recurring revenue at the period's end: each change at the rate of its day, so that changes add up.",
    Unit.MONEY,
    UP,
    added=MRR_CHANGE,
)
STARTED = _count("subscriptions_started", "Subscriptions that began, free ones included.", UP)
ENDED = _count("subscriptions_ended", "Subscriptions that ended.", DOWN)
MOVED = Sum(
    name="credits_moved",
    meaning="Credits that came, less credits that went.",
    unit=Unit.CREDITS,
    good=NEITHER,
    permission=_READ,
    measure="credits_moved",
)
CREDITS_OWED = _stock(
    "credits_balance", "Credits that users have at the period's end: they are owed.", Unit.CREDITS, NEITHER, added=MOVED
)

METRICS: tuple[Metric, ...] = (
    _count(
        "invoices",
        "Invoices issued, credit notes and voids not counted.",
        NEITHER,
        when=(When("invoice_kind", ("invoice",)), *_OWED),
    ),
    _count(
        "credit_notes",
        "Credit notes issued.",
        DOWN,
        measure="invoices",
        when=(When("invoice_kind", ("credit_note",)), *_OWED),
    ),
    _amount("invoiced_subtotal", "Invoiced before discount and tax.", UP, when=_OWED),
    _amount("invoiced_discount", "Discounts on invoices.", DOWN, when=_OWED),
    _amount("invoiced_tax", "Tax on invoices.", NEITHER, when=_OWED),
    INVOICED,
    PAID,
    Difference(
        name="invoiced_unpaid",
        meaning="Invoiced and not paid.",
        unit=Unit.MONEY,
        good=DOWN,
        permission=_READ,
        minuend=INVOICED,
        subtrahend=PAID,
    ),
    REVENUE,
    MARGIN,
    Ratio(
        name="margin_rate",
        meaning="Margin per recognised revenue; empty where revenue is 0.",
        unit=Unit.PERCENT,
        good=UP,
        permission=_READ,
        numerator=MARGIN,
        denominator=REVENUE,
    ),
    Ratio(
        name="ai_cost_share",
        meaning="AI cost per recognised revenue.",
        unit=Unit.PERCENT,
        good=DOWN,
        permission=_READ,
        numerator=COST,
        denominator=REVENUE,
    ),
    _amount("mrr_new", "Recurring revenue of customers who had none before.", UP),
    _amount("mrr_expansion", "Recurring revenue that grew.", UP),
    _amount("mrr_contraction", "Recurring revenue that shrank, below zero.", UP),
    _amount("mrr_churn", "Recurring revenue that ended, below zero.", UP),
    _amount("mrr_reactivation", "Recurring revenue of customers who came back.", UP),
    MRR_CHANGE,
    MRR,
    _at_start("mrr_at_start", "Monthly recurring revenue as the period began.", MRR, MRR_CHANGE),
    STARTED,
    ENDED,
    _stock(
        "subscriptions",
        "Subscriptions at the period's end, free ones included.",
        Unit.COUNT,
        UP,
        added=STARTED,
        removed=ENDED,
    ),
    _count("credit_movements", "How often credits came or went.", NEITHER),
    MOVED,
    _credits("credits_purchased", "Credits bought.", "purchase"),
    _credits("credits_granted", "Credits given.", "grant"),
    _credits("credits_promoted", "Credits given as a promotion.", "promotion"),
    _credits("credits_refunded", "Credits given back.", "refund"),
    _credits("credits_spent", "Credits used.", "usage", is_taken=True),
    _credits("credits_expired", "Credits that ran out of time.", "expiry", is_taken=True),
    _credits("credits_taken_back", "Credits taken back.", "take_back", is_taken=True),
    CREDITS_OWED,
    _at_start("credits_at_start", "Credits that users had as the period began.", CREDITS_OWED, MOVED),
)
