"""Every metric once more, in plain arithmetic over rows that the rollups' oracles count, without the metrics layer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain
from math import ceil
from typing import Any

from sqlalchemy import Connection, text

from tests.lake.answers import by_oracle

Row = Mapping[str, Any]
Figure = Decimal | None
_TIMES = """
    SELECT w.code AS workspace_code, g.product, DATE(g.created_at AT TIME ZONE :zone) AS day, g.generation_time_ms
    FROM ai_generations AS g JOIN workspaces AS w ON w.id = g.workspace_id WHERE g.generation_time_ms IS NOT NULL
"""


@dataclass
class Books:
    """What the oracles count in one zone, read once; and what they are looked at with."""

    connection: Connection
    zone: str
    _read: dict[str, list[Row]] = field(default_factory=dict, repr=False)
    _sorted: dict[str, dict[int, list[Row]]] = field(default_factory=dict, repr=False)

    def rows(self, name: str) -> list[Row]:
        if name not in self._read:
            times = {"zone": self.zone}
            self._read[name] = (
                [dict(row) for row in self.connection.execute(text(_TIMES), times).mappings()]
                if name == "times"
                else by_oracle(self.connection, name, self.zone)
            )
        return self._read[name]

    def rows_of(self, name: str, workspace: int) -> list[Row]:
        """The same of one workspace: with all of them, each of fifty would be looked for among the rows of all."""
        if name not in self._sorted:
            found = self._sorted[name] = defaultdict(list)
            for row in self.rows(name):
                found[row["workspace_code"]].append(row)
        return self._sorted[name][workspace]

    @cached_property
    def product_of(self) -> dict[int, str]:
        """Each campaign's."""
        return dict(self.connection.execute(text("SELECT code, product FROM campaigns")).all())

    @cached_property
    def rates(self) -> dict[str, list[tuple[date, Decimal]]]:
        """What a unit of each currency is worth in dollars, the newest day first."""
        asked = "SELECT currency, day, rate FROM fx_rates WHERE reporting_currency = 'USD' ORDER BY day DESC"
        found: dict[str, list[tuple[date, Decimal]]] = {}
        for currency, day, rate in self.connection.execute(text(asked)):
            found.setdefault(currency, []).append((day, rate))
        return found

    def dollars(self, row: Row, amount: Decimal) -> Figure:
        """At the rate of the row's day, or the last one before it; AI cost is in dollars anyway."""
        currency = row.get("currency", "USD")
        if currency == "USD" or not amount:
            return amount
        rate = next((rate for day, rate in self.rates.get(currency, ()) if day <= row["day"]), None)
        return None if rate is None else amount * rate


@dataclass(frozen=True)
class Look:
    """Whose rows of which days are looked at."""

    books: Books
    workspaces: frozenset[int]
    since: date
    until: date
    product: str | None = None

    def rows(self, name: str, *, from_the_beginning: bool = False) -> Iterable[Row]:
        for row in chain.from_iterable(self.books.rows_of(name, workspace) for workspace in self.workspaces):
            is_of_days = row["day"] < self.until and (from_the_beginning or row["day"] >= self.since)
            if is_of_days and self.product in {None, self._product(row)}:
                yield row

    def _product(self, row: Row) -> str | None:
        """Its own, or that of its campaign."""
        if "product" in row:
            return row["product"]
        return self.books.product_of.get(row.get("touch_campaign_code") or row.get("campaign_code") or 0)


Reckoned = Callable[[Look], Figure]


def _plus(figures: Iterable[Figure]) -> Figure:
    """What can't be told makes the sum unknown."""
    listed = list(figures)
    return None if None in listed else sum((Decimal(one) for one in listed if one is not None), Decimal(0))


def added(oracle: str, measure: str, *, of: Callable[[Row], bool] = lambda _: True, sign: int = 1) -> Reckoned:
    return lambda look: _plus(Decimal(row.get(measure) or 0) * sign for row in look.rows(oracle) if of(row))


def amount(oracle: str, measure: str, *, of: Callable[[Row], bool] = lambda _: True) -> Reckoned:
    return lambda look: _plus(
        look.books.dollars(row, Decimal(row.get(measure) or 0)) for row in look.rows(oracle) if of(row)
    )


def standing(oracle: str, came: str, went: str | None = None) -> Reckoned:
    """All that came before the period's end, less all that went."""
    return lambda look: _plus(
        look.books.dollars(row, Decimal(row.get(came) or 0) - Decimal((row.get(went) if went else 0) or 0))
        for row in look.rows(oracle, from_the_beginning=True)
    )


def people(measure: str) -> Reckoned:
    return lambda look: Decimal(
        len({row["contact_code"] for row in look.rows("email_contact_days") if (row.get(measure) or 0) > 0})
    )


def within(per_cent: int) -> Reckoned:
    """The time within which so many were made, exactly: metrics may be a hundredth off."""

    def reckoned(look: Look) -> Figure:
        times = sorted(row["generation_time_ms"] for row in look.rows("times"))
        return Decimal(times[ceil(len(times) * per_cent / 100) - 1]) / 1000 if times else None

    return reckoned


def over(numerator: str, denominator: str, factor: int = 1) -> Reckoned:
    def reckoned(look: Look) -> Figure:
        above, below = METRICS[numerator](look), METRICS[denominator](look)
        return None if above is None or not below else above / below * factor

    return reckoned


def together(*names: str) -> Reckoned:
    return lambda look: _plus(METRICS[name](look) for name in names)


def less(first: str, second: str) -> Reckoned:
    def reckoned(look: Look) -> Figure:
        taken = METRICS[second](look)
        return _plus((METRICS[first](look), None if taken is None else -taken))

    return reckoned


def _whole(row: Row) -> bool:
    """Ads come by several breakdowns, each with the same money; together they are in the one that splits by nothing."""
    return bool(row["breakdown"] == "none")


def _owed(row: Row) -> bool:
    return bool(row["invoice_status"] != "void")


def _attributed(measure: str, model: str) -> Reckoned:
    reckon = added if measure == "attributed_conversions" else amount
    return reckon("attribution_days", measure, of=lambda row: row["model"] == model)


def _moved(kind: str, sign: int = 1) -> Reckoned:
    return added("credit_days", "credits_moved", of=lambda row: row["transaction_type"] == kind, sign=sign)


_SENDS = (
    "sent", "delivered", "opened", "human_opened", "clicked", "confirmed", "bounced", "bounced_hard", "bounced_soft",
    "bounced_undetermined", "unsubscribed", "complained",
)  # fmt: skip
_EVENTS = {
    "total_sent": "sent", "total_delivered": "delivered", "total_opens": "opened",
    "total_machine_opens": "machine_opened", "total_human_opens": "human_opened", "total_clicks": "clicked",
    "total_bounces": "bounced", "total_unsubscribes": "unsubscribed", "total_complaints": "complained",
}  # fmt: skip
_CALLS = {
    "generations": "generations", "ai_requests": "requests", "ai_retries": "retries",
    "generations_completed": "completed", "generations_failed": "failed", "generations_accepted": "accepted",
    "generations_rated": "rated", "rating_total": "rating_total", "unpriced_generations": "unpriced",
}  # fmt: skip
_TOKENS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_MADE = ("images", "audio_seconds", "video_seconds", "tool_calls", "credits_used")
_AI_AMOUNTS = {
    "ai_cost": "ai_cost", "ai_cost_corrections": "ai_cost_corrections", "ai_retry_cost": "retry_cost",
    "cache_savings": "cache_savings", "batch_savings": "batch_savings", "reported_cost": "reported_cost",
}  # fmt: skip
_WEB = ["web_events", "views", "clicks", "form_submits", "web_email_opens", "web_email_clicks", "conversion_events"]
_MRR = ["new", "expansion", "contraction", "churn", "reactivation", "change"]

EMAIL: dict[str, Reckoned] = {
    **{f"emails_{kind}": added("email_days", f"emails_{kind}") for kind in _SENDS},
    **{name: added("email_event_days", f"{kind}_events") for name, kind in _EVENTS.items()},
    **{
        f"sent_then_{kind}": added("email_hours", f"sent_then_{kind}")
        for kind in ("delivered", "opened", "human_opened", "clicked")
    },
    "delivery_rate": over("emails_delivered", "emails_sent"),
    "open_rate": over("emails_opened", "emails_delivered"),
    "human_open_rate": over("emails_human_opened", "emails_delivered"),
    "click_rate": over("emails_clicked", "emails_delivered"),
    "clicks_per_open": over("emails_clicked", "emails_opened"),
    "clicks_per_human_open": over("emails_clicked", "emails_human_opened"),
    "confirmed_open_rate": over("emails_confirmed", "emails_delivered"),
    "bounce_rate": over("emails_bounced", "emails_sent"),
    "hard_bounce_rate": over("emails_bounced_hard", "emails_sent"),
    "soft_bounce_rate": over("emails_bounced_soft", "emails_sent"),
    "unsubscribe_rate": over("emails_unsubscribed", "emails_delivered"),
    "complaint_rate": over("emails_complained", "emails_delivered"),
    "open_rate_by_send_time": over("sent_then_opened", "sent_then_delivered"),
    "human_open_rate_by_send_time": over("sent_then_human_opened", "sent_then_delivered"),
    "click_rate_by_send_time": over("sent_then_clicked", "sent_then_delivered"),
}
PEOPLE: dict[str, Reckoned] = {
    "unique_openers": people("opened_events"),
    "unique_human_openers": people("human_opened_events"),
    "unique_clickers": people("clicked_events"),
}
AUDIENCE: dict[str, Reckoned] = {
    **{
        f"contacts_{kind}": added("audience_days", f"contacts_{kind}")
        for kind in ("added", "removed", "subscribed", "unsubscribed")
    },
    "contacts": standing("audience_days", "contacts_added", "contacts_removed"),
    "list_growth": less("contacts_added", "contacts_removed"),
}
WEB: dict[str, Reckoned] = {
    **{name: added("web_days", name) for name in _WEB},
    "conversions": added("conversion_days", "conversions"),
    "conversion_value": amount("conversion_days", "conversion_value"),
    "conversion_rate": over("conversions", "views"),
    "conversions_per_click": over("conversions", "clicks"),
    "clicks_per_view": over("clicks", "views"),
    "form_rate": over("form_submits", "views"),
    "value_per_conversion": over("conversion_value", "conversions"),
}
ATTRIBUTION: dict[str, Reckoned] = {
    "attributed_conversions": _attributed("attributed_conversions", "last"),
    "attributed_conversions_first": _attributed("attributed_conversions", "first"),
    "attributed_conversions_linear": _attributed("attributed_conversions", "linear"),
    "attributed_value": _attributed("attributed_value", "last"),
    "attributed_value_first": _attributed("attributed_value", "first"),
    "attributed_value_linear": _attributed("attributed_value", "linear"),
    "unattributed_conversions": added(
        "attribution_days",
        "attributed_conversions",
        of=lambda row: row["model"] == "first" and row["touch_campaign_code"] is None,
    ),
}
ADS: dict[str, Reckoned] = {
    **{name: added("ad_days", name, of=_whole) for name in ("impressions", "ad_clicks", "ad_conversions")},
    "restatements": added("ad_days", "restatements", of=_whole),
    "spend": amount("ad_days", "spend", of=_whole),
    "ad_revenue": amount("ad_days", "ad_revenue", of=_whole),
    "ctr": over("ad_clicks", "impressions"),
    "cpc": over("spend", "ad_clicks"),
    "cpm": over("spend", "impressions", 1000),
    "cpa": over("spend", "ad_conversions"),
    "roas": over("ad_revenue", "spend"),
    "ad_conversion_rate": over("ad_conversions", "ad_clicks"),
    **{
        name: added("optimization_days", name)
        for name in ("optimizations", "optimizations_succeeded", "optimizations_failed")
    },
    "optimization_success_rate": over("optimizations_succeeded", "optimizations"),
}
AI: dict[str, Reckoned] = {
    **{name: added("ai_days", measure) for name, measure in _CALLS.items()},
    **{name: added("ai_days", name) for name in (*_TOKENS, *_MADE)},
    **{name: amount("ai_days", measure) for name, measure in _AI_AMOUNTS.items()},
    "generations_finished": together("generations_completed", "generations_failed"),
    "generations_priced": less("generations", "unpriced_generations"),
    "ai_cost_of_calls": less("ai_cost", "ai_cost_corrections"),
    "ai_failed_cost": amount("ai_days", "ai_cost", of=lambda row: row["status"] == "failed"),
    "ai_savings": together("cache_savings", "batch_savings"),
    "ai_cost_undiscounted": together("ai_cost", "cache_savings", "batch_savings"),
    "tokens_read": together("input_tokens", "cached_input_tokens", "cache_write_tokens"),
    "tokens": together(*_TOKENS),
    "failure_rate": over("generations_failed", "generations_finished"),
    "success_rate": over("generations_completed", "generations_finished"),
    "acceptance_rate": over("generations_accepted", "generations_completed"),
    "retry_rate": over("ai_retries", "generations"),
    "unpriced_rate": over("unpriced_generations", "generations"),
    "cache_rate": over("cached_input_tokens", "tokens_read"),
    "average_rating": over("rating_total", "generations_rated"),
    "ai_savings_rate": over("ai_savings", "ai_cost_undiscounted"),
    "ai_failed_cost_share": over("ai_failed_cost", "ai_cost"),
    "ai_retry_cost_share": over("ai_retry_cost", "ai_cost"),
    "cost_per_generation": over("ai_cost", "generations_priced"),
    "cost_per_accepted": over("ai_cost", "generations_accepted"),
    "cost_per_conversion": over("ai_cost", "conversions"),
}
PERCENTILES: dict[str, Reckoned] = {f"generation_time_p{part}": within(part) for part in (50, 90, 95, 99)}
REVENUE: dict[str, Reckoned] = {
    "recognised_revenue": amount("revenue_days", "recognised_revenue"),
    "margin": less("recognised_revenue", "ai_cost"),
    "margin_rate": over("margin", "recognised_revenue"),
    "ai_cost_share": over("ai_cost", "recognised_revenue"),
    **{f"mrr_{kind}": amount("mrr_days", f"mrr_{kind}") for kind in _MRR},
    "mrr": standing("mrr_days", "mrr_change"),
    "mrr_at_start": less("mrr", "mrr_change"),
    "subscriptions_started": added("mrr_days", "subscriptions_started"),
    "subscriptions_ended": added("mrr_days", "subscriptions_ended"),
    "subscriptions": lambda look: _plus(
        Decimal(row.get("subscriptions_started") or 0) - Decimal(row.get("subscriptions_ended") or 0)
        for row in look.rows("mrr_days", from_the_beginning=True)
    ),
}
INVOICES: dict[str, Reckoned] = {
    "invoices": added("invoice_days", "invoices", of=lambda row: _owed(row) and row["invoice_kind"] == "invoice"),
    "credit_notes": added(
        "invoice_days", "invoices", of=lambda row: _owed(row) and row["invoice_kind"] == "credit_note"
    ),
    **{
        f"invoiced_{part}": amount("invoice_days", f"invoiced_{part}", of=_owed)
        for part in ("subtotal", "discount", "tax", "paid")
    },
    "invoiced": amount("invoice_days", "invoiced_total", of=_owed),
    "invoiced_unpaid": less("invoiced", "invoiced_paid"),
}
CREDITS: dict[str, Reckoned] = {
    "credit_movements": added("credit_days", "credit_movements"),
    "credits_moved": added("credit_days", "credits_moved"),
    "credits_purchased": _moved("purchase"),
    "credits_granted": _moved("grant"),
    "credits_promoted": _moved("promotion"),
    "credits_refunded": _moved("refund"),
    "credits_spent": _moved("usage", -1),
    "credits_expired": _moved("expiry", -1),
    "credits_taken_back": _moved("take_back", -1),
    "credits_balance": standing("credit_days", "credits_moved"),
    "credits_at_start": less("credits_balance", "credits_moved"),
}
USAGE: dict[str, Reckoned] = {
    "uses": added("usage_days", "uses"),
    "credits_consumed": added("usage_days", "credits_consumed"),
    "quota_balances": added("quota_days", "quota_balances"),
    "quota_unlimited": added("quota_days", "quota_unlimited"),
}
# Metrics that are asked together, and whether each of them is of a product.
SUBJECTS = {
    "email": (EMAIL, True),
    "people": (PEOPLE, False),
    "audience": (AUDIENCE, False),
    "web": (WEB, True),
    "attribution": (ATTRIBUTION, True),
    "ads": (ADS, True),
    "ai": (AI, True),
    "percentiles": (PERCENTILES, True),
    "revenue": (REVENUE, True),
    "invoices": (INVOICES, False),
    "credits": (CREDITS, False),
    "usage": (USAGE, True),
}
# Each is a sum of nothing unless it is of one feature, or of one meter and one length of period.
OF_A_FEATURE: dict[str, Reckoned] = {
    "quantity": added("usage_days", "quantity", of=lambda row: row["feature"] == "api_call")
}


def _of_a_meter(row: Row) -> bool:
    return (row["meter"], row["period"]) == METER


METER = ("emails", "month")
OF_A_METER: dict[str, Reckoned] = {
    **{name: added("quota_days", name, of=_of_a_meter) for name in ("quota_limit", "quota_used", "quota_held")},
    "quota_use_rate": over("quota_used", "quota_limit"),
}
# Of one campaign on one day, and of nothing larger.
OF_A_DAY = {"reach", "frequency"}
METRICS: dict[str, Reckoned] = {
    **{name: reckoned for subject, _ in SUBJECTS.values() for name, reckoned in subject.items()},
    **OF_A_FEATURE,
    **OF_A_METER,
}
