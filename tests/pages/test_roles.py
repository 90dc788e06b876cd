"""Who opens what, page by page: the design's table, written apart from the permissions that make it true."""

import pytest

from app.ui.menu import PAGES

TEAM = {
    "overview", "campaigns", "campaign", "email", "audience", "contact", "web", "ads", "ai_usage", "templates",
    "template",
}  # fmt: skip
FINANCE = {"ai_cost", "budgets", "margin", "invoices", "invoice", "credit_ledger", "reconciliation", "price_book"}
OPENS = {
    "viewer": TEAM | {"account"},
    "finance": TEAM | FINANCE | {"account"},
    "admin": {page.name for page in PAGES},
}


@pytest.mark.parametrize("role", OPENS)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_opens_to_those_it_is_made_for_and_says_so_to_others(pages, page, role):
    """Whether it is in the menu or typed: who is refused sees the sentence, whom to ask, and no figure."""
    seen = pages.run(page.file.name, "", role)
    is_refused = [title.value for title in seen.title] == ["Not for your role"]
    assert is_refused == (page.name not in OPENS[role])
    if is_refused:
        (whom,) = (told.value for told in seen.text)
        assert whom.startswith("Ask ")
        assert whom.endswith(" for the role that does.")
        assert not seen.get("html")
