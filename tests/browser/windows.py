"""Browser windows of the kinds people have, each of which notes what goes wrong inside it."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 800}, "has_touch": True}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
NARROW: dict[str, Any] = {"viewport": {"width": 320, "height": 256}}
DARK: dict[str, Any] = {**PHONE, "color_scheme": "dark"}
NO_SCRIPT: dict[str, Any] = {**PHONE, "java_script_enabled": False}


@dataclass
class Window:
    """One private window; `troubles` lists what no page of ours may do."""

    context: BrowserContext
    page: Page
    address: str
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, browser: Browser, address: str, kind: dict[str, Any]) -> Self:
        """Open a window of this kind of device."""
        context = browser.new_context(base_url=address, locale="vi-VN", **kind)
        context.set_default_timeout(15_000)
        window = cls(context, context.new_page(), address)
        window.page.on("console", window._hear)
        window.page.on("pageerror", lambda error: window.troubles.append(f"script: {error}"))
        window.page.on("request", window._see)
        window.page.on("response", window._read)
        return window

    def __enter__(self) -> Self:
        """Use the window."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; what went wrong inside fails the test that used it."""
        self.context.close()
        if error is None:
            assert self.troubles == [], "\n".join(self.troubles)

    def _hear(self, message: ConsoleMessage) -> None:
        # The status of a page is the test's own matter; those of its parts are seen in _read.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.troubles.append(f"{self.page.url} console: {message.text}")

    def _see(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https"} and not request.url.startswith(
            f"{self.address}/"
        ):
            self.troubles.append(f"{self.page.url} asks another site: {request.url}")

    def _read(self, response: Response) -> None:
        document = response.request.resource_type == "document"
        if response.status >= (500 if document else 400):
            self.troubles.append(f"{response.status} {response.url}")
