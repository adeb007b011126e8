"""The messages that tell people of drift: which resources differ, and who wrote them; never a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.actions.notify import MOST_NAMES, letters_to
from envcompile.forge.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from envcompile.actions.drift import EnvironmentDrift, ObjectDrift
    from envcompile.actions.notify import Letter
    from envcompile.settings import Notification


def drift_letters(receivers: Sequence[Notification], found: Iterable[EnvironmentDrift]) -> Iterator[Letter]:
    """One message for each drifted environment and everybody who wants to hear of it."""
    for drift in found:
        if drift.objects:
            yield from letters_to(receivers, drift.environment, _message(drift))


def _message(drift: EnvironmentDrift) -> Message:
    counts = {kind: sum(one.kind == kind for one in drift.objects) for kind in ("changed", "missing", "extra")}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    names = [_line(one) for one in drift.objects[:MOST_NAMES]]
    if len(drift.objects) > MOST_NAMES:
        names.append(f"and {len(drift.objects) - MOST_NAMES} more")
    data: dict[str, Any] = {
        "environment": drift.environment,
        "context": drift.context,
        **counts,
        "resources": names,
    }
    return Message(f"{drift.environment} drifts: {said} in {drift.context}", "\n".join(names), data)


def _line(each: ObjectDrift) -> str:
    fields = [field.field for field in each.fields]
    writers = sorted({field.writer.manager for field in each.fields if field.writer is not None})
    shown = (
        f" in {', '.join(fields[:3])}" + (f" and {len(fields) - 3} more" if len(fields) > 3 else "") if fields else ""
    )
    return f"{each.kind} {each.resource}{shown}" + (f" by {', '.join(writers)}" if writers else "")
