"""Loads in a Prometheus: range queries, in parts that it answers.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.scaling.loads import OOM_KILLS, THROTTLED, cleaned
from envcompile.text import address, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    import httpx2

    from envcompile.scaling.loads import Load

STEP_SECONDS: Final = 60
_MOST_POINTS: Final = 10_000
"""Of one answer: Prometheus refuses more than 11,000."""
_PATIENCE_SECONDS: Final = 60


def usage_queries(namespace: str, name: str) -> dict[str, str]:
    """What all pods of a workload use, as cAdvisor's metrics have it: cores, bytes, kills, throttling.

    Kills are restarts whose reason kube-state-metrics tells; throttling is the part of the scheduler's periods.

    Sources: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md,
    https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md
    """
    pods = f'namespace="{namespace}",pod=~"{name}-.*"'
    where = f'{pods},container!="",container!="POD"'
    killed = f'kube_pod_container_status_last_terminated_reason{{{pods},reason="OOMKilled"}} == 1'
    restarts = f"increase(kube_pod_container_status_restarts_total{{{pods}}}[{STEP_SECONDS}s])"
    limited, periods = (f"sum(rate(container_cpu_cfs_{of}periods_total{{{where}}}[2m]))" for of in ("throttled_", ""))
    return {
        OOM_KILLS: f"sum(round({restarts}) * on(namespace, pod, container) ({killed}))",
        THROTTLED: f"{limited} / {periods}",
        "cpu": f"sum(rate(container_cpu_usage_seconds_total{{{where}}}[2m]))",
        "memory": f"sum(container_memory_working_set_bytes{{{where}}})",
    }


class PrometheusLoad:
    """A load in a Prometheus.

    Args:
        url: where it is, without `/api`.
        queries: by the name of a column; several series of one query are summed.
        until: the end.
        length: how long before that it begins.
    """

    def __init__(self, url: str, queries: Mapping[str, str], until: datetime, length: timedelta) -> None:
        self.url = url.rstrip("/")
        self.shown = address(self.url)
        """The address as messages and reports may show it."""
        self.queries = dict(queries)
        self.end = int(until.timestamp()) // STEP_SECONDS * STEP_SECONDS
        self.start = self.end - int(length.total_seconds()) // STEP_SECONDS * STEP_SECONDS

    def load(self) -> Load:
        """Ask for it.

        Raises:
            UsageError: httpx2 is not installed, a query is wrong, or nothing is recorded.
            UnavailableError: it does not answer.
        """
        try:
            import httpx2
        except ImportError as error:
            raise UsageError([
                Problem("a Prometheus is asked with httpx2", "install it: pip install 'envcompile[cluster]'")
            ]) from error
        seconds = np.arange(self.start, self.end, STEP_SECONDS, dtype=np.int64)
        values = {}
        try:
            with httpx2.Client(timeout=_PATIENCE_SECONDS) as client:
                for name, query in self.queries.items():
                    values[name] = self._column(client, name, query, seconds)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise self._unavailable(str(error) or type(error).__name__) from error
        found = {name: column for name, column in values.items() if not np.isnan(column).all()}
        wanted = [name for name in values if name not in {OOM_KILLS, THROTTLED}]
        if not any(name in found for name in wanted):
            raise UsageError([
                Problem(
                    f"{self.shown} has recorded nothing for {', '.join(wanted)}",
                    "name what is to be asked: --query cpu='sum(rate(...))'",
                )
            ])
        return cleaned(self.shown, seconds * 1000, found)

    def _column(
        self, client: httpx2.Client, name: str, query: str, seconds: np.ndarray[Any, np.dtype[np.int64]]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        column = np.full(len(seconds), np.nan)
        for first in range(0, len(seconds), _MOST_POINTS):
            part = seconds[first : first + _MOST_POINTS]
            for series in self._part(client, name, query, int(part[0]), int(part[-1])):
                for at, text in series.get("values") or ():
                    place = (round(float(at)) - self.start) // STEP_SECONDS
                    if 0 <= place < len(column) and np.isfinite(number := float(text)):
                        column[place] = number + (0 if np.isnan(column[place]) else column[place])
        return column

    def _part(self, client: httpx2.Client, name: str, query: str, start: int, end: int) -> list[dict[str, Any]]:
        asked = {"query": query, "start": str(start), "end": str(end), "step": str(STEP_SECONDS)}
        answer = client.post(f"{self.url}/api/v1/query_range", data=asked)
        try:
            told = answer.json()
        except ValueError:
            raise self._unavailable(f"HTTP {answer.status_code}, which is no answer of a Prometheus") from None
        if not isinstance(told, dict) or told.get("status") != "success":
            reason = told.get("error") if isinstance(told, dict) else None
            if answer.status_code in {400, 422}:
                raise UsageError([
                    Problem(f"the query for {name} is refused: {one_line(str(reason))}", f"it is: {query}")
                ])
            raise self._unavailable(f"HTTP {answer.status_code}: {reason or 'no reason is given'}")
        data = told.get("data") or {}
        return list(data.get("result") or ()) if data.get("resultType") == "matrix" else []

    def _unavailable(self, reason: str) -> UnavailableError:
        return UnavailableError([
            Problem(
                f"the Prometheus {self.shown} does not answer: {one_line(reason)}",
                "look whether the address is right and open",
            )
        ])
