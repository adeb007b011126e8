"""Where the load of a simulation comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from envcompile.errors import Problem, UsageError
from envcompile.scaling.columns import require_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from envcompile.model import ResourceId
    from envcompile.scaling.loads import LoadSource

_MOST: Final = timedelta(days=3650)
"""Ten years, the longest load that is read."""


def load_source(
    *,
    file: Path | None,
    prometheus: str | None,
    is_recorded: bool,
    folder: Path,
    cluster: str | None,
    queries: Mapping[str, str],
    since: str,
    now: datetime,
) -> Callable[[ResourceId], LoadSource]:
    """The one source that was named, for a workload; nothing is read yet.

    Args:
        file: a CSV or Parquet file.
        prometheus: the address of a Prometheus.
        is_recorded: whether the history is to be asked.
        folder: the project, whose history that is.
        cluster: of which the history is asked; the only one when None.
        queries: what a Prometheus is asked, by metric; the workload's CPU and memory for those that are not named.
        since: from when on, such as `30d` or 2026-11-23, where the source holds more.
        now: the end of it.

    Raises:
        UsageError: none or several are named, or what reads them is not installed, or the time is none.
    """
    if (file is not None) + (prometheus is not None) + is_recorded != 1:
        raise UsageError([
            Problem("one load is needed", "name it with --load FILE, --prometheus URL or --recorded, and only once")
        ])
    require_numpy()
    if file is not None:
        from envcompile.scaling.loadtables import LoadFile

        return lambda _: LoadFile(file)
    length = _length(since, now)
    if prometheus is not None:
        from envcompile.scaling.prometheus import PrometheusLoad, usage_queries

        def of(workload: ResourceId) -> LoadSource:
            usual = usage_queries(workload.namespace, workload.name)
            return PrometheusLoad(prometheus, {**usual, **queries}, now, length)

        return of
    from envcompile.actions.recorded_load import RecordedLoad

    return lambda workload: RecordedLoad(folder, cluster, workload, now, length)


def _length(since: str, now: datetime) -> timedelta:
    """How long before the end a time is.

    Raises:
        UsageError: it is no time, not before the end, or too long ago.
    """
    from envcompile.history.times import moment_of

    end = int(now.timestamp())
    length = timedelta(seconds=end - moment_of(since, end))
    if not timedelta() < length <= _MOST:
        raise UsageError([
            Problem(f"no load is read from `{since}` on", f"name a time of the last {_MOST.days} days, such as 30d")
        ])
    return length
