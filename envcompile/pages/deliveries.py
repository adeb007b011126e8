"""How changes reach the last environment: figures above the timeline, and what waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.pages.model import Figure
from envcompile.pages.words import DAY, many

if TYPE_CHECKING:
    from envcompile.pages.state import State


def figures(state: State, now: int) -> tuple[Figure, ...]:
    """Lead time, deployments a week, what was taken back, what waits; those that are known.

    Args:
        state: the project.
        now: the time of reading, in seconds since 1970.
    """
    found = state.delivered(now)
    last = next((one for one in found.environments if one.environment == state.names[-1]), None) if found else None
    if found is None or last is None:
        return ()
    told = []
    lead = last.median_lead_time
    if lead is not None:
        text = f"median from where an image first arrived to {last.environment}, {many(len(last.lead_times), 'image')}"
        told.append(Figure(f"{lead / DAY:.1f}", "days", text))
    weekly = last.deployments_a_week
    if weekly is not None:
        told.append(Figure(f"{weekly:.1f}", "a week", f"deployments to {last.environment}, {last.deployments} in all"))
    if last.deployments:
        count = len({one.commit for one in last.taken_back})
        names = ", ".join(sorted({one.resource.rpartition("/")[2] for one in last.taken_back}))
        text = "changes were taken back within 24 hours" + (f": {names}" if names else "")
        told.append(Figure(str(count), "", f"of {many(last.changes, 'change')} to {last.environment}: {text}"))
    waiting = [one for one in found.waiting if one.target == last.environment]
    text = f"containers run a newer image in {waiting[0].source}" if waiting else "containers wait for a newer image"
    told.append(Figure(str(len(waiting)), "", text))
    return tuple(told)


def waits(state: State, now: int) -> dict[tuple[str, str, str], int]:
    """Kind, name and container -> the days that the environment before the last has run what the last has not."""
    found = state.delivered(now)
    if found is None:
        return {}
    last = state.names[-1]
    return {(one.kind, one.name, one.container): one.seconds // DAY for one in found.waiting if one.target == last}
