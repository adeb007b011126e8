"""What a Prometheus and a Grafana need to look after watchers: alert rules and a dashboard of their own figures.

Source: prometheus.io, "Alerting rules"; grafana.com, "Dashboard JSON model".
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from envcompile.yamlio import dump


class Alert(NamedTuple):
    """One rule: when it is pending, for how long until it fires, and what it says."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str


class Panel(NamedTuple):
    """One picture of the dashboard: its queries by what a line of each is called, and the unit."""

    title: str
    queries: dict[str, str]
    unit: str = "short"


ALERTS: Final = (
    Alert("EnvcWatchAbsent", "absent(envc_watch_ready)", "10m", "warning", "No watcher of clusters is scraped."),
    Alert(
        "EnvcWatchNotReady",
        "envc_watch_ready == 0",
        "15m",
        "warning",
        "The watcher of {{ $labels.cluster }} is not ready: a kind is not listed yet, or it has a problem.",
    ),
    Alert(
        "EnvcWatchDoesNotStore",
        "envc_watch_waiting_batches > 0 and time() - envc_watch_last_stored_timestamp_seconds > 300",
        "5m",
        "critical",
        "What {{ $labels.cluster }} sends is not stored for 5 minutes: is the database away, or too slow?",
    ),
    Alert(
        "EnvcWatchKindsWait",
        'envc_watch_kinds{state="waiting"} > 0',
        "30m",
        "warning",
        "{{ $value }} kinds of {{ $labels.cluster }} cannot be watched for half an hour.",
    ),
    Alert(
        "EnvcWatchListsOverAndOver",
        "sum by (cluster, group, resource) (increase(envc_watch_lists_total[1h])) > 20",
        "15m",
        "warning",
        "{{ $labels.resource }} of {{ $labels.cluster }} is listed over and over: its watch does not hold.",
    ),
    Alert(
        "EnvcWatchDatabaseNearCap",
        "envc_watch_database_bytes > 0.85 * (envc_watch_database_cap_bytes > 0)",
        "30m",
        "warning",
        "The database has {{ $value | humanize1024 }}B, more than 85 % of its cap: at the cap nothing more is stored.",
    ),
)
_CLUSTER: Final = '{cluster=~"$cluster"}'
PANELS: Final = (
    Panel("Ready", {"{{cluster}}": f"min by (cluster) (envc_watch_ready{_CLUSTER})"}),
    Panel("Kinds by state", {"{{state}}": f"sum by (state) (envc_watch_kinds{_CLUSTER}) > 0"}),
    Panel(
        "Events of watches", {"{{cluster}}": f"sum by (cluster) (rate(envc_watch_events_total{_CLUSTER}[5m]))"}, "ops"
    ),
    Panel("Stored", {"{{what}}": f"sum by (what) (rate(envc_watch_stored_total{_CLUSTER}[5m]))"}, "ops"),
    Panel(
        "Batches that wait for the database",
        {"{{cluster}}": f"sum by (cluster) (envc_watch_waiting_batches{_CLUSTER})"},
    ),
    Panel(
        "Since something was stored",
        {"{{cluster}}": f"time() - max by (cluster) (envc_watch_last_stored_timestamp_seconds{_CLUSTER})"},
        "s",
    ),
    Panel(
        "Lists, forgotten versions, failures in an hour",
        {
            "lists": f"sum(increase(envc_watch_lists_total{_CLUSTER}[1h]))",
            "forgotten": f"sum(increase(envc_watch_expired_total{_CLUSTER}[1h]))",
            "failures": f"sum(increase(envc_watch_failures_total{_CLUSTER}[1h]))",
        },
    ),
    Panel(
        "Size of the database",
        {
            "size": f"max by (cluster) (envc_watch_database_bytes{_CLUSTER})",
            "cap": f"max by (cluster) (envc_watch_database_cap_bytes{_CLUSTER} > 0)",
        },
        "bytes",
    ),
    Panel("Problems", {"{{cluster}}": f"sum by (cluster) (envc_watch_problems{_CLUSTER})"}),
)
_WIDTH: Final = 8
_HEIGHT: Final = 7
_COLUMNS: Final = 24 // _WIDTH


def alert_rules() -> str:
    """A file for `rule_files` of a Prometheus."""
    rules = [
        {
            "alert": one.name,
            "expr": one.expression,
            "for": one.lasting,
            "labels": {"severity": one.severity},
            "annotations": {"summary": one.summary},
        }
        for one in ALERTS
    ]
    return dump({"groups": [{"name": "envc-watch", "rules": rules}]})


def dashboard() -> str:
    """A dashboard that Grafana imports; it asks for the Prometheus when it does."""
    source = {"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
    variable = {
        "name": "cluster",
        "type": "query",
        "datasource": source,
        "query": {"query": "label_values(envc_watch_ready, cluster)", "refId": "cluster"},
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }
    value = {
        "__inputs": [{"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus"}],
        "title": "envc watch",
        "uid": "envc-watch",
        "tags": ["envc"],
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "1m",
        "templating": {"list": [variable]},
        "panels": [_panel(number, panel, source) for number, panel in enumerate(PANELS)],
    }
    return json.dumps(value, indent=2) + "\n"


def _panel(number: int, panel: Panel, source: dict[str, str]) -> dict[str, Any]:
    place = {"x": number % _COLUMNS * _WIDTH, "y": number // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    targets = [
        {"refId": chr(ord("A") + at), "datasource": source, "expr": query, "legendFormat": name}
        for at, (name, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }
