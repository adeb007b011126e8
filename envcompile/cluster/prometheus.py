"""Usage of containers from a Prometheus that scrapes the kubelets, in place of the metrics API; and rates beside it.

Source: prometheus.io, "HTTP API" (range queries); cadvisor, `docs/storage/prometheus.md` (the metrics).
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx2
import orjson

from envcompile.errors import Problem, UnavailableError
from envcompile.text import address, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

STEP: Final = 60
"""Seconds between two figures."""
_BACK: Final = 10 * STEP
"""Seconds that are asked for again: what Prometheus scraped late is there then, and nothing is stored twice."""
_BY: Final = "sum by (namespace, pod, container)"
_WHERE: Final = 'container!="",container!="POD"'
_MOST: Final = 300


def queries(namespace: str) -> dict[str, str]:
    """What the containers use: cores and bytes.

    Args:
        namespace: only there; in all when empty.
    """
    where = f'{_WHERE},namespace="{namespace}"' if namespace else _WHERE
    return {
        "cpu": f"{_BY} (rate(container_cpu_usage_seconds_total{{{where}}}[5m]))",
        "memory": f"{_BY} (container_memory_working_set_bytes{{{where}}})",
    }


async def pod_metrics(url: str, namespace: str, now: float) -> list[dict[str, Any]]:
    """The last minutes' usage, in the form of the metrics API.

    Args:
        url: the Prometheus, without `/api`.
        namespace: only there; in all when empty.
        now: seconds since 1970.

    Raises:
        UnavailableError: it does not answer, or refuses the query.
    """
    end = int(now) - int(now) % STEP
    figures: dict[tuple[str, str, str, int], dict[str, str]] = {}
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(60.0, connect=10.0), follow_redirects=False) as client:
        for name, query in queries(namespace).items():
            params: dict[str, str | int] = {"query": query, "start": end - _BACK, "end": end, "step": STEP}
            for series in await _asked(client, url, params):
                labels = series.get("metric") or {}
                key = (labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
                for moment, value in series.get("values") or ():
                    figures.setdefault((*key, int(moment)), {})[name] = value
    return [
        {
            "metadata": {"namespace": space, "name": pod},
            "timestamp": datetime.fromtimestamp(moment, UTC).isoformat(),
            "containers": [
                {"name": container, "usage": {"cpu": _plain(used["cpu"]), "memory": _plain(used["memory"])}}
            ],
        }
        for (space, pod, container, moment), used in sorted(figures.items())
        if used.keys() >= {"cpu", "memory"}
    ]


class Figure(NamedTuple):
    """What a query says of a pod, or of a workload, at a moment."""

    namespace: str
    pod: str
    workload: str
    """KIND/NAME, empty for what is said of a pod."""
    name: str
    at: int
    """Seconds since 1970."""
    value: float


async def figures(url: str, wanted: Mapping[str, str], namespace: str, now: float) -> list[Figure]:
    """The last minutes' figures of queries; several series of one pod or workload are summed.

    Args:
        url: the Prometheus, without `/api`.
        wanted: PromQL by name.
        namespace: only there; in all when empty.
        now: seconds since 1970.

    Raises:
        UnavailableError: it does not answer, refuses a query, or one gives series that belong to nothing.
    """
    end = int(now) - int(now) % STEP
    sums: dict[tuple[str, str, str, str, int], float] = {}
    async with httpx2.AsyncClient(timeout=httpx2.Timeout(60.0, connect=10.0), follow_redirects=False) as client:
        for name, query in wanted.items():
            params: dict[str, str | int] = {"query": query, "start": end - _BACK, "end": end, "step": STEP}
            for series in await _asked(client, url, params):
                labels = series.get("metric") or {}
                place = (
                    str(labels.get("namespace") or ""),
                    str(labels.get("pod") or ""),
                    str(labels.get("workload") or ""),
                )
                if not place[0] or not (place[1] or "/" in place[2]):
                    raise UnavailableError([
                        Problem(
                            f"the query `{one_line(name)}` gives series without the labels `namespace` and `pod`",
                            "sum it `by (namespace, pod)`, or by `namespace` and `workload` (KIND/NAME)",
                        )
                    ])
                if namespace not in {"", place[0]}:
                    continue
                for moment, value in series.get("values") or ():
                    if isfinite(amount := float(value)):
                        key = (*place, name, int(moment))
                        sums[key] = sums.get(key, 0.0) + amount
    return [Figure(*key, value) for key, value in sorted(sums.items())]


def _plain(value: str) -> str:
    """A figure as a quantity: Prometheus writes exponents, and names for what is no number."""
    return f"{float(value):.9f}" if value not in {"NaN", "+Inf", "-Inf"} else ""


async def _asked(client: httpx2.AsyncClient, url: str, params: dict[str, str | int]) -> list[dict[str, Any]]:
    place = f"the Prometheus at {address(url)}"
    try:
        response = await client.get(f"{url.rstrip('/')}/api/v1/query_range", params=params)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise UnavailableError([
            Problem(f"{place} cannot be reached: {one_line(str(error) or type(error).__name__)}", "is it up?")
        ]) from error
    try:
        said = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise UnavailableError([
            Problem(f"{place} answers no JSON (status {response.status_code})", "is `metrics.prometheus` its address?")
        ]) from error
    if not isinstance(said, dict) or said.get("status") != "success":
        words = one_line(str(said.get("error", "")))[:_MOST] if isinstance(said, dict) else ""
        raise UnavailableError([Problem(f"{place} refuses a query: {words}", "is it a Prometheus?")])
    result = said.get("data", {}).get("result")
    return result if isinstance(result, list) else []
