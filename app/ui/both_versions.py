"""What is there now beside what was typed, where they differ: after an edit that somebody else was faster with."""

from collections.abc import Callable, Mapping

from app.commands.stale import EditedMeanwhileError
from app.commands.texts import plain
from app.ui import words
from app.ui.markup import Markup, tag


def both_versions(
    refusal: EditedMeanwhileError,
    names: Mapping[str, str] | None = None,
    told: Callable[[object], str] = plain,
) -> Markup:
    """A row for each field that differs; `names` are the labels that the fields have where they are edited."""
    made_on = refusal.made_on
    labels = ("", *(("When you opened it",) if made_on is not None else ()), "It says now", "You wrote")
    rows = [
        tag("tr",
            tag("th", (names or {}).get(name, words.spelled(name)), scope="row"),
            *((tag("td", told(made_on[name])),) if made_on is not None else ()),
            tag("td", told(refusal.now[name])),
            tag("td", told(refusal.wanted[name])))
        for name in refusal.differing
    ]  # fmt: skip
    head = tag("tr", *(tag("th", label, scope="col") for label in labels))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="sl-table") if rows else Markup()
