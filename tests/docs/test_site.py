"""The documentation site has every page, no dead link, and asks nobody else for anything."""

from __future__ import annotations

import html.parser
import json
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

from envcompile import __version__
from tests.docs import site

if TYPE_CHECKING:
    from pathlib import Path


class Page(NamedTuple):
    """What a page refers to."""

    links: tuple[str, ...]
    loaded: tuple[str, ...]
    """What the browser fetches by itself."""
    marks: frozenset[str]


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.marks: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.marks |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"}:
            self.loaded.append(given["href"])
        if "src" in given:
            self.loaded.append(given["src"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this version."""
    return site.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(built: Path) -> dict[str, Page]:
    """Every page by the name of its file."""
    found = {}
    for path in built.glob("*.html"):
        reader = _Reader()
        reader.feed(path.read_text(encoding="utf-8"))
        found[path.name] = Page(tuple(reader.links), tuple(reader.loaded), frozenset(reader.marks))
    return found


def test_every_page_of_the_guide_is_there(pages: dict[str, Page]) -> None:
    """One that is new stands under `How to` until somebody finds it a better place."""
    expected = {site.page_file(page).removesuffix(".md") + ".html" for part in site.sections() for page in part.pages}
    assert set(site.guide_pages()) == {name for part in site.sections() for name in part.pages if "." not in name}
    assert set(pages) == expected | {"index.html", "404.html"}
    linked = {link.removeprefix("./") for link in pages["index.html"].links}
    assert expected <= linked, "the navigation leads to every page"


def test_no_link_is_dead(built: Path, pages: dict[str, Page]) -> None:
    """Neither to a page, nor to a heading of one."""
    dead = []
    for name, page in pages.items():
        if name == "404.html":
            continue
        for link in page.links:
            parts = urlsplit(link)
            target, mark = unquote(parts.path) or name, unquote(parts.fragment)
            if parts.scheme or parts.netloc:
                continue
            if not (built / target).exists() or (mark and target in pages and mark not in pages[target].marks):
                dead.append((name, link))
    assert not dead


def test_nothing_is_loaded_from_elsewhere(built: Path, pages: dict[str, Page]) -> None:
    """No font, script or picture of another address; what is loaded is there."""
    for name, page in pages.items():
        for address in page.loaded:
            parts = urlsplit(address)
            assert not parts.netloc, (name, address)
            if parts.scheme != "data" and name != "404.html":
                assert (built / unquote(parts.path)).exists(), (name, address)
    for sheet in built.rglob("*.css"):
        assert "url(http" not in sheet.read_text(encoding="utf-8")


def test_search_knows_the_texts(built: Path) -> None:
    """Words of a page deep in the reference are found without a server."""
    index = (built / "search.json").read_text(encoding="utf-8")
    assert "syncWaves" in index
    assert "kubernetesVersion" in index


def test_the_api_is_made_of_docstrings(built: Path) -> None:
    """Public members with their signatures, none of the private ones."""
    text = (built / "api.html").read_text(encoding="utf-8")
    assert "Project.of_commit" in text
    assert "UsageError" in text
    assert "Project._" not in text


def test_versions_stand_beside_each_other(built: Path, tmp_path: Path) -> None:
    """An older one stays where it is, and the root leads to the one built last."""
    (tmp_path / "0.0.9").mkdir(parents=True)
    (tmp_path / "0.0.9" / "index.html").write_text("old", encoding="utf-8")
    site.build(tmp_path)
    assert json.loads((tmp_path / "versions.json").read_text(encoding="utf-8")) == ["0.0.9", __version__]
    assert (tmp_path / "0.0.9" / "index.html").read_text(encoding="utf-8") == "old"
    assert f"url={__version__}/index.html" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / __version__).glob("*.html")} == {
        path.name for path in built.glob("*.html")
    }


def test_a_dead_link_in_a_source_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator's warnings are errors."""
    whole = site.api_page
    monkeypatch.setattr(site, "api_page", lambda: f"{whole()}\n[nowhere](no-such-page.md)\n")
    with pytest.raises(site.SiteError, match="no-such-page"):
        site.build(tmp_path)
