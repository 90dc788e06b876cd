"""A file that was not read: why, and every row of it that is wrong."""

import streamlit as st

from app.ingest.reading import UnreadableBillError
from app.ui.markup import tag, with_code
from app.ui.tables import table
from db.errors import SightlineError

_MOST_PROBLEMS = 200


def say_unread(refusal: SightlineError, name: str) -> None:
    """What stands in a file is text, and no Markdown."""
    is_by_row = isinstance(refusal, UnreadableBillError)
    told = refusal.fix if is_by_row else f"{refusal.why} {refusal.fix}".strip()
    st.html(tag("div", tag("b", with_code(refusal.what)), with_code(told), class_="sl sl-refused", role="alert"))
    if isinstance(refusal, UnreadableBillError):
        rows = [{"place": one.place, "what": one.what} for one in refusal.problems[:_MOST_PROBLEMS]]
        table(rows, name="problems", title=f"What is wrong with {name}", columns={"place": "Where", "what": "What"})
