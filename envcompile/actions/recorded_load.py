"""The load of a workload that `envc watch` recorded."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from envcompile.actions.live_places import cluster_of, open_live
from envcompile.actions.recorded_pods import Past
from envcompile.errors import Problem, UsageError
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import SECOND
from envcompile.scaling.loads import OOM_KILLS, cleaned

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from envcompile.history.livereading import Rate, Used
    from envcompile.model import ResourceId
    from envcompile.scaling.loads import Load

_TABLES: Final = (("live_usage", 60), ("live_usage_5m", 300), ("live_usage_1h", 3600))
"""The tables from the finest on, with the step in seconds that their rows are summed by."""


class RecordedLoad:
    """A load in the history: what the containers of a workload's pods used, by the finest table that goes so far.

    Args:
        folder: the project's.
        cluster: its name; the only one when None.
        workload: of whose pods.
        until: the end.
        length: how long before that it begins.
    """

    def __init__(
        self, folder: Path, cluster: str | None, workload: ResourceId, until: datetime, length: timedelta
    ) -> None:
        self._folder, self._cluster, self._workload = folder, cluster, workload
        self._until = int(until.timestamp()) * SECOND
        self._since = self._until - int(length.total_seconds()) * SECOND

    def load(self) -> Load:
        """Read it.

        Raises:
            UsageError: nothing was recorded.
        """
        named = f"{self._workload.kind}/{self._workload.name}"
        with closing(open_live(self._folder)) as database:
            reader = LiveReader(database)
            cluster = cluster_of(reader, self._cluster)
            found: tuple[list[Used], int] = ([], 0)
            for table, step in _TABLES:
                rows = reader.usage(
                    cluster.number,
                    table,
                    self._since,
                    self._until,
                    namespace=self._workload.namespace,
                    workload=named,
                )
                # A coarser table counts only where it goes further back.
                if rows and (not found[0] or _first(rows) < _first(found[0]) - step * SECOND):
                    found = (rows, step)
            rates = self._rates(reader, cluster.number, named, found[1])
            past = Past(reader, cluster.number, self._since, self._until)
            kills = past.kills(self._workload.namespace, {row.pod for row in found[0]})
            notes = past.changed_requests(self._workload)
        if not found[0]:
            raise UsageError([
                Problem(
                    f"the history holds no usage of {named} in {self._workload.namespace}",
                    "`envc watch` records it; look further back with --since, or name a file with --load",
                )
            ])
        load = _summed(f"usage in {cluster.name}", *found, rates, kills)
        return replace(load, notes=(*load.notes, *notes))

    def _rates(self, reader: LiveReader, cluster: int, named: str, step: int) -> list[Rate]:
        """What the queries of `metrics` said of the workload, by the same steps as its usage."""
        table = next((table for table, seconds in _TABLES if seconds == step), _TABLES[0][0])
        return reader.rates(
            cluster,
            table.replace("usage", "rate"),
            self._since,
            self._until,
            namespace=self._workload.namespace,
            workload=named,
        )


def _first(rows: list[Used]) -> int:
    return min(row.at for row in rows)


def _summed(source: str, rows: list[Used], step: int, rates: list[Rate], kills: list[int]) -> Load:
    """The sum over containers, of each its average in a step; and over pods what was said of each beside."""
    parts: dict[tuple[int, str, str], list[Used]] = defaultdict(list)
    for row in rows:
        parts[row.at // (step * SECOND), row.pod, row.container].append(row)
    sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (at, _, _), held in parts.items():
        sums[at][0] += sum(row.cpu for row in held) / len(held) / 1000
        sums[at][1] += sum(row.memory for row in held) / len(held)
    moments = sorted(sums)
    times = np.array(moments, dtype=np.int64) * step * 1000
    values = np.array([sums[at] for at in moments])
    found = {"cpu": values[:, 0], "memory": values[:, 1], **_columns(rates, step, moments)}
    if kills:
        # Each belongs to the first row that is not before it, one after all rows to the last.
        places = np.minimum(np.searchsorted(times, np.array(kills) // 1000), len(times) - 1)
        found[OOM_KILLS] = np.bincount(places, minlength=len(times)).astype(np.float64)
    return cleaned(source, times, found)


def _columns(rates: list[Rate], step: int, moments: list[int]) -> dict[str, np.ndarray]:
    """A column for each query: the sum over pods of their averages in a step, nothing where nothing was said."""
    parts: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for rate in rates:
        parts[rate.name, rate.at // (step * SECOND), rate.pod].append(rate.value)
    sums: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for (name, at, _), held in parts.items():
        sums[name][at] += sum(held) / len(held)
    return {name: np.array([found.get(at, np.nan) for at in moments]) for name, found in sums.items()}
