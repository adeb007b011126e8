"""How what runs is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.actions.live import stamp
from envcompile.cli.render.columns import columns
from envcompile.history.livetimes import SECOND
from envcompile.history.times import day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.live import Blamed, Entry, State
    from envcompile.history.livereading import Count, LiveObject, Told


def _object(thing: LiveObject) -> dict[str, Any]:
    return {"group": thing.group, "kind": thing.kind, "namespace": thing.namespace, "name": thing.name}


def _when(moment: int) -> str:
    return day(moment // SECOND)


def state_lines(found: Sequence[State]) -> list[str]:
    """Objects by name, with the time since which they are so."""
    rows = [(one.object.namespace or "-", f"{one.object.kind}/{one.object.name}", _when(one.since)) for one in found]
    return columns(rows)


def state_data(state: State) -> dict[str, Any]:
    """An object at a time, for machines."""
    return {
        **_object(state.object),
        "uid": state.object.uid,
        "since": stamp(state.since),
        "until": stamp(state.until) if state.until is not None else None,
        "value": state.value,
    }


def entry_lines(entry: Entry) -> list[str]:
    """One version: when, what, and the fields that changed."""
    thing = entry.object
    lines = [f"{_when(entry.at)}  {entry.what}  {thing.kind}/{thing.name}"]
    for step in entry.fields:
        change = f"{step.old} -> {step.new}" if step.how == "changed" else step.new or step.old
        who = f"  by {step.manager}" if step.manager else ""
        lines.append(f"  {step.how} {step.field}: {change}{who}")
    return lines


def entry_data(entry: Entry) -> dict[str, Any]:
    """One version, for machines."""
    return {
        **_object(entry.object),
        "uid": entry.object.uid,
        "time": stamp(entry.at),
        "what": entry.what,
        "fields": [step._asdict() for step in entry.fields],
    }


def blamed_lines(found: Sequence[Blamed]) -> list[str]:
    """Each field with its value, who wrote it, and since when."""
    lines = []
    for one in found:
        text = json.dumps(one.value, ensure_ascii=False)
        shown = text if len(text) <= 100 else f"{text[:97]}..."
        since = f"{_when(one.at)}{' or before' if one.or_before else ''}"
        lines += [f"{one.field} = {shown}", f"  {one.manager or 'nobody says who'}  {since}"]
    return lines


def blamed_data(one: Blamed) -> dict[str, Any]:
    """A field, for machines."""
    return {
        "field": one.field,
        "value": one.value,
        "manager": one.manager,
        "operation": one.operation,
        "since": stamp(one.at),
        "orBefore": one.or_before,
    }


def event_lines(found: Sequence[Told]) -> list[str]:
    """Events, one a line."""
    rows = [
        (
            _when(one.at),
            one.type,
            one.reason,
            f"{one.kind}/{one.name}",
            one.message + (f" ({one.times} times)" if one.times > 1 else ""),
        )
        for one in found
    ]
    return columns(rows)


def event_data(one: Told) -> dict[str, Any]:
    """An event, for machines."""
    return {**one._asdict(), "at": stamp(one.at)}


def count_lines(found: Sequence[Count]) -> list[str]:
    """Counts by kind and namespace, under a line that names them."""
    head = ("KIND", "NAMESPACE", "THERE", "CAME", "CHANGED", "WENT")
    rows = [
        (
            f"{one.kind}.{one.group}" if one.group else one.kind,
            one.namespace or "-",
            str(one.there),
            str(one.created),
            str(one.changed),
            str(one.gone),
        )
        for one in found
    ]
    return columns([head, *rows]) if rows else []


def count_data(one: Count) -> dict[str, Any]:
    """A count, for machines."""
    return one._asdict()
