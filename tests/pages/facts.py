"""What pages must show, counted from the rows alone: every measure by whatever splits it, under a role and filters."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from tests.pages.oracles import IN_DOLLARS, Choice

_FIRST = ("sent", "delivered", "opened", "clicked", "unsubscribed", "complained")
# Each send with the first time of everything: a soft bounce that was delivered later is none.
_SENDS = f"""
    SELECT t.workspace_id, t.campaign_id, LOWER(SPLIT_PART(MIN(p.email), '@', 2)) AS domain,
        {", ".join(f"MIN(t.occurred_at) FILTER (WHERE t.event_type = '{kind}') AS {kind}" for kind in _FIRST)},
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'opened' AND t.is_machine_open IS NOT TRUE) AS human_opened,
        MAX(t.occurred_at) FILTER (WHERE t.event_type = 'delivered') AS last_delivered,
        MIN(t.occurred_at) FILTER (WHERE t.event_type = 'bounced') AS bounced,
        MAX(t.occurred_at) FILTER (WHERE t.event_type = 'bounced' AND t.bounce_type <> 'hard') AS last_soft,
        MIN(ARRAY_POSITION(ARRAY['hard', 'soft', 'undetermined'], t.bounce_type)) AS class
    FROM email_events AS t JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id
    GROUP BY t.workspace_id, t.campaign_id, t.contact_id
"""
_CAME_BACK = "(t.class = 1 OR t.last_soft IS NOT NULL AND (t.last_delivered IS NULL OR t.last_delivered < t.last_soft))"
_OF_CAMPAIGN = "JOIN campaigns AS c ON c.workspace_id = t.workspace_id AND c.id = t.campaign_id"
_OF_COMPONENT = "LEFT JOIN campaign_components AS k ON k.workspace_id = t.workspace_id AND k.id = t.component_id"
_OF_HOUSE = "JOIN workspaces AS w ON w.id = t.workspace_id"
_RATE = IN_DOLLARS.format(currency="t.currency", day="{day}")


_KEY_AND_NAME = "~"


def _named(table: str) -> str:
    """Two things may bear the same name."""
    return f"{table}.id || '{_KEY_AND_NAME}' || {table}.name"


def name_of(value: object) -> object:
    """What pages show of a key."""
    return value.partition(_KEY_AND_NAME)[2] if isinstance(value, str) and _KEY_AND_NAME in value else value


@dataclass(frozen=True)
class Source:
    """Rows that are counted, and the columns that split them."""

    rows: str
    splits: dict[str, str]
    product: str = "c.product"


_SHARED = {"product": "c.product", "channel": "c.channel", "campaign": _named("c"), "workspace": "w.name"}
_AD_SPLITS = {"platform": "t.platform", "placement": "t.placement", "age": "t.age_range", "gender": "t.gender"}
# By which breakdown the demo's rows came in; without one, rows of none are counted.
BREAKDOWNS = {"platform": "platform", "placement": "platform+placement", "age": "age+gender", "gender": "age+gender"}
SOURCES = {
    "sends": Source(f"sends AS t {_OF_CAMPAIGN} {_OF_HOUSE}", {**_SHARED, "domain": "t.domain"}),
    "mails": Source(
        f"""email_events AS t {_OF_CAMPAIGN} {_OF_HOUSE}
            JOIN contacts AS p ON p.workspace_id = t.workspace_id AND p.id = t.contact_id""",
        {**_SHARED, "domain": "LOWER(SPLIT_PART(p.email, '@', 2))", "link": "t.link_url", "device": "t.device_type",
            "location": "t.location", "bounce_type": "t.bounce_type", "bounce_reason": "t.bounce_reason"},
    ),
    "visits": Source(
        f"campaign_events AS t {_OF_CAMPAIGN} {_OF_COMPONENT} {_OF_HOUSE}",
        {**_SHARED, "source": "t.source", "medium": "t.medium", "country": "t.country", "component": _named("k"),
            "component_type": "k.component_type"},
    ),
    "conversions": Source(
        f"conversions AS t {_OF_CAMPAIGN} {_OF_HOUSE}",
        {**_SHARED, "source": "t.source", "medium": "t.medium", "conversion_type": "t.conversion_type"},
    ),
    "ads": Source(f"performance_analytics AS t {_OF_CAMPAIGN} {_OF_HOUSE}", {**_SHARED, **_AD_SPLITS}),
    "attempts": Source(
        f"ai_generations AS t LEFT {_OF_CAMPAIGN} {_OF_HOUSE}",
        {"product": "t.product", "model": "t.model", "generation_type": "t.generation_type",
            "error_code": "t.error_code", "workspace": "w.name"},
        product="t.product",
    ),
    "people": Source(
        f"contacts AS t {_OF_HOUSE}", {"domain": "LOWER(SPLIT_PART(t.email, '@', 2))", "workspace": "w.name"}
    ),
}  # fmt: skip
_SPENT = f"sum(t.spend * {_RATE.format(day='t.date')})"
_EARNED = f"sum(t.revenue * {_RATE.format(day='t.date')})"
_WORTH = f"sum(t.value * {_RATE.format(day='CAST(t.occurred_at AS DATE)')})"
_TIME = "percentile_disc({}) WITHIN GROUP (ORDER BY t.generation_time_ms) / 1000.0"
ALL = "TRUE"


def _mails(kind: str, more: str = ALL) -> tuple[str, str, str, str]:
    return "mails", "t.occurred_at", f"t.event_type = '{kind}' AND {more}", "count(*)"


# Of each measure: the rows, the time by which they belong to a period, which of them, and how they are added up.
MEASURES = {
    **{f"emails_{kind}": ("sends", f"t.{kind}", ALL, "count(*)") for kind in (*_FIRST, "human_opened")},
    "emails_bounced": ("sends", "t.bounced", _CAME_BACK, "count(*)"),
    **{
        f"emails_bounced_{name}": ("sends", "t.bounced", f"{_CAME_BACK} AND t.class = {number}", "count(*)")
        for number, name in enumerate(("hard", "soft", "undetermined"), 1)
    },
    **{
        f"total_{told}": _mails(kind)
        for kind, told in (("sent", "sent"), ("delivered", "delivered"), ("opened", "opens"), ("clicked", "clicks"),
            ("bounced", "bounces"), ("unsubscribed", "unsubscribes"), ("complained", "complaints"))
    },
    "total_human_opens": _mails("opened", "t.is_machine_open IS NOT TRUE"),
    "views": ("visits", "t.occurred_at", "t.event_type = 'view'", "count(*)"),
    "clicks": ("visits", "t.occurred_at", "t.event_type = 'click'", "count(*)"),
    "form_submits": ("visits", "t.occurred_at", "t.event_type = 'form_submit'", "count(*)"),
    "conversions": ("conversions", "t.occurred_at", ALL, "count(*)"),
    "conversion_value": ("conversions", "t.occurred_at", ALL, _WORTH),
    "impressions": ("ads", "t.date", ALL, "sum(t.impressions)"),
    "ad_clicks": ("ads", "t.date", ALL, "sum(t.clicks)"),
    "ad_conversions": ("ads", "t.date", ALL, "sum(t.conversions)"),
    "spend": ("ads", "t.date", ALL, _SPENT),
    "ad_revenue": ("ads", "t.date", ALL, _EARNED),
    "restatements": ("ads", "t.date", ALL, "sum(t.restatements)"),
    "generations": ("attempts", "t.created_at", ALL, "count(*)"),
    "generations_failed": ("attempts", "t.created_at", "t.status = 'failed'", "count(*)"),
    "generations_completed": ("attempts", "t.created_at", "t.status = 'completed'", "count(*)"),
    "generations_finished": ("attempts", "t.created_at", "t.status IN ('completed', 'failed')", "count(*)"),
    "generations_accepted": ("attempts", "t.created_at", "t.accepted", "count(*)"),
    "ai_retries": ("attempts", "t.created_at", "t.attempt > 1", "count(*)"),
    "rating_total": ("attempts", "t.created_at", ALL, "sum(t.user_rating)"),
    "generations_rated": ("attempts", "t.created_at", ALL, "count(t.user_rating)"),
    "generation_time_p50": ("attempts", "t.created_at", "t.generation_time_ms IS NOT NULL", _TIME.format(0.5)),
    "generation_time_p95": ("attempts", "t.created_at", "t.generation_time_ms IS NOT NULL", _TIME.format(0.95)),
    "ai_cost": ("attempts", "t.created_at", ALL, "sum(t.cost)"),
    "contacts_added": ("people", "t.created_at", ALL, "count(*)"),
    "contacts_removed": ("people", "t.deleted_at", ALL, "count(*)"),
    "contacts_subscribed": ("people", "t.subscribed_at", ALL, "count(*)"),
    "contacts_unsubscribed": ("people", "t.unsubscribed_at", ALL, "count(*)"),
}  # fmt: skip
RATIOS = {
    "delivery_rate": ("emails_delivered", "emails_sent"),
    "open_rate": ("emails_opened", "emails_delivered"),
    "human_open_rate": ("emails_human_opened", "emails_delivered"),
    "click_rate": ("emails_clicked", "emails_delivered"),
    "clicks_per_open": ("emails_clicked", "emails_opened"),
    "bounce_rate": ("emails_bounced", "emails_sent"),
    "hard_bounce_rate": ("emails_bounced_hard", "emails_sent"),
    "soft_bounce_rate": ("emails_bounced_soft", "emails_sent"),
    "unsubscribe_rate": ("emails_unsubscribed", "emails_delivered"),
    "complaint_rate": ("emails_complained", "emails_delivered"),
    "conversion_rate": ("conversions", "views"),
    "clicks_per_view": ("clicks", "views"),
    "form_rate": ("form_submits", "views"),
    "value_per_conversion": ("conversion_value", "conversions"),
    "ctr": ("ad_clicks", "impressions"),
    "cpm": ("spend", "impressions", 1000),
    "cpa": ("spend", "ad_conversions"),
    "roas": ("ad_revenue", "spend"),
    "ad_conversion_rate": ("ad_conversions", "ad_clicks"),
    "success_rate": ("generations_completed", "generations_finished"),
    "acceptance_rate": ("generations_accepted", "generations_completed"),
    "retry_rate": ("ai_retries", "generations"),
    "average_rating": ("rating_total", "generations_rated"),
}
KNOWN = {*MEASURES, *RATIOS, "contacts", "list_growth"}
Key = tuple[object, ...]


@dataclass(frozen=True)
class Facts:
    """Asks the rows of one installation for one role under one set of filters; `only` narrows them besides."""

    rows: object
    choice: Choice
    role: str
    only: str = ALL

    def of(self, metrics, by=(), *, daily=False) -> dict[Key, dict[str, Decimal | None]]:
        """Each metric of each key; the day comes last in it. What has no row at all is no key."""
        needed = {name for metric in metrics for name in _needed(metric)}
        found: dict[Key, dict[str, Decimal | None]] = defaultdict(dict)
        asked = " UNION ALL ".join(self._question(name, by, daily=daily) for name in sorted(needed))
        for name, *key, value in self.rows(f"WITH sends AS MATERIALIZED ({_SENDS}) {asked}") if asked else ():
            found[tuple(key)][name] = value
        return {key: {metric: _made(metric, values) for metric in metrics} for key, values in found.items()}

    def contacts_on(self, by=()) -> dict[Key, dict[str, Decimal | None]]:
        """How many people were there at the end of each day."""
        source = SOURCES["people"]
        keys = [source.splits[name] for name in by]
        there = "t.created_at < d.day + 1 AND (t.deleted_at IS NULL OR t.deleted_at >= d.day + 1)"
        asked = self.rows(
            f"""
            SELECT {"".join(f"{key}, " for key in keys)}CAST(d.day AS DATE), count(*)
            FROM (SELECT CAST(generate_series(DATE '{self.choice.since}', DATE '{self.choice.until}' - 1,
                INTERVAL '1 day') AS DATE) AS day) AS d
            JOIN {source.rows.replace("contacts AS t", "contacts AS t ON " + there + " ", 1)}
            WHERE {self._seen()} GROUP BY {", ".join(map(str, range(1, len(keys) + 2)))}
            """
        )
        return {tuple(key): {"contacts": value} for *key, value in asked}

    def _question(self, name, by, *, daily):
        source_name, at, which, added = MEASURES[name]
        source = SOURCES[source_name]
        keys = [source.splits[one] for one in by] + ([f"CAST({at} AS DATE)"] if daily else [])
        if source_name == "ads":
            split = next((one for one in by if one in BREAKDOWNS), None)
            which = f"{which} AND t.breakdown = '{BREAKDOWNS.get(split, 'none')}'"
        days = f"{at} >= DATE '{self.choice.since}' AND {at} < DATE '{self.choice.until}'"
        product = f" AND {source.product} = '{self.choice.product}'" if self.choice.product else ""
        grouped = f" GROUP BY {', '.join(str(place + 2) for place in range(len(keys)))}" if keys else ""
        return f"""
            SELECT '{name}', {"".join(f"{key}, " for key in keys)}CAST({added} AS NUMERIC) FROM {source.rows}
            WHERE {days} AND {which} AND {self._seen()}{product} AND {self.only}{grouped}
        """

    def _seen(self):
        return self.choice.holds("CURRENT_DATE", self.role).split(" AND ", 2)[2].split(" AND c.product")[0]


def _needed(metric: str) -> tuple[str, ...]:
    if metric == "list_growth":
        return ("contacts_added", "contacts_removed")
    return RATIOS[metric][:2] if metric in RATIOS else (metric,)


def _made(metric, values):
    """Summed first, divided last; nothing where there is nothing to divide by."""
    if metric == "list_growth":
        return (values.get("contacts_added") or 0) - (values.get("contacts_removed") or 0)
    if metric not in RATIOS:
        return values.get(metric)
    over, under, *factor = RATIOS[metric]
    if not values.get(under) or (values.get(over) is None and over in {"spend", "ad_revenue", "conversion_value"}):
        return None
    return Decimal(values.get(over) or 0) / Decimal(values[under]) * (factor[0] if factor else 1)
