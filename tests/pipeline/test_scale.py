"""Oddities of scale give right results or clear errors; none of them a crash or a hang."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from envcompile import Project, yamlio
from envcompile.pipeline.freshness import scan
from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import FORMS, Logical
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

PROD = {"overlays/prod/environment.yaml": environment()}


def test_a_thousand_services_in_four_environments(tmp_path: Path) -> None:
    """28,000 resources: built as expected, found current, and one change found among them."""
    generate(Logical(1000, 4, 7, {}), tmp_path, ["envc", "expected"])
    root = tmp_path / "envc"
    built = run_envc(root, "build")
    assert built.code == 0, built.err
    assert run_envc(root, "build").err.endswith(" resources: nothing to do\n")
    project = Project.open(root)
    assert len(project.environments) == 4
    values = [item.value for item in project.compile("prod").resources]
    expected = [json.loads(line) for line in (tmp_path / "expected/prod.jsonl").read_text().splitlines()]
    assert sorted(map(_canonical, values)) == sorted(map(_canonical, expected))
    before = scan(str(root / "environments"), project.environments, hidden=True)
    for path, text in FORMS["envc"](Logical(1000, 4, 7, {500: 1})):
        if (root / path).read_text() != text:
            (root / path).write_text(text)
    assert run_envc(root, "build").code == 0
    after = scan(str(root / "environments"), project.environments, hidden=True)
    assert before.keys() == after.keys()
    assert 0 < len({path for path in before if before[path] != after[path]}) < 60
    assert run_envc(root, "build", "--check").code == 0


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def test_one_file_with_two_thousand_documents(make_project: MakeProject) -> None:
    """Each is a resource of its own, and a mistake in one of the last is told with its line."""
    documents = [config_map(f"c{number:04}", number=f'"{number}"') for number in range(2000)]
    root = make_project({"base/web/all.yaml": "---\n".join(documents), **PROD})
    assert run_envc(root, "build").err == "prod: 2000 resources, 2000 added\n"
    assert (root / "environments/prod/web/configmap-c1999.yaml").read_text() == documents[-1]
    documents[1990] = documents[0]
    (root / "base/web/all.yaml").write_text("---\n".join(documents))
    assert run_envc(root, "build").err == (
        "error: ConfigMap/c0000 is defined twice\n"
        "  --> base/web/all.yaml:13931:1\n"
        "  --> base/web/all.yaml:1:1\n"
        "hint: keep one of them, or give one another name; changes of a base resource belong into an overlay\n"
    )


def test_two_hundred_environments_that_extend_each_other(make_project: MakeProject) -> None:
    """Each lies on the one before: the last has what all of them say."""
    files = {"base/web/config.yaml": config_map("web", base='"0"')}
    for number in range(200):
        extends = f"extends: [../e{number - 1:03}]\n" if number else ""
        files[f"overlays/e{number:03}/environment.yaml"] = environment(extends)
        files[f"overlays/e{number:03}/web.yaml"] = config_map(
            "web", last=f'"{number}"', **{f"k{number}": f'"{number}"'}
        )
    root = make_project(files)
    assert run_envc(root, "build", "e000", "e100", "e199").code == 0
    assert len(Project.open(root).environments) == 200
    (value,) = yamlio.load_all((root / "environments/e199/web/configmap-web.yaml").read_bytes(), "x")
    assert value["data"] == {"base": "0", "last": "199"} | {f"k{number}": str(number) for number in range(200)}
    (value,) = yamlio.load_all((root / "environments/e100/web/configmap-web.yaml").read_bytes(), "x")
    assert len(value["data"]) == 103


def test_two_hundred_environments_in_a_circle(make_project: MakeProject) -> None:
    """The circle is told, once, and not walked for ever."""
    root = make_project({
        f"overlays/e{number:03}/environment.yaml": environment(f"extends: [../e{(number + 1) % 200:03}]\n")
        for number in range(200)
    })
    built = run_envc(root, "build")
    assert built.code == 1
    assert built.err.count("error: ") == 1
    assert "e000" in built.err
    assert "e199" in built.err


def test_a_config_map_of_five_megabytes(make_project: MakeProject) -> None:
    """Text and lines come out as they went in, patched in one place."""
    lines = "".join(f"    key{number}=value {number}\n" for number in range(220_000))
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\ndata:\n  app.properties: |\n{lines}"
    assert len(text) > 5_000_000
    patch = config_map("big").replace("  color: blue\n", "  app.properties: |\n    key7=new\n")
    root = make_project({"base/web/big.yaml": text, "overlays/prod/big.yaml": patch, **PROD})
    assert run_envc(root, "build").err == "prod: 1 resources, 1 added\n"
    built = (root / "environments/prod/web/configmap-big.yaml").read_text()
    assert built == text.replace("key7=value 7\n", "key7=new\n")


def _nested(style: str, depth: int, innermost: int) -> str:
    """A custom resource whose `spec` is maps in maps."""
    head = "apiVersion: example.com/v1\nkind: Deep\nmetadata:\n  name: deep\nspec:"
    if style == "flow":
        return f"{head} {'{a: ' * depth}{innermost}{'}' * depth}\n"
    lines = [f"{'  ' * (level + 1)}a:" for level in range(depth)]
    return "\n".join([head, *lines]) + f" {innermost}\n"


def _innermost(root: Path, depth: int) -> object:
    (value,) = yamlio.load_all((root / "environments/prod/web/deep-deep.yaml").read_bytes(), "x")
    inner = value["spec"]
    for _ in range(depth):
        inner = inner["a"]
    return inner


@pytest.mark.parametrize("style", ["flow", "block"])
def test_nesting_of_five_hundred_levels_is_compiled(make_project: MakeProject, style: str) -> None:
    """Deeper than any resource."""
    root = make_project({"base/web/deep.yaml": _nested(style, 500, 1), **PROD})
    assert run_envc(root, "build").err == "prod: 1 resources, 1 added\n"
    assert _innermost(root, 500) == 1


@pytest.mark.parametrize(
    "depth",
    [400, 500],
)
def test_nested_maps_are_merged(make_project: MakeProject, depth: int) -> None:
    """A patch reaches the innermost value."""
    files = {"base/web/deep.yaml": _nested("block", depth, 1), "overlays/prod/deep.yaml": _nested("block", depth, 2)}
    root = make_project(files | PROD)
    assert run_envc(root, "build").err == "prod: 1 resources, 1 added\n"
    assert _innermost(root, depth) == 2


def test_nesting_without_end_is_refused(make_project: MakeProject) -> None:
    """With its place, not with a crash."""
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {'{a: ' * 50_000}1{'}' * 50_000}\n"
    root = make_project({"base/web/deep.yaml": text, **PROD})
    built = run_envc(root, "build")
    assert built.code == 1
    assert "base/web/deep.yaml:3:" in built.err


def test_an_alias_bomb_is_refused(make_project: MakeProject) -> None:
    """A few lines that stand for thousands of millions of values."""
    levels = "".join(
        f"x{number}: &x{number} [{', '.join([f'*x{number - 1}'] * 10)}]\n" if number else "x0: &x0 [lol]\n"
        for number in range(12)
    )
    root = make_project({
        "base/web/bomb.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: bomb}}\n{levels}",
        **PROD,
    })
    built = run_envc(root, "build")
    assert built.code == 1
    assert "  --> base/web/bomb.yaml:" in built.err
    assert built.err.count("error: ") == 1
