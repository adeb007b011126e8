"""Usage of containers from a Prometheus that scrapes the kubelets, in place of the metrics API.

Source: prometheus.io, "HTTP API" (range queries); cadvisor, `docs/storage/prometheus.md` (the metrics).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import httpx2
import orjson

from envcompile.errors import Problem, UnavailableError
from envcompile.text import address, one_line

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
