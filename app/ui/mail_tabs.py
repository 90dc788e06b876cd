"""What the tabs of the page E-mail show: campaigns, domains, what came back, links, hours, devices and places."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from app.ui.asking import ask
from app.ui.charts import bars, heat
from app.ui.raw import raw_emails
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.tiles import tiles

_BOUNCES = ("emails_bounced", "emails_bounced_hard", "emails_bounced_soft", "emails_bounced_undetermined")


def mail_tabs(scope: Scope, human: str) -> dict[str, Callable[[], None]]:
    """By name. Of metrics of opens it is said before the name whose are counted: `human_`, or nothing."""
    return {
        "Campaigns": partial(_campaigns, scope, human),
        "Domains": partial(_domains, scope, human),
        "Bounces": partial(_bounces, scope),
        "Links": partial(_links, scope),
        "Send time": partial(_send_time, scope, human),
        "Device and place": partial(_readers, scope, human),
        "Single events": partial(raw_emails, "email", scope, show="Single events"),
    }


def _campaigns(scope: Scope, human: str) -> None:
    rates = (f"{human}open_rate", "click_rate", "bounce_rate", "unsubscribe_rate", "complaint_rate")
    answer = ask(("emails_delivered", *rates), scope.uncompared, by="campaign", order="-emails_delivered")
    table(answer, name="email-campaigns", title="Campaigns", opens="campaign")


def _domains(scope: Scope, human: str) -> None:
    rates = ("delivery_rate", "hard_bounce_rate", "soft_bounce_rate", f"{human}open_rate", "complaint_rate")
    answer = ask(("emails_sent", *rates), scope.uncompared, by="domain", order="-emails_sent")
    why = "How well mail reaches each of them."
    table(answer, name="domains", title="Receiving domains", why=why, opens="email")


def _bounces(scope: Scope) -> None:
    tiles((*_BOUNCES, "bounce_rate"), scope.daily, title="Sends that came back")
    of_class = ask("total_bounces", scope, by="bounce_type")
    why = ("bounce_type", "bounce_reason")
    reasons = ask("total_bounces", scope.uncompared, by=why, order="-total_bounces")
    left, right = st.columns([2, 3])
    with left:
        bars(of_class, title="Bounce events by class", why="Also those that were delivered later.")
    with right:
        bars(reasons, title="Why they came back", why="What the receiving servers said.")
    by_domain = ask("total_bounces", scope.uncompared, by=("domain", *why), order="-total_bounces")
    table(by_domain, name="bounces", title="Who turned mail away, and why", opens="email")


def _links(scope: Scope) -> None:
    answer = ask("total_clicks", scope, by="link", order="-total_clicks")
    table(answer, name="links", title="Links", why="Every click counts, also several of one person.")


def _send_time(scope: Scope, human: str) -> None:
    rate = f"{human}open_rate_by_send_time"
    counts = ("emails_sent", "sent_then_delivered", f"sent_then_{human}opened")
    heat(
        ask((rate, *counts), scope.uncompared, by=("weekday", "hour")),
        x="hour",
        y="weekday",
        value=rate,
        title="When sending is worth it",
        why="Of what was sent in an hour and delivered, how much was opened. Few sends make lucky hours.",
    )


def _readers(scope: Scope, human: str) -> None:
    opens = f"total_{human}opens"
    devices, places = st.columns(2)
    with devices:
        bars(ask(opens, scope, by="device"), title="Opens by device")
    with places:
        bars(ask(opens, scope, by="location"), title="Opens by place")
