"""The picture of a period: environments as lanes, releases as lines through them, every change a mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.reached import tag_of
from envcompile.pages.drawings import COLOR, drawing, time_axis
from envcompile.pages.model import Plot
from envcompile.pages.overview import PERIOD
from envcompile.pages.words import moment

if TYPE_CHECKING:
    from envcompile.actions.reached import Event
    from envcompile.pages.state import State

MOST: Final = 500
"""Marks in a picture; more cannot be told apart, and the newest matter."""
_MARKS: Final = ("image", "scale", "config", "network", "other")
_FACETS: Final = {
    "image": "image",
    "replicas": "scale",
    "resources": "scale",
    "config": "config",
    "secret": "config",
    "network": "network",
    "RBAC": "network",
}
_SHAPES: Final = ["circle", "triangle-up", "square", "diamond", "circle"]
_COLORS: Final = [COLOR[name] for name in ("env-3", "ly-own", "ly-shared", "ly-set", "ink-3")]


def journeys(state: State, now: int) -> Plot | None:
    """The picture of the last nine weeks before the newest change; None where nothing changed."""
    events = state.events[:MOST]
    if not events:
        return None
    last = events[0].commit.authored_at
    shown = [event for event in events if event.commit.authored_at > last - PERIOD]
    first = shown[-1].commit.authored_at
    lanes = ", ".join(state.names)
    label = (
        f"Releases as lines through {lanes} from {moment(first, now).day} to {moment(last, now).day};"
        f" every change is a mark, {len(shown)} in all. The table of changes lists them."
    )
    marks = [
        {
            "t": moment(event.commit.authored_at, now).iso,
            "env": event.environment,
            "cls": _FACETS.get(event.facet, "other"),
        }
        for event in reversed(shown)
    ]
    lines = _lines(state, shown, now)
    return Plot(
        drawing(_specification(state, marks, lines, 1180, 58 * len(state.names)), label),
        drawing(_specification(state, marks, lines, 300, 55 * len(state.names)), label),
    )


def _lines(state: State, events: list[Event], now: int) -> list[dict[str, Any]]:
    """The arrivals of each release: a resource's image with a tag, in the environments that have had it."""
    order = {name: number for number, name in enumerate(state.names)}
    arrivals: dict[tuple[str, str, str], dict[str, int]] = {}
    for event in reversed(events):
        for changed in event.changed:
            if changed.facet == "image" and isinstance(changed.new, str):
                key = (changed.resource.kind, changed.resource.name, tag_of(changed.new))
                arrivals.setdefault(key, {}).setdefault(event.environment, event.commit.authored_at)
    return [
        {"rel": " ".join(key), "t": moment(seconds, now).iso, "env": name}
        for key, times in arrivals.items()
        if len(times) > 1 and key[2] != "latest"
        for name, seconds in sorted(times.items(), key=lambda item: order[item[0]])
    ]


def _specification(
    state: State, marks: list[dict[str, Any]], lines: list[dict[str, Any]], width: int, height: int
) -> dict[str, Any]:
    lane = {
        "field": "env",
        "type": "nominal",
        "sort": list(state.names),
        "scale": {"domain": list(state.names)},
        "title": None,
        "axis": {"labelFontSize": 13, "labelColor": COLOR["ink"], "ticks": False, "grid": True, "labelPadding": 10},
    }
    time = time_axis(width)
    kinds = {"domain": list(_MARKS)}
    return {
        "width": width,
        "height": height,
        "layer": [
            {
                "data": {"values": lines},
                "mark": {"type": "line", "strokeWidth": 1.25, "opacity": 0.55, "color": COLOR["env-3"]},
                "encoding": {"x": time, "y": lane, "detail": {"field": "rel"}},
            },
            {
                "data": {"values": marks},
                "mark": {
                    "type": "point",
                    "filled": True,
                    "size": 58,
                    "opacity": 1,
                    "stroke": COLOR["bg"],
                    "strokeWidth": 1,
                },
                "encoding": {
                    "x": time,
                    "y": lane,
                    "shape": {"field": "cls", "scale": {**kinds, "range": _SHAPES}},
                    "color": {"field": "cls", "scale": {**kinds, "range": _COLORS}},
                },
            },
        ],
    }
