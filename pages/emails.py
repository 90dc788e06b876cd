"""What became of e-mails: who took them, who read them, when, where and on what, and who complained."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.mailing import mailing
from app.ui.raw import raw_emails
from app.ui.switches import shelves, switch

ALL, PEOPLE = "Everybody", "People only"
MACHINES = "Privacy proxies and scanners open e-mails too. Such opens are marked, never dropped."
COMPLAINED = (ui.Limit(0.001, "0.10 %"), ui.Limit(0.003, "0.30 %"))
BOUNCES = ("emails_bounced", "emails_bounced_hard", "emails_bounced_soft", "emails_bounced_undetermined")

viewer = ui.person_here(Permission.EMAIL_READ)
scope = ui.top("E-mail", viewer, own=("domain",), grains=("hour", "day", "week", "month"))
counted, scope = switch("opens", "Opens by", (ALL, PEOPLE), scope, hint=MACHINES)
human = "human_" if counted == PEOPLE else ""
opened, open_rate, opens = f"emails_{human}opened", f"{human}open_rate", f"total_{human}opens"
once = scope.uncompared


def campaigns() -> None:
    rates = (open_rate, "click_rate", "bounce_rate", "unsubscribe_rate", "complaint_rate")
    answer = ui.ask(("emails_delivered", *rates), once, by="campaign", order="-emails_delivered")
    ui.table(answer, name="email-campaigns", title="Campaigns", opens="campaign")


def domains() -> None:
    rates = ("delivery_rate", "hard_bounce_rate", "soft_bounce_rate", open_rate, "complaint_rate")
    answer = ui.ask(("emails_sent", *rates), once, by="domain", order="-emails_sent")
    ui.table(
        answer, name="domains", title="Receiving domains", why="How well mail reaches each of them.", opens="email"
    )


def bounces() -> None:
    ui.tiles((*BOUNCES, "bounce_rate"), scope.daily, title="Sends that came back")
    of_class = ui.ask("total_bounces", scope, by="bounce_type")
    reasons = ui.ask("total_bounces", once, by=("bounce_type", "bounce_reason"), order="-total_bounces")
    left, right = st.columns([2, 3])
    with left:
        ui.bars(of_class, title="Bounce events by class", why="Also those that were delivered later.")
    with right:
        ui.bars(reasons, title="Why they came back", why="What the receiving servers said.")
    by_domain = ui.ask("total_bounces", once, by=("domain", "bounce_type", "bounce_reason"), order="-total_bounces")
    ui.table(by_domain, name="bounces", title="Who turned mail away, and why", opens="email")


def links() -> None:
    answer = ui.ask("total_clicks", scope, by="link", order="-total_clicks")
    ui.table(answer, name="links", title="Links", why="Every click counts, also several of one person.")


def send_time() -> None:
    rate = f"{human}open_rate_by_send_time"
    counts = ("emails_sent", "sent_then_delivered", f"sent_then_{human}opened")
    ui.heat(
        ui.ask((rate, *counts), once, by=("weekday", "hour")),
        x="hour",
        y="weekday",
        value=rate,
        title="When sending is worth it",
        why="Of what was sent in an hour and delivered, how much was opened. Few sends make lucky hours.",
    )


def readers() -> None:
    devices, places = st.columns(2)
    with devices:
        ui.bars(ui.ask(opens, scope, by="device"), title="Opens by device")
    with places:
        ui.bars(ui.ask(opens, scope, by="location"), title="Opens by place")


def events() -> None:
    raw_emails("email", scope, show="Single events")


rates = ("delivery_rate", open_rate, "click_rate", "bounce_rate", "unsubscribe_rate", "complaint_rate")
ui.tiles(("emails_sent", "emails_delivered", *rates), scope.daily)
funnel, course = st.columns(2)
with funnel:
    mailing(once, title="From sent to clicked", is_human=counted == PEOPLE)
with course:
    over_time = ui.ask(("emails_delivered", opened, "emails_clicked"), once, grain=scope.grain)
    ui.line(over_time, title="Delivered, opened, clicked")
annoyed = ui.ask(("complaint_rate", "unsubscribe_rate"), once, grain=scope.daily.grain)
complaints, unsubscriptions = st.columns(2)
with complaints:
    why = "Large mailbox providers want less than 0.10 %, and turn mail away from 0.30 % on."
    ui.line(annoyed, metrics=("complaint_rate",), title="Complaint rate", why=why, limits=COMPLAINED)
with unsubscriptions:
    ui.line(annoyed, metrics=("unsubscribe_rate",), title="Unsubscribe rate", why="Of what was delivered.")
shelves(
    "show",
    {
        "Campaigns": campaigns,
        "Domains": domains,
        "Bounces": bounces,
        "Links": links,
        "Send time": send_time,
        "Device and place": readers,
        "Single events": events,
    },
)
