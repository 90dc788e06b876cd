"""Settings of the company as cards that can be changed, and those of the installation as a list that can't."""

import json
from typing import Any

import streamlit as st
from pydantic import SecretStr

from app import serving
from app.commands import company_settings as changing
from app.commands.company import sees_whole_company
from app.commands.company_settings import KNOWN, Fields, flat
from app.commands.stale import EditedMeanwhileError
from app.records.company_settings import CompanySetting
from app.settings import Settings, settings, variable_of
from app.ui import words
from app.ui.audit_list import history_link
from app.ui.done import Undo, attempt, said, save_together
from app.ui.live import behind_list, read
from app.ui.markup import Markup, joined, tag
from app.ui.people import still_here
from app.ui.scope import Scope
from app.ui.tables import table

_UNREAD = "Nothing reads it: it is kept as the products' documents have it, and a change has no effect."


def setting_list(scope: Scope) -> None:
    """One card each: what it means, who reads it, and what it says."""
    said()
    listed = read("settings", scope)
    may = sees_whole_company(serving.engines().ro, scope.viewer)
    for one in listed.rows:
        with st.container(border=True, key=f"card-setting-{one.key}"):
            st.html(tag("section", *_told(one, scope), class_="sl sl-card"))
            if may and one.key in KNOWN and st.button("Change", key=f"change-{one.key}", icon=":material/edit:"):
                change(scope, one)
    if not may:
        st.html(
            tag("p", "They hold for every workspace: only who sees all of them changes them.", class_="sl sl-small")
        )
    behind_list(listed, "Settings", "settings", scope)


def installation_list(scope: Scope) -> None:
    """Environment variables of this process; secrets are only said to be set."""
    table(
        [_variable(name) for name in Settings.model_fields],
        name="installation",
        title="Settings of this installation",
        why="Environment variables, as this process read them when it started. They are changed where it is started.",
        columns={"variable": "Variable", "value": "Value", "is_usual": "As usual", "meaning": "Meaning"},
        scope=scope,
    )


@st.dialog("Change setting", width="medium", icon=":material/edit:")
def change(scope: Scope, one: CompanySetting) -> None:
    """Saved only if nobody changed it since this was opened; otherwise both versions are shown."""
    still_here(scope.viewer)
    save_together()
    known, before = KNOWN[one.key], flat(one.value)
    told = f"Read by {known.read_by}: a change holds at once." if known.read_by else _UNREAD
    st.html(tag("p", known.meaning, tag("br"), told, class_="sl"))
    with st.form("change-setting", border=False):
        text = st.text_area("One a line", changing.written(before), height=160, max_chars=4000,
            help=f"A name, = and a whole number, such as {known.example}.")  # fmt: skip
        reason = st.text_input("Why?", max_chars=300, help="The audit log keeps it.")
        if not st.form_submit_button("Save", type="primary"):
            return

    def save(fields: Fields, revision: int, was: Fields, why: str) -> tuple[Fields, int]:
        changing.change_setting(
            serving.engines().rw, scope.viewer, one.key, fields, revision=revision, reason=why, made_on=before
        )
        return was, revision + 1

    def save_both(stale: EditedMeanwhileError, merged: Any) -> tuple[Fields, int]:  # noqa: ANN401 - fields, some none
        return save(_there(merged), stale.revision, _there(stale.now), reason)

    def take_back(done: tuple[Fields, int]) -> None:
        was, revision = done
        save(was, revision, was, "Taken back.")

    attempt(
        lambda: save(changing.read(text), one.revision, before, reason),
        f"{words.spelled(one.key)} was changed.",
        undo=Undo(take_back),
        together=save_both,
    )


def _there(fields: Any) -> dict[str, int]:  # noqa: ANN401 - fields, of which some are none
    return {name: number for name, number in fields.items() if number is not None}


def _told(one: CompanySetting, scope: Scope) -> list[Markup]:
    known = KNOWN.get(one.key)
    meaning = known.meaning if known else (one.description or "This version does not know what it means.")
    use = "The app keeps it for itself." if not known else f"Read by {known.read_by}." if known.read_by else _UNREAD
    since = tag("span", f"As of {words.moment(one.updated_at)} UTC. ", class_="sl-muted")
    return [
        tag("h2", words.spelled(one.key)),
        tag("p", f"{meaning} {use}", class_="why"),
        _value(one) if known else tag("pre", json.dumps(one.value, indent=1), class_="sl-small"),
        tag("p", since, class_="sl-small"),
        tag("p", history_link(scope, "settings", one.key), class_="sl-small"),
    ]


def _value(one: CompanySetting) -> Markup:
    chips = [tag("span", f"{name}: {number:,}", class_="sl-chip") for name, number in sorted(flat(one.value).items())]
    return tag("div", joined(chips) if chips else "It says nothing.", class_="sl-chips", style="margin:.4rem 0")


def _variable(name: str) -> dict[str, object]:
    field, value = Settings.model_fields[name], getattr(settings(), name)
    if isinstance(value, SecretStr):
        shown = "set, and hidden" if value.get_secret_value() else "not set"
    else:
        shown = "not set" if value in {None, ""} else str(value)
    return {
        "variable": variable_of(name),
        "value": shown,
        "is_usual": value == field.default,
        "meaning": field.description,
    }
