"""The rule `adapter-rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.adapters import LISTS, adapters
from envcompile.check.finding import Hit
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


def _shape(inputs: CheckInput) -> Iterator[Hit]:
    for adapter in adapters(inputs):
        for section in LISTS:
            value = adapter.value.get(section)
            if value is not None and not isinstance(value, list):
                yield Hit(
                    adapter.resource.id,
                    ("data", adapter.key),
                    f"`{section}` of the Prometheus adapter's configuration is no list: the adapter does not start, and"
                    " none of its metrics exist",
                    f"write the rules as a list right under `{section}:`; external ones go under `externalRules:`",
                    value=section,
                )


RULE: Final = Rule(
    "adapter-rules",
    "error",
    "The rules of the Prometheus adapter are lists: `rules`, `externalRules`.",
    "kubernetes-sigs/prometheus-adapter, docs/config.md",
    _shape,
    alone=True,
    why="An adapter whose rules are no lists does not start, and all custom metrics are gone.",
    fix="Write `rules` and `externalRules` as lists.",
    links=("https://github.com/kubernetes-sigs/prometheus-adapter/blob/master/docs/config.md",),
    fires="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: adapter-config}
data:
  config.yaml: |
    rules:
      custom:
      - seriesQuery: queue_length
""",
    silent="""\
apiVersion: v1
kind: ConfigMap
metadata: {name: adapter-config}
data:
  config.yaml: |
    rules:
    - seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
      name: {matches: "^(.*)_total$", as: "${1}_per_second"}
    - seriesQuery: 'requests_per_second{ingress!=""}'
""",
)
