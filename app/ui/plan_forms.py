"""Dialogs that make drafts of plans and edit what they say. Commands look at everything again."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from uuid import UUID

import streamlit as st

from app import serving
from app.commands import plans
from app.commands.plan_checks import ENFORCEMENTS, LONGEST_DESCRIPTION, LONGEST_NAME, LONGEST_VALUE
from app.commands.stale import EditedMeanwhileError, Fields
from app.records.plan_terms import PlanFeature, PlanLimit, PlanTerms
from app.records.plans import PlanDetail, plan
from app.ui import words
from app.ui.both_versions import both_versions
from app.ui.done import Undo, attempt, save_together
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.plan_words import PAID, PERIODS, field_name, field_told
from app.ui.scope import Scope
from db.errors import SightlineError
from db.tables.products import BILLING_PERIODS, METERS, PRODUCTS, TIERS

_WHY = "The audit log keeps it."
_NOBODY = "Nobody is touched by a draft: it is simulated and published before anybody can have it."
_ENFORCED = {"hard": "Refuse what is above it", "soft": "Let it pass, and tell"}
_KINDS = {"boolean": "It is there or not", "static": "It has a fixed value", "metered": "A limit of the plan meters it"}
_ANOTHER = "Another one …"


@st.dialog("New draft", width="medium", icon=":material/add:")
def make(scope: Scope) -> None:
    """Of any product and tier; limits and features are added on its page."""
    still_here(scope.viewer)
    st.html(tag("p", _NOBODY, class_="sl sl-small sl-muted"))
    with st.form("new-plan", border=False):
        left, right = st.columns(2)
        product = left.selectbox("Product", PRODUCTS, format_func=words.spelled)
        tier = right.selectbox("Tier", TIERS, format_func=words.spelled)
        given = _plain_fields(PlanTerms("", Decimal(0)))
        reason = st.text_input("Why?", max_chars=300, help=_WHY)
        if not st.form_submit_button("Make it", type="primary"):
            return
    engine, viewer = serving.engines().rw, scope.viewer
    attempt(
        lambda: plans.new_draft(engine, viewer, product, tier, _read(PlanTerms("", Decimal(0)), given), reason=reason),
        "The draft is there. Its page adds limits and features.",
        undo=Undo(lambda key: _discard_new(scope, key), "The draft was discarded."),
    )


def draft_of(scope: Scope, found: PlanDetail) -> None:
    """Nothing to confirm: a draft touches nobody."""
    attempt(
        lambda: plans.draft_from(serving.engines().rw, scope.viewer, found.now.id),
        f"A draft that says what {found.now.titled} says is there, among the other versions below.",
        undo=Undo(lambda key: _discard_new(scope, key), "The draft was discarded."),
    )


@st.dialog("Price and name", width="medium", icon=":material/edit:")
def change_terms(scope: Scope, found: PlanDetail) -> None:
    """Saved only if nobody changed anything of the draft since this was opened; otherwise both are shown."""
    still_here(scope.viewer)
    save_together()
    st.html(tag("p", _NOBODY, class_="sl sl-small sl-muted"))
    with st.form("change-plan", border=False):
        given = _plain_fields(found.terms)
        reason = st.text_input("Why?", max_chars=300, help=_WHY)
        if not st.form_submit_button("Save", type="primary"):
            return
    _save(scope, found, lambda: _read(found.terms, given), reason)


@st.dialog("A limit", width="medium", icon=":material/speed:")
def change_limit(scope: Scope, found: PlanDetail) -> None:
    """One that the draft has, or another one; taken away, the meter is counted and not limited."""
    still_here(scope.viewer)
    save_together()
    chosen = st.selectbox("Which", [*found.terms.limits, _ANOTHER], format_func=_limit_name, key="plan-limit")
    now = found.terms.limits.get(chosen, PlanLimit(None))
    with st.form(f"limit-{chosen}", border=False):
        meter, period = _new_limit() if chosen == _ANOTHER else chosen.split()
        said = _limit_fields(now)
        st.html(tag("p", "A limit that is taken away leaves its meter counted and not limited. " + _NOBODY,
            class_="sl sl-small sl-muted"))  # fmt: skip
        reason = st.text_input("Why?", max_chars=300, help=_WHY)
        with st.container(horizontal=True):
            saves = st.form_submit_button("Save", type="primary")
            drops = chosen != _ANOTHER and st.form_submit_button("Take it away")
    if saves:
        _save(scope, found, lambda: found.terms.with_limit(meter, period, _read_limit(said)), reason)
    elif drops:
        _save(scope, found, lambda: found.terms.with_limit(meter, period, None), reason)


@st.dialog("A feature", width="medium", icon=":material/toggle_on:")
def change_feature(scope: Scope, found: PlanDetail) -> None:
    """One that the draft has, or another one, by the name under which products look for it."""
    still_here(scope.viewer)
    save_together()
    chosen = st.selectbox("Which", [*found.terms.features, _ANOTHER], format_func=_feature_name, key="plan-feature")
    now = found.terms.features.get(chosen, PlanFeature())
    kinds = list(_KINDS)
    kind = st.selectbox("Kind", kinds, kinds.index(now.kind), format_func=lambda one: _KINDS[one], key=f"kind-{chosen}")
    with st.form(f"feature-{chosen}-{kind}", border=False):
        name = chosen if chosen != _ANOTHER else st.text_input("Name", max_chars=60, placeholder="team_seats")
        value = _feature_value(kind, now, found.terms)
        reason = st.text_input("Why?", max_chars=300, help=_WHY)
        with st.container(horizontal=True):
            saves = st.form_submit_button("Save", type="primary")
            drops = chosen != _ANOTHER and st.form_submit_button("Take it away")
    if saves:
        _save(scope, found, lambda: found.terms.with_feature(name.strip(), PlanFeature(kind, value)), reason)
    elif drops:
        _save(scope, found, lambda: found.terms.with_feature(name, None), reason)


def _save(scope: Scope, found: PlanDetail, wanted: Callable[[], PlanTerms], reason: str) -> None:
    """As an edit of what the page showed; both together, as one of what is there by then."""

    def change(terms: PlanTerms, revision: int, was: PlanTerms, why: str) -> tuple[PlanTerms, PlanTerms, int]:
        turned = plans.change_draft(
            serving.engines().rw, scope.viewer, found.now.id, terms, revision=revision, reason=why, made_on=was
        )
        return was, terms, turned

    def save_both(stale: EditedMeanwhileError, merged: Fields) -> tuple[PlanTerms, PlanTerms, int]:
        return change(PlanTerms.of(merged), stale.revision, PlanTerms.of(stale.now), reason)

    def take_back(done: tuple[PlanTerms, PlanTerms, int]) -> None:
        was, became, revision = done
        change(was, revision, became, "Taken back.")

    attempt(
        lambda: change(wanted(), found.now.revision, found.terms, reason),
        f"{found.now.titled} was changed.",
        undo=Undo(take_back),
        shown=_both,
        together=save_both,
    )


def _both(refusal: SightlineError) -> Markup:
    if not isinstance(refusal, EditedMeanwhileError):
        return Markup()
    return both_versions(refusal, {name: field_name(name) for name in refusal.now}, field_told)


def _discard_new(scope: Scope, key: UUID) -> None:
    """A draft that was just made, as it is by now: it can be brought back."""
    made = plan(serving.engines().ro, scope.viewer, key)
    if made is not None:
        plans.discard_draft(
            serving.engines().rw, scope.viewer, key, revision=made.now.revision, reason="Taken back."
        )  # fmt: skip


def _plain_fields(now: PlanTerms) -> tuple[str, str, str, str, str, int, bool]:
    left, right = st.columns(2)
    name = left.text_input("Name", now.name, max_chars=LONGEST_NAME, placeholder="Mailer Pro")
    price = right.text_input("Price", f"{now.price.normalize():f}" if now.name else "", placeholder="29")
    currency = left.text_input("Currency", now.currency, max_chars=3)
    period = right.selectbox(
        "Paid", BILLING_PERIODS, BILLING_PERIODS.index(now.billing_period), format_func=lambda one: PAID[one]
    )
    description = st.text_input("Description", now.description or "", max_chars=LONGEST_DESCRIPTION)
    given = st.number_input("Credits for generations", 0, value=now.generation_credits, step=10)
    has_watermark = st.checkbox("Put a watermark on what is made with it", now.has_watermark)
    return name, price, currency, period, description, int(given), has_watermark


def _read(now: PlanTerms, given: tuple[str, str, str, str, str, int, bool]) -> PlanTerms:
    name, price, currency, period, description, credits_, has_watermark = given
    return replace(
        now, name=name, price=_amount(price), currency=currency.strip().upper(), billing_period=period,
        description=description.strip() or None, generation_credits=credits_, has_watermark=has_watermark,
    )  # fmt: skip


def _amount(given: str) -> Decimal:
    try:
        return Decimal(given.strip().replace(",", ""))
    except InvalidOperation:
        raise SightlineError(f"“{given.strip()}” is no amount.", fix="Give one such as 29 or 99.50.") from None


def _limit_name(chosen: str) -> str:
    return chosen if chosen == _ANOTHER else field_name(f"limit {chosen}")


def _feature_name(chosen: str) -> str:
    return chosen if chosen == _ANOTHER else words.spelled(chosen)


def _new_limit() -> tuple[str, str]:
    left, right = st.columns(2)
    meter = left.selectbox("Of", METERS, format_func=words.spelled)
    period = right.selectbox("In", list(PERIODS), 1, format_func=lambda one: PERIODS[one])
    return meter, period


def _limit_fields(now: PlanLimit) -> tuple[str, str, int, int, bool]:
    left, right = st.columns(2)
    amount = left.text_input(
        "Amount", "" if now.amount is None else str(now.amount), placeholder="without limit", help="Empty: no limit."
    )
    enforcement = right.selectbox(
        "Above it", ENFORCEMENTS, ENFORCEMENTS.index(now.enforcement), format_func=lambda one: _ENFORCED[one]
    )
    grace = left.number_input("Grace: so much more", 0, value=now.grace_amount)
    days = right.number_input("Grace for so many days", 0, value=now.grace_days, help="0: to the end of the period.")
    rolls_over = st.checkbox("What is left of a period goes into the next", now.rolls_over)
    return amount, enforcement, int(grace), int(days), rolls_over


def _read_limit(said: tuple[str, str, int, int, bool]) -> PlanLimit:
    amount, enforcement, grace, days, rolls_over = said
    digits = amount.strip().replace(",", "")
    if digits and not digits.isdecimal():
        raise SightlineError(f"“{digits}” is no limit.", fix="Give a whole number, or nothing for no limit.")
    return PlanLimit(int(digits) if digits else None, enforcement, grace, days, rolls_over)


def _feature_value(kind: str, now: PlanFeature, terms: PlanTerms) -> bool | str | int | dict[str, str]:
    if kind == "boolean":
        return st.checkbox("It is there", now.value is True)
    if kind == "metered":
        meters = sorted(terms.meters) or [""]
        place = meters.index(now.meter) if now.meter in meters else 0
        return {"meter": st.selectbox("By", meters, place, format_func=words.spelled) or ""}
    said = st.text_input("Value", "" if now.kind != "static" else str(now.value), max_chars=LONGEST_VALUE).strip()
    return int(said) if said.isdecimal() else said
