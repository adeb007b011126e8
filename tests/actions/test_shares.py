"""A build in copies of the process makes the same bytes and says the same, whatever becomes of the copies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions import shares
from envcompile.actions.keeping import Keeping
from envcompile.emit import columns
from envcompile.units import copies
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

FILES: dict[str, str] = {
    **{f"base/app{number:02}/deployment.yaml": deployment(f"app{number:02}") for number in range(12)},
    **{f"base/app{number:02}/settings.yaml": config_map(f"settings{number:02}", team="x") for number in range(12)},
    "base/app07/params.yaml": config_map("params", color="${{ params.color }}"),
    "overlays/dev/environment.yaml": environment("namespace: dev\nparams: {color: green}\n"),
    "overlays/prod/environment.yaml": environment(
        "namespace: prod\nrollout: checksum\nsyncWaves: true\nparams: {color: blue}\n"
    ),
    "overlays/dev/app03.yaml": config_map("settings03", color="green"),
    "overlays/dev/others/moved.yaml": config_map("settings09", color="green"),
    "overlays/dev/patch.yaml": (
        "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Deployment, name: app1*}\n"
        "merge: {metadata: {annotations: {by: patch}}}\n"
    ),
}


@pytest.fixture(autouse=True)  # ruff: ignore[pytest-fixture-autouse] - every test is about copies
def _able(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies are made, whatever threads other tests left behind."""
    monkeypatch.setattr(copies, "can_copy", lambda: True)
    monkeypatch.setattr(shares, "_TOGETHER", 2)
    monkeypatch.setattr(shares, "_SCANS_TOGETHER", 5)
    monkeypatch.setattr(columns, "MANY", 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project, not built yet."""
    return write_files(tmp_path / "project", FILES)


def alone(folder: Path, files: Mapping[str, str] = FILES) -> Mapping[str, bytes]:
    """What one process makes of a project."""
    other = write_files(folder / "alone", files)
    outcome = run_envc(other, "build", "--jobs=1")
    assert outcome.code == 0, outcome.err
    return read_files(other / "environments")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many copies were made that share work, each time."""
    counts: list[int] = []
    start = copies.Copies.__init__

    def noting(self: copies.Copies, count: int, answer: Any) -> None:
        if not isinstance(getattr(answer, "__self__", None), Keeping):
            counts.append(count)
        start(self, count, answer)

    monkeypatch.setattr(copies.Copies, "__init__", noting)
    return counts


@pytest.mark.parametrize("layout", ["resource", "app", "environment"])
def test_each_layout_has_the_same_bytes(root: Path, tmp_path: Path, layout: str, made: list[int]) -> None:
    """Texts stay with a copy only where each is a file of its own."""
    files = {**FILES, "envc.yaml": f"layout: {layout}\n"}
    write_files(root, files)
    outcome = run_envc(root, "build", "--jobs=3")
    assert outcome.code == 0, outcome.err
    assert made == [2]
    assert read_files(root / "environments") == alone(tmp_path, files)
    assert "nothing to do" in run_envc(root, "build", "--jobs=3").err


def test_files_that_are_there_are_kept_or_replaced(root: Path, tmp_path: Path, made: list[int]) -> None:
    """A folder that exists already takes what changed, from whichever process has it; the rest keeps its inode."""
    assert run_envc(root, "build", "--jobs=2").code == 0
    changed = (root / "environments/dev/app00/deployment-app00.yaml").stat().st_ino
    kept = (root / "environments/prod/app00/deployment-app00.yaml").stat().st_ino
    files = {**FILES, "overlays/dev/environment.yaml": environment("namespace: dev\nparams: {color: red}\n")}
    files["overlays/dev/all.yaml"] = FILES["overlays/dev/patch.yaml"].replace("app1*", "app0*")
    write_files(root, files)
    outcome = run_envc(root, "build", "--jobs=2")
    assert outcome.code == 0, outcome.err
    assert len(made) == 2
    assert read_files(root / "environments") == alone(tmp_path, files)
    assert (root / "environments/dev/app00/deployment-app00.yaml").stat().st_ino != changed
    assert (root / "environments/prod/app00/deployment-app00.yaml").stat().st_ino == kept
    (root / "environments/dev/app11/deployment-app11.yaml").unlink()
    assert run_envc(root, "build", "--check", "--jobs=2").code == 16
    assert run_envc(root, "build", "--jobs=2").code == 0
    assert read_files(root / "environments") == alone(tmp_path / "again", files)


def _dying(when: type[Any], survive: int) -> Callable[..., Any]:
    """What a copy does that ends while it is asked for something."""
    answer, here = shares.Shares._answer, os.getpid()

    def dying(self: shares.Shares, number: int, request: Any) -> Any:
        assert os.getpid() != here
        left = survive
        if isinstance(request, when) and not left:
            os._exit(9)
        for part in answer(self, number, request):
            if isinstance(request, when):
                left -= 1
                if left < 0:
                    os._exit(9)
            yield part

    return dying


@pytest.mark.parametrize(
    "when",
    [shares._Read, shares._Learn, shares._Compile, shares._Write, shares._Look],
    ids=["read", "learn", "compile", "write", "look"],
)
@pytest.mark.parametrize("survive", [0, 2])
def test_a_copy_that_ends_early_costs_only_time(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: type[Any], survive: int
) -> None:
    """Whatever it was asked for is done by the process that waits for it."""
    expected = alone(tmp_path)
    monkeypatch.setattr(shares.Shares, "_answer", _dying(when, survive))
    outcome = run_envc(root, "build", "--jobs=2")
    assert outcome.code == 0, outcome.err
    assert read_files(root / "environments") == expected
    assert "nothing to do" in run_envc(root, "build").err


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
def test_what_was_learnt_is_kept_by_a_copy_or_not_at_all(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, dies: bool
) -> None:
    """The outputs and what is seen of them are the same; a later build finds the units remembered, or makes them."""
    expected, here = alone(tmp_path), os.getpid()
    keep = Keeping._keep

    def keeping(self: Keeping) -> None:
        assert os.getpid() != here
        if dies:
            os._exit(9)
        keep(self)

    monkeypatch.setattr(Keeping, "_keep", keeping)
    outcome = run_envc(root, "build", "--jobs=2")
    assert outcome.code == 0, outcome.err
    assert read_files(root / "environments") == expected
    assert "nothing to do" in run_envc(root, "build").err
    monkeypatch.undo()
    (root / "environments/dev/app00/deployment-app00.yaml").unlink()
    again = run_envc(root, "build", "--why")
    assert (again.code, "compiled" in again.out) == (0, dies), again.err
    assert read_files(root / "environments") == expected


def test_what_is_wrong_is_told_once_and_in_the_same_words(root: Path, tmp_path: Path) -> None:
    """Files that are no YAML, fields that no server takes, values that are not what they should be."""
    other = write_files(tmp_path / "other", FILES)
    for number, text in ((2, "a: [\n"), (9, deployment("app09").replace("replicas: 1", "replicas: many"))):
        for folder in (root, other):
            (folder / f"base/app{number:02}/deployment.yaml").write_text(text)
            (folder / f"overlays/dev/app{number:02}.yaml").write_text(config_map("stray").replace("data:", "x:"))
    one, several = (run_envc(at, "build", jobs) for at, jobs in ((other, "--jobs=1"), (root, "--jobs=3")))
    assert (one.code, one.err) == (several.code, several.err)
    assert one.code == 1
    assert not (root / "environments").exists()


def test_few_files_are_built_by_one_process(root: Path, made: list[int]) -> None:
    """Where nobody says how many, a copy has to be worth it."""
    assert run_envc(root, "build").code == 0
    assert made == []


def test_many_files_are_built_by_several(root: Path, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as there are processors, and no more than there is work for."""
    monkeypatch.setattr(shares, "_FILES", 9)
    monkeypatch.setattr(shares, "processors", lambda: 64)
    assert run_envc(root, "build").code == 0
    assert made == [2]


@pytest.mark.parametrize("dies", [False, True], ids=["lives", "dies"])
def test_a_chart_is_made_by_several(
    root: Path, tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch, *, dies: bool
) -> None:
    """Its units and then its services are; a copy that ends leaves its own to the process that waits."""
    files = {**FILES, "envc.yaml": "chart: {name: shop}\n"}
    expected = alone(tmp_path, files)
    made.clear()
    if dies:
        answer = copies.Several._answer

        def dying(self: copies.Several, number: int, asked: Mapping[int, bytes]) -> Any:
            for count, part in enumerate(answer(self, number, asked)):
                if count == 2:
                    os._exit(9)
                yield part

        monkeypatch.setattr(copies.Several, "_answer", dying)
    write_files(root, files)
    outcome = run_envc(root, "build", "--jobs=3")
    assert outcome.code == 0, outcome.err
    assert made == [2, 2]
    assert read_files(root / "environments") == expected
    write_files(root, {"base/app05/settings.yaml": config_map("settings05", team="z")})
    assert run_envc(root, "build", "--jobs=3").code == 0
    changed = {**files, "base/app05/settings.yaml": config_map("settings05", team="z")}
    assert read_files(root / "environments") == alone(tmp_path / "changed", changed)
