"""The pictures of the documents: `python -m tests.browser.pictures` makes demo data, and keeps what its pages show."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.settings import PROJECT
from tests.browser.conftest import QUIETLY, Site, served
from tests.homes import SIGHTLINE, environment, new_home
from tests.pages.looking import settled

DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
LIGHT, DARK = ({"color_scheme": scheme} for scheme in ("light", "dark"))
QUARTER = "period=Last+90+days"
_DRAFT = "SELECT id FROM plans WHERE status = 'draft' ORDER BY created_at DESC, id LIMIT 1"
_CAMPAIGN = """
    SELECT campaign_id FROM ai_optimization_logs JOIN campaigns AS c ON c.id = campaign_id WHERE c.status = 'active'
    GROUP BY 1 ORDER BY COUNT(*) DESC, 1 LIMIT 1
"""


@dataclass(frozen=True)
class Picture:
    """Where it is taken, and how: `{}` in the address is what the question tells."""

    address: str
    window: dict[str, Any] = field(default_factory=lambda: DESK | LIGHT)
    of: str = ""
    # The card that stands at the top of it.
    card: str = ""
    opens_receipt: bool = False


PICTURES = {
    "overview-light": Picture(f"/?{QUARTER}"),
    "overview-dark": Picture(f"/?{QUARTER}", DESK | DARK),
    "overview-phone": Picture(f"/?{QUARTER}", PHONE | LIGHT),
    "receipt": Picture(f"/ads?{QUARTER}", card="spend-and-revenue", opens_receipt=True),
    "campaign": Picture("/campaign?campaign={}&show=Changes", of=_CAMPAIGN),
    "send-time": Picture(f"/email?{QUARTER}&show=Send+time", card="complaint-rate"),
    "ai-cost": Picture(f"/ai_cost?{QUARTER}", DESK | DARK),
    "reconciliation": Picture("/reconciliation"),
    "simulation": Picture("/plan?plan={}&show=Simulate", of=_DRAFT),
}


def main(folder: Path) -> None:
    """All of them, as an admin of the demo sees the pages."""
    with new_home() as home:
        for words in (("demo", "--size", "small"), ("refresh",)):
            subprocess.run([SIGHTLINE, *words], check=True, env=environment(home))
        with served(home) as site, sync_playwright() as playwright:
            ((draft,),) = site.rows(_DRAFT)
            # Stricter than anything in the demo, so that somebody would hit it.
            site.run("plans", "limit", str(draft), "emails", "--amount", "1000")
            site.run("plans", "simulate", str(draft))
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIETLY)
            for name, picture in PICTURES.items():
                _take(browser, site, picture, folder / f"{name}.png")
            browser.close()


def _take(browser: Browser, site: Site, picture: Picture, path: Path) -> None:
    context = browser.new_context(locale="en-US", **picture.window)
    context.add_cookies([site.sign_in("admin")])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(site.url + picture.address.format(site.rows(picture.of)[0][0] if picture.of else ""))
    settled(page)
    if picture.card:
        page.locator(f".st-key-card-{picture.card}").evaluate("card => card.scrollIntoView({block: 'start'})")
    if picture.opens_receipt:
        _open_receipt(page, picture.card)
    # Charts and drawers are still moving when the run is over.
    page.wait_for_timeout(1500)
    page.screenshot(path=path)
    context.close()


def _open_receipt(page: Page, card: str) -> None:
    """And ask Postgres for the same."""
    page.locator(f".st-key-card-{card}").get_by_role("button", name="Receipt").click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Recompute live from Postgres").click()
    expect(drawer.get_by_text("Difference 0")).to_be_visible()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT / "docs")
