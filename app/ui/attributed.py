"""Which touches earned conversions: three models side by side, with what no touch earned, adding up to all."""

from decimal import Decimal
from typing import Any

import streamlit as st

from app.metrics.dimensions import dimension
from app.metrics.metric import Unit
from app.ui import words
from app.ui.asking import Refused, ask
from app.ui.behind import behind
from app.ui.charts import chart
from app.ui.markup import Markup
from app.ui.rows import Column
from app.ui.scope import Scope
from app.ui.tables import table
from app.ui.views import one_of

_MODELS = {"First touch": "_first", "Last touch": "", "Linear": "_linear"}
_MEASURES = {"Conversions": ("attributed_conversions", Unit.NUMBER), "Value": ("attributed_value", Unit.MONEY)}
_SPLITS = {"Source": "source", "Medium": "medium", "Campaign": "campaign"}
_WHY = (
    "A touch counts when it lies at most 7 days before the conversion. First and last give it all to one touch, linear"
    " gives each an equal part. Unattributed conversions have no touch: every column adds up to all."
)
_NARROWED = " Products, channels, sources and mediums are the touch's: where one is chosen, unattributed ones are out."


def attributed(scope: Scope) -> None:
    """Split and measure are in the address."""
    with st.container(horizontal=True):
        split = one_of("split", list(_SPLITS), label="Split by")
        measure, unit = _MEASURES[one_of("worth", list(_MEASURES), label="Measure")]
    figures = {label: f"{measure}{suffix}" for label, suffix in _MODELS.items()}
    bare, names = scope.uncompared, tuple(figures.values())
    # A touch may have no source either; what has no campaign has no touch at all.
    touched = ask(names, bare, by=_SPLITS[split], exclude={"campaign": None}, order=f"-{measure}")
    untouched = ask(names, bare, where={"campaign": None})
    title = f"Attribution by {split.lower()}"
    if isinstance(touched, Refused) or isinstance(untouched, Refused):
        refused = touched if isinstance(touched, Refused) else untouched
        chart(refused, lambda _: Markup(), title=title)
        return
    key = dimension(_SPLITS[split])
    rows = [_row(words.value_of(key, one.get(f"{key.name}_name") or one[key.name]), one) for one in touched.rows()]
    rows += [_row("Unattributed", one) for one in untouched.rows()]
    rows.append(_row("All", {name: _sum([row[name] for row in rows]) for name in names}))
    currency = scope.currency if unit is Unit.MONEY else None
    table(
        rows,
        name="attribution",
        title=title,
        why=_WHY + (_NARROWED if set(scope.where) - {"workspace"} else ""),
        columns={
            "name": split,
            **{name: Column(label, unit, currency=currency) for label, name in figures.items()},
        },
        scope=scope,
        made_of=[touched, untouched],
    )
    with st.container(horizontal=True):
        behind(touched, f"{title}, touched", "Receipt of the touched")
        behind(untouched, f"{title}, untouched", "Receipt of the unattributed")


def _row(name: str, figures: dict[str, Any]) -> dict[str, Any]:
    return {**figures, "name": name}


def _sum(values: list[Decimal | None]) -> Decimal | None:
    """What holds an amount that can't be told can't be told either."""
    there = [value for value in values if value is not None]
    return sum(there, Decimal(0)) if len(there) == len(values) else None
