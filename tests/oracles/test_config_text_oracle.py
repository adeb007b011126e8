"""Lines of configuration texts as values of the chart: whatever differs, both Helms give the same text."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from envcompile.chart import convert
from envcompile.chart.verification import Helm, verify
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.oracle

ENVIRONMENTS = ("dev", "staging", "prod")
OBJECTS = 150
SEED = 11
FIRST = (
    "server_name",
    "  Host ",
    "exec",
    "- item",
    "--flag",
    "# note",
    "set $x",
    "a =",
    "b:",
    "location /",
    "{{ x }}",
    "true",
    "-Xmx",
    "",
)
VALUES = ("one", "two;", "three,", "x y z", '"q"', "10mb \\", "{{ .Values }}", "$host;", "#", "a: b", "007", "é", " ")


def line(chance: random.Random) -> str:
    """A line of some syntax."""
    return f"{chance.choice(FIRST)}{chance.choice([' ', '  ', '=', ' = ', ': ', ''])}{chance.choice(VALUES)}"


def texts(chance: random.Random) -> dict[str, str]:
    """One text for each environment: lines of the first, some of them changed, gone, added or moved."""
    first = [line(chance) for _ in range(chance.randrange(3, 14))]
    found = {}
    for name in ENVIRONMENTS:
        lines = list(first)
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(lines)) if lines else 0
            how = chance.randrange(5)
            if how == 0 and lines:
                del lines[at]
            elif how == 1:
                lines.insert(at, line(chance))
            elif how == 2 and lines:
                lines.insert(0, lines.pop(at))
            elif lines:
                head = lines[at].partition(" ")[0]
                lines[at] = f"{head} {chance.choice(VALUES)}"
        found[name] = "\n".join(["[start]", *lines]) + "\n"
    return found


def test_texts_that_differ_in_any_way_are_the_same_texts(helm3: Path, helm4: Path, tmp_path: Path) -> None:
    """Case chart-lines-as-switches, drawn: lines with and without keys, moved, doubled, gone, of any syntax."""
    chance = random.Random(SEED)
    drawn = [texts(chance) for _ in range(OBJECTS)]
    resources = {
        name: [
            (
                "",
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"c{number}"},
                    "data": {"app.conf": text[name]},
                },
            )
            for number, text in enumerate(drawn)
        ]
        for name in ENVIRONMENTS
    }
    made = convert("texts", resources)
    assert made.files["values.yaml"].count("appConf:\n") > OBJECTS // 5  # cut into lines, not whole
    rows = verify(
        [write_files(tmp_path / "texts", made.files)], made.expected, [Helm(str(helm3), "3"), Helm(str(helm4), "4")]
    )
    assert [row.first_difference for row in rows if not row.holds] == []
