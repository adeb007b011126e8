"""The documentation's site in a real browser: quiet, alone, by day and by night, and it finds what one looks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tests.docs import site
from tests.pages.conftest import serving_app
from tests.pages.looking import DESKTOP, PHONE, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.pages.looking import Looker, Scheme

PAGES = ("index", "start", "commands", "chart", "api", "docs-adoption")
DIM, BRIGHT = 200, 600
_BACKGROUND = "() => getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site of this version while it is served."""
    built = site.build(tmp_path_factory.mktemp("site"))
    with serving_app(Starlette(routes=[Mount("/", StaticFiles(directory=built, html=True))])) as address:
        yield address


def heard(page: Page, home: str) -> list[str]:
    """What a page complains of from now on, and what it asks of others."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    own = (home, "data:", "blob:")
    page.on("request", lambda asked: None if asked.url.startswith(own) else found.append(asked.url))
    return found


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_no_page_complains_or_asks_elsewhere(looker: Looker, home: str, width: int) -> None:
    """The start, the longest reference, tables, and the page made of docstrings."""
    with looker.page(width) as page:
        found = heard(page, home)
        for name in PAGES:
            page.goto(f"{home}/{name}.html")
            page.wait_for_load_state("networkidle")
            assert page.locator("h1").first.inner_text()
        assert not found


def brightness(page: Page) -> int:
    """How bright the background is, of 765."""
    return sum(int(part) for part in re.findall(r"\d+", page.evaluate(_BACKGROUND))[:3])


def test_who_prefers_dark_gets_it_and_anybody_can_turn(looker: Looker, home: str) -> None:
    """By the system's setting, and by the switch, which stays over pages."""
    shown: dict[Scheme, int] = {}
    for scheme in SCHEMES:
        with looker.page(scheme=scheme) as page:
            page.goto(f"{home}/start.html")
            shown[scheme] = brightness(page)
    assert shown["dark"] < DIM
    assert shown["light"] > BRIGHT
    with looker.page(scheme="light") as page:
        page.goto(f"{home}/start.html")
        page.get_by_title("dark").first.click()
        page.goto(f"{home}/chart.html")
        assert brightness(page) < DIM


def test_search_leads_to_the_page(looker: Looker, home: str) -> None:
    """A setting's name finds where it is explained, without a server that searches."""
    with looker.page() as page:
        found = heard(page, home)
        page.goto(f"{home}/index.html")
        page.keyboard.press("/")
        expect(page.get_by_role("combobox", name="Search")).to_be_focused()
        page.keyboard.type("syncWaves")
        result = page.locator("a[href*='environments.html']").last
        expect(page.locator("mark, em").first).to_be_visible()
        assert result.count() == 1
        assert not found
