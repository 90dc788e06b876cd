"""How tests look at a page: once it is drawn, its tiles, its tables, and what nobody should find on it."""

from decimal import Decimal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

DESK, TELEPHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SCREENS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": TELEPHONE},
}


def settled(page):
    """The first run is over, and nothing is being drawn."""
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    page.wait_for_timeout(200)
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=30_000)
    assert page.get_by_test_id("stException").count() == 0
    assert page.get_by_text("The log says more").count() == 0


def offered(page):
    """The views that a page offers at its top."""
    return page.locator(".st-key-show").locator("[role=radio], [role=tab]")


def shows(page, view):
    """Choose a view as a person does, and see that it is the chosen one."""
    choice = offered(page).filter(has=page.get_by_text(view, exact=True))
    choice.click()
    settled(page)
    expect(choice.and_(page.locator("[aria-checked=true], [aria-selected=true]"))).to_be_visible()


def done(page, says):
    """What was done is said at the top, no form is open any more, and what stands below is drawn anew."""
    # An earlier change may have been told in the same words.
    expect(page.get_by_role("dialog")).to_have_count(0, timeout=30_000)
    expect(page.get_by_role("status").filter(has_text=says)).to_be_visible(timeout=30_000)
    settled(page)


def tiles(page):
    """Every tile's figure, unrounded; a refused one has none."""
    found = page.locator("[data-metric]").evaluate_all("all => all.map(one => [one.dataset.metric, one.dataset.value])")
    return {metric: Decimal(value) if value else None for metric, value in found}


def table(page, card):
    """A card's table by its first column: header and cells, the totals row last."""
    found = page.locator(f".st-key-card-{card} table").last
    expect(found).to_be_visible(timeout=30_000)
    # At one moment: a run that follows may put another table in its place.
    head, *rows = found.evaluate(
        "table => [...table.rows].map((row, place) =>"
        " [...row.cells].map(cell => place ? cell.textContent : cell.innerText))"
    )
    return {row[0]: dict(zip(head, row, strict=False)) for row in rows}


def whole(seen):
    """No error, no failed request, nothing from elsewhere, nothing cut off at the side."""
    settled(seen.page)
    assert seen.troubles == []
    assert seen.hosts == {"127.0.0.1"}
    main = seen.page.get_by_test_id("stMain")
    assert main.evaluate("area => area.scrollWidth - area.clientWidth") == 0


def in_reach(page, *rules, inside=(".sl", '[data-testid^="stBaseButton-primary"]')):
    """What we draw or colour is readable for everybody; of these rules alone, where the rest was looked at before."""
    only = {"runOnly": list(rules)} if rules else {}
    found = Axe().run(
        page, context={"include": [[one] for one in inside]}, options={"resultTypes": ["violations"], **only}
    )
    faults = [(one["id"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]
    assert faults == [], faults


# Axe passes over what lies in dialogs. Streamlit's own colours of code are not ours.
_PALE = """area => {
    const parts = colour => colour.match(/[\\d.]+/g).map(Number)
    const light = ([r, g, b]) => [r, g, b].map(one => one / 255)
        .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
        .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0)
    const ground = one => {
        for (; one; one = one.parentElement) {
            const found = parts(getComputedStyle(one).backgroundColor)
            if (found[3] === undefined || found[3] === 1) return found
        }
        return [255, 255, 255]
    }
    const written = [...area.querySelectorAll('*')].filter(one => one.checkVisibility()
        && !one.closest('pre, :disabled') && [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
    return written.map(one => {
        const [a, b] = [light(parts(getComputedStyle(one).color)), light(ground(one))].sort((a, b) => b - a)
        return [one.textContent.slice(0, 40), (a + 0.05) / (b + 0.05)]
    }).filter(([_, contrast]) => contrast < 4.5)
}"""


def pale(area):
    """Texts that hardly differ from what is behind them."""
    return area.evaluate(_PALE)


def looked_at(seen):
    """In light, in dark and as narrow as a telephone, in one opening: whole, and readable for everybody."""
    page = seen.page
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    whole(seen)
    in_reach(page)
    page.emulate_media(color_scheme="dark")
    settled(page)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", "rgb(18, 23, 30)")
    # Only colours are others, and then only sizes.
    in_reach(page, "color-contrast")
    page.set_viewport_size(TELEPHONE)
    whole(seen)
    in_reach(page, "scrollable-region-focusable")


def each_looked_at(seen, views):
    """The views one after another, in the same opening; a page that offers none is one itself."""
    for view in views:
        if view:
            seen.page.set_viewport_size(DESK)
            shows(seen.page, view)
        looked_at(seen)
