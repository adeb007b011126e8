"""Declarative plots to drawings for pages: one drawing for light and dark, without a style attribute.

The renderer wants colours; pages have tokens that change with the reader's scheme. So each token stands in a plot as a
colour that nothing else has, and is a class afterwards (`f-…` for fills, `s-…` for strokes of `envc.css`).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import quoteattr

from markupsafe import Markup

from envcompile.pages.inert import inert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOKENS: Final = (
    *("ink", "ink-2", "ink-3", "line", "line-2", "bg", "bg-3", "accent", "ok", "warn", "bad"),
    *("env-1", "env-2", "env-3", "env-4", "ly-own", "ly-shared", "ly-set", "ly-derived"),
)
COLOR: Final[Mapping[str, str]] = {token: f"#0101{number:02x}" for number, token in enumerate(_TOKENS, 1)}
"""Token of the style sheet -> the colour that stands for it in a specification."""
_BY_COLOR: Final = {color: token for token, color in COLOR.items()}
_SANS: Final = "Inter"
_UNSEEN: Final = re.compile(
    r"""<path\ class="(?:background|foreground)"[^>]*/> | <g[^>]*></g>
      | \ (?:pointer-events="none"|opacity="1"|class="(?:mark|role)-[^"]*")""",
    re.VERBOSE,
)
"""What the renderer writes for a mouse, and for views without a frame."""
_CONFIG: Final = {
    "font": _SANS,
    "background": None,
    "view": {"stroke": None},
    "padding": {"left": 0, "right": 0, "top": 4, "bottom": 0},
    "axis": {
        "labelFont": _SANS,
        "labelFontSize": 12,
        "labelColor": COLOR["ink-3"],
        "titleColor": COLOR["ink-3"],
        "titleFontSize": 12,
        "titleFontWeight": 400,
        "gridColor": COLOR["line"],
        "domain": False,
        "tickColor": COLOR["line-2"],
        "tickSize": 4,
        "labelPadding": 6,
    },
    "text": {"font": _SANS, "fontSize": 12, "fill": COLOR["ink"]},
    "legend": {"disable": True},
}


def time_axis(width: int) -> dict[str, Any]:
    """The field `t` along a picture, in days of UTC.

    Args:
        width: of the picture, in pixels.
    """
    return {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": {"format": "%-d %b", "tickCount": 9 if width > 600 else 4, "grid": True},
    }


def lanes(
    names: Sequence[str],
    values: Sequence[Mapping[str, Any]],
    width: int,
    *,
    height: int,
    mark: Mapping[str, Any],
    y: Mapping[str, Any],
) -> dict[str, Any]:
    """A specification of a lane over time for each environment.

    Args:
        names: the environments, from top to bottom.
        values: `env`, the time `t`, and the field that `y` names.
        width: of a lane, in pixels.
        height: of a lane, in pixels.
        mark: what a line has beside its colour and strength.
        y: the number of each point: its field, scale and axis.
    """
    header = {
        "labelAngle": 0,
        "labelAlign": "left",
        "labelFontSize": 13,
        "labelColor": COLOR["ink"],
        "labelFont": "Inter",
    }
    return {
        "data": {"values": values},
        "facet": {"row": {"field": "env", "sort": list(names), "title": None, "header": header}},
        "spacing": 14,
        "spec": {
            "width": width,
            "height": height,
            "mark": {"type": "line", "strokeWidth": 1.5, "color": COLOR["env-3"], **mark},
            "encoding": {"x": time_axis(width), "y": {"type": "quantitative", "title": None, **y}},
        },
    }


def drawing(specification: dict[str, Any], label: str) -> Markup:
    """A Vega-Lite specification as an SVG that stands in a page.

    Args:
        specification: with colours of `COLOR`, and only with data that it holds itself.
        label: the sentence that says what it shows.
    """
    from envcompile.pages.plots import svg_of

    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "config": _CONFIG, **specification}
    text = svg_of(whole)
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]  # several stand in one page
    text = re.sub(r'(id="|url\(#)(clip\d+)', rf"\g<1>p{mark}-\g<2>", text)
    text = re.sub(r"<\w+\b[^<>]*>", _with_classes, text)
    text = re.sub(r"<title>.*?</title>", "", text)
    text = re.sub(r"(\d+\.\d)\d+", r"\1", text)  # a tenth of a pixel, also where a screen has three for one
    text = _UNSEEN.sub("", text)
    box = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"', text)
    width, height = box.groups() if box is not None else ("100", "100")
    head = (
        f'<svg class="sv" viewBox="0 0 {width} {height}" role="img" aria-label={quoteattr(str(inert(label)))}'
        ' font-family="inherit">'
    )
    text = re.sub(r"<svg [^>]*>", lambda _: head, text, count=1)
    # ruff: ignore[unsafe-markup-use] - made by the renderer, which escapes the texts it was given
    return Markup(text)


def _with_classes(tag: re.Match[str]) -> str:
    """A tag whose colours are classes, without styles and roles of its own."""
    text = re.sub(r'\s(?:style|font-family|aria-[a-z]+|role|href|xlink:href)="[^"]*"', "", tag[0])
    names = [
        f"{kind[0]}-{token}"
        for kind, color in re.findall(r'\b(fill|stroke)="([^"]*)"', text)
        if (token := _BY_COLOR.get(_hex(color))) is not None
    ]
    if not names:
        return text
    text = re.sub(r'\s(?:fill|stroke)="([^"]*)"', lambda found: "" if _hex(found[1]) in _BY_COLOR else found[0], text)
    text = re.sub(r'\sclass="[^"]*"', "", text)
    return re.sub(r"^<(\w+)", lambda found: f'<{found[1]} class="{" ".join(names)}"', text, count=1)


def _hex(color: str) -> str:
    """A colour as `#rrggbb`."""
    parts = re.fullmatch(r"rgb\((\d+), ?(\d+), ?(\d+)\)", color)
    return "#{:02x}{:02x}{:02x}".format(*map(int, parts.groups())) if parts is not None else color.lower()
