"""The top of the reconciliation: which provider and which month are looked at; both stand in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import streamlit as st

from app.access import Viewer
from app.commands.reconciling import KeptBill
from app.metrics.dimensions import dimension
from app.settings import settings
from app.ui import words
from app.ui.freshness import badge, freshness
from app.ui.links import page_here
from app.ui.markup import tag
from app.ui.notices import say_broken
from app.ui.saved import offer_views, open_default
from app.ui.scope import Scope
from db.tables.products import AI_PROVIDERS


@dataclass(frozen=True)
class BillChoice:
    """A provider's month, and its bill if one was read in."""

    scope: Scope
    provider: str
    month: date
    bill: KeptBill | None

    @property
    def name(self) -> str:
        return f"{provider_name(self.provider)}, {month_name(self.month)}"


def page_head(title: str, viewer: Viewer) -> Scope:
    """Name and freshness; the days are chosen as a month below, unless a view of the viewer's opens by itself."""
    fresh = freshness(None)
    told = tag("span", f"Days of the ledger in UTC · amounts in {settings().currency}", class_="sl-small sl-muted")
    st.html(tag("header", tag("h1", title), badge(fresh), told, class_="sl sl-head"))
    last = fresh.last_day
    bare = Scope(viewer, last, last, None, {}, "day", None, fresh.zone, settings().currency, page_here())
    open_default(bare.page, bare)
    return bare


def choose(scope: Scope, kept: Sequence[KeptBill]) -> BillChoice:
    """The months that have a bill, and the last one that is over; the newest bill first."""
    over = (scope.until.replace(day=1) - timedelta(days=1)).replace(day=1)
    months = {month_name(one): one for one in sorted({over, *(one.month for one in kept)}, reverse=True)}
    names = {provider_name(one): one for one in AI_PROVIDERS}
    newest = month_name(max((one.month for one in kept), default=over))
    broken = [
        f"{key}={given}"
        for key, known in (("provider", names), ("month", months))
        for given in st.query_params.get_all(key)
        if given not in known
    ]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        provider = st.segmented_control(
            "Provider", list(names), default=next(iter(names)), key="provider", bind="query-params", required=True
        )
        listed = list(months)
        month = st.selectbox("Month", listed, index=listed.index(newest), key="month", bind="query-params", width=180)
        chosen, of = names.get(provider, AI_PROVIDERS[0]), months.get(month, over)
        until = (of + timedelta(days=31)).replace(day=1)
        query = (("provider", provider_name(chosen)), ("month", month_name(of)))
        scope = replace(scope, since=of, until=until, query=query)
        offer_views(scope)
    if broken:
        say_broken(broken)
    bill = next((one for one in kept if (one.provider, one.month) == (chosen, of)), None)
    return BillChoice(scope, chosen, of, bill)


def month_name(month: date) -> str:
    return f"{month:%B %Y}"


def provider_name(provider: str) -> str:
    return words.value_of(dimension("provider"), provider)
