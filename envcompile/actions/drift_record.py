"""`envc drift --record`: differences go into the history, with from when to when they were there."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.live_places import database_of
from envcompile.errors import EnvcError
from envcompile.history.database import connect
from envcompile.history.drifted import Difference, Noted, note, standing
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from envcompile.actions.drift import EnvironmentDrift, ObjectDrift
    from envcompile.history.drifted import Standing

_MOST: Final = 200
"""Letters of a value that are kept."""


def record_drift(folder: Path, looked: Sequence[EnvironmentDrift], now: int) -> Noted:
    """Record what was found in the clusters of environments; how much of it is new, and how much is gone.

    An environment of which something could not be compared keeps what is known of it: whether it is gone, nobody saw.

    Args:
        folder: a folder of the project.
        looked: what was found.
        now: seconds since 1970.

    Raises:
        UnavailableError: the database does not answer.
    """
    new = gone = 0
    with closing(connect(database_of(folder))) as database:
        for one in looked:
            found = [difference for each in one.objects for difference in _differences(each)]
            if one.remarks and (before := standing(database, one.environment)) is not None:
                found += [difference for difference, _ in before.found]
            noted = note(database, one.environment, one.context, one.compared, found, now)
            new, gone = new + noted.new, gone + noted.gone
    return Noted(new, gone)


def recorded_drift(folder: Path, environments: Iterable[str]) -> dict[str, Standing]:
    """How environments stood when drift was recorded last; those of which nothing was are left out."""
    try:
        database = connect(database_of(folder), create=False)
    except EnvcError:
        return {}
    with closing(database):
        found = {name: standing(database, name) for name in environments}
    return {name: one for name, one in found.items() if one is not None}


def _differences(drift: ObjectDrift) -> Iterator[Difference]:
    is_secret = drift.resource.kind == "Secret" and not drift.resource.group
    if drift.kind != "changed":
        manager = drift.writer.manager if drift.writer is not None else ""
        yield Difference(drift.resource, "", drift.kind, "", "", manager, str(drift.place or ""))
    for field in drift.fields:
        want, have = ("", "") if is_secret else (_shown(field.want), _shown(field.have))
        manager = field.writer.manager if field.writer is not None else ""
        yield Difference(drift.resource, field.field, field.kind, want, have, manager, str(field.place or ""))


def _shown(value: Any) -> str:
    """A value as JSON, cut off where it is long; empty where there is none."""
    if value is ABSENT:
        return ""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
