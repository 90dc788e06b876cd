"""Which templates are used by campaigns, and how their mail does."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app import serving
from app.access import Viewer
from app.analysis.proportions import Rate, wilson
from app.metrics.metric import Unit
from app.records.templates import templates_of_campaigns
from app.ui import words
from app.ui.asking import Asked, Refused
from app.ui.behind import behind
from app.ui.charts import chart
from app.ui.empty import empty_card
from app.ui.intervals import Estimate, estimates
from app.ui.live import not_pinned
from app.ui.markup import tag
from app.ui.rows import Column, Columns, rows_of
from app.ui.scope import Scope
from app.ui.tables import table

# Fewer make rates that chance alone gives.
FEWEST_DELIVERED = 200
SUMS = ("emails_sent", "emails_delivered", "emails_opened", "emails_clicked", "emails_unsubscribed")
_BEST = 10
_USED: Columns = {
    "template_name": Column("Template", opens="template", key="template"),
    "category": "Category",
    "campaigns": Column("Campaigns", Unit.COUNT),
    "emails_sent": Column("Sent", Unit.COUNT),
    "emails_delivered": Column("Delivered", Unit.COUNT),
    "open_rate": Column("Open rate", Unit.PERCENT),
    "click_rate": Column("Click rate", Unit.PERCENT),
    "unsubscribe_rate": Column("Unsubscribe rate", Unit.PERCENT),
}


def by_template(answer: Asked | Refused, viewer: Viewer) -> list[dict[str, Any]]:
    """Figures of campaigns added up by the template that each used, and divided then."""
    used = templates_of_campaigns(serving.engines().ro, viewer)
    if isinstance(answer, Refused) or answer.is_empty or used.empty:
        return []
    joined = answer.frame()[["campaign", *SUMS]].merge(used, on="campaign")
    keys = ["template", "template_name", "category"]
    summed = joined.groupby(keys, dropna=False, as_index=False).agg(
        campaigns=("campaign", "count"), **{name: (name, "sum") for name in SUMS}
    )
    rows = rows_of(summed.sort_values("emails_delivered", ascending=False))
    return [dict(row) | _rates(row) for row in rows if row["emails_sent"] or row["emails_delivered"]]


def campaigns_of(viewer: Viewer, template: UUID) -> tuple[str, ...]:
    """The keys of the campaigns that used a template."""
    used = templates_of_campaigns(serving.engines().ro, viewer)
    return tuple(sorted(used.loc[used["template"] == str(template), "campaign"]))


def used_live(scope: Scope) -> str:
    """Figures of a version are joined with what campaigns name as their template now."""
    return not_pinned(scope, "which campaigns use which template")


def best(answer: Asked | Refused, rows: Sequence[Mapping[str, Any]], scope: Scope) -> None:
    """The templates whose mail is clicked most, each with how sure that is."""
    known = [row for row in rows if row["emails_delivered"] >= FEWEST_DELIVERED]
    listed = sorted(known, key=lambda row: -row["click_rate"])[:_BEST]
    few = empty_card(
        f"No template reached {FEWEST_DELIVERED} delivered e-mails.", "Choose a longer period, or fewer filters."
    )
    chart(
        answer,
        lambda _: estimates([_estimate(row) for row in listed]) if listed else few,
        title="Clicked most",
        why=f"Clicked per delivered e-mail, of templates with at least {FEWEST_DELIVERED} delivered. "
        f"The band holds the true rate in 95 of 100 cases. {used_live(scope)}".strip(),
    )


def used(answer: Asked | Refused, rows: Sequence[Mapping[str, Any]], scope: Scope) -> None:
    """Every template that was sent in the period."""
    table(
        rows,
        name="used-templates",
        title="Templates in use",
        why="By the e-mail campaigns that used them, in this period; a library template also by those of its copies."
        f" {used_live(scope)}".strip(),
        columns=_USED,
        scope=scope,
        empty=("No template was sent in this period.", "Choose another period, or fewer filters."),
        made_of=[answer] if isinstance(answer, Asked) else (),
    )
    if isinstance(answer, Asked) and rows:
        behind(answer, "Templates in use", "Receipt of the campaigns' figures")


def _rates(row: Mapping[str, Any]) -> dict[str, float | None]:
    delivered = row["emails_delivered"]
    named = {"open_rate": "emails_opened", "click_rate": "emails_clicked", "unsubscribe_rate": "emails_unsubscribed"}
    return {name: row[part] / delivered if delivered else None for name, part in named.items()}


def _estimate(row: Mapping[str, Any]) -> Estimate:
    # Somebody may click what no server said it took: more than all is all.
    delivered = int(row["emails_delivered"])
    rate = Rate(min(int(row["emails_clicked"]), delivered), delivered)
    remark = tag("span", f"of {words.count(rate.of)}", class_="sl-muted")
    return Estimate(row["template_name"], wilson(rate), words.figure(rate.value, Unit.PERCENT), remark)
