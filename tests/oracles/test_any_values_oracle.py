"""Whatever people give that the schema takes, the chart of a real system renders, as YAML and with no object twice."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile.chart import emit
from envcompile.yamlio import load_all
from tests.chart.samples import chart_input, corpus, corpus_cases
from tests.oracles.test_chart_oracle import write
from tests.oracles.test_opening_states_oracle import POINTS
from tests.oracles.test_switches_oracle import nested, rendered
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.oracle, pytest.mark.corpora]

Way = tuple[str, ...]
HOSTILE: Final = "a: b #\"'{{ x }}\n- y\n\n  z: [\t"
GIVEN: Final[dict[str, Any]] = {
    **{title: point.given for title, point in POINTS.items()},
    "readinessProbe": {"tcpSocket": {"port": 9}},
    "startupProbe": {"tcpSocket": {"port": 9}},
    "sidecars": [{"name": "given", "image": "given:1"}],
}


def schemas(schema: dict[str, Any], path: Way = ()) -> Iterator[tuple[Way, dict[str, Any]]]:
    """Every value that a schema knows, with what it may be."""
    for key, below in schema.get("properties", {}).items():
        yield (*path, key), below
        yield from schemas(below, (*path, key))


def kinds(schema: dict[str, Any]) -> set[str]:
    """The types that a value may have."""
    stated = schema.get("type", [])
    return set(stated) if isinstance(stated, list) else {stated}


def joined(items: Iterator[tuple[Way, Any]]) -> dict[str, Any]:
    """All of them as one tree."""
    root: dict[str, Any] = {}
    for path, value in items:
        node = root
        for key in path[:-1]:
            below = node.get(key)
            node = node.setdefault(key, {}) if isinstance(below, dict) or below is None else {}
        node[path[-1]] = copy.deepcopy(value)
    return root


@pytest.mark.parametrize("case", corpus_cases())
def test_any_value_that_the_schema_takes_is_rendered(case: str, helm4: Path, tmp_path: Path) -> None:
    """Texts that look like YAML and like templates, empty ones, nulls, other numbers, and every place that is open."""
    chart = write(emit(chart_input(corpus(case), name=case)), tmp_path / "chart")
    schema = json.loads((chart / "values.schema.json").read_text(encoding="utf-8"))
    known = list(schemas(schema))
    texts = [path for path, below in known if "string" in kinds(below) and "enum" not in below]
    empties: list[tuple[Way, Any]] = [
        (path, [] if "array" in kinds(below) else {}) for path, below in known if path[-1] in GIVEN
    ]
    tried = {
        "texts": joined((path, HOSTILE) for path in texts),
        "empty texts": joined((path, "") for path in texts),
        "numbers": joined((path, 7) for path, below in known if "integer" in kinds(below)),
        "nulls": joined((path, None) for path, below in known if "null" in kinds(below)),
        "places": joined((path, GIVEN[path[-1]]) for path, _ in known if path[-1] in GIVEN),
        "empty places": joined(iter(empties)),
    }
    plain = rendered(helm4, chart)
    for name, values in tried.items():
        given = tmp_path / "given.json"
        given.write_text(json.dumps(values), encoding="utf-8")
        printed = run(helm4, "template", "r", chart, f"--values={given}").expect_success().stdout
        objects = [one for one in load_all(printed.encode(), name) if one]
        assert all(one["kind"] for one in objects)
        if name in {"places", "empty places"}:
            assert len(objects) == len(plain), name
    switched = [path for path, below in known if path[-1] == "enabled" and below["type"] == ["boolean", "null"]]
    for path in switched:
        given.write_text(json.dumps(nested(path, value=False)), encoding="utf-8")
        left = rendered(helm4, chart, f"--values={given}")
        assert len(plain.keys() - left.keys()) == 1, path
        assert all(plain.get(key) == one for key, one in left.items()), path
