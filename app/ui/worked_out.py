"""Downloads of tables that were worked out of several answers: made when somebody asks for one, for them alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.exports.address import Kind
from app.exports.files import WRITERS
from app.exports.sheets import Sheet
from app.exports.worked_out import sheet_of_rows
from app.ui.asking import Asked
from app.ui.behind import slug
from app.ui.markup import tag
from app.ui.people import still_here

_NAMES = {Kind.CSV: "CSV", Kind.XLSX: "XLSX", Kind.PARQUET: "Parquet"}


def offer(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], made_of: Sequence[Asked], title: str) -> None:
    """A quiet button; nothing of a file is made before."""
    told = f"“{title}” as it stands here, as a file."
    if st.button("Download", key=f"behind-file-{slug(title)}", type="tertiary", icon=":material/download:", help=told):
        _open(rows, names, made_of, title)


@st.dialog("Download", width="small", position="right")
def _open(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], made_of: Sequence[Asked], title: str) -> None:
    still_here(made_of[0].scope.viewer)
    sheet = sheet_of_rows(rows, names, [one.receipt for one in made_of])
    told = f"{title}: worked out of {len(made_of)} answers, whose receipts go with it. Receipt {sheet.receipt}."
    st.html(tag("p", told, class_="sl sl-small"))
    with st.container(horizontal=True):
        for kind in Kind:
            st.download_button(
                _NAMES[kind],
                _written(rows, names, made_of, kind),
                f"{slug(title)}-{sheet.receipt}.{kind}",
                key=f"file-{slug(title)}-{kind}",
                on_click="ignore",
            )


def _written(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], made_of: Sequence[Asked], kind: Kind
) -> bytes:
    """Some hundred rows at the most."""
    sheet: Sheet = sheet_of_rows(rows, names, [one.receipt for one in made_of])
    return b"".join(WRITERS[kind](sheet))
