"""A question about one service costs what that service costs: case one-question-compiles-everything."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile.git.folders import folders_of
from envcompile.units.compile import compile_unit
from envcompile.units.planned import PlannedUnits
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

SERVICES: Final = tuple(f"svc{number}" for number in range(12))
FILES: Final = {
    "envc.yaml": "environments: [dev, prod]\nchart: {name: shop, version: 1.0.0}\n",
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    **{f"base/{name}/configmap.yaml": config_map(name, a="one") for name in SERVICES},
    **{f"base/{name}/deployment.yaml": deployment(name) for name in SERVICES},
}
EDITED: Final = {"base/svc7/configmap.yaml": config_map("svc7", a="one", b="two")}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was built, checked and committed, one file of which was edited since."""
    root = write_files(tmp_path, FILES)
    an_hour_ago = time.time() - 3600
    for path in root.rglob("*"):
        os.utime(path, (an_hour_ago, an_hour_ago))
    git(root, "init", "--quiet")
    for command in (("build",), ("check", "--fail-on", "never")):
        assert run_envc(root, *command).code == 0
    commit(root)
    return write_files(root, EDITED)


@pytest.mark.parametrize(
    ("command", "said", "most"),
    [
        (("explain", "prod", "ConfigMap/svc7", "data.b"), "base/svc7/configmap.yaml:", 2),
        (("affected", "--from", "HEAD"), "ConfigMap/svc7", 2),
        (("diff", "--from", "HEAD"), "ConfigMap/svc7", 2),
        (("check", "--fail-on", "never"), "2 environments, 48 resources", 1),
        (("build",), "", 1),
    ],
    ids=["explain", "affected", "diff of one change", "check after one change", "chart after one change"],
)
def test_one_question_compiles_everything(
    root: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], said: str, most: int
) -> None:
    """One question compiles the edited service, now and as it was, and reads no other unit's plan but for a build."""
    compiled: list[tuple[str, str]] = []
    read: list[int] = []
    get = PlannedUnits.__getitem__

    def counted(given: Any, *rest: Any, **options: Any) -> Any:
        compiled.append((given.environment, given.app))
        return compile_unit(given, *rest, **options)

    def counting(units: PlannedUnits, number: Any) -> Any:
        read.append(number)
        return get(units, number)

    monkeypatch.setattr("envcompile.units.environment.compile_unit", counted)
    monkeypatch.setattr(PlannedUnits, "__getitem__", counting)
    outcome = run_envc(root, *command)
    assert outcome.code == (16 if command[0] == "diff" else 0)
    assert said in outcome.out + outcome.err
    assert {app for _, app in compiled} <= {"svc7"}
    assert max((compiled.count(one) for one in compiled), default=0) <= most
    if command != ("build",):
        assert set(read) <= {SERVICES.index("svc7"), sorted(SERVICES).index("svc7")}
    else:
        assert (root / "environments/prod/svc7/configmap-svc7.yaml").read_text().count("b: ") == 1


def test_folders_are_called_as_git_calls_them(root: Path) -> None:
    """Git's names of folders are made from those of the files in them, as `git write-tree` makes them."""
    commit(root)
    listed = [
        line.partition("\t") for line in git(root, "ls-tree", "-r", "-t", "HEAD", "base", "overlays").splitlines()
    ]
    facts = {path: said.split() for said, _, path in listed}
    folders = folders_of({path: name for path, (_, kind, name) in facts.items() if kind == "blob"})
    trees = {path: name for path, (_, kind, name) in facts.items() if kind == "tree"}
    assert {path: folders[path.rpartition("/")[0]][f"{path.rpartition('/')[2]}/"] for path in trees} == trees != {}
