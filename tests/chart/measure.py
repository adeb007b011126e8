"""What a chart's values look like, counted: `python -m tests.chart.measure CHART...` prints rows of `docs/charts.md`.

The same counts for every chart, whoever wrote it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES: Final = (
    "affinity",
    "autoscaling",
    "extraEnv",
    "extraVolumeMounts",
    "extraVolumes",
    "fullnameOverride",
    "imagePullSecrets",
    "imageRegistry",
    "ingress",
    "initContainers",
    "networkPolicy",
    "nodeSelector",
    "podAnnotations",
    "podDisruptionBudget",
    "podLabels",
    "resources",
    "serviceAccount",
    "sidecars",
    "tolerations",
    "topologySpreadConstraints",
)
"""What people look for in a chart that is not theirs; other spellings of a name count, too."""
_ALSO: Final = {
    "extraEnv": ("extraEnvVars", "extraEnvs"),
    "podDisruptionBudget": ("pdb",),
    "initContainers": ("extraInitContainers",),
    "sidecars": ("extraContainers",),
}
_KEY: Final = re.compile(r'( *)"?([\w./-]+)"?:(.*)$')


class Counted(NamedTuple):
    """A chart in figures."""

    lines: int
    values: int
    empty: int
    """Values that are an empty text, map or list, or null."""
    deepest: int
    """Keys on the way to the deepest value."""
    told: int
    """Percent of the values that have a comment, or are below a map that has one."""
    has_schema: bool
    places: int
    """How many of `PLACES` it has."""
    has_tests: bool


def count(chart: Path) -> Counted:
    """Count one chart."""
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    documents = load_all(text.encode(), "values.yaml", last_wins=True)
    found = list(_leaves(documents[0] if documents else {}))
    schema = chart / "values.schema.json"
    keys = {key for path, _ in found for key in path}
    if schema.is_file():
        keys |= set(_named(json.loads(schema.read_text(encoding="utf-8"))))
    places = [name for name in PLACES if keys & {name, *_ALSO.get(name, ())}]
    empty = [path for path, value in found if value in ({}, [], "", None)]
    has_tests = any("helm.sh/hook" in file.read_text(encoding="utf-8") for file in chart.glob("templates/tests/*"))
    return Counted(
        len(text.splitlines()),
        len(found),
        len(empty),
        max(len(path) for path, _ in found),
        _told(text),
        schema.is_file(),
        len(places),
        has_tests,
    )


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    else:
        yield path, value


def _named(schema: Any) -> Iterator[str]:
    """The properties that a schema knows, at any depth."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties" and isinstance(value, dict):
                yield from value
            yield from _named(value)


def _told(text: str) -> int:
    above: list[tuple[int, bool]] = []
    told = total = 0
    before = ""
    for line in filter(str.strip, text.splitlines()):
        key = _KEY.match(line)
        if key is not None:
            above = [item for item in above if item[0] < len(key[1])]
            above.append((len(key[1]), before.startswith("#")))
            if key[3].partition(" #")[0].strip():
                total += 1
                told += any(is_told for _, is_told in above)
        before = line.strip()
    return 100 * told // total if total else 100


if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        row = count(folder)
        share = f"{row.empty} ({100 * row.empty // row.values} %)"
        marks = ["yes" if mark else "no" for mark in (row.has_schema, row.has_tests)]
        cells = [row.lines, row.values, share, row.deepest, f"{row.told} %", marks[0], row.places, marks[1]]
        sys.stdout.write(f"| {folder.name} | {' | '.join(map(str, cells))} |\n")
