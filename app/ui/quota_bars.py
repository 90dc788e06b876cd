"""Limits as bars: used and held against what is allowed, and the same in words."""

from collections.abc import Sequence

from app.metrics.metric import Unit
from app.records.quotas import Balance
from app.ui import words
from app.ui.links import address, anchor
from app.ui.markup import Markup, joined, tag
from app.ui.scope import Scope

# Side by side, and one below the other on a telephone.
_ROW = (
    "display:grid;gap:.1rem .75rem;align-items:center;"
    "grid-template-columns:repeat(auto-fit,minmax(min(100%,16rem),1fr))"
)
_LINE = "display:block;overflow:hidden;text-overflow:ellipsis"


def bars(balances: Sequence[Balance], labels: dict[str, str], scope: Scope) -> Markup:
    """One row each, as they come; the name leads to all limits of the workspace."""
    rows = [tag("div", *_row(one, labels, scope), style=_ROW) for one in balances]
    return tag("div", *rows, class_="sl-rows", style="grid-template-columns:minmax(0,1fr);row-gap:.6rem")


def of_what(meter: str, period: str, product: str) -> str:
    """What a limit is of, as people say it."""
    when = "in all" if period == "lifetime" else f"a {period}"
    return f"{words.spelled(meter)} {when}, {words.spelled(product)}"


def _row(one: Balance, labels: dict[str, str], scope: Scope) -> tuple[Markup, Markup, Markup]:
    allowed = (one.amount or 0) + one.rolled_over
    whole = max(allowed, one.used + one.held, 1)
    is_over = one.used + one.held >= allowed
    label = labels.get(one.slug, one.workspace)
    where = anchor(label, address(scope.page, scope, show="Limits", of=label))
    what = f"{of_what(one.meter, one.period, one.product)}{f', {one.customer}' if one.customer else ''}"
    name = tag(
        "span",
        tag("span", where, style=_LINE),
        tag("span", what, class_="sl-muted", style=_LINE),
        class_="name",
        style="max-width:none",
        title=f"{label}: {what}",
    )
    parts = [_part(0, one.used, whole), _part(one.used, one.held, whole, "opacity:.45")]
    mark = tag("u", style=f"left:calc({allowed / whole * 100:.2f}% - 2px)")
    told = _told(one, allowed)
    bar = tag("div", *parts, mark, class_=f"bar {'sl-bad' if is_over else 'sl-c0'}", role="img",
        aria_label=f"{label}: {what}: {told}")  # fmt: skip
    kind = tag("span", " soft" if one.is_soft else " hard", class_="sl-muted")
    return name, bar, tag("span", joined((told, kind)), class_="figure sl-bad" if is_over else "figure")


def _told(one: Balance, allowed: int) -> str:
    share = words.figure((one.used + one.held) / allowed, Unit.PERCENT) if allowed else words.NOTHING
    held = f" + {one.held:,} held" if one.held else ""
    return f"{one.used:,}{held} of {allowed:,} · {share}"


def _part(start: int, length: int, whole: int, style: str = "") -> Markup:
    return tag("i", style=f"left:{start / whole * 100:.2f}%;width:{length / whole * 100:.2f}%;{style}")
