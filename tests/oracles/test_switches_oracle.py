"""Every switch of a chart does what its comment says: what it reaches changes, and nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from envcompile.chart import emit
from envcompile.yamlio import load_all
from tests.chart.samples import chart_input, corpus, corpus_cases
from tests.oracles.test_chart_oracle import write
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.oracle, pytest.mark.corpora]

MOST = 12
"""Switches of a chart that are tried, spread over all it has; `--sequences 1000` tries every one."""


class Reach(NamedTuple):
    """What a comment says that a value reaches."""

    named: frozenset[str]
    more: int


class Switch(NamedTuple):
    """A value that is true or false."""

    path: tuple[str, ...]
    value: bool
    reach: Reach


def reach_of(comment: str) -> Reach:
    """What `Kind/name, Kind/name and 3 more · a note` says."""
    words = comment.partition(" · ")[0]
    more = re.search(r" and (\d+) more$", words)
    names = words[: more.start()] if more else words
    return Reach(frozenset(names.split(", ")), int(more[1]) if more else 0)


def comments(text: str) -> dict[tuple[str, ...], Reach]:
    """The comment above each key of values.yaml, by the key's path."""
    found: dict[tuple[str, ...], Reach] = {}
    path: list[str] = []
    pending = ""
    for line in text.splitlines():
        content = line.lstrip()
        depth = (len(line) - len(content)) // 2
        if content.startswith("# -- "):
            pending = content.removeprefix("# -- ")
        elif (key := re.match(r'"?([A-Za-z_][\w-]*)"?:', content)) is not None and depth <= len(path):
            path = [*path[:depth], key[1]]
            if pending:
                found[tuple(path)] = reach_of(pending)
            pending = ""
    return found


def switches(values: Any, known: dict[tuple[str, ...], Reach], path: tuple[str, ...] = ()) -> Iterator[Switch]:
    """Every true or false in the values, with what the nearest comment above it says."""
    for key, value in values.items():
        here = (*path, key)
        if isinstance(value, dict):
            yield from switches(value, known, here)
        elif isinstance(value, bool):
            told = next((known[here[:cut]] for cut in range(len(here), 0, -1) if here[:cut] in known), None)
            if told is not None:
                yield Switch(here, value, told)


def rendered(helm: Path, chart: Path, *flags: str) -> dict[tuple[str, str, str], Any]:
    """The objects of a chart; no two are the same object."""
    printed = run(helm, "template", "r", chart, *flags).expect_success().stdout
    objects = [one for one in load_all(printed.encode(), "printed") if one]
    keys = [(one["kind"], one["metadata"].get("namespace", ""), name_of(one)) for one in objects]
    named = [key for key, one in zip(keys, objects, strict=True) if "generateName" not in one["metadata"]]
    assert not [key for key, count in Counter(named).items() if count > 1]
    return dict(zip(keys, objects, strict=True))


def name_of(one: Any) -> str:
    """The name of an object, or what it begins with."""
    found: str = one["metadata"].get("name") or one["metadata"].get("generateName", "")
    return found


def nested(path: tuple[str, ...], value: bool) -> dict[str, Any]:  # ruff: ignore[boolean-type-hint-positional-argument]
    """Maps with one value at the end of a path."""
    found: Any = value
    for key in reversed(path):
        found = {key: found}
    return dict(found)


@pytest.mark.parametrize("case", corpus_cases())
def test_a_switch_reaches_what_its_comment_says(
    case: str, helm4: Path, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Turned over one at a time, it moves no other object and doubles none."""
    chart = write(emit(chart_input(corpus(case), name=case)), tmp_path / "chart")
    text = (chart / "values.yaml").read_text(encoding="utf-8")
    (values,) = load_all(text.encode(), "values.yaml")
    every = list(switches(values, comments(text)))
    most = len(every) if pytestconfig.getoption("--sequences", default=0) >= 1000 else MOST
    before = rendered(helm4, chart)
    for switch in every[:: max(1, -(-len(every) // max(1, most)))]:
        given = tmp_path / "given.json"
        given.write_text(json.dumps(nested(switch.path, not switch.value)), encoding="utf-8")
        after = rendered(helm4, chart, f"--values={given}")
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        where = ".".join(switch.path)
        # Any other may stand inside of a part that is off.
        if switch.value and (switch.path[-1] == "enabled" or switch.path[:2] == ("global", "features")):
            assert changed, f"{where} does nothing"
        # A comment names objects of two namespaces once, and none by the digest behind its name.
        short = {_plain(f"{kind}/{name}") for kind, _, name in changed}
        named = {_plain(one.replace("/~", "/")) for one in switch.reach.named}
        assert len(short | named) <= len(named) + switch.reach.more, (where, short - named)


def _plain(title: str) -> str:
    return re.sub(r"-[a-z0-9]{10}$", "", title)
