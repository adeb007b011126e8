"""Usage from a real Prometheus, and from what is none."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.actions.live_objects import measured_of
from envcompile.cluster.prometheus import figures, pod_metrics
from envcompile.errors import UnavailableError
from tests.cluster.servers import Says, serving
from tests.harness.command import PATIENCE
from tests.oracles.processes import ServerGroup, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

START: Final = 1_700_000_040
"""A full minute."""
REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"


def _samples() -> str:
    """Twenty minutes of two containers: a quarter of a core and 64 MiB, a pause container that does not count."""
    lines = ["# TYPE container_cpu_usage_seconds counter"]
    for container, cores in (("app", 0.25), ("sidecar", 0.5), ("POD", 9)):
        labels = f'namespace="shop",pod="web-1",container="{container}"'
        lines += [
            f"container_cpu_usage_seconds_total{{{labels}}} {cores * step * 15} {START + step * 15}"
            for step in range(80)
        ]
    lines.append("# TYPE container_memory_working_set_bytes gauge")
    for container in ("app", "sidecar"):
        labels = f'namespace="shop",pod="web-1",container="{container}"'
        lines += [f"container_memory_working_set_bytes{{{labels}}} 67108864 {START + step * 15}" for step in range(80)]
    lines.append("# TYPE http_requests counter")
    for code in (200, 500):
        labels = f'namespace="shop",pod="web-1",code="{code}"'
        lines += [f"http_requests_total{{{labels}}} {code * step} {START + step * 15}" for step in range(80)]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus with these figures."""
    if shutil.which("prometheus") is None:
        if REQUIRED:
            pytest.fail("Prometheus is not installed (Debian: apt-get install prometheus)")
        pytest.skip("Prometheus is not installed (Debian: apt-get install prometheus)")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "samples").write_text(_samples(), encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples", "data"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    (port,) = free_ports(1)
    with ServerGroup(folder) as servers:
        server = servers.start(
            "prometheus",
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
        )
        server.wait_until(lambda: _is_ready(port), what="ready", seconds=PATIENCE)
        yield f"http://127.0.0.1:{port}"


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_usage_of_the_last_minutes(prometheus: str) -> None:
    """Each minute once, cores and bytes as they are; the pause container is left out."""
    items = asyncio.run(pod_metrics(prometheus, "shop", START + 900 + 30))
    found = list(measured_of(items, lambda _space, _pod: "Deployment/web"))
    assert {(one.pod, one.container, round(one.cpu), one.memory) for one in found} == {
        ("web-1", "app", 250, 64 << 20),
        ("web-1", "sidecar", 500, 64 << 20),
    }
    moments = sorted({one.at // 1_000_000 for one in found})
    assert moments == list(range(START + 300, START + 901, 60))
    assert asyncio.run(pod_metrics(prometheus, "other", START + 900)) == []


RATES: Final = {
    "requests": "sum by (namespace, pod) (rate(http_requests_total[5m]))",
    "errors": (
        'label_replace(sum by (namespace) (rate(http_requests_total{code=~"5.."}[5m])), '
        '"workload", "Deployment/web", "", "")'
    ),
    "codes": "sum by (namespace, pod, code) (rate(http_requests_total[5m]))",
}


def test_rates_beside_usage(prometheus: str) -> None:
    """Queries of one's own: of pods and of a workload; several series of one pod are summed."""
    found = asyncio.run(figures(prometheus, RATES, "shop", START + 900 + 30))
    assert {(one.name, one.pod, one.workload, round(one.value, 3)) for one in found} == {
        ("requests", "web-1", "", round(700 / 15, 3)),
        ("codes", "web-1", "", round(700 / 15, 3)),
        ("errors", "", "Deployment/web", round(500 / 15, 3)),
    }
    assert sorted({one.at for one in found}) == list(range(START + 300, START + 901, 60))
    assert asyncio.run(figures(prometheus, RATES, "other", START + 900)) == []


def test_a_query_that_belongs_to_nothing(prometheus: str) -> None:
    """Says which one it is, and what it needs; as does one that is no PromQL."""
    with pytest.raises(UnavailableError, match="`all` gives series without the labels `namespace` and `pod`"):
        asyncio.run(figures(prometheus, {"all": "sum(rate(http_requests_total[5m]))"}, "", START + 900))
    with pytest.raises(UnavailableError, match="refuses a query"):
        asyncio.run(figures(prometheus, {"all": "sum(("}, "", START + 900))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Says(200, "<html>Log in</html>"), "answers no JSON"),
        (
            Says(400, {"status": "error", "errorType": "bad_data", "error": "parse error"}),
            "refuses a query: parse error",
        ),
        (Says(200, []), "refuses a query"),
    ],
)
def test_what_is_no_prometheus(said: Says, words: str) -> None:
    """Clear words, and no traceback."""
    with serving(lambda _: said) as server, pytest.raises(UnavailableError, match=words):
        asyncio.run(pod_metrics(server.url, "", time.time()))
    with pytest.raises(UnavailableError, match="cannot be reached"):
        asyncio.run(pod_metrics("http://127.0.0.1:1", "", 0))
