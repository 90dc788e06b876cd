"""The bill of a month: where it stands, what was read into it, reading more, its invoice, approving and opening it."""

import streamlit as st

from app import serving
from app.access import Permission
from app.commands.bills import ReadReport, approve_bill, open_bill, read_file, state_invoice
from app.commands.reconciling import KeptBill
from app.exports.bill_lists import ReconciledBill, state_of
from app.ingest.fetching import fetch_bill, may_be_asked
from app.ingest.formats import LARGEST_BYTES
from app.metrics.metric import Unit
from app.ui import words
from app.ui.bill_choice import BillChoice, provider_name
from app.ui.cards import card
from app.ui.done import attempt
from app.ui.live import read
from app.ui.markup import Markup, tag
from app.ui.people import still_here
from app.ui.reconciled import Comparison
from app.ui.rows import Column, Columns
from app.ui.tables import table
from app.ui.typed import dollars_typed
from app.ui.unread import say_unread
from db.errors import SightlineError

_FILES: Columns = {
    "created_at": "Read",
    "name": "File",
    "kind": "Tells",
    "rows": Column("Rows", Unit.COUNT),
    "first_day": "From",
    "last_day": "To",
    "source": "From where",
    "read_by": "By",
}


def bill_desk(choice: BillChoice, both: Comparison | None) -> None:
    """Its state first, then what can be done with it."""
    bill = state_of(choice.bill, both.found) if choice.bill and both else None
    listed = choice.listed(
        "reconciled_bill", [bill] if bill else [], both.reading if both else None, provider=choice.provider
    )
    card(f"The bill of {choice.name}", _state(bill), read=listed, scope=choice.scope)
    if choice.scope.viewer.may(Permission.MONTHS_CLOSE):
        _buttons(choice, bill)
        _reading(choice)
    files = read("bill_files", choice.scope, provider=choice.provider, month=choice.month)
    table(
        [vars(one) | {"source": "the interface" if one.source == "api" else "a file"} for one in files.rows],
        name="files",
        title="What was read",
        why="A file that is read again changes nothing.",
        columns=_FILES,
        scope=choice.scope,
        empty=("Nothing was read into this month yet.", "Read a file of the provider below the bill's state."),
        read=files,
    )


def chips(choice: BillChoice) -> None:
    """Where the month stands, above everything."""
    bill = choice.bill
    told = ("no bill yet",) if bill is None else _facts(bill)
    st.html(
        tag("div", tag("div", *(tag("span", one, class_="sl-chip") for one in told), class_="sl-chips"), class_="sl")
    )


def _facts(bill: KeptBill) -> tuple[str, ...]:
    approved = f"approved {words.day(bill.approved_at.date())}" if bill.approved_at else ""
    by = f"by {bill.approved_by}" if bill.approved_by else ""
    number = f"invoice {bill.invoice_number}" if bill.invoice_number else ""
    through = f"through {words.day(bill.last_day)}" if bill.last_day else "no lines"
    return tuple(
        one
        for one in (bill.status.capitalize(), f"{approved} {by}".strip(), number, through, f"days in {bill.zone}")
        if one
    )


def _state(bill: ReconciledBill | None) -> Markup:
    if bill is None:
        return tag("p", "No bill of this month was read in yet. The provider's console exports it.", class_="why")
    left = (
        f"{words.money(bill.unexplained, 'USD')} of it have no explanation."
        if bill.unexplained
        else "All is explained."
    )
    invoice = (
        "No invoice is stated."
        if bill.invoiced is None
        else f"Its invoice asks for {words.money(bill.invoiced, 'USD')}"
    )
    tax = f" and {words.money(bill.tax, 'USD')} of tax." if bill.invoiced is not None and bill.tax else "."
    told = f"{words.counted(bill.lines, 'line')} of {words.money(bill.total, 'USD')}. "
    note = tag("p", f"“{bill.note}”", class_="sl-small") if bill.note else ""
    closed = " It closed with its month." if bill.status == "closed" else ""
    return tag("div", tag("p", told, invoice, tax if bill.invoiced is not None else "", " ", left, closed), note)


def _buttons(choice: BillChoice, bill: ReconciledBill | None) -> None:
    if bill is None:
        return
    with st.container(horizontal=True):
        if bill.status == "open":
            if st.button("Approve the bill …", type="primary", icon=":material/task_alt:"):
                _approve(choice, bill)
            if st.button("State the invoice …", icon=":material/request_quote:"):
                _state_invoice(choice, bill)
        elif bill.status == "approved" and st.button("Open the bill again …", icon=":material/lock_open:"):
            _open_again(choice, bill)


@st.dialog("Approve the bill", icon=":material/task_alt:")
def _approve(choice: BillChoice, bill: ReconciledBill) -> None:
    still_here(choice.scope.viewer)
    left = f" {words.money(bill.unexplained, 'USD')} stay without an explanation." if bill.unexplained else ""
    _what_will_happen(
        f"The bill of {choice.name} of {words.money(bill.total, 'USD')} is accepted as it stands, with your name.{left}"
        " No file changes it any more until somebody opens it again; when the month closes, it closes too."
    )
    note = st.text_input("Note", max_chars=300, help="What you looked at; the audit log keeps it.")
    is_sure = st.checkbox("I accept what is not explained.") if bill.unexplained else True
    if st.button("Approve", type="primary", disabled=not is_sure):
        attempt(
            lambda: approve_bill(serving.engines().rw, choice.scope.viewer, bill.id, revision=bill.revision, note=note),
            f"The bill of {choice.name} is approved.",
        )


@st.dialog("Open the bill again", icon=":material/lock_open:")
def _open_again(choice: BillChoice, bill: KeptBill) -> None:
    still_here(choice.scope.viewer)
    _what_will_happen("The approval is taken back, and files can change the bill again.")
    reason = st.text_input("Why?", max_chars=300)
    if st.button("Open it", type="primary"):
        attempt(
            lambda: open_bill(
                serving.engines().rw, choice.scope.viewer, bill.id, revision=bill.revision, reason=reason
            ),
            f"The bill of {choice.name} is open again.",
        )


@st.dialog("State the invoice", icon=":material/request_quote:")
def _state_invoice(choice: BillChoice, bill: KeptBill) -> None:
    still_here(choice.scope.viewer)
    number = st.text_input("Its number", bill.invoice_number or "", max_chars=100)
    amount = st.text_input("Amount before tax, USD", f"{bill.invoiced:.2f}" if bill.invoiced is not None else "")
    tax = st.text_input("Tax, USD", f"{bill.tax:.2f}")
    if st.button("State it", type="primary"):
        attempt(
            lambda: state_invoice(
                serving.engines().rw,
                choice.scope.viewer,
                bill.id,
                revision=bill.revision,
                invoiced=dollars_typed(amount) if amount.strip() else None,
                tax=dollars_typed(tax or "0"),
                number=number,
            ),
            f"The invoice of {choice.name} is stated.",
        )


def _reading(choice: BillChoice) -> None:
    with st.container(border=True, key="card-read-a-file"):
        why = "All of a file, or nothing of it: OpenAI's costs and usage, Anthropic's reports, Google's cost table."
        st.html(tag("section", tag("h2", "Read a file"), tag("p", why, class_="why"), class_="sl sl-card"))
        with st.form("read-a-file", border=False, clear_on_submit=True):
            given = st.file_uploader(
                f"Files of {provider_name(choice.provider)}",
                type=["json", "csv"],
                accept_multiple_files=True,
                max_upload_size=LARGEST_BYTES // 1_000_000,
            )
            replace = st.checkbox("Days that are told otherwise replace what is in")
            is_sent = st.form_submit_button("Read", icon=":material/upload_file:")
        if is_sent and not given:
            say_unread(SightlineError("No file was chosen.", fix="Choose one or more, then read them."), "")
        for file in given if is_sent else ():
            _read(choice, file.getvalue(), file.name, replace=replace)
        if may_be_asked(choice.provider) and st.button(
            f"Ask {provider_name(choice.provider)} for {choice.month:%B %Y}",
            icon=":material/cloud_download:",
            help="With the admin key of the organisation that the settings name.",
        ):
            _ask(choice, replace=replace)


def _ask(choice: BillChoice, *, replace: bool) -> None:
    """The same as files, from the provider's interface."""
    try:
        with st.spinner("Asking …"):
            found = list(fetch_bill(choice.provider, choice.month))
    except SightlineError as refusal:
        say_unread(refusal, "")
        return
    for name, content in found:
        _read(choice, content, name, replace=replace, source="api")


def _read(choice: BillChoice, content: bytes, name: str, *, replace: bool, source: str = "file") -> None:
    """What came of it stands below the form: a report by row where it was refused."""
    try:
        report = read_file(
            serving.engines().rw, choice.scope.viewer, content, name, provider=choice.provider, replace=replace,
            source=source,
        )  # fmt: skip
    except SightlineError as refusal:
        say_unread(refusal, name)
    else:
        st.html(tag("div", tag("b", name), _done(report), class_="sl sl-empty", role="status"))


def _done(report: ReadReport) -> str:
    others = ", ".join(f"{month:%B %Y}" for month in report.months)
    return f"{report.sentence} Months: {others}. Load the page again to see them compared."


def _what_will_happen(told: str) -> None:
    st.html(tag("div", tag("b", "What will happen"), told, class_="sl sl-refused"))
