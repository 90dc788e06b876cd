"""Every view of the team's and of finance's pages: whatever they offer to show, found by looking at what they offer."""

from collections.abc import Iterator
from urllib.parse import urlencode

from streamlit.testing.v1 import AppTest

# A detail is of the thing of its kind of which the most happened, in a workspace that limited people see too.
_SEEN = "workspace_id IN (SELECT workspace_id FROM campaigns GROUP BY 1 ORDER BY COUNT(*) DESC, workspace_id LIMIT 2)"
_MOST = {
    "email": f"SELECT campaign_id FROM email_campaigns WHERE {_SEEN} ORDER BY emails_delivered DESC LIMIT 1",
    "web": f"SELECT campaign_id FROM web_campaigns WHERE {_SEEN} ORDER BY views DESC LIMIT 1",
    "ads": f"SELECT campaign_id FROM ai_optimization_logs WHERE {_SEEN} GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "contact": f"SELECT contact_id FROM email_events WHERE {_SEEN} GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "invoice": f"SELECT invoice_id FROM invoice_lines WHERE {_SEEN} GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "holder": f"SELECT user_id FROM credit_transactions WHERE {_SEEN} GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "sold": "SELECT plan_id FROM subscriptions GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "component": "SELECT id FROM component_library ORDER BY downloads DESC, id LIMIT 1",
    "customer": "SELECT workspace_id FROM campaigns GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1",
    "template": f"SELECT MODE() WITHIN GROUP (ORDER BY template_id) FROM email_campaigns WHERE {_SEEN}",
}
# A page's file, and what of a detail stands in its address: the name there, and of which kind it is.
TEAM_PAGES: dict[str, tuple[str, tuple[str, str] | None]] = {
    "overview": ("overview.py", None),
    "campaigns": ("campaigns.py", None),
    "e-mail campaign": ("campaign.py", ("campaign", "email")),
    "web campaign": ("campaign.py", ("campaign", "web")),
    "ad campaign": ("campaign.py", ("campaign", "ads")),
    "e-mail": ("emails.py", None),
    "audience": ("audience.py", None),
    "contact": ("contact.py", ("contact", "contact")),
    "web": ("web.py", None),
    "ads": ("ads.py", None),
    "ai usage": ("ai_usage.py", None),
    "templates": ("templates.py", None),
    "template": ("template.py", ("template", "template")),
}
FINANCE_PAGES: dict[str, tuple[str, tuple[str, str] | None]] = {
    "ai cost": ("ai_cost.py", None),
    "budgets": ("budgets.py", None),
    "margin": ("margin.py", None),
    "invoices": ("invoices.py", None),
    "invoice": ("invoice.py", ("invoice", "invoice")),
    "credit ledger": ("credit_ledger.py", ("user", "holder")),
    "reconciliation": ("reconciliation.py", None),
    "price book": ("price_book.py", None),
}
ADMIN_PAGES: dict[str, tuple[str, tuple[str, str] | None]] = {
    "plans": ("plans.py", None),
    "plan": ("plan.py", ("plan", "sold")),
    "template desk": ("template_desk.py", None),
    "edit template": ("edit_template.py", ("edit_template", "template")),
    "edit component": ("edit_component.py", ("edit_component", "component")),
    "quotas": ("quotas.py", None),
    "customers": ("customers.py", None),
    "customer": ("customer.py", ("customer", "customer")),
    "team": ("team.py", None),
    "jobs": ("jobs.py", None),
    "integrations": ("integrations.py", None),
    "settings": ("company_settings.py", None),
    "retention": ("retention.py", None),
    "audit log": ("audit_log.py", None),
    "data health": ("data_health.py", None),
}


def address_of(pages, name: str, **more: str) -> tuple[str, str]:
    """A page's file and its query."""
    file, detail = (TEAM_PAGES | FINANCE_PAGES | ADMIN_PAGES)[name]
    if detail is None:
        return file, urlencode(more)
    ((key,),) = pages.rows(_MOST[detail[1]])
    return file, urlencode({detail[0]: key, "period": "Last 365 days", **more})


def every_view(pages, name: str, role: str = "admin", **more: str) -> Iterator[tuple[str, AppTest]]:
    """Each view that a page offers, as this role sees it; `more` stands in the address of all."""
    file, query = address_of(pages, name, **more)
    first = pages.run(file, query, role)
    views = _offered(first)
    for view in views[1:]:
        yield view, pages.run(file, f"{query}&{urlencode({'show': view})}", role)
    yield views[0], first


def _offered(page: AppTest) -> list[str]:
    """Views lie behind a control or behind tabs; a page that offers none is one itself."""
    controls = [one.options for one in page.get("button_group") if one.key == "show"]
    return list(controls[0]) if controls else [tab.label for tab in page.get("tab")] or ["all of it"]
