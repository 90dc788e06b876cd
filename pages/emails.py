"""What became of e-mails: who took them, who read them, when, where and on what, and who complained."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.mail_tabs import mail_tabs
from app.ui.mailing import mailing
from app.ui.switches import shelves, switch

ALL, PEOPLE = "Everybody", "People only"
MACHINES = "Privacy proxies and scanners open e-mails too. Such opens are marked, never dropped."
COMPLAINED = (ui.Limit(0.001, "0.10 %"), ui.Limit(0.003, "0.30 %"))

viewer = ui.person_here(Permission.EMAIL_READ)
scope = ui.top("E-mail", viewer, own=("domain",), grains=("hour", "day", "week", "month"))
counted, scope = switch("opens", "Opens by", (ALL, PEOPLE), scope, hint=MACHINES)
human = "human_" if counted == PEOPLE else ""
once = scope.uncompared

rates = ("delivery_rate", f"{human}open_rate", "click_rate", "bounce_rate", "unsubscribe_rate", "complaint_rate")
ui.tiles(("emails_sent", "emails_delivered", *rates), scope.daily)
funnel, course = st.columns(2)
with funnel:
    mailing(once, title="From sent to clicked", is_human=counted == PEOPLE)
with course:
    over_time = ui.ask(("emails_delivered", f"emails_{human}opened", "emails_clicked"), once, grain=scope.grain)
    ui.line(over_time, title="Delivered, opened, clicked")
annoyed = ui.ask(("complaint_rate", "unsubscribe_rate"), once, grain=scope.daily.grain)
complaints, unsubscriptions = st.columns(2)
with complaints:
    why = "Large mailbox providers want less than 0.10 %, and turn mail away from 0.30 % on."
    ui.line(annoyed, metrics=("complaint_rate",), title="Complaint rate", why=why, limits=COMPLAINED)
with unsubscriptions:
    ui.line(annoyed, metrics=("unsubscribe_rate",), title="Unsubscribe rate", why="Of what was delivered.")
shelves("show", mail_tabs(scope, human))
