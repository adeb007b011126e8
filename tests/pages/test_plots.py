"""A plot is an SVG of its data alone."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from envcompile.errors import UsageError
from envcompile.pages.plots import svg_of

LINE: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]},
    "mark": {"type": "line", "clip": True},
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def test_a_plot_is_an_svg_and_the_same_each_time() -> None:
    """A page that is kept in a repository changes only with its data."""
    drawn = svg_of(LINE)
    assert drawn.startswith("<svg ")
    assert drawn == svg_of(LINE)


def test_text_of_the_data_is_inert() -> None:
    """A name with markup is shown, not run."""
    drawn = svg_of(LINE | {"title": "<script>alert(1)</script>"})
    assert "<script" not in drawn
    assert "alert(1)" in drawn


def test_nothing_is_fetched() -> None:
    """Data at an address is refused."""
    with pytest.raises(ValueError, match=r"not allowed|allowed_base_urls|base URL"):
        svg_of(LINE | {"data": {"url": "http://127.0.0.1:9/data.json"}})


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(UsageError, match=r"envcompile\[pages\]"):
        svg_of(LINE)
