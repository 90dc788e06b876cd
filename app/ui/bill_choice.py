"""The top of the reconciliation: which provider and which month are looked at; both stand in the address."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import streamlit as st

from app import serving
from app.access import Viewer
from app.commands.reconciling import KeptBill, bills
from app.exports.given import given
from app.exports.live import Listed, Reading, reading
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
    """A provider's month, among the bills that were read in."""

    scope: Scope
    provider: str
    month: date
    kept: tuple[KeptBill, ...]
    reading: Reading

    @property
    def bill(self) -> KeptBill | None:
        return next((one for one in self.of_month if one.provider == self.provider), None)

    @property
    def of_month(self) -> tuple[KeptBill, ...]:
        """Every provider's bill of the month."""
        return tuple(one for one in self.kept if one.month == self.month)

    def listed(self, name: str, rows: Iterable[Any], told: Reading | None = None, **narrowed: object) -> Listed[Any]:
        """These rows as the list of this name, which a download reads again; `told` is what more was asked for them."""
        of = given(month=self.month, **narrowed)
        return (told.after(self.reading) if told else self.reading).listed(name, of, tuple(rows))

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


def choose(scope: Scope) -> BillChoice:
    """The months that have a bill, and the last one that is over; the newest bill first."""
    with reading() as told:
        kept = bills(serving.engines().ro, scope.viewer)
    over = (scope.until.replace(day=1) - timedelta(days=1)).replace(day=1)
    months = {month_name(one): one for one in sorted({over, *(one.month for one in kept)}, reverse=True)}
    names = {provider_name(one): one for one in AI_PROVIDERS}
    newest = month_name(max((one.month for one in kept), default=over))
    broken = [
        f"{key}={value}"
        for key, known in (("provider", names), ("month", months))
        for value in st.query_params.get_all(key)
        if value not in known
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
    return BillChoice(scope, chosen, of, tuple(kept), told)


def month_name(month: date) -> str:
    return f"{month:%B %Y}"


def provider_name(provider: str) -> str:
    return words.value_of(dimension("provider"), provider)
