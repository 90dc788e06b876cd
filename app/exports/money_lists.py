"""Lists of what customers are invoiced, pay and owe, and of their credits."""

from app.exports.given import day_of, key_named, key_of, text_of
from app.exports.wanted import LiveList, Wanted, whole
from app.records import invoices, ledgers, payments
from app.records.reading import Page


def _invoices(wanted: Wanted) -> Page[invoices.Invoice]:
    values = wanted.given
    asked = invoices.Wanted(
        workspaces=wanted.workspaces,
        kind=text_of(values, "kind") or None,
        statuses=values.get("status", ()),
        words=text_of(values, "words"),
        since=day_of(values, "since"),
        until=day_of(values, "until"),
    )
    return invoices.invoices(wanted.engine, wanted.viewer, asked, **wanted.paged)


def _invoice(wanted: Wanted) -> Page[invoices.InvoiceDetail]:
    found = invoices.invoice(wanted.engine, wanted.viewer, key_named(wanted.given, "invoice"))
    return whole([found] if found else ())


def _invoice_lines(wanted: Wanted) -> Page[invoices.InvoiceLine]:
    return whole(invoices.lines_of(wanted.engine, wanted.viewer, key_named(wanted.given, "invoice")))


def _invoice_notes(wanted: Wanted) -> Page[invoices.Invoice]:
    return whole(invoices.notes_of(wanted.engine, wanted.viewer, key_named(wanted.given, "invoice")))


def _unpaid(wanted: Wanted) -> Page[invoices.Unpaid]:
    return whole(invoices.unpaid(wanted.engine, wanted.viewer, wanted.workspaces))


def _payments(wanted: Wanted) -> Page[payments.Payment]:
    return payments.payments(wanted.engine, wanted.viewer, _paid(wanted), **wanted.paged)


def _failures(wanted: Wanted) -> Page[payments.Failures]:
    return whole(payments.failures(wanted.engine, wanted.viewer, _paid(wanted)))


def _paid(wanted: Wanted) -> payments.Wanted:
    values = wanted.given
    return payments.Wanted(
        workspaces=wanted.workspaces,
        statuses=values.get("status", ()),
        invoice=key_of(values, "invoice"),
        words=text_of(values, "words"),
        since=day_of(values, "since"),
        until=day_of(values, "until"),
    )


def _credit_movements(wanted: Wanted) -> Page[ledgers.Movement]:
    return ledgers.ledger(wanted.engine, wanted.viewer, key_named(wanted.given, "user"), **wanted.paged)


def _credit_accounts(wanted: Wanted) -> Page[ledgers.Account]:
    return whole(ledgers.accounts(wanted.engine, wanted.viewer, key_named(wanted.given, "user")))


_DAYS = ("since", "until")
MONEY_LISTS: dict[str, LiveList] = {
    name: LiveList(read, row, frozenset(narrowed_by))
    for name, read, row, narrowed_by in (
        ("invoices", _invoices, invoices.Invoice, (*_DAYS, "workspace", "kind", "status", "words")),
        ("invoice", _invoice, invoices.InvoiceDetail, ("invoice",)),
        ("invoice_lines", _invoice_lines, invoices.InvoiceLine, ("invoice",)),
        ("invoice_notes", _invoice_notes, invoices.Invoice, ("invoice",)),
        ("unpaid", _unpaid, invoices.Unpaid, ("workspace",)),
        ("payments", _payments, payments.Payment, (*_DAYS, "workspace", "status", "words", "invoice")),
        ("payment_failures", _failures, payments.Failures, (*_DAYS, "workspace")),
        ("credit_movements", _credit_movements, ledgers.Movement, ("user",)),
        ("credit_accounts", _credit_accounts, ledgers.Account, ("user",)),
    )
}
