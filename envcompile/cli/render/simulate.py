"""How simulations are printed: figures side by side, and points over time for plots and programs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from envcompile.cli.render.cost import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.simulate import Course, Simulation

_SECONDS: Final = 15
_POINTS: Final = 1_000
"""At most so many, so that a year is a document of some hundred kilobytes."""
_UNITS: Final = {"cpu": "cores", "memory": "bytes"}


def unit_of(simulation: Simulation) -> str:
    """What the load is counted in."""
    column = simulation.capacity.column
    return _UNITS.get(column, column)


def said_of(simulation: Simulation) -> list[str]:
    """What was simulated, in lines."""
    end = simulation.start + timedelta(seconds=_SECONDS * simulation.samples)
    scaler = simulation.scaler.short if simulation.scaler else "fixed replicas"
    capacity = simulation.capacity
    span = f"{simulation.start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
    return [
        f"{simulation.workload.short} in {simulation.environment}: {scaler}",
        f"load: {simulation.source}, {span}; a pod serves {_number(capacity.per_pod)} {unit_of(simulation)}",
        *(f"  {note}" for note in simulation.notes),
    ]


def figures(simulation: Simulation) -> list[list[str]]:
    """The figures: a row each, a column each setting."""
    courses, currency = simulation.courses, simulation.prices.currency
    unit = unit_of(simulation)
    return [
        ["", *(course.label for course in courses)],
        ["replicas", *(_replicas(course) for course in courses)],
        ["rescales", *(f"{course.rescales:,}" for course in courses)],
        ["at the maximum", *(_time(course.minutes_at_most) for course in courses)],
        ["shortage", *(_time(course.effect.shortage_minutes) for course in courses)],
        [f"  worst ({unit})", *(_number(course.worst) for course in courses)],
        [f"  all ({unit} x minutes)", *(_number(course.effect.shortage) for course in courses)],
        ["pod hours", *(f"{course.effect.pod_hours:,.1f}" for course in courses)],
        [f"{currency} for the load", *(_money(course.cost) for course in courses)],
        [f"{currency} a month", *(_money(course.cost_a_month) for course in courses)],
    ]


def simulation_lines(simulation: Simulation) -> Iterator[str]:
    """What `envc simulate` prints."""
    yield from said_of(simulation)
    yield ""
    yield from aligned(figures(simulation))
    if len(simulation.courses) == 2:
        yield ""
        yield f"  {_compared(*simulation.courses)}"


def _compared(one: Course, other: Course) -> str:
    saved = 1 - other.effect.pod_hours / one.effect.pod_hours if one.effect.pod_hours else 0.0
    shorter = other.effect.shortage_minutes - one.effect.shortage_minutes
    part = f"{abs(saved):.1%}"
    cost = "as many pod hours" if part == "0.0%" else f"{part} {'fewer' if saved > 0 else 'more'} pod hours"
    short = "as much shortage" if not shorter else f"{_time(abs(shorter))} {'more' if shorter > 0 else 'less'} shortage"
    return f"{other.label}: {cost}, {short}"


def _replicas(course: Course) -> str:
    return f"{course.smallest} to {course.effect.largest}, {course.mean:.1f} on average"


def _time(minutes: float) -> str:
    if minutes >= 60:
        return f"{int(minutes // 60):,} h {int(minutes % 60)} min"
    return f"{minutes:.2f}".rstrip("0").rstrip(".") + " min"


def _number(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(amount: float | None) -> str:
    return "no price" if amount is None else f"{amount:,.2f}"


def points_of(simulation: Simulation) -> list[dict[str, Any]]:
    """The course over time: of each stretch the largest load and shortage, and the sizes at its start."""
    stretch = max(1, -(-simulation.samples // _POINTS))
    points = []
    for first in range(0, simulation.samples, stretch):
        part = slice(first, first + stretch)
        sizes = [int(course.sizes[first]) for course in simulation.courses]
        points.append({
            "time": (simulation.start + timedelta(seconds=_SECONDS * first)).isoformat().replace("+00:00", "Z"),
            "load": _rounded(float(simulation.demand[part].max())),
            "replicas": sizes,
            "capacity": [_rounded(size * simulation.capacity.per_pod) for size in sizes],
            "shortage": [_rounded(float(course.lacking[part].max())) for course in simulation.courses],
        })
    return points


def _rounded(value: float) -> float:
    return round(value, 6)


def simulation_data(simulation: Simulation) -> dict[str, Any]:
    """The parts of the document."""
    end = simulation.start + timedelta(seconds=_SECONDS * simulation.samples)
    return {
        "environment": simulation.environment,
        "workload": simulation.workload._asdict(),
        "scaler": simulation.scaler._asdict() if simulation.scaler else None,
        "load": {
            "source": simulation.source,
            "start": simulation.start.isoformat().replace("+00:00", "Z"),
            "end": end.isoformat().replace("+00:00", "Z"),
            "notes": list(simulation.notes),
        },
        "capacity": {"column": simulation.capacity.column, "perPod": _rounded(simulation.capacity.per_pod)},
        "currency": simulation.prices.currency,
        "settings": [_course_data(course) for course in simulation.courses],
        "points": points_of(simulation),
    }


def _course_data(course: Course) -> dict[str, Any]:
    effect = course.effect
    return {
        "label": course.label,
        "replicas": {"least": course.smallest, "mean": _rounded(course.mean), "most": effect.largest},
        "rescales": course.rescales,
        "minutesAtMaximum": _rounded(course.minutes_at_most),
        "shortage": {
            "minutes": _rounded(effect.shortage_minutes),
            "worst": _rounded(course.worst),
            "all": _rounded(effect.shortage),
        },
        "podHours": _rounded(effect.pod_hours),
        "cost": None if course.cost is None else _rounded(course.cost),
        "costAMonth": None if course.cost_a_month is None else _rounded(course.cost_a_month),
    }
