"""Alert rules and dashboard of the watcher's own figures: promtool and a real Prometheus have the last word."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from envcompile import yamlio
from envcompile.actions.watch import Standing
from envcompile.actions.watch_monitoring import ALERTS, PANELS, alert_rules, dashboard
from envcompile.actions.watch_status import metrics, serving
from envcompile.actions.watch_store import Counted
from envcompile.cluster.reflector import Told
from envcompile.history.live import Written
from tests.harness.command import PATIENCE, run_envc
from tests.oracles.processes import ServerGroup, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
"""Read at import: each test runs in a clean environment."""


@pytest.fixture(scope="module")
def programs() -> None:
    """Prometheus and its tool."""
    missing = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    if missing and REQUIRED:
        pytest.fail(f"{missing[0]} is not installed (Debian: apt-get install prometheus)")
    if missing:
        pytest.skip(f"{missing[0]} is not installed (Debian: apt-get install prometheus)")


def _standings() -> list[Standing]:
    told = Told("watching", events=7, lists=1, expired=2, failures=0, problem="")
    counted = Counted(Written(3, 2, 1, 4), events=5, usage=6, batches=2)
    kinds = {("apps", "deployments"): told, ("", "pods"): told._replace(state="waiting")}
    return [Standing("prod", True, kinds, counted, 1, 4096, time.time(), (), cap=1 << 20)]


def _series(text: str) -> set[str]:
    return set(re.findall(r"\benvc_watch_\w+", text))


def test_only_figures_that_there_are() -> None:
    """Each name in an expression is one that `/metrics` tells."""
    told = _series(metrics(_standings()))
    for text in (alert_rules(), dashboard()):
        assert _series(text) - {"envc_watch"} <= told


def test_the_command_prints_them(tmp_path: Path) -> None:
    """`--alerts` and `--dashboard` need neither a project nor a cluster."""
    rules = run_envc(tmp_path, "watch", "--alerts")
    assert (rules.code, rules.out, rules.err) == (0, alert_rules(), "")
    (group,) = yamlio.load_all(rules.out.encode(), "rules")[0]["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [one.name for one in ALERTS]
    drawn = run_envc(tmp_path, "watch", "--dashboard")
    assert (drawn.code, drawn.err) == (0, "")
    panels = json.loads(drawn.out)["panels"]
    assert [panel["title"] for panel in panels] == [one.title for one in PANELS]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)


CASES: Final[dict[str, tuple[dict[str, str], str, dict[str, str]]]] = {
    "EnvcWatchAbsent": ({"other": "1x60"}, "20m", {}),
    "EnvcWatchNotReady": ({'envc_watch_ready{cluster="prod"}': "0x60"}, "20m", {"cluster": "prod"}),
    "EnvcWatchDoesNotStore": (
        {
            'envc_watch_ready{cluster="prod"}': "1x60",
            'envc_watch_waiting_batches{cluster="prod"}': "3x60",
            'envc_watch_last_stored_timestamp_seconds{cluster="prod"}': "0x60",
        },
        "20m",
        {"cluster": "prod"},
    ),
    "EnvcWatchKindsWait": (
        {
            'envc_watch_ready{cluster="prod"}': "1x60",
            'envc_watch_kinds{cluster="prod",state="waiting"}': "2x60",
            'envc_watch_kinds{cluster="prod",state="watching"}': "9x60",
        },
        "40m",
        {"cluster": "prod", "state": "waiting"},
    ),
    "EnvcWatchListsOverAndOver": (
        {
            'envc_watch_ready{cluster="prod"}': "1x120",
            'envc_watch_lists_total{cluster="prod",group="apps",resource="deployments"}': "0+1x120",
            'envc_watch_lists_total{cluster="prod",group="",resource="pods"}': "1x120",
        },
        "100m",
        {"cluster": "prod", "group": "apps", "resource": "deployments"},
    ),
    "EnvcWatchDatabaseNearCap": (
        {
            'envc_watch_ready{cluster="prod"}': "1x60",
            'envc_watch_database_bytes{cluster="prod"}': "900x60",
            'envc_watch_database_cap_bytes{cluster="prod"}': "1000x60",
            'envc_watch_database_bytes{cluster="free"}': "900x60",
            'envc_watch_database_cap_bytes{cluster="free"}': "0x60",
        },
        "50m",
        {"cluster": "prod"},
    ),
}


@pytest.mark.usefixtures("programs")
def test_rules_fire_when_they_should(tmp_path: Path) -> None:
    """As promtool plays them: each for its own trouble and for no other, and none while all is well."""
    (tmp_path / "rules.yaml").write_text(alert_rules(), encoding="utf-8")
    well = {
        'envc_watch_ready{cluster="prod"}': "1x120",
        'envc_watch_waiting_batches{cluster="prod"}': "0x120",
        'envc_watch_lists_total{cluster="prod",group="",resource="pods"}': "1x120",
        'envc_watch_kinds{cluster="prod",state="waiting"}': "0x120",
        'envc_watch_database_bytes{cluster="prod"}': "100x120",
        'envc_watch_database_cap_bytes{cluster="prod"}': "1000x120",
    }
    severity = {one.name: one.severity for one in ALERTS}
    assert set(CASES) == set(severity)
    tests = []
    for name, (series, moment, labels) in (*CASES.items(), ("", (well, "100m", {}))):
        expected = [
            {
                "eval_time": moment,
                "alertname": other,
                "exp_alerts": [{"exp_labels": {**labels, "severity": severity[other]}}] if other == name else [],
            }
            for other in severity
        ]
        tests.append({
            "interval": "1m",
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "alert_rule_test": expected,
        })
    # What a rule says is not held against words here.
    stripped = yamlio.load_all(alert_rules().encode(), "rules")[0]
    for rule in stripped["groups"][0]["rules"]:
        del rule["annotations"]
    (tmp_path / "stripped.yaml").write_text(json.dumps(stripped), encoding="utf-8")
    (tmp_path / "tests.yaml").write_text(json.dumps({"rule_files": ["stripped.yaml"], "tests": tests}), "utf-8")
    for words in (("check", "rules", "rules.yaml"), ("test", "rules", "tests.yaml")):
        done = subprocess.run(["promtool", *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def scraped(programs: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Prometheus that scrapes a watcher's own `/metrics` each second, with the alert rules."""
    del programs
    folder = tmp_path_factory.mktemp("scraped")
    (port,) = free_ports(1)
    with serving("127.0.0.1:0", _standings) as url, ServerGroup(folder) as servers:
        target = url.removeprefix("http://")
        settings: dict[str, Any] = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "envc", "static_configs": [{"targets": [target]}]}],
        }
        (folder / "rules.yaml").write_text(alert_rules(), encoding="utf-8")
        (folder / "prometheus.yml").write_text(json.dumps(settings), encoding="utf-8")
        server = servers.start(
            "prometheus",
            [
                "prometheus",
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
        )
        server.wait_until(
            lambda: len(_rows(port, "count_over_time(envc_watch_ready[1m]) > 2")) > 0, what="scraping", seconds=PATIENCE
        )
        yield port


def _answer(port: int, path: str) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return json.load(connection.getresponse())
    except (OSError, json.JSONDecodeError):
        return {}
    finally:
        connection.close()


def _rows(port: int, query: str) -> list[Any]:
    found: list[Any] = _answer(port, f"/api/v1/query?query={quote(query)}").get("data", {}).get("result", [])
    return found


def test_each_picture_has_something_to_show(scraped: int) -> None:
    """Every query of the dashboard is answered with at least one line, by a Prometheus that scrapes a watcher."""
    for panel in json.loads(dashboard())["panels"]:
        for target in panel["targets"]:
            query = target["expr"].replace("$cluster", ".*")
            assert _rows(scraped, query), (panel["title"], query)
            named = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            assert all(name in row["metric"] for row in _rows(scraped, query) for name in named)


def test_rules_are_evaluated(scraped: int) -> None:
    """Without an error, and only what is wrong is pending: a kind of this watcher waits."""
    deadline = time.monotonic() + PATIENCE
    while True:
        groups = _answer(scraped, "/api/v1/rules").get("data", {}).get("groups", [])
        rules = groups[0]["rules"] if groups else []
        if rules and all(rule["health"] == "ok" for rule in rules):
            break
        assert time.monotonic() < deadline, rules
        time.sleep(0.2)
    assert [rule["name"] for rule in rules if rule["state"] != "inactive"] == ["EnvcWatchKindsWait"]
