"""What `envc recommend` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.cli.render.columns import columns

if TYPE_CHECKING:
    from envcompile.actions.recommend import Recommendation
    from envcompile.scaling.effect import Effect

_HOURS_A_MONTH = 730


def recommendation_lines(found: Recommendation) -> list[str]:
    """One workload: what was seen, what it would change, and the difference of the files."""
    seen = f"{found.days:.0f} days of {found.source}, {found.samples:,} rows"
    lines = [f"{found.workload.short} in {found.environment}: {seen}"]
    lines += [f"  note: {note}" for note in found.notes]
    if found.before is not None and found.after is not None:
        lines += _effects(found, found.before, found.after)
    elif found.hour is not None and found.hour_after is not None and found.settings:
        month = _HOURS_A_MONTH
        lines.append(
            f"  a pod costs {found.hour * month:.2f} -> {found.hour_after * month:.2f} {found.currency} a month"
        )
    if not found.settings:
        lines.append("  nothing to recommend: no other setting is cheaper without more shortage")
    rows = [(f"  {one.resource.short}", one.field, f"{_shown(one.old)} -> {_shown(one.new)}") for one in found.settings]
    lines += columns(rows)
    for remark in found.remarks:
        lines.append(f"  {remark.check}: {remark.what}; {remark.fix}")
    difference = _difference(found)
    return [*lines, "", *difference] if difference else lines


def _effects(found: Recommendation, before: Effect, after: Effect) -> list[str]:
    rows = [
        ("", "now", "recommended"),
        ("  pod hours", f"{before.pod_hours:,.0f}", f"{after.pod_hours:,.0f}"),
        ("  most replicas", str(before.largest), str(after.largest)),
        ("  minutes of shortage", f"{before.shortage_minutes:,.0f}", f"{after.shortage_minutes:,.0f}"),
        ("  sum of shortage", f"{before.shortage:,.1f}", f"{after.shortage:,.1f}"),
    ]
    if found.hour is not None and found.hour_after is not None:
        month = _HOURS_A_MONTH / (found.days * 24)
        costs = (before.pod_hours * found.hour * month, after.pod_hours * found.hour_after * month)
        rows.append((f"  {found.currency} a month", f"{costs[0]:,.2f}", f"{costs[1]:,.2f}"))
    lines = columns(rows)
    lines.append(
        f"  {found.tried} settings were replayed, between {found.bounds.least} and {found.bounds.most} replicas"
    )
    return lines


def _difference(found: Recommendation) -> list[str]:
    """The difference of all files as `git apply` reads it."""
    from difflib import unified_diff

    lines: list[str] = []
    for path, after in found.files.after.items():
        before = found.files.before[path]
        source = "/dev/null" if before is None else f"a/{path}"
        found_lines = unified_diff((before or "").splitlines(), after.splitlines(), source, f"b/{path}", lineterm="")
        lines += list(found_lines)
    return lines


def _shown(value: Any) -> str:
    import json

    if value is None:
        return "(not set)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def recommendation_data(found: Recommendation, *, applied: bool) -> dict[str, Any]:
    """The same for machines."""
    return {
        "environment": found.environment,
        "workload": found.workload._asdict(),
        "scaler": found.scaler._asdict() if found.scaler is not None else None,
        "load": {
            "source": found.source,
            "days": round(found.days, 3),
            "rows": found.samples,
            "notes": list(found.notes),
        },
        "bounds": {"least": found.bounds.least, "most": found.bounds.most},
        "tried": found.tried,
        "before": _effect(found, found.before, found.hour),
        "after": _effect(found, found.after, found.hour_after),
        "currency": found.currency,
        "settings": [
            {"resource": one.resource._asdict(), "field": one.field, "old": one.old, "new": one.new}
            for one in found.settings
        ],
        "remarks": [remark._asdict() for remark in found.remarks],
        "files": [
            {"file": path, "before": found.files.before[path], "after": after}
            for path, after in found.files.after.items()
        ],
        "written": applied and bool(found.files.after),
    }


def _effect(found: Recommendation, effect: Effect | None, hour: float | None) -> dict[str, Any] | None:
    if effect is None:
        return None
    month = _HOURS_A_MONTH / (found.days * 24)
    return {
        "podHours": round(effect.pod_hours, 3),
        "shortageMinutes": round(effect.shortage_minutes, 3),
        "shortage": round(effect.shortage, 3),
        "largest": effect.largest,
        "costAMonth": None if hour is None else round(effect.pod_hours * hour * month, 2),
    }
