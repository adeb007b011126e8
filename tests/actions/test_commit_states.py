"""What of a commit has a say in an environment, who compiled it, and how little of it is compiled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import envcompile
from envcompile.actions.at_commit import AtCommit
from envcompile.actions.commit_inputs import EnvironmentInputs
from envcompile.actions.opening import open_repository
from envcompile.actions.recorder import Recorder
from envcompile.actions.tool import tool_of
from envcompile.history.database import connect
from envcompile.history.store import Store
from envcompile.model import ResourceId
from envcompile.units import environment as environments
from envcompile.units import revised
from envcompile.units.compile import compile_unit
from envcompile.units.snapshot import tool_stamp
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files

if TYPE_CHECKING:
    import pytest

    from envcompile.kubernetes import KubeApi
    from envcompile.units.unit import CompiledUnit, UnitInput

LAYERS = {"dev": ("dev",), "prod": ("prod",)}
FILES = {
    "base/web.yaml": deployment("web"),
    "base/api.yaml": deployment("api"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}


def begun(root: Path, **further: str) -> str:
    """A repository of two services in two environments; its first commit."""
    git(write_files(root, {**FILES, **further}), "init", "-q")
    return commit(root, "start")


def changed_digests(root: Path, before: str, files: dict[str, str]) -> set[str]:
    """The environments in which a further commit has a say."""
    after = commit(write_files(root, files), "next")
    repository = open_repository(root)
    with closing(repository.objects()) as objects:
        inputs = EnvironmentInputs(objects, repository.prefix)
        one, other = (inputs.of(name, LAYERS, ()) for name in (before, after))
    return {name for name in LAYERS if one[name] != other[name]}


def test_another_environments_overlay_has_no_say(tmp_path: Path) -> None:
    """What is not its own overlay, and not the output, has."""
    before = begun(tmp_path)
    assert changed_digests(tmp_path, before, {"overlays/dev/web.yaml": deployment("web", replicas=2)}) == {"dev"}
    for files, reached in (
        ({"environments/dev/x.yaml": "a: 1\n"}, set()),
        ({"base/web.yaml": deployment("web", replicas=3)}, {"dev", "prod"}),
        ({"README": "more\n"}, {"dev", "prod"}),
    ):
        assert changed_digests(tmp_path, git(tmp_path, "rev-parse", "HEAD").strip(), files) == reached


def test_where_files_lead_elsewhere_everything_has_a_say(tmp_path: Path) -> None:
    """A symlink into another overlay, and jsonnet, which imports what it likes."""
    before = begun(tmp_path / "link", **{"overlays/prod/web.yaml": "-> ../dev/web.yaml"})
    files = {"overlays/dev/web.yaml": deployment("web", replicas=2)}
    assert changed_digests(tmp_path / "link", before, files) == {"dev", "prod"}
    before = begun(tmp_path / "jsonnet", **{"overlays/prod/more.jsonnet": "import '../dev/a.libsonnet'\n"})
    files = {"overlays/dev/a.libsonnet": "[]\n"}
    assert changed_digests(tmp_path / "jsonnet", before, files) == {"dev", "prod"}


def test_a_commit_compiles_the_units_that_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environments that it reaches, once each; a commit that changes no source compiles nothing."""
    compiled: list[str] = []

    def noting(unit: UnitInput, api: KubeApi, *, is_accepted: bool = False) -> CompiledUnit:
        compiled.append(f"{unit.environment}/{unit.app}")
        return compile_unit(unit, api, is_accepted=is_accepted)

    monkeypatch.setattr(environments, "compile_unit", noting)
    monkeypatch.setattr(revised, "compile_unit", noting)
    edits = {
        "base/web.yaml": deployment("web", replicas=2),
        "overlays/dev/api.yaml": deployment("api", replicas=3),
        "README": "more\n",
    }
    first = begun(tmp_path, **{"overlays/dev/api.yaml": deployment("api", replicas=2)})
    commits = [first, *(commit(write_files(tmp_path, {path: text}), path) for path, text in edits.items())]
    repository = open_repository(tmp_path)
    found: list[list[str]] = []
    with closing(connect(f"sqlite:///{tmp_path}/x.db")) as database, Recorder(repository, Store(database)) as recorder:
        for name in commits:
            compiled.clear()
            recorder.record(repository.commit(name))
            found.append(sorted({*compiled}))
    assert found == [["dev/api", "dev/web", "prod/api", "prod/web"], ["dev/web", "prod/web"], ["dev/api"], []]


def test_a_repository_with_sha256_names_is_recorded(tmp_path: Path) -> None:
    """Git's names of contents are no SHA-1 digests there."""
    git(write_files(tmp_path, FILES), "init", "-q", "--object-format=sha256")
    commits = [commit(tmp_path, "start")]
    commits.append(commit(write_files(tmp_path, {"base/web.yaml": deployment("web", replicas=2)}), "more"))
    repository = open_repository(tmp_path)
    with closing(connect(f"sqlite:///{tmp_path}/x.db")) as database, Recorder(repository, Store(database)) as recorder:
        written = [recorder.record(repository.commit(name)) for name in commits]
    assert [one.fails for one in written] == [False, False]
    assert written[1].environments == ("dev", "prod")


def test_another_envc_is_no_ground_to_stand_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case stale-build-after-nested-code-change: what other code recorded is compiled anew, also without an edit."""
    first = begun(tmp_path)
    second = commit(tmp_path, "nothing")
    repository = open_repository(tmp_path)
    with closing(connect(f"sqlite:///{tmp_path}/x.db")) as database:
        store = Store(database)
        with monkeypatch.context() as patch:
            patch.setattr("envcompile.actions.recorder.tool_of", lambda *_: "0.1.0+ffffffffffffffff")
            patch.setattr(
                "envcompile.actions.revisions.without_values", lambda resource, _: resource._replace(value={"old": 1})
            )
            with Recorder(repository, store) as recorder:
                recorder.record(repository.commit(first))
        with Recorder(repository, store) as recorder:
            assert recorder.record(repository.commit(second)).environments == ("dev", "prod")


def test_a_tool_is_its_code_wherever_it_lies(tmp_path: Path) -> None:
    """Case stale-build-after-nested-code-change: a file two folders deep counts, its time and place do not."""
    copy = tmp_path / "copy" / "envcompile"
    shutil.copytree(Path(envcompile.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def told() -> str:
        code = "from envcompile.actions.tool import tool_of; from pathlib import Path; print(tool_of(Path('no'), 'x'))"
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=copy.parent, check=True, capture_output=True, text=True).stdout.strip()

    assert told() == tool_of(tmp_path / "no", tool_stamp())
    changed = copy / "compose" / "configtext" / "questions.py"
    changed.write_text(changed.read_text(encoding="utf-8") + "# more\n", encoding="utf-8")
    assert told() != tool_of(tmp_path / "no", tool_stamp())


def test_the_sources_of_a_commit_say_who_set_a_field(tmp_path: Path) -> None:
    """Nothing is said of a commit that git does not hold, or of a resource that is not there."""
    name = begun(tmp_path, **{"base/settings.yaml": config_map("settings", a="1")})
    repository = open_repository(tmp_path)
    web = ResourceId("apps", "Deployment", "dev", "web")
    with AtCommit(repository, name, "dev") as at:
        assert at.places(web, [("spec", "replicas")]) == {("spec", "replicas"): "base/web.yaml:6:13"}
        assert at.places(web._replace(name="none"), [("spec", "replicas")]) == {}
    with AtCommit(repository, "0" * 40, "dev") as at:
        assert (at.resource(web), at.sources(), at.tree) == (None, None, None)
