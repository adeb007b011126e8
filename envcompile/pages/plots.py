"""Plots: a Vega-Lite specification becomes an SVG."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


def svg_of(specification: Mapping[str, Any]) -> str:
    """Draw a Vega-Lite specification; data is in the specification, nothing is fetched.

    Source: https://vega.github.io/vega-lite/docs/spec.html

    Raises:
        UsageError: vl-convert is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise UsageError([Problem("plots need vl-convert", "install it: pip install 'envcompile[pages]'")]) from error
    drawn: str = vl_convert.vegalite_to_svg(dict(specification), allowed_base_urls=[])
    # The names of clips are counted over the life of the process: each drawing counts for itself instead.
    names = {name: f"clip{number}" for number, name in enumerate(dict.fromkeys(re.findall(r'id="(clip\d+)"', drawn)))}
    return re.sub(r'(id="|url\(#)(clip\d+)', lambda found: found[1] + names.get(found[2], found[2]), drawn)
