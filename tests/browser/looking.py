"""What a careful eye sees on a page: barriers, cuts, overflow, weight, moving layout."""

from pathlib import Path
from typing import Any, cast

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.windows import Window

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Text spacing of WCAG 1.4.12, as a reader's own style sheet would set it.
TEXT_SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }
"""
SPACE_OUT = """css => {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(css)
  document.adoptedStyleSheets = [sheet]
}"""
LAYOUT_TROUBLES = """() => {
  const found = [], wide = document.documentElement.clientWidth
  const tell = (what, e) => found.push(what + ': ' + e.outerHTML.slice(0, 120))
  const shown = e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true })
    && !e.closest('[aria-hidden=true]')
  if (document.documentElement.scrollWidth > wide) {
    const wider = [...document.body.querySelectorAll('*')].filter(
      e => e.getBoundingClientRect().right > wide + 1 && shown(e))
    tell('wider than the screen', wider[0] ?? document.body)
    tell('down to', wider.at(-1) ?? document.body)
  }
  for (const e of document.images)
    if (!e.getAttribute('width') || !e.getAttribute('height')) tell('no size', e)
  for (const e of document.querySelectorAll('button, .nut, [type=submit]')) {
    const box = e.getBoundingClientRect()
    if (shown(e) && (box.height < 43.5 || box.width < 43.5)) tell('smaller than a thumb', e)
  }
  return found
}"""
WHERE_THE_FOCUS_IS = """() => {
  const e = document.activeElement
  if (!e || e === document.body) return null
  const box = e.getBoundingClientRect()
  const middle = (from, to, end) => (Math.max(from, 0) + Math.min(to, end)) / 2
  const over = document.elementFromPoint(
    middle(box.left, box.right, innerWidth), middle(box.top, box.bottom, innerHeight))
  const label = over?.closest('label')?.control
  e.dataset.stop ??= String(document.querySelectorAll('[data-stop]').length)
  return {
    id: e.dataset.stop,
    html: e.outerHTML.slice(0, 120),
    seen: box.width > 1 && Boolean(over) && (e.contains(over) || over.contains(e) || label === e),
    over: over?.outerHTML.slice(0, 120),
  }
}"""
LAYOUT_SHIFT = """() => new Promise(done => {
  new PerformanceObserver(list => done(
    list.getEntries().filter(e => !e.hadRecentInput).reduce((sum, e) => sum + e.value, 0)
  )).observe({ type: 'layout-shift', buffered: true })
  setTimeout(() => done(0), 200)
})"""
CUT_NAMES = """name => {
  const places = [...document.querySelectorAll('h1, h2, h3, .san b, .nut, .tem, .chip')]
  for (const e of places) e.textContent = name
  return places.filter(e => getComputedStyle(e).overflow !== 'visible'
    && e.scrollHeight > e.clientHeight + 1).map(e => 'cut: ' + e.outerHTML.slice(0, 120))
}"""


def barriers(page: Page) -> list[str]:
    """Let axe look for what keeps people out."""
    rules = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=rules)
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def layout_troubles(page: Page) -> list[str]:
    """Look for what axe does not see: sideways scrolling, small buttons, pictures without size."""
    return cast("list[str]", page.evaluate(LAYOUT_TROUBLES))


def space_out(page: Page) -> None:
    """Let the reader's own style sheet widen all text."""
    page.evaluate(SPACE_OUT, TEXT_SPACING)


def space_back(page: Page) -> None:
    """Take the reader's style sheet away."""
    page.evaluate("document.adoptedStyleSheets = []")


def layout_shift(page: Page) -> float:
    """Tell by how much the layout has moved since the page was opened."""
    return cast("float", page.evaluate(LAYOUT_SHIFT))


def focus(page: Page) -> dict[str, Any] | None:
    """Tell which element has the focus, and whether it can be seen; None outside the page."""
    return cast("dict[str, Any] | None", page.evaluate(WHERE_THE_FOCUS_IS))


def cut_names(page: Page, name: str) -> list[str]:
    """Write `name` into every heading, button and label; tell where it is cut."""
    return cast("list[str]", page.evaluate(CUT_NAMES, name))


class Meter:
    """Counts what comes over the wire from now on, without any cache."""

    def __init__(self, window: Window) -> None:
        self._sizes: dict[str, float] = {}
        self._names: dict[str, str] = {}
        wire = window.context.new_cdp_session(window.page)
        wire.send("Network.enable")
        wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
        wire.on("Network.responseReceived", self._note_name)
        wire.on("Network.loadingFinished", self._note_size)

    def _note_name(self, event: dict[str, Any]) -> None:
        if event["response"]["url"].startswith("http"):
            self._names[event["requestId"]] = event["response"]["url"]

    def _note_size(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = event["encodedDataLength"]

    @property
    def requests(self) -> int:
        """How often the page asked."""
        return len(self._names)

    @property
    def kilobytes(self) -> float:
        """How much came, headers included."""
        return sum(self._sizes.get(one, 0) for one in self._names) / 1000

    def told(self) -> str:
        """Tell what came, the heaviest first."""
        sizes = sorted((-self._sizes.get(one, 0), url) for one, url in self._names.items())
        lines = [f"{-size / 1000:6.1f} KB {Path(url).name}" for size, url in sizes]
        return f"{self.kilobytes:.0f} KB in {self.requests} requests\n" + "\n".join(lines)
