"""All pages: one line each, and who may open it. The navigation and the refusals are made of it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.access import Permission, Viewer
from app.settings import PROJECT


class Audience(StrEnum):
    """For whom a page is made: the headings of the navigation."""

    TEAM = "Team"
    FINANCE = "Finance"
    ADMIN = "Admin"
    YOU = "You"


@dataclass(frozen=True)
class MenuPage:
    """A page: its address is the name, its file `pages/<name>.py` unless a module of Python is called so."""

    name: str
    title: str
    icon: str
    permission: Permission | None
    audience: Audience
    # A detail is reached from its list, with an id in its address.
    is_detail: bool = False
    script: str | None = None

    @property
    def file(self) -> Path:
        return PROJECT / "pages" / f"{self.script or self.name}.py"

    def opens_to(self, viewer: Viewer) -> bool:
        return self.permission is None or viewer.may(self.permission)


PAGES = (
    MenuPage("overview", "Overview", ":material/dashboard:", Permission.OVERVIEW_READ, Audience.TEAM),
    MenuPage("campaigns", "Campaigns", ":material/campaign:", Permission.CAMPAIGNS_READ, Audience.TEAM),
    MenuPage("campaign", "Campaign", ":material/flag:", Permission.CAMPAIGNS_READ, Audience.TEAM, is_detail=True),
    MenuPage("email", "E-mail", ":material/mail:", Permission.EMAIL_READ, Audience.TEAM, script="emails"),
    MenuPage("audience", "Audience", ":material/group:", Permission.AUDIENCE_READ, Audience.TEAM),
    MenuPage("contact", "Contact", ":material/person:", Permission.AUDIENCE_READ, Audience.TEAM, is_detail=True),
    MenuPage("web", "Web", ":material/language:", Permission.WEB_READ, Audience.TEAM),
    MenuPage("ads", "Ads", ":material/ads_click:", Permission.ADS_READ, Audience.TEAM),
    MenuPage("ai_usage", "AI usage", ":material/auto_awesome:", Permission.AI_USAGE_READ, Audience.TEAM),
    MenuPage("templates", "Templates", ":material/draw:", Permission.TEMPLATES_READ, Audience.TEAM),
    MenuPage("template", "Template", ":material/draw:", Permission.TEMPLATES_READ, Audience.TEAM, is_detail=True),
    MenuPage("ai_cost", "AI cost", ":material/payments:", Permission.AI_COST_READ, Audience.FINANCE),
    MenuPage("budgets", "Budgets and alerts", ":material/savings:", Permission.AI_COST_READ, Audience.FINANCE),
    MenuPage("margin", "Margin", ":material/balance:", Permission.MONEY_READ, Audience.FINANCE),
    MenuPage("invoices", "Invoices and credits", ":material/receipt:", Permission.MONEY_READ, Audience.FINANCE),
    MenuPage("invoice", "Invoice", ":material/receipt:", Permission.MONEY_READ, Audience.FINANCE, is_detail=True),
    MenuPage(
        "credit_ledger", "Credit ledger", ":material/toll:", Permission.MONEY_READ, Audience.FINANCE, is_detail=True
    ),
    MenuPage("reconciliation", "Reconciliation", ":material/fact_check:", Permission.AI_COST_READ, Audience.FINANCE),
    MenuPage("price_book", "Price book", ":material/sell:", Permission.AI_COST_READ, Audience.FINANCE),
    MenuPage("audit_log", "Audit log", ":material/history:", Permission.AUDIT_READ, Audience.ADMIN),
    MenuPage("customers", "Workspaces and people", ":material/domain:", Permission.CUSTOMERS_READ, Audience.ADMIN),
    MenuPage("customer", "Workspace", ":material/domain:", Permission.CUSTOMERS_READ, Audience.ADMIN, is_detail=True),
    MenuPage("quotas", "Quotas", ":material/speed:", Permission.QUOTAS_READ, Audience.ADMIN),
    MenuPage("team", "Team", ":material/groups:", Permission.TEAM_MANAGE, Audience.ADMIN),
    MenuPage("template_desk", "Edit templates", ":material/edit_note:", Permission.TEMPLATES_MANAGE, Audience.ADMIN),
    MenuPage(
        "edit_template",
        "Edit a template",
        ":material/edit_note:",
        Permission.TEMPLATES_MANAGE,
        Audience.ADMIN,
        is_detail=True,
    ),
    MenuPage(
        "edit_component",
        "Edit a component",
        ":material/widgets:",
        Permission.TEMPLATES_MANAGE,
        Audience.ADMIN,
        is_detail=True,
    ),
    MenuPage("retention", "Retention", ":material/auto_delete:", Permission.RETENTION_MANAGE, Audience.ADMIN),
    MenuPage(
        "settings",
        "Settings",
        ":material/settings:",
        Permission.SETTINGS_MANAGE,
        Audience.ADMIN,
        script="company_settings",
    ),
    MenuPage("jobs", "Jobs", ":material/work_history:", Permission.JOBS_READ, Audience.ADMIN),
    MenuPage("integrations", "Integrations", ":material/cable:", Permission.INTEGRATIONS_READ, Audience.ADMIN),
    MenuPage("data_health", "Data health", ":material/monitor_heart:", Permission.DATA_HEALTH_READ, Audience.ADMIN),
    MenuPage("plans", "Plans", ":material/stacks:", Permission.PLANS_READ, Audience.ADMIN),
    MenuPage("plan", "Plan", ":material/stacks:", Permission.PLANS_READ, Audience.ADMIN, is_detail=True),
    MenuPage("account", "Account", ":material/person:", None, Audience.YOU),
)
