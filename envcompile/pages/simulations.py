"""Simulations as plots: the load with what pods could serve, and the sizes, over time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

from envcompile.pages.plots import svg_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH: Final = 820
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "th,td{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right}"
    "th:first-child,td:first-child{text-align:left}svg{max-width:100%;height:auto}"
)


def simulation_svg(title: str, unit: str, points: Sequence[dict[str, Any]], labels: Sequence[str]) -> str:
    """Draw a simulation.

    Args:
        title: what stands above it.
        unit: what the load is counted in.
        points: at least two; each with `time` (ISO 8601), `load`, and `replicas` and `capacity`, a value each setting.
        labels: the settings.
    """
    palette = ["#1f77b4", "#e6550d"]
    rows: list[dict[str, Any]] = []
    for point in points:
        rows.append({"time": point["time"], "what": "load", "amount": point["load"]})
        rows += [
            {"time": point["time"], "what": label, "amount": capacity, "replicas": replicas}
            for label, capacity, replicas in zip(labels, point["capacity"], point["replicas"], strict=True)
        ]
    time = {
        "field": "time",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc"},
        "axis": {"format": "%d %b %H:%M", "labelAngle": -25},
    }
    color = {
        "field": "what",
        "type": "nominal",
        "title": None,
        "scale": {"domain": ["load", *labels], "range": ["#999999", *palette[: len(labels)]]},
        "legend": {"orient": "top", "labelLimit": 600},
    }

    def panel(height: int, field: str, name: str, mark: str, *, whole: bool) -> dict[str, Any]:
        panel: dict[str, Any] = {
            "width": _WIDTH,
            "height": height,
            "mark": {"type": mark, "interpolate": "step-after", "strokeWidth": 1.3},
            "encoding": {
                "x": time,
                "y": {"field": field, "type": "quantitative", "title": name},
                "color": color,
            },
        }
        return panel if whole else {**panel, "transform": [{"filter": "isValid(datum.replicas)"}]}

    return svg_of({
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "background": "white",
        "data": {"values": rows},
        "vconcat": [
            panel(220, "amount", f"load, and what pods serve ({unit})", "line", whole=True),
            panel(160, "replicas", "replicas", "line", whole=False),
        ],
    })


def simulation_page(title: str, lines: Sequence[str], table: Sequence[Sequence[str]], drawn: str) -> str:
    """A page of one simulation that needs nothing else: the plot, what was asked, and the figures."""
    head, *rows = table
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    titles = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<h1>{escape(title)}</h1>{said}<table><thead><tr>{titles}</tr></thead><tbody>{cells}</tbody></table>{drawn}</html>\n"
    )
