"""When a page is drawn to its end, told the same way for every page of every app: by the browser itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, Page

# The last change of what a person looks at: of the document, or the end of a long task that painted a canvas.
# The bar at the top is left out, where Streamlit shows a running figure for a while after everything is there.
_WATCH = """
(() => {
  const seen = window.__seen = {last: 0, ran: false};
  const apart = '[data-testid="stHeader"], [data-testid="stStatusWidget"], [data-testid="stToolbar"]';
  const state = () => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState;
  new MutationObserver(changes => {
    if (state() === 'running') seen.ran = true;
    const counts = changes.some(({target}) => {
      const element = target.nodeType === 1 ? target : target.parentElement;
      return element && !element.closest(apart);
    });
    if (counts) seen.last = performance.now();
  }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  new PerformanceObserver(list => {
    for (const task of list.getEntries()) seen.last = Math.max(seen.last, task.startTime + task.duration);
  }).observe({entryTypes: ['longtask']});
  seen.isWhole = () => {
    const heading = document.querySelector('[data-testid="stMain"] h1');
    if (!heading || !heading.getBoundingClientRect().height || state() !== 'notRunning') return false;
    const waits = '[data-testid="stSkeleton"], [data-testid="stSpinner"], [data-stale="true"]';
    if (document.querySelector(waits)) return false;
    // A page without cards is told by its last sentence; what buttons say may be out of sight.
    const cards = document.querySelectorAll('[data-testid="stMain"] [class*="st-key-card-"]');
    const parts = cards.length ? cards : document.querySelectorAll('[data-testid="stMain"] p');
    return parts.length > 0 && parts[parts.length - 1].getBoundingClientRect().height > 0;
  };
})()
"""
_QUIET_MS = 300
_WHOLE = f"() => window.__seen && window.__seen.isWhole() && performance.now() - window.__seen.last > {_QUIET_MS}"
_AGAIN = f"() => window.__seen.ran && window.__seen.isWhole() && performance.now() - window.__seen.last > {_QUIET_MS}"
_SEEN = "() => window.__seen.last"
# From the press on the choice on; the list of choices is open already.
_CLICKED = (
    "() => addEventListener('click', () => { window.__clicked = performance.now(); window.__seen.ran = false; },"
    " {capture: true, once: true})"
)
_LONGEST_MS = 60_000


@contextmanager
def opened(context: BrowserContext, address: str) -> Iterator[tuple[Page, float]]:
    """A new tab on the address, and after how many milliseconds everything was drawn."""
    page = context.new_page()
    try:
        page.add_init_script(_WATCH)
        page.goto(address, wait_until="commit", timeout=_LONGEST_MS)
        page.wait_for_function(_WHOLE, timeout=_LONGEST_MS)
        assert page.get_by_test_id("stException").count() == 0, address
        assert page.get_by_text("The log says more").count() == 0, address
        yield page, page.evaluate(_SEEN)
    finally:
        page.close()


def load(context: BrowserContext, address: str) -> float:
    with opened(context, address) as (_, milliseconds):
        return milliseconds


def work(context: BrowserContext, address: str) -> float:
    """Milliseconds of processor time that the browser's main thread works for a page: hardly by what else runs."""
    page = context.new_page()
    try:
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.add_init_script(_WATCH)
        page.goto(address, wait_until="commit", timeout=_LONGEST_MS)
        page.wait_for_function(_WHOLE, timeout=_LONGEST_MS)
        told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return told["ThreadTime"] * 1000
    finally:
        page.close()


def click(page: Page, period: str) -> float:
    """Choose another period: milliseconds from the click until everything is drawn again."""
    page.get_by_role("combobox", name="Period").click()
    choice = page.get_by_role("option", name=period, exact=True)
    choice.wait_for()
    page.evaluate(_CLICKED)
    choice.click()
    page.wait_for_function(_AGAIN, timeout=_LONGEST_MS)
    return page.evaluate("() => window.__seen.last - window.__clicked")
