"""What became of e-mails: each step once for each send, and every event beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.metrics.glossary import metric
from app.metrics.metric import Unit
from app.ui import words
from app.ui.asking import Asked, ask
from app.ui.charts import chart
from app.ui.markup import Markup, tag
from app.ui.scope import Scope

_WHY = (
    "A send is one campaign's e-mail to one person and counts once a step; events also count what is repeated. "
    "Delivered and bounced are told of what was sent, all else of what was delivered."
)
# What is told, the sends, the events, and of what the sends are a part.
_Step = tuple[str, str, str, str | None]
_STEPS: tuple[_Step, ...] = (
    ("Sent", "emails_sent", "total_sent", None),
    ("Delivered", "emails_delivered", "total_delivered", "emails_sent"),
    ("Opened", "emails_opened", "total_opens", "emails_delivered"),
    ("Opened by people", "emails_human_opened", "total_human_opens", "emails_delivered"),
    ("Clicked", "emails_clicked", "total_clicks", "emails_delivered"),
    ("Bounced", "emails_bounced", "total_bounces", "emails_sent"),
    ("Unsubscribed", "emails_unsubscribed", "total_unsubscribes", "emails_delivered"),
    ("Complained", "emails_complained", "total_complaints", "emails_delivered"),
)


def mailing(scope: Scope, *, title: str, is_human: bool) -> None:
    """A funnel with both ways of counting; opens of all, or of people alone."""
    left_out = "emails_opened" if is_human else "emails_human_opened"
    steps = [step for step in _STEPS if step[1] != left_out]
    asked = ask([name for _, one, every, _ in steps for name in (one, every)], scope.uncompared)
    chart(asked, lambda answer: _drawn(answer, steps), title=title, why=_WHY)


def _drawn(answer: Asked, steps: Sequence[_Step]) -> Markup:
    (figures,) = answer.rows()
    head = tag(
        "tr",
        tag("th", "Step", scope="col"),
        tag("th", tag("span", "As a bar", class_="sl-unseen"), scope="col"),
        *(tag("th", name, scope="col", class_="number") for name in ("Sends", "Share", "Events")),
    )
    body = tag("tbody", *(_row(figures, *step) for step in steps))
    return tag(
        "div",
        tag("table", tag("thead", head), body, class_="sl-table sl-funnel"),
        class_="sl-scroll",
        tabindex=0,
        role="region",
        aria_label="Sends and events of each step",
    )


def _row(figures: Mapping[str, Any], name: str, one: str, every: str, of: str | None) -> Markup:
    count, whole = figures[one] or 0, figures["emails_sent"] or 0
    share = words.figure(count / figures[of], Unit.PERCENT) if of and figures[of] else words.NOTHING
    long = min(100.0, count / whole * 100) if whole else 0.0
    return tag(
        "tr",
        tag("th", name, scope="row", title=metric(one).meaning),
        tag("td", tag("div", tag("i", style=f"width:{long:.2f}%"), class_="bar sl-c0"), class_="drawn"),
        tag("td", words.count(count), class_="number"),
        tag("td", share if of else "", class_="number"),
        tag("td", words.count(figures[every] or 0), class_="number", title=metric(every).meaning),
    )
