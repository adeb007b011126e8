"""Same input, same bytes: on every machine, in every order, in every folder, and from a commit."""

from __future__ import annotations

import importlib.metadata
import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile import Project
from envcompile.sources import GitTree
from tests.harness.command import call_envc, run_envc
from tests.harness.repository import commit, config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import MakeProject

PATCH = """\
apiVersion: envcompile.dev/v1
kind: Patch
target: {kind: Deployment}
merge:
  metadata: {labels: {zone: a, area: b, "ünicode": "${{ params.word }}"}}
"""
SOURCES = {
    "base/web/deployment.yaml": deployment("web", image="nginx:1.27"),
    "base/web/config.yaml": config_map("web", zebra="1", apple='"yes"', mango="0x1F", kiwi="ü"),
    "base/api/all.yaml": f"{deployment('api')}---\n{config_map('api', color='blue')}",
    "base/jobs/made.jsonnet": (
        "function(environment) {[n]: {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: n},\n"
        "  data: {env: environment.name, lib: import 'l.libsonnet'}} for n in ['q', 'p', 'r']}\n"
    ),
    "lib/l.libsonnet": "'ß'\n",
    "base/gates/a.yaml": "apiVersion: a.example.com/v1\nkind: Gate\nmetadata: {name: x}\n",
    "base/gates/b.yaml": "apiVersion: b.example.com/v1\nkind: Gate\nmetadata: {name: x}\n",
    "overlays/common/environment.yaml": environment("abstract: true\nlabels: {team: shop, cost: x}\n"),
    "overlays/common/patch.yaml": PATCH,
    "overlays/dev/environment.yaml": environment("extends: [../common]\nparams: {word: dev}\nsyncWaves: true\n"),
    "overlays/prod/environment.yaml": environment(
        "extends: [../common]\nparams: {word: größer}\nreplicas: {web: 3, api: 2}\nrollout: checksum\n"
    ),
    "overlays/prod/web.yaml": config_map("web", apple='"no"'),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """What a plain build gives."""
    root = write_files(tmp_path_factory.mktemp("plain") / "project", SOURCES)
    assert run_envc(root, "build").err == "dev: 9 resources, 9 added\nprod: 9 resources, 9 added\n"
    return read_files(root / "environments")


@pytest.mark.parametrize("seed", range(5))
def test_the_order_in_which_files_were_made_does_not_matter(
    tmp_path: Path, expected: Mapping[str, bytes], seed: int
) -> None:
    """Folders list their files in the order of their making on some file systems."""
    names = random.Random(seed).sample(sorted(SOURCES), len(SOURCES))
    root = write_files(tmp_path / "project", {name: SOURCES[name] for name in names})
    assert run_envc(root, "build").code == 0
    assert read_files(root / "environments") == expected


@pytest.mark.parametrize(
    ("env", "umask"),
    [
        ({"PYTHONHASHSEED": "0"}, 0o022),
        ({"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland"}, 0o077),
        ({"PYTHONHASHSEED": "random", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0o002),
        ({"LC_ALL": "tr_TR.UTF-8", "COLUMNS": "20", "PYTHONOPTIMIZE": "2"}, 0o022),
    ],
    ids=["hash seed 0", "hash seed 1, time zone, umask", "random hash seed, ASCII locale", "Turkish, optimised"],
)
def test_the_machine_does_not_matter(
    make_project: MakeProject, expected: Mapping[str, bytes], env: dict[str, str], umask: int
) -> None:
    """Hash seed, time zone, locale, umask, width of the terminal."""
    root = make_project(SOURCES)
    built = call_envc(root, "build", env=env, umask=umask)
    assert (built.code, built.err) == (0, "dev: 9 resources, 9 added\nprod: 9 resources, 9 added\n")
    assert read_files(root / "environments") == expected


@pytest.mark.parametrize("below", ["", "base/web", "overlays/prod"])
def test_the_current_folder_does_not_matter(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, expected: Mapping[str, bytes], below: str
) -> None:
    """From any folder of the project, without naming it."""
    root = make_project(SOURCES)
    monkeypatch.chdir(root / below)
    assert run_envc(None, "build").code == 0
    assert read_files(root / "environments") == expected


@pytest.mark.parametrize("name", ["other", "with a space", "größer", "-dash", "a/b/c", "[x]*"])
def test_the_projects_own_folder_does_not_matter(
    make_project: MakeProject, expected: Mapping[str, bytes], name: str
) -> None:
    """Clones have any name."""
    root = make_project(SOURCES, name)
    assert run_envc(root, "build").code == 0
    assert read_files(root / "environments") == expected


def test_a_symlinked_project_is_the_same_project(
    make_project: MakeProject, tmp_path: Path, expected: Mapping[str, bytes]
) -> None:
    """Seen through a symlink, the output is where it belongs."""
    root = make_project(SOURCES)
    (tmp_path / "link").symlink_to(root)
    assert run_envc(tmp_path / "link", "build").code == 0
    assert read_files(root / "environments") == expected


def test_environments_one_by_one_equal_all_at_once(make_project: MakeProject, expected: Mapping[str, bytes]) -> None:
    """What environments share is rendered once; that shows in no byte."""
    root = make_project(SOURCES)
    for name in ("prod", "dev"):
        assert run_envc(root, "build", name).code == 0
    assert read_files(root / "environments") == expected


def test_a_commit_compiles_to_the_same_values(make_project: MakeProject) -> None:
    """The tree of a commit and the folder it was made from."""
    root = make_project(SOURCES)
    revision = commit(root)
    for name in ("dev", "prod"):
        there, here = Project(GitTree(root, revision)).compile(name), Project.open(root).compile(name)
        assert [(item.id, item.app) for item in there.resources] == [(item.id, item.app) for item in here.resources]
        assert [item.value for item in there.resources] == [item.value for item in here.resources]


def test_windows_line_ends_in_sources_change_nothing(make_project: MakeProject, expected: Mapping[str, bytes]) -> None:
    """A checkout with CRLF compiles to the same bytes."""
    root = make_project({
        name: text.replace("\n", "\r\n").encode() if name.endswith(".yaml") else text for name, text in SOURCES.items()
    })
    assert run_envc(root, "build").code == 0
    assert read_files(root / "environments") == expected


def _interpreters() -> list[Path]:
    """Other versions of Python, as pyenv installs them."""
    versions = Path("~/.pyenv/versions").expanduser()
    return sorted(path for series in ("3.12", "3.13", "3.14") for path in versions.glob(f"{series}.*/bin/python"))


_REQUIRED = ("cryptography", "gojsonnet", "msgspec", "pyyaml", "rich", "typer")


@pytest.mark.slow
@pytest.mark.parametrize("python", _interpreters(), ids=lambda path: path.parents[1].name)
def test_the_version_of_python_does_not_matter(
    make_project: MakeProject, tmp_path: Path, expected: Mapping[str, bytes], python: Path
) -> None:
    """Needs pyenv's other interpreters and a package index or cache that answers within half a minute."""
    try:
        pinned = [f"{name}=={importlib.metadata.version(name)}" for name in _REQUIRED]
        subprocess.run([python, "-m", "venv", tmp_path / "venv"], check=True, capture_output=True, timeout=60)
        own = tmp_path / "venv/bin/python"
        install = [str(own), "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--retries=0", *pinned]
        subprocess.run(install, check=True, capture_output=True, timeout=60)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"the dependencies cannot be installed for {python}: {type(error).__name__}")
    root = make_project(SOURCES)
    built = call_envc(root, "build", python=str(own))
    assert (built.code, built.err) == (0, "dev: 9 resources, 9 added\nprod: 9 resources, 9 added\n")
    assert read_files(root / "environments") == expected
