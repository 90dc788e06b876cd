"""One campaign: its funnel and course, what it is made of, its test, its budget, and what was changed on it."""

import streamlit as st

from app import ui
from app.access import Permission
from app.ui.one_campaign import CHANNELS, campaign_here, changes_of, events_of, facts, own_days, parts_of, test_of
from app.ui.steps import funnel

viewer = ui.person_here(Permission.CAMPAIGNS_READ)
found = campaign_here(viewer)
if found is None:
    ui.top("Campaign", viewer)
    ui.nothing_here("You see no campaign by this address.", fill="Open one from the list of campaigns.")
    st.stop()

scope = ui.top(found.name, viewer, campaign=found.id)
one = scope.narrowed(campaign=str(found.id))
shown = CHANNELS[found.channel]
facts(found, scope)
view = ui.one_of("show", ("Course", "Parts", "Changes", "Raw events"))

if view == "Parts":
    parts_of(found, one)
elif view == "Changes":
    test_of(found, scope)
    changes_of(found, scope)
elif view == "Raw events":
    events_of(found, scope)
else:
    own_days(found, scope)
    ui.tiles(shown.tiles, one)
    left, right = st.columns([2, 3])
    with left:
        funnel(ui.ask(shown.steps, one.uncompared), title="Funnel", why=shown.steps_told)
    with right:
        ui.line(ui.ask(shown.course, one.uncompared, grain=scope.grain), title="Course")
    for split in shown.splits:
        ui.table(ui.ask(split.figures, one.uncompared, by=split.by), name=split.by, title=split.title)
