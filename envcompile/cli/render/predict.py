"""What `envc predict` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from envcompile.cli.render.columns import columns

if TYPE_CHECKING:
    from envcompile.actions.predict import Prediction
    from envcompile.scaling.effect import Effect

_HOURS_A_MONTH = 730
FloorHolder = Literal["keda", "cronjob"]
"""What holds a floor: triggers of a ScaledObject, or CronJobs that set the autoscaler's minimum."""


def prediction_lines(found: Prediction, held_by: FloorHolder) -> list[str]:
    """The models with their errors, the windows, their proof, and what holds them."""
    from envcompile.scaling.forecast.backtest import table
    from envcompile.scaling.forecast.outlook import INTERVAL
    from envcompile.scaling.forecast.schedule import described

    tried = found.outlook.backtest
    lines = [f"{found.workload.short} in {found.environment}: {found.column} of {found.source}"]
    lines += [f"  note: {note}" for note in found.notes]
    rows = [
        ("model", f"error of {tried.choosing_weeks} weeks", f"of {tried.held_back_weeks} held back", "better weeks")
    ]
    rows += [
        (f"{'* ' if name == tried.chosen.name else '  '}{name}", f"{choosing:.2f}", f"{held:.2f}", str(better))
        for name, choosing, held, better in table(tried)
    ]
    lines += columns(rows, indent="  ")
    lines.append(
        f"  errors are parts of that of the same time last week, {tried.naive.held_back:.3g} {found.column};"
        f" {found.outlook.covered:.0%} of what came lay in the {INTERVAL:.0%} interval"
    )
    lines += [
        f"  {event.name} is announced, and nobody knows what it does: give `adds`" for event in found.outlook.unsized
    ]
    if not found.holds:
        lines.append("  nothing is recommended: on the weeks held back this was worse than the same time last week")
        return lines
    windows = described(found.schedule)
    if not windows:
        lines.append("  nothing to prepare: the load rises nowhere faster than the autoscaler follows")
        return lines
    lines += [
        "",
        *columns(
            [("days", "from", "to", "replicas", "why"), *((*row[:3], str(row[3]), row[4]) for row in windows)],
            indent="  ",
        ),
    ]
    lines += ["", f"  {found.held_back} days held back, planned anew each week from what was known before it:"]
    lines += columns(_effects(found), indent="  ")
    return [*lines, "", *(_triggers(found) if held_by == "keda" else _jobs(found))]


def _effects(found: Prediction) -> list[tuple[str, str, str]]:
    before, after = found.before, found.after
    rows = [
        ("", "without", "with"),
        ("pod hours", f"{before.pod_hours:,.0f}", f"{after.pod_hours:,.0f}"),
        ("minutes of shortage", f"{before.shortage_minutes:,.0f}", f"{after.shortage_minutes:,.0f}"),
        ("sum of shortage", f"{before.shortage:,.1f}", f"{after.shortage:,.1f}"),
    ]
    if found.hour is not None:
        month = found.hour * _HOURS_A_MONTH / (found.held_back * 24)
        rows.append((
            f"{found.currency} a month",
            f"{before.pod_hours * month:,.2f}",
            f"{after.pod_hours * month:,.2f}",
        ))
    return rows


def _jobs(found: Prediction) -> list[str]:
    """The CronJobs that set the autoscaler's minimum, in YAML."""
    from envcompile.scaling.forecast.jobs import minimum_jobs
    from envcompile.scaling.forecast.schedule import minimum_changes
    from envcompile.yamlio import dump

    changes = minimum_changes(found.schedule, found.minimum)
    objects = minimum_jobs(found.scaler, changes, found.schedule.timezone)
    return "---\n".join(dump(one) for one in objects).splitlines()


def _triggers(found: Prediction) -> list[str]:
    """The triggers of a ScaledObject in YAML."""
    from envcompile.scaling.forecast.schedule import cron_triggers

    lines = ["triggers:"]
    for trigger in cron_triggers(found.schedule):
        lines += ["- type: cron", "  metadata:"]
        lines += [f"    {name}: '{value}'" for name, value in trigger["metadata"].items()]
    return lines


def prediction_data(found: Prediction) -> dict[str, Any]:
    """The same for machines, with the forecast itself."""
    from envcompile.scaling.forecast.calendar import moment_of
    from envcompile.scaling.forecast.schedule import cron_triggers, described, minimum_changes

    said, tried = found.outlook, found.outlook.backtest
    hour = 3600 // said.step
    return {
        "environment": found.environment,
        "workload": found.workload._asdict(),
        "scaler": found.scaler._asdict(),
        "source": found.source,
        "notes": list(found.notes),
        "column": found.column,
        "holds": found.holds,
        "chosen": tried.chosen.name,
        "choosingWeeks": tried.choosing_weeks,
        "heldBackWeeks": tried.held_back_weeks,
        "models": [
            {
                "model": score.model,
                "error": _number(score.choosing),
                "heldBackError": _number(score.held_back),
                "betterWeeks": score.better_weeks,
            }
            for score in tried.scores
        ],
        "covered": _number(said.covered),
        "timezone": found.schedule.timezone,
        "events": [event.name for event in said.events],
        "unsizedEvents": [event.name for event in said.unsized],
        "windows": [
            {"days": days, "start": start, "end": end, "replicas": replicas, "why": why}
            for days, start, end, replicas, why in described(found.schedule)
        ],
        "triggers": cron_triggers(found.schedule),
        "minimumChanges": [
            {"schedule": change.cron, "replicas": change.replicas}
            for change in minimum_changes(found.schedule, found.minimum)
        ],
        "heldBackDays": found.held_back,
        "alone": _effect(found.before),
        "withFloor": _effect(found.after),
        "forecast": [
            {
                "time": moment_of(said.start + first * said.step).isoformat(),
                "middle": _number(said.middle[first : first + hour].max()),
                "lower": _number(said.lower[first : first + hour].min()),
                "upper": _number(said.upper[first : first + hour].max()),
            }
            for first in range(0, len(said.middle), hour)
        ],
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "podHours": _number(effect.pod_hours),
        "shortageMinutes": _number(effect.shortage_minutes),
        "shortage": _number(effect.shortage),
        "largest": effect.largest,
    }


def _number(value: float) -> float:
    return round(float(value), 4)
