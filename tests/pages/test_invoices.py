"""Invoices and credits: tiles, lists and ledgers show what the rows hold, in two scopes and under several filters."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest

from app.metrics.metric import Unit
from app.ui.words import figure, spelled
from tests.pages.oracles import FINANCE_ROLES, IN_DOLLARS, choices, same

CHOICES = {name: choice for name, choice in choices("mailer").items() if name != "product"}
NINETY = "period=Last+90+days&compare=Off"
_RATE = IN_DOLLARS.format(currency="t.currency", day="CAST(t.issued_at AS DATE)")
_SIGN = "CASE t.kind WHEN 'credit_note' THEN -0.01 ELSE 0.01 END"
INVOICED = f"""
    SELECT COUNT(*) FILTER (WHERE t.kind = 'invoice'), COUNT(*) FILTER (WHERE t.kind = 'credit_note'),
        COALESCE(SUM(t.total_minor * {_SIGN} * {_RATE}), 0), COALESCE(SUM(t.amount_paid_minor * {_SIGN} * {_RATE}), 0)
    FROM invoices AS t WHERE t.status NOT IN ('draft', 'void') AND {{holds}}
"""
CREDITS = """
    SELECT COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'purchase' AND {inside}), 0),
        -COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'usage' AND {inside}), 0),
        -COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'expiry' AND {inside}), 0),
        COALESCE(SUM(t.amount) FILTER (WHERE t.type = 'refund' AND {inside}), 0),
        COALESCE(SUM(t.amount), 0)
    FROM credit_transactions AS t WHERE {before}
"""


def money(amount):
    return figure(amount, Unit.MONEY)


@pytest.mark.parametrize("chosen", CHOICES)
@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_tiles_show_what_the_rows_give(pages, role, chosen):
    choice = CHOICES[chosen]
    shown = pages.open("invoices.py", choice.address, role).tiles
    ((number, notes, invoiced, paid),) = pages.rows(INVOICED.format(holds=choice.holds("t.issued_at", role)))
    inside = choice.holds("t.created_at", role)
    before = inside.replace(f"t.created_at >= DATE '{choice.since}' AND ", "")
    ((bought, used, expired, refunded, owed),) = pages.rows(CREDITS.format(inside=inside, before=before))
    expected = {
        "invoices": number,
        "invoiced": invoiced,
        "invoiced_paid": paid,
        "invoiced_unpaid": invoiced - paid,
        "credit_notes": notes,
        "credits_purchased": bought,
        "credits_spent": used,
        "credits_expired": expired,
        "credits_refunded": refunded,
        "credits_balance": owed,
    }
    told = {name: Decimal(value) if value else None for name, value in shown.items()}
    assert {name: value for name, value in told.items() if not same(value, expected[name])} == {}
    assert told.keys() == expected.keys()


@pytest.mark.parametrize("role", FINANCE_ROLES)
@pytest.mark.parametrize("status", ["Any", "Paid", "Void"])
def test_invoices_of_the_period_are_listed(pages, role, status):
    choice = CHOICES["first"]
    card = pages.open("invoices.py", urlencode({"status": status, "compare": "Off"}), role).cards["Invoices"]
    narrowed = "" if status == "Any" else f" AND t.status = '{status.lower()}'"
    listed = pages.rows(f"""
        SELECT t.number, w.name, t.kind, t.status, t.total_minor, t.currency FROM invoices AS t
        JOIN workspaces AS w ON w.id = t.workspace_id
        WHERE {choice.holds("COALESCE(t.issued_at, t.created_at)", role)}{narrowed} ORDER BY t.id DESC
    """)
    expected = [
        [number, name, spelled(kind), spelled(state), money(Decimal(minor) / 100), currency]
        for number, name, kind, state, minor, currency in listed[:25]
    ]
    assert [[*row[:4], row[6], row[8]] for row in card.rows] == expected


def test_invoices_are_found_by_customer_and_paged_by_key(pages):
    ((name, number),) = pages.rows("""
        SELECT w.name, COUNT(*) FROM invoices AS t JOIN workspaces AS w ON w.id = t.workspace_id
        WHERE COALESCE(t.issued_at, t.created_at) >= CURRENT_DATE - 364 GROUP BY w.id ORDER BY 2 DESC LIMIT 1
    """)
    seen = pages.open("invoices.py", urlencode({"words": name, "period": "Last 365 days"}), "finance")
    found = [row[1] for row in seen.cards["Invoices"].rows]
    older = seen.query_of("Older")
    while older:
        seen = pages.open("invoices.py", older, "finance")
        found += [row[1] for row in seen.cards["Invoices"].rows]
        older = seen.query_of("Older")
    assert set(found) == {name}
    assert len(found) == number > 25


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_failures_are_told_by_reason(pages, role):
    choice = choices("mailer")["product"]
    shown = pages.open("invoices.py", f"{NINETY}&show=Failures", role)
    listed = pages.rows(f"""
        SELECT t.failure_reason, t.currency, COUNT(*), COUNT(DISTINCT t.workspace_id), SUM(t.amount),
            COUNT(*) FILTER (WHERE i.status = 'paid')
        FROM payments AS t LEFT JOIN invoices AS i ON i.workspace_id = t.workspace_id AND i.id = t.invoice_id
        WHERE t.status = 'failed' AND {choice.holds("t.created_at", role, product="'mailer'")}
        GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
    """)
    assert shown.cards["Failed payments by reason"].rows == [
        [reason, currency, str(number), str(customers), money(amount), str(recovered)]
        for reason, currency, number, customers, amount, recovered in listed
    ]
    assert len(shown.cards["Failed payments"].rows) == min(25, sum(row[2] for row in listed))


@pytest.mark.parametrize("role", FINANCE_ROLES)
def test_what_is_unpaid_is_listed_whatever_the_period(pages, role):
    shown = pages.open("invoices.py", "period=Last+7+days&show=Unpaid", role)
    seen = CHOICES["first"].holds("t.issued_at", role).partition(" AND t.workspace_id")[2]
    listed = pages.rows(f"""
        SELECT t.number, w.name, t.total_minor - t.amount_paid_minor, CURRENT_TIMESTAMP > t.due_at FROM invoices AS t
        JOIN workspaces AS w ON w.id = t.workspace_id
        WHERE t.kind = 'invoice' AND t.status IN ('open', 'uncollectible') AND t.workspace_id{seen} ORDER BY t.id DESC
    """)
    rows = shown.cards["Unpaid invoices"].rows
    assert [(row[0], row[1], row[6], row[5] != "–") for row in rows] == [
        (number, name, money(Decimal(minor) / 100), late) for number, name, minor, late in listed[:25]
    ]
    ages = shown.cards["Unpaid by how long it is overdue"].rows
    assert sum(int(row[2]) for row in ages) == len(listed)


def test_credit_notes_name_what_they_correct(pages):
    shown = pages.open("invoices.py", f"{NINETY}&show=Credit+notes", "finance").cards["Credit notes"]
    listed = pages.rows("""
        SELECT t.number, c.number, t.total_minor FROM invoices AS t JOIN invoices AS c ON c.id = t.corrects_invoice_id
        WHERE t.issued_at >= CURRENT_DATE - 89 ORDER BY t.id DESC
    """)
    assert [[row[0], row[2], row[5]] for row in shown.rows] == [
        [number, corrected, money(Decimal(minor) / 100)] for number, corrected, minor in listed[:25]
    ]
    assert listed


def test_one_invoice_shows_its_lines_and_payments(pages):
    ((key, number, customer, subtotal, discount),) = pages.rows("""
        SELECT t.id, t.number, w.name, t.subtotal_minor, t.discount_minor FROM invoices AS t
        JOIN workspaces AS w ON w.id = t.workspace_id
        JOIN payments AS p ON p.workspace_id = t.workspace_id AND p.invoice_id = t.id AND p.status = 'failed'
        WHERE t.status = 'paid' ORDER BY t.id LIMIT 1
    """)
    shown = pages.open("invoice.py", f"invoice={key}", "finance")
    assert f"{number} of {customer}" in shown.texts
    nets = [Decimal(row[5].replace(",", "")) for row in shown.cards["Lines"].rows]
    assert sum(nets) == Decimal(subtotal - discount) / 100
    assert {row[1] for row in shown.cards["Payments"].rows} == {"Failed", "Completed"}


def test_an_invoice_of_somebody_else_is_none(pages):
    pages.open("invoices.py", "", "limited-finance")
    ((key,),) = pages.rows("""
        SELECT t.id FROM invoices AS t WHERE t.workspace_id NOT IN (
            SELECT UNNEST(workspace_ids) FROM team_members WHERE email = 'limited-finance@test.example'
        ) LIMIT 1
    """)
    shown = pages.open("invoice.py", f"invoice={key}", "limited-finance")
    assert "You see no invoice by this address." in shown.texts
    assert shown.cards.keys() <= {""}


def test_a_ledger_adds_up_to_every_balance_that_was_kept(pages):
    ((user,),) = pages.rows("SELECT user_id FROM credit_transactions GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1")
    moves = pages.rows(f"SELECT amount FROM credit_transactions WHERE user_id = '{user}' ORDER BY position")
    running, level = [], 0
    for (amount,) in moves:
        level += amount
        running.append(f"{level:,}")
    query, shown = f"user={user}", []
    while query:
        seen = pages.open("credit_ledger.py", query, "finance")
        shown += [row[4:6] for row in seen.cards["Movements"].rows]
        query = seen.query_of("Older")
    assert shown == [[one, one] for one in reversed(running)]
    (account,) = seen.cards["Credits in all"].rows
    assert account[-2:] == [running[-1], "yes"]


def test_customers_are_listed_by_what_they_are_owed(pages):
    shown = pages.open("invoices.py", urlencode({"show": "Customers' credits", "compare": "Off"}), "finance")
    card = shown.cards["Credits of customers"]
    ((customers, owed),) = pages.rows("""
        SELECT COUNT(DISTINCT t.user_id), SUM(t.amount) FROM credit_transactions AS t
        JOIN workspaces AS w ON w.id = t.workspace_id WHERE w.deleted_at IS NULL
    """)
    assert card.counted.startswith(f"{min(customers, 200)} row")
    assert card.total[1] == f"{owed:,}"


def test_what_can_not_be_used_is_said(pages):
    told = " ".join(pages.open("invoices.py", "show=Nowhere&status=%3Cb%3E", "finance").notices)
    assert "show=Nowhere" in told
    assert "status=<b>" in told
