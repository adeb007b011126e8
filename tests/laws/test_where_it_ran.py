"""Where, when and with what memory a build ran does not show in its bytes."""

from __future__ import annotations

import json
import shutil
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile.yamlio import load_all
from tests.harness.command import call_envc, run_envc
from tests.harness.repository import git, read_files
from tests.laws.disturbances import MEMO, damage_memo
from tests.laws.edits import overlays
from tests.laws.repositories import random_repository
from tests.laws.workshop import OUTPUT, Answer, Workshop, ask, can, difference, without_idleness

if TYPE_CHECKING:
    from pathlib import Path

SEEDS: Final = (6, 14, 23, 29, 34)
"""Random repositories that are right; between them they use every feature."""


class Built:
    """A random repository with what a build of it gives."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.seed = seed
        self.folder = folder
        self.shop = Workshop(folder / "kept")
        self.shop.put(random_repository(seed))
        self.answer = ask(self.shop.root, "build")
        assert self.answer.code == 0, self.answer.err
        self.revision = self.shop.commit()

    def anew(self, *arguments: str, name: str = "anew") -> Answer:
        """What a command gives in a folder that has neither memo nor outputs."""
        return ask(self.shop.fresh(self.folder / name, outputs=False), *arguments)


@pytest.fixture(scope="module", params=SEEDS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Each of the random repositories."""
    return Built(tmp_path_factory.mktemp("laws"), request.param)


def require(option: str, *command: str) -> None:
    """Skip what the command cannot do yet."""
    if not can(option, *command):
        pytest.skip(f"`envc {' '.join(command)}` has no {option}")


@pytest.mark.parametrize("jobs", ["1", "2", "4"])
def test_how_many_processes_build(built: Built, jobs: str) -> None:
    """One process or several, which start without what this one has loaded."""
    require("--jobs", "build")
    root = built.shop.fresh(built.folder / "jobs", outputs=False)
    outcome = call_envc(root, "build", "--jobs", jobs)
    assert outcome.code == 0, outcome.err
    assert outcome.err == built.answer.err
    assert read_files(root / OUTPUT) == built.answer.files


@pytest.mark.parametrize("harm", range(8))
def test_what_is_left_of_the_memo(built: Built, harm: int) -> None:
    """Cold, warm, half of it, cut or garbled: the same bytes, and nothing is said about it."""
    root = built.shop.root
    told = damage_memo(Random(harm), root)
    shutil.rmtree(root / OUTPUT)
    here = ask(root, "build")
    assert not difference(here, built.anew("build")), told
    assert not difference(without_idleness(ask(root, "build", "--check")), Answer(0, "", "", here.files)), told


def test_a_memo_of_another_repository(built: Built) -> None:
    """A memo that was made elsewhere, of other sources or under another path, changes nothing."""
    root = built.shop.fresh(built.folder / "other", outputs=False)
    shutil.copytree(built.shop.root / MEMO, root / MEMO)
    source = root / "base/web/config.yaml"
    source.write_text(
        source.read_text(encoding="utf-8").replace("\ndata:", "\ndata:\n  here: only", 1), encoding="utf-8"
    )
    here = ask(root, "build")
    shutil.rmtree(root / MEMO)
    shutil.rmtree(root / OUTPUT)
    assert not difference(here, ask(root, "build"))


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "2", "TZ": "Pacific/Kiritimati"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONOPTIMIZE": "2", "COLUMNS": "20"},
    ],
    ids=lambda env: " ".join(f"{name}={text}" for name, text in env.items()),
)
def test_the_process(built: Built, env: dict[str, str]) -> None:
    """Hash seed, time zone, locale and optimisation of the process."""
    root = built.shop.fresh(built.folder / "process", outputs=False)
    outcome = call_envc(root, "build", env=env)
    assert outcome.code == 0, outcome.err
    assert read_files(root / OUTPUT) == built.answer.files


def test_the_folder_and_the_order_of_its_files(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the repository lies, where one stands, and in which order its files were made."""
    names = list(built.shop.files)
    Random(built.seed).shuffle(names)
    place = built.folder / "a place with spaces" / "größer"
    shutil.rmtree(place.parent, ignore_errors=True)
    place.parent.mkdir()
    shop = Workshop(place)
    shop.put({name: built.shop.files[name] for name in names})
    monkeypatch.chdir(place / "overlays")
    outcome = run_envc(None, "build")
    assert outcome.code == 0, outcome.err
    assert read_files(place / OUTPUT) == built.answer.files


def test_one_environment_after_the_other(built: Built) -> None:
    """Environments built alone, in any order, give what all of them together give."""
    root = built.shop.fresh(built.folder / "alone", outputs=False)
    for name in sorted(overlays(built.shop.files, abstract=False), reverse=True):
        assert ask(root, "build", name).code == 0
    files = {path: data for path, data in built.answer.files.items() if not path.startswith("chart/")}
    assert read_files(root / OUTPUT) == files


def test_a_commit_and_its_folder(built: Built) -> None:
    """A commit compiles to what its files compile to in a folder, as a folder elsewhere, too."""
    root = built.shop.root
    for arguments in (("--from", "HEAD"), ("--from", "HEAD", "--to", "HEAD")):
        outcome = run_envc(root, "diff", *arguments)
        assert (outcome.code, outcome.out) == (0, "")
    assert run_envc(root, "affected", "--from", built.revision).out == ""
    tree = built.folder / "worktree"
    git(root, "worktree", "add", "--quiet", "--force", "--detach", str(tree), built.revision)
    shutil.rmtree(tree / OUTPUT)
    assert ask(tree, "build").files == built.answer.files
    git(root, "worktree", "remove", "--force", str(tree))


def test_a_recorded_commit_and_its_folder(built: Built) -> None:
    """What the history records of a commit are the resources of the files that a build of it writes."""
    root = built.shop.root
    assert run_envc(root, "history", "record").code == 0
    for name in overlays(built.shop.files, abstract=False):
        outcome = run_envc(root, "history", "at", "2030-01-01T00:00", name, "--format", "json")
        assert outcome.code == 0, outcome.err
        recorded = sorted(map(_canonical, load_all(outcome.out.encode(), "recorded.json")[0]))
        written = [
            value
            for path, data in built.answer.files.items()
            if path.startswith(f"{name}/") and path.endswith(".yaml")
            for value in load_all(data, path)
        ]
        assert recorded == sorted(map(_canonical, written))
    assert run_envc(root, "history", "rebuild", "--check").code == 0


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def test_the_index_and_its_folder(built: Built) -> None:
    """What is staged compiles to what the same files compile to in a folder, whatever lies in the working tree."""
    option = next((flag for flag in ("--staged", "--index") if can(flag, "build")), None)
    if option is None:
        pytest.skip("`envc build` cannot look at the index")
    root = built.shop.fresh(built.folder / "staged", outputs=True)
    git(root, "add", "--all")
    (root / "base/web/config.yaml").write_text("a: [\n", encoding="utf-8")
    outcome = run_envc(root, "build", "--check", option)
    assert outcome.code == 0, outcome.err
