"""Every view of every page, by whom it is made for: what the walks in Chromium open."""

from urllib.parse import urlencode

from playwright.sync_api import expect

from app.ui.menu import PAGES, Audience
from tests.pages.looking import each_looked_at, offered, whole

# The choices that a page offers at its top; one without any has the empty one.
VIEWS = {
    "overview": ("",),
    "campaigns": ("",),
    "campaign": ("Course", "Parts", "Changes", "Raw events"),
    "email": ("Campaigns", "Domains", "Bounces", "Links", "Send time", "Device and place", "Single events"),
    "audience": ("Status", "Cohorts", "Domains", "Workspaces", "Contacts"),
    "contact": ("",),
    "web": ("Landing pages", "Components", "Sources", "Countries", "Attribution"),
    "ads": ("Breakdown", "Campaigns", "Creatives", "Pacing", "Restatements"),
    "ai_usage": ("Models", "Products", "Types", "Failures", "Raw generations"),
    "templates": ("In use", "Components", "Ratings and downloads", "All templates", "Saved components"),
    "template": ("",),
    "ai_cost": (
        "Parts", "Months", "Savings", "Failed and repeated", "Conversions", "Without a price", "Unusual days",
        "Forecasts", "Raw generations",
    ),
    "budgets": ("Budgets", "Alerts", "Emergency stops", "Evaluations"),
    "margin": (
        "Plans", "Products", "Customers", "Months", "Below cost", "Recurring revenue", "Results", "Credits", "FOCUS",
    ),
    "invoices": ("Invoices", "Payments", "Failures", "Unpaid", "Credit notes", "Credits", "Customers' credits"),
    "invoice": ("",),
    "credit_ledger": ("",),
    "reconciliation": ("Differences", "The bill", "The month", "Revenue"),
    "price_book": ("Prices", "Proposals", "Without a price", "Source and book"),
    "audit_log": ("",),
    "customers": ("Workspaces", "Deleted"),
    "customer": ("",),
    "quotas": ("Close to a limit", "Limits", "Exceptions", "Held now", "Credits", "Service limits"),
    "team": ("",),
    "template_desk": ("Templates", "Shelves", "Components", "Deleted"),
    "edit_template": ("Preview", "Versions", "Use"),
    "edit_component": ("Preview", "Versions"),
    "retention": ("",),
    "settings": ("Of the company", "Of this installation"),
    "jobs": ("Now", "All jobs", "Schedules", "Over time"),
    "integrations": ("Connections", "Analyses", "Sightline's own keys"),
    "data_health": ("Now", "Counters and rollups", "Partitions", "Late rows", "Slow queries"),
    "plans": ("Side by side", "All versions", "Approvals"),
    "plan": ("Terms", "Simulate", "Subscribers", "History"),
}  # fmt: skip
# Of each kind of thing the one with the most to show, and the name by which its page asks for it.
_TEMPLATE = """
    SELECT template_id FROM email_campaigns WHERE template_id IS NOT NULL GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1
"""
THINGS = {
    "campaign": ("campaign", "SELECT campaign_id FROM email_sends GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"),
    "contact": ("contact", "SELECT contact_id FROM email_events GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"),
    "template": ("template", _TEMPLATE),
    "edit_template": ("edit_template", _TEMPLATE),
    "edit_component": ("edit_component", "SELECT id FROM component_library ORDER BY downloads DESC, id LIMIT 1"),
    "invoice": ("invoice", "SELECT corrects_invoice_id FROM invoices WHERE kind = 'credit_note' ORDER BY 1 LIMIT 1"),
    "credit_ledger": ("user", "SELECT user_id FROM credit_transactions GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"),
    "customer": ("customer", "SELECT workspace_id FROM campaigns GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"),
    "plan": ("plan", "SELECT plan_id FROM subscriptions GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1"),
}
WHO_OPENS = {
    Audience.TEAM: ("viewer", "finance", "admin", "limited"),
    Audience.FINANCE: ("finance", "admin", "limited-finance"),
    Audience.ADMIN: ("admin",),
}


def openings(audience: Audience) -> list[tuple[str, str, tuple[str, ...]]]:
    """Every page as each role that opens it, and which of its views are looked at closely then: each as one of them.

    Not as who is limited, where a page is of one thing or of the whole company.
    """
    found = []
    for number, page in enumerate(page for page in PAGES if page.audience is audience):
        is_of_all = page.name in THINGS or page.name == "reconciliation"
        roles = [role for role in WHO_OPENS[audience] if not (is_of_all and role.startswith("limited"))]
        for turn, role in enumerate(roles):
            found.append((page.name, role, VIEWS[page.name][(turn + number) % len(roles) :: len(roles)]))
    return found


def address(site, page: str) -> str:
    parameters = {}
    if page in THINGS:
        name, key = THINGS[page]
        parameters[name] = str(site.rows(key)[0][0])
    return f"/{page if page != 'overview' else ''}" + (f"?{urlencode(parameters)}" if parameters else "")


def is_whole(site, glance, page: str, role: str, views: tuple[str, ...]) -> None:
    """It offers the views that are walked and no others, and each is readable in every light and width."""
    seen = glance(address(site, page), role)
    whole(seen)
    expect(seen.page.get_by_text("by this address")).to_have_count(0)
    assert tuple(offered(seen.page).all_inner_texts()) == (VIEWS[page] if VIEWS[page] != ("",) else ())
    each_looked_at(seen, views)
