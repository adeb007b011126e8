"""Oddities of scale: large, many, deep. All end with the right result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.harness.command import call_envc, run_envc
from tests.harness.repository import config_map, deployment, environment, read_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow


def test_a_thousand_services_in_four_environments(make_project: MakeProject) -> None:
    """Eight thousand resources; then a change of one file, a check, and a pruned service."""
    files = {}
    for number in range(1000):
        name = f"s{number:04}"
        files[f"base/{name}/deployment.yaml"] = deployment(name, image=f"r.example.com/{name}:1")
        files[f"base/{name}/config.yaml"] = config_map(name, number=f'"{number}"', host="${{ params.host }}")
    for name in ("dev", "test", "staging", "prod"):
        files[f"overlays/{name}/environment.yaml"] = environment(
            f"namespace: {name}\nparams: {{host: {name}.example.com}}\n"
        )
        files[f"overlays/{name}/patch.yaml"] = (
            "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Deployment, name: 's*7'}\n"
            "merge: {spec: {replicas: 7}}\n"
        )
    root = make_project(files)
    built = call_envc(root, "build")
    assert built.code == 0
    assert built.err.splitlines()[0] == "dev: 2000 resources, 2000 added"
    output = read_files(root / "environments")
    assert len(output) == 4 * 2001
    for name in ("dev", "prod"):
        for number in (0, 7, 999):
            value = yaml.safe_load(output[f"{name}/s{number:04}/deployment-s{number:04}.yaml"])
            assert value["metadata"] == {"name": f"s{number:04}", "namespace": name}
            assert value["spec"]["replicas"] == (7 if number == 7 else 1)
            data = yaml.safe_load(output[f"{name}/s{number:04}/configmap-s{number:04}.yaml"])["data"]
            assert data == {"number": str(number), "host": f"{name}.example.com"}
    (root / "base/s0500/deployment.yaml").write_text(deployment("s0500", image="r.example.com/s0500:2"))
    changed = call_envc(root, "build")
    assert changed.err == "".join(f"{name}: 2000 resources, 1 changed\n" for name in ("dev", "prod", "staging", "test"))
    for path in (root / "base/s0999").iterdir():
        path.unlink()
    pruned = call_envc(root, "build")
    assert pruned.err == "".join(f"{name}: 1998 resources, 2 removed\n" for name in ("dev", "prod", "staging", "test"))
    assert call_envc(root, "build", "--check").code == 0


def test_one_file_with_two_thousand_documents(make_project: MakeProject) -> None:
    """Each is found again by an overlay, and explained at its own line."""
    root = make_project({
        "base/app/all.yaml": "---\n".join(config_map(f"c{number:04}", number=f'"{number}"') for number in range(2000)),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/some.yaml": "---\n".join(
            config_map(f"c{number:04}", color="red") for number in range(0, 2000, 7)
        ),
    })
    assert run_envc(root, "build").err == "prod: 2000 resources, 2000 added\n"
    assert yaml.safe_load((root / "environments/prod/app/configmap-c1407.yaml").read_text())["data"] == {
        "number": "1407",
        "color": "red",
    }
    explained = run_envc(root, "explain", "prod", "configmap/c1999", "data.number").out
    assert f"base/app/all.yaml:{1999 * 7 + 6}:11" in explained


def test_two_hundred_environments_that_extend_each_other(make_project: MakeProject) -> None:
    """Each lays its layer over all those below it."""
    files = {"base/app/config.yaml": config_map(base="x")}
    for number in range(200):
        below = f"extends: [../e{number - 1:03}]\n" if number else ""
        files[f"overlays/e{number:03}/environment.yaml"] = environment(f"{below}namespace: n{number}\n")
        files[f"overlays/e{number:03}/config.yaml"] = config_map(**{f"k{number:03}": "x", "last": f"e{number:03}"})
    root = make_project(files)
    outcome = run_envc(root, "build")
    assert outcome.code == 0
    assert len(outcome.err.splitlines()) == 200
    for number in (0, 1, 99, 199):
        value = yaml.safe_load((root / f"environments/e{number:03}/app/configmap-settings.yaml").read_text())
        assert value["metadata"]["namespace"] == f"n{number}"
        assert value["data"] == {
            "base": "x",
            "last": f"e{number:03}",
            **{f"k{below:03}": "x" for below in range(number + 1)},
        }
    assert (
        "  * overlays/e199  overlays/e199/config.yaml:7:9"
        in run_envc(root, "explain", "e199", "configmap/settings", "data.last").out
    )


def test_a_config_map_of_five_megabytes(make_project: MakeProject) -> None:
    """A hundred thousand lines; one of them changed by an overlay, inside of the text."""
    lines = [f"key.{number:06}=value of some length, number {number}" for number in range(100_000)]
    text = "".join(f"    {line}\n" for line in lines)
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: big\ndata:\n  app.properties: |\n"
    root = make_project({
        "base/app/big.yaml": head + text,
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/big.yaml": head + "    key.050000=changed\n",
    })
    assert run_envc(root, "build").code == 0
    found = (root / "environments/prod/app/configmap-big.yaml").read_text()
    lines[50_000] = "key.050000=changed"
    assert found == head + "".join(f"    {line}\n" for line in lines)
    explained = run_envc(root, "explain", "prod", "configmap/big", "data.app\\.properties#key.050000").out
    assert "base/app/big.yaml:50007:5" in explained
    assert "  * overlays/prod  overlays/prod/big.yaml:7:5" in explained


def nested(depth: int, leaf: str) -> str:
    """A custom resource with maps inside of maps."""
    return (
        "apiVersion: example.com/v1\nkind: Deep\nmetadata: {name: deep}\nspec: "
        + "{a: " * depth
        + leaf
        + "}" * depth
        + "\n"
    )


def test_five_hundred_levels(make_project: MakeProject) -> None:
    """Merged, rendered and explained to the innermost field."""
    root = make_project({
        "base/app/deep.yaml": nested(500, "{old: 1, both: 1}"),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/deep.yaml": nested(500, "{new: 2, both: 2}"),
    })
    outcome = run_envc(root, "build")
    assert (outcome.err, outcome.code) == ("prod: 1 resources, 1 added\n", 0)
    text = (root / "environments/prod/app/deep-deep.yaml").read_text()
    assert [line.strip() for line in text.splitlines()[-3:]] == ["old: 1", "both: 2", "new: 2"]
    assert text.count(" a:\n") == 500
    explained = run_envc(root, "explain", "prod", "deep/deep", "spec" + ".a" * 500 + ".both")
    assert explained.code == 0
    assert "  * overlays/prod  overlays/prod/deep.yaml:4:" in explained.out


@pytest.mark.parametrize("depth", [3000, 50_000])
def test_absurd_depth_is_refused_at_its_place(make_project: MakeProject, depth: int) -> None:
    """A message, not a crash of the interpreter."""
    root = make_project({"base/app/deep.yaml": nested(depth, "1"), "overlays/prod/environment.yaml": environment()})
    outcome = call_envc(root, "build")
    assert outcome.code == 1
    assert "nested" in outcome.err
    assert "--> base/app/deep.yaml:4:" in outcome.err
