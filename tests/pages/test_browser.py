"""Every page in a real browser, at a phone's and a desk's width, light and dark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.pages.report import report_html
from envcompile.pages.site import Site
from tests.harness.command import PACKAGE_ROOT, PATIENCE
from tests.harness.repository import deployment, environment, write_files
from tests.pages.conftest import now, serving
from tests.pages.looking import DESKTOP, PHONE, SCHEMES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pages.looking import Looker, Scheme
    from tests.pages.shop import Shop

PAGES: Final = (
    "/",
    "/matrix",
    "/timeline",
    "/graph/test",
    "/graph/prod?from=deployment/user-service",
    "/cost",
    "/checks",
    "/env/staging",
    "/compare/staging/prod",
    "/r/prod/deployment/user-service",
    "/r/staging/configmap/user-service-config",
    "/search?q=image:video-encoder:latest",
    "/nowhere",
)
NARROW: Final = 320
"""Pixels that a page of 1,280 has left at 400 % zoom (WCAG 2.2, 1.4.10)."""
KEYS: Final = {"m": "/matrix", "t": "/timeline", "c": "/cost"}
PICTURES: Final = PACKAGE_ROOT / "docs" / "pictures"
TAKEN: Final = {
    "overview": "/",
    "matrix": "/matrix?app=app",
    "resource": "/r/prod/deployment/user-service?lines=own",
    "timeline": "/timeline",
    "graph": "/graph/prod?from=deployment/user-service&depth=1",
    "cost": "/cost",
    "checks": "/checks",
}
"""Picture of README and guide -> the page that it shows."""
LARGEST: Final = 160_000
"""Bytes of a picture: a repository keeps every one that there ever was."""


@pytest.fixture(scope="module")
def report(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the shop, as a file."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_html(Site(shop.root, now).state, shop.root, now()), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("width", "scheme"), [(PHONE, "light"), (DESKTOP, "dark"), (PHONE, "dark"), (DESKTOP, "light")]
)
def test_nothing_is_wrong_with_a_page(looker: Looker, address: str, width: int, scheme: Scheme) -> None:
    """No message on the console, no request elsewhere, no sideways scrolling, nothing that axe-core finds."""
    found = {}
    # What depends on both, such as a tint on a card, is on these pages: two of four pairs look at the others.
    chosen = PAGES if (width == PHONE) == (scheme == "light") else PAGES[:3]
    for path in chosen:
        with looker.page(width, scheme) as page:
            seen = looker.look(page, address + path, address)
            expected = [line for line in seen.problems if not (path == "/nowhere" and "404" in line)]
            if expected:
                found[path] = expected
    assert found == {}


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_is_wrong_with_the_report(looker: Looker, report: Path, width: int) -> None:
    """It is a file: the same, with its own policy, and nothing is asked for at all."""
    for scheme in SCHEMES:
        with looker.page(width, scheme) as page:
            seen = looker.look(page, report.as_uri(), report.as_uri())
            assert seen.problems == []


def test_pages_hold_at_four_hundred_percent(looker: Looker, address: str, report: Path) -> None:
    """Nothing but a graph scrolls sideways, and that within itself."""
    with looker.page(NARROW) as page:
        for target in (*(f"{address}{path}" for path in PAGES), report.as_uri()):
            page.goto(target)
            assert page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0, target


def test_without_scripts_a_page_says_the_same(looker: Looker, address: str, report: Path) -> None:
    """Scripts add sorting, a filter and keys, and no word of what is told."""
    for target in (f"{address}/", f"{address}/matrix", report.as_uri()):
        said = []
        for scripts in (True, False):
            with looker.page(scripts=scripts) as page:
                page.goto(target)
                # A heading that sorts is a button, and stands in a line of its own.
                said.append([" ".join(text.split()) for text in page.locator("main table").all_inner_texts()])
        assert said[0] == said[1], target


def test_the_keyboard_reaches_everything(looker: Looker, address: str) -> None:
    """Every link and field by Tab, each with a mark; `/` goes to the search, `g` and a letter to a page."""
    with looker.page() as page:
        page.goto(f"{address}/")
        wanted = page.evaluate(
            "() => [...document.querySelectorAll('a[href], button, input, summary, [tabindex]')]"
            ".filter(one => one.checkVisibility()).length"
        )
        reached = 0
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            state = page.evaluate(
                "() => document.activeElement === document.body ? null :"
                " getComputedStyle(document.activeElement).outlineStyle"
            )
            if state is None:
                break
            reached += 1
            assert state != "none", page.evaluate("() => document.activeElement.outerHTML")
        assert reached >= wanted
        page.goto(f"{address}/")
        page.keyboard.press("/")
        assert page.evaluate("() => document.activeElement.id") == "q"
        page.keyboard.press("Escape")
        for key, path in KEYS.items():
            page.keyboard.press("g")
            page.keyboard.press(key)
            page.wait_for_url(f"{address}{path}")


def test_a_table_of_the_report_is_sorted_and_filtered(looker: Looker, report: Path) -> None:
    """By a head, and by the field in the bar; a row has an address."""
    with looker.page() as page:
        page.goto(report.as_uri())
        table = page.locator("#r-timeline table.log")
        who = "tbody td[data-l=Who]"
        table.locator("thead button", has_text="Who").click()
        names = table.locator(who).all_inner_texts()
        assert names == sorted(names, key=str.lower)
        assert len(set(names)) > 3
        page.keyboard.press("/")
        page.keyboard.type("priya")
        shown = [row.inner_text() for row in table.locator("tbody tr").all() if row.is_visible()]
        assert shown
        assert all("Priya" in text for text in shown)
        commit = table.locator("td[data-l=Commit] a").first.get_attribute("href")
        page.goto(f"{report.as_uri()}{commit}")
        assert page.evaluate("() => document.querySelector(':target').tagName") == "TR"


def test_a_row_changes_where_it_stands(looker: Looker, tmp_path: Path) -> None:
    """While the page is open: it is marked, and others stay as they are."""
    root = write_files(
        tmp_path / "live",
        {
            "base/web.yaml": deployment(image="nginx:1.27"),
            "base/api.yaml": deployment("api", image="nginx:1.27"),
            "overlays/dev/environment.yaml": environment(),
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
        },
    )
    site = Site(root, now)
    site.refresh()
    with serving(site, look=0.2) as address, looker.page() as page:
        page.goto(f"{address}/")
        page.evaluate("() => { window.kept = document.querySelector('#v-deployment-api'); }")
        write_files(root, {"base/web.yaml": deployment(image="nginx:1.28")})
        row = page.locator("#v-deployment-web.chg")
        row.wait_for(timeout=PATIENCE * 1000)
        assert "1.28" in row.inner_text()
        assert "changed" in row.inner_text()
        assert page.evaluate("() => window.kept === document.querySelector('#v-deployment-api')")


def test_the_report_is_printed_whole(looker: Looker, report: Path) -> None:
    """As PDF by the browser: some pages, not one and not hundreds."""
    with looker.page() as page:
        page.goto(report.as_uri())
        printed = page.pdf(prefer_css_page_size=True, print_background=True)
    assert printed.startswith(b"%PDF-")
    assert 5 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 60


def test_pictures_of_the_guide_are_there(looker: Looker, address: str, report: Path, *, pictures: bool) -> None:
    """`pytest tests/pages --take-pictures` takes them anew; they are small."""
    if pictures:
        PICTURES.mkdir(exist_ok=True)
        for name, target in {
            **{name: address + path for name, path in TAKEN.items()},
            "report": report.as_uri(),
        }.items():
            with looker.page(1180) as page:
                page.goto(target)
                page.screenshot(path=PICTURES / f"{name}.png", clip={"x": 0, "y": 0, "width": 1180, "height": 720})
    for name in (*TAKEN, "report"):
        assert 1_000 < (PICTURES / f"{name}.png").stat().st_size < LARGEST, name
    told = "".join(file.read_text(encoding="utf-8") for file in (PACKAGE_ROOT / "envcompile/guide").glob("*.md"))
    told += (PACKAGE_ROOT / "README.md").read_text(encoding="utf-8")
    for path in re.findall(r"!\[[^]]+\]\((?:\.\./)*(docs/pictures/[^)]+)\)", told):
        assert (PACKAGE_ROOT / path).is_file(), path
