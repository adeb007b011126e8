"""The pictures of README and guide are what the commands print, and fetch nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.pictures import FOLDER, PICTURES, PLOT, ROOT, picture, plot, shop_with_history

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with its history."""
    folder = tmp_path_factory.mktemp("pictures") / "shop"
    folder.mkdir()
    shop_with_history(folder)
    return folder


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_is_what_the_command_prints(name: str, shop: Path) -> None:
    """`python -m tests.docs.pictures` would change nothing."""
    assert picture(shop, name) == (FOLDER / name).read_text(encoding="utf-8")


def test_a_plot_is_what_the_command_draws(shop: Path) -> None:
    """`python -m tests.docs.pictures` would change nothing, and the guide shows it."""
    pytest.importorskip("numpy", reason="simulations need the extra scaling")
    assert plot(shop) == (FOLDER / PLOT).read_text(encoding="utf-8")
    assert f"](../../docs/pictures/{PLOT})" in (ROOT / "envcompile/guide/autoscaling.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*sorted(PICTURES), PLOT])
def test_a_picture_fetches_nothing(name: str) -> None:
    """No font, no style, no image from elsewhere; the only address is that of the format."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"'<>)]+", text)) - {"http://www.w3.org/1999/xlink"} == {
        "http://www.w3.org/2000/svg"
    }
    assert "url(" not in text.replace("url(#", "")


def test_readme_begins_with_the_manifest() -> None:
    """Its first picture is the annotated manifest."""
    found = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert found[0] == "docs/pictures/explain.svg"
