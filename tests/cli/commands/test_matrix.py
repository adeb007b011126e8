"""`envc matrix`: what people and programs read, when it fails a pipeline, and what hostile text does: nothing."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "base/web.yaml": deployment(image="registry.example.com/web:v1"),
    "overlays/dev/environment.yaml": environment("namespace: development\n"),
    "overlays/prod/environment.yaml": environment(
        "namespace: production\nimages:\n- name: registry.example.com/web\n  newTag: v2\n"
    ),
    "overlays/prod/map.yaml": config_map("map", host="redis.development.svc"),
    "overlays/dev/map.yaml": config_map("map", host="redis.dev.svc"),
}


@pytest.fixture
def root(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two environments; prod's cache host is copied from dev. A terminal of the usual width."""
    monkeypatch.setenv("COLUMNS", "80")
    return make_project(FILES)


def test_lines_say_value_layer_reason_and_place(root: Path) -> None:
    """Images of one name by their tags; without colours a letter says the layer, in 80 columns."""
    done = run_envc(root, "matrix")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "                            dev                       prod\n"
        "map  1 differs, 1 not on purpose, 0 %\n"
        "  ConfigMap/map\n"
        "    host                    redis.dev.svc o           ! redis.development.svc o\n"
        "      ! prod: names development, another environment\n"
        "        overlays/prod/map.yaml:6:9\n"
        "web  1 differs\n"
        "  Deployment/web\n"
        "    image                   v1 b                      v2 e\n"
        "\n"
        "set by  b base  o own file  e environment.yaml    – not there\n"
        "folded: namespace (--own shows them)\n"
        "1 of 2 differences are on purpose: 50 %\n"
    )


def test_a_pipeline_may_require_a_share(root: Path) -> None:
    """Exit 16 below it, 0 at it."""
    done = run_envc(root, "matrix", "--require", "100")
    assert (done.code, done.err) == (16, "50 % of what differs is on purpose, 100 % is required\n")
    assert run_envc(root, "matrix", "--require", "50").code == 0
    assert run_envc(root, "matrix", "--require", "101").code == 2


def test_one_environment_alone_is_refused(root: Path) -> None:
    """There is nothing beside it."""
    done = run_envc(root, "matrix", "dev")
    assert (done.code, done.err.splitlines()[0]) == (2, "error: one environment has nothing beside it")


def test_every_format_says_the_same(root: Path) -> None:
    """JSON, a line a value for spreadsheets, a table for comments."""
    document = json.loads(run_envc(root, "matrix", "-o", "json").out)
    rows = {row["field"]: row for row in document["rows"]}
    assert (document["differences"], document["onPurpose"], document["percentage"]) == (2, 1, 50.0)
    assert {service["app"]: service["percentage"] for service in document["services"]} == {"map": 0.0, "web": 100.0}
    assert rows["data.host"]["cells"][1]["why"] == "names development, another environment"
    lines = list(csv.DictReader(io.StringIO(run_envc(root, "matrix", "-o", "csv").out)))
    cells = [(row["field"], cell) for row in document["rows"] for cell in row["cells"]]
    assert [(line["field"], line["environment"], line["value"], line["place"]) for line in lines] == [
        (field, cell["environment"], cell["value"], cell["place"]) for field, cell in cells
    ]
    table = run_envc(root, "matrix", "-o", "markdown").out
    assert "| web | Deployment/web | image | v1 | v2 |\n" in table


def test_only_what_changes(root: Path) -> None:
    """What the folder changes against the commit, or since another one; nothing when nothing does."""
    git(root, "init", "-q")
    commit(root)
    assert run_envc(root, "matrix", "--changed").out.endswith("nothing differs\n")
    path = root / "overlays/prod/map.yaml"
    path.write_text(config_map("map", host="redis.prod.svc", size="large"), encoding="utf-8")
    document = json.loads(run_envc(root, "matrix", "--changed", "-o", "json").out)
    assert [row["field"] for row in document["rows"]] == ["data.size"]
    commit(root)
    document = json.loads(run_envc(root, "matrix", "--from", "HEAD~1", "-o", "json").out)
    assert [row["field"] for row in document["rows"]] == ["data.size"]


def test_many_environments_take_several_pages(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four columns each when a line has no room for all, and no line is longer than 80."""
    monkeypatch.setenv("COLUMNS", "80")
    names = [f"env{number}" for number in range(9)]
    files = {f"overlays/{name}/environment.yaml": environment(f"namespace: n{name}\n") for name in names}
    files |= {f"overlays/{name}/web.yaml": deployment(replicas=10 + place) for place, name in enumerate(names)}
    done = run_envc(make_project({"base/web.yaml": deployment(), **files}), "matrix")
    heads = [line.split() for line in done.out.splitlines() if line.strip().startswith("env")]
    assert heads == [names[:4], names[4:8], names[8:]]
    assert max(map(len, done.out.splitlines())) <= 80


def test_hostile_names_and_values_do_nothing(make_project: MakeProject) -> None:
    """Escape sequences, runners' commands, text from right to left, formulas, markup: shown, never obeyed."""
    hostile = "=cmd|'/c calc'!A1\u202e\x1b[31m<script>alert(1)</script> ::error::x @everyone"
    value = json.dumps(hostile)
    files = {
        "base/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\ndata: {a: b}\n",
        "overlays/dev/environment.yaml": environment("namespace: a\n"),
        "overlays/prod/environment.yaml": environment("namespace: b\n"),
        "overlays/prod/map.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map}}\ndata: {{a: {value}}}\n",
    }
    root = make_project(files)
    for words in ((), ("-o", "json"), ("-o", "csv"), ("-o", "markdown"), ("--places",)):
        done = run_envc(root, "matrix", *words)
        assert done.code == 0, done.err
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out
        assert not any(line.lstrip().startswith("::") for line in done.out.splitlines())
    (line,) = [
        line
        for line in csv.DictReader(io.StringIO(run_envc(root, "matrix", "-o", "csv").out))
        if line["environment"] == "prod"
    ]
    assert line["value"].startswith("'=cmd")
    table = run_envc(root, "matrix", "-o", "markdown").out
    assert "<script>" not in table
    assert "@everyone" not in table


def test_nothing_below_envc_is_read_of_a_stranger(root: Path) -> None:
    """`--untrusted` asks no history."""
    assert run_envc(root, "matrix", "--untrusted").code == 0
    document = json.loads(run_envc(root, "matrix", "--untrusted", "-o", "json").out)
    assert set(document["history"].values()) == {None}
