"""A page looked at in a real browser: what it says on its console, whom it asks, how wide it is, who cannot use it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from playwright.sync_api import sync_playwright

from tests.harness.command import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
PHONE = 390
DESKTOP = 1280
_AXE = """async () => (await axe.run(document, {preload: false, resultTypes: ['violations']})).violations.map(
  one => `${one.impact} ${one.id}: ${one.nodes[0].target} (${one.nodes.length})`)"""
_WIDTH = "() => document.documentElement.scrollWidth - window.innerWidth"


class Seen(NamedTuple):
    """What is wrong with a page as a browser shows it; nothing when all of it is empty."""

    console: tuple[str, ...]
    elsewhere: tuple[str, ...]
    """Requests to other addresses."""
    too_wide: int
    """Pixels by which it scrolls sideways."""
    unusable: tuple[str, ...]
    """What axe-core finds."""

    @property
    def problems(self) -> list[str]:
        """All of it in words."""
        wide = [f"scrolls sideways by {self.too_wide} pixels"] if self.too_wide > 0 else []
        return [*self.console, *self.elsewhere, *wide, *self.unusable]


class Looker:
    """A browser with the script that looks at pages.

    Args:
        browser: it, started.
        axe: the text of axe-core.
    """

    def __init__(self, browser: Browser, axe: str) -> None:
        self.browser = browser
        self._axe = axe

    @classmethod
    @contextmanager
    def started(cls, program: Path, axe: str) -> Generator[Looker]:
        """Start a browser, and stop it at the end."""
        with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
            browser = driver.chromium.launch(
                executable_path=program,
                args=["--no-sandbox", "--force-color-profile=srgb", "--hide-scrollbars"],
                env={"HOME": home, "PATH": "/usr/bin:/bin"},
            )
            try:
                yield cls(browser, axe)
            finally:
                browser.close()

    @contextmanager
    def page(self, width: int = DESKTOP, scheme: Scheme = "light", *, scripts: bool = True) -> Generator[Page]:
        """A window; at a phone's width one that is touched."""
        is_phone = width < 600
        context = self.browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            is_mobile=is_phone,
            has_touch=is_phone,
            device_scale_factor=2 if is_phone else 1,
            java_script_enabled=scripts,
            bypass_csp=False,
        )
        try:
            page = context.new_page()
            page.set_default_timeout(PATIENCE * 1000)
            yield page
        finally:
            context.close()

    def look(self, page: Page, address: str, home: str) -> Seen:
        """Open an address, and tell what is wrong.

        Args:
            page: the window.
            address: what to open.
            home: what every request begins with.
        """
        console: list[str] = []
        elsewhere: list[str] = []

        def heard(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                console.append(message.text)

        def asked(request: Request) -> None:
            if not request.url.startswith((home, "data:")):
                elsewhere.append(request.url)

        page.on("console", heard)
        page.on("pageerror", lambda error: console.append(str(error)))
        page.on("request", asked)
        page.goto(address)
        too_wide = page.evaluate(_WIDTH)
        # By the driver's own channel: the page's policy lets no script in but its own.
        page.evaluate(f"() => {{ {self._axe} }}")
        unusable: Any = page.evaluate(_AXE)
        return Seen(tuple(console), tuple(elsewhere), too_wide, tuple(unusable))
