"""Whatever happens to a build, each environment's folder is the old one or the new one, whole."""

from __future__ import annotations

import errno
import itertools
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.command import PATIENCE, call_envc, run_envc, spawn_envc
from tests.harness.repository import config_map, environment, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import MakeProject

SERVICES = 40
SPACE_HINT = "hint: free some space and build again; the old output is untouched\n"


def sources(generation: int, services: int = SERVICES) -> dict[str, str]:
    """The base of many services; another generation changes every file."""
    return {
        f"base/s{number:02}/config.yaml": config_map(f"s{number:02}", generation=f'"{generation}"')
        for number in range(services)
    }


ENVIRONMENTS = {f"overlays/{name}/environment.yaml": environment() for name in ("dev", "prod")}


def rewrite(root: Path, files: dict[str, str]) -> None:
    """Write sources over those that are there."""
    for path, text in files.items():
        (root / path).write_text(text)


def folders(root: Path) -> dict[str, dict[str, bytes]]:
    """The files of each environment's folder."""
    return {name: read_files(root / "environments" / name) for name in ("dev", "prod")}


def staging(root: Path) -> list[str]:
    """What builds have left in their scratch folder."""
    return sorted(path.name for folder in (root, root / "environments") for path in folder.glob(".envc/staging-*"))


@pytest.fixture
def both(make_project: MakeProject) -> tuple[Path, dict[str, dict[str, bytes]], dict[str, dict[str, bytes]]]:
    """A built project whose sources have moved on, the output as it is, and as the next build makes it."""
    new = make_project(sources(2) | ENVIRONMENTS, "new")
    assert run_envc(new, "build").code == 0
    root = make_project(sources(1) | ENVIRONMENTS)
    assert run_envc(root, "build").code == 0
    old = folders(root)
    rewrite(root, sources(2))
    return root, old, folders(new)


def test_a_killed_build_leaves_each_environment_old_or_new(
    both: tuple[Path, dict[str, dict[str, bytes]], dict[str, dict[str, bytes]]], request: pytest.FixtureRequest
) -> None:
    """`kill -9` at random moments of builds that change everything; the next build sweeps and succeeds.

    Half of them wait until the build has begun to write, so that the kills fall where they could do harm. Fifteen
    kills; `--sequences 200 --seed 7` makes 150, at other moments.
    """
    root, now, then = both
    chance = random.Random(10 + request.config.getoption("seed"))
    kills = max(15, request.config.getoption("sequences") * 3 // 4)
    started = time.monotonic()
    assert call_envc(root, "build").code == 0
    whole = time.monotonic() - started
    assert folders(root) == then
    generations = itertools.cycle([1, 2])
    wanted = {1: now, 2: then}
    killed = 0
    for attempt in range(8 * kills):
        if killed >= kills and attempt >= 30:
            break
        generation = next(generations)
        rewrite(root, sources(generation))
        before = folders(root)
        with spawn_envc(root, "build") as process:
            if attempt % 2:
                while process.poll() is None and not staging(root):
                    time.sleep(0.001)
                time.sleep(chance.uniform(0, 0.03))
            else:
                time.sleep(whole * chance.uniform(0.4, 1.05))
            process.kill()
            process.communicate()
        killed += process.returncode == -signal.SIGKILL
        after = folders(root)
        for name in ("dev", "prod"):
            assert any(after[name] == whole[name] for whole in (before, wanted[generation]))
        if attempt % 10 == 9:
            assert run_envc(root, "build").code == 0
            assert folders(root) == wanted[generation]
            assert staging(root) == []
    assert killed >= kills


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "link", "rename", "replace"])
def test_a_full_disk_leaves_the_old_output(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """At whatever call the space runs out: the old output is whole, the staging gone, the message clear."""
    new = make_project(sources(2, 4) | ENVIRONMENTS, "new")
    (new / "base/s00/config.yaml").write_text(config_map("s00", generation='"1"'))
    assert run_envc(new, "build").code == 0
    root = make_project(sources(1, 4) | ENVIRONMENTS)
    assert run_envc(root, "build").code == 0
    old, then = folders(root), folders(new)
    record = read_files(root / ".envc/written")
    rewrite(root, sources(2, 4))
    (root / "base/s00/config.yaml").write_text(config_map("s00", generation='"1"'))
    failures = 0
    for number in itertools.count(1):
        with monkeypatch.context() as patch:
            refused = refuse(patch, call, number, errno.ENOSPC)
            built = run_envc(root, "build")
        after = folders(root)
        assert staging(root) == []
        for name in ("dev", "prod"):
            assert any(after[name] == whole[name] for whole in (old, then))
        if built.code == 0:
            assert after == then
            if not refused():
                break
            restore(root, old, record)
            continue
        failures += 1
        assert built.code == 4
        prod = root / "environments"
        assert built.err in {
            f"error: no space left to write {folder}\n{SPACE_HINT}"
            for folder in (prod / "dev", prod / "prod", prod, root / ".envc")
        }
        restore(root, old, record)
    assert failures or call in {"rename", "replace"}


def restore(root: Path, old: dict[str, dict[str, bytes]], record: dict[str, bytes]) -> None:
    """Put an output back by another way than a build, with the record of the build that wrote it."""
    write_files(root / ".envc/written", record)
    for name, files in old.items():
        for path, data in files.items():
            target = root / "environments" / name / path
            if target.read_bytes() != data:
                target.write_bytes(data)


def refuse(patch: pytest.MonkeyPatch, call: str, number: int, code: int) -> Callable[[], bool]:
    """Let the call of this number (from 1) that writes fail; what is returned tells whether it came to it."""
    original = getattr(os, call)
    count = 0

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        reads = call == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR)
        terminal = call == "write" and arguments[0] in {1, 2}
        if not reads and not terminal:
            count += 1
            if count == number:
                raise OSError(code, os.strerror(code))
        return original(*arguments, **named)

    patch.setattr(os, call, counted)
    return lambda: count >= number


def test_space_that_runs_out_amid_one_applications_swap_leaves_the_old_output(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One application alone is swapped; the index, too, is as it was."""
    root = make_project(sources(1, 3) | ENVIRONMENTS)
    assert run_envc(root, "build").code == 0
    old = folders(root)
    # A further name, which the index holds.
    (root / "base/s01/more.yaml").write_text(config_map("s01-more"))
    write_bytes = Path.write_bytes
    for number in range(1, 4):
        calls = itertools.count(1)

        def limited(self: Path, data: bytes, calls: itertools.count[int] = calls, number: int = number) -> int:
            if ".envc-index" in self.name and next(calls) == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write_bytes(self, data)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", limited)
            built = run_envc(root, "build")
        assert built == (4, "", f"error: no space left to write {root}/environments/dev\n{SPACE_HINT}")
        assert folders(root) == old
        assert staging(root) == []
    assert run_envc(root, "build").err == "dev: 4 resources, 1 added\nprod: 4 resources, 1 added\n"


@pytest.mark.parametrize(
    ("code", "reason"), [(errno.EACCES, "permission denied"), (errno.EROFS, "read-only file system")]
)
def test_a_folder_that_cannot_be_written_is_told(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    """Exit 4, with the way out."""
    root = make_project(sources(1, 2) | ENVIRONMENTS)
    assert run_envc(root, "build").code == 0
    old = folders(root)
    rewrite(root, sources(2, 2))
    refuse(monkeypatch, "open", 2, code)
    built = run_envc(root, "build")
    assert built.code == 4
    assert built.err == (
        f"error: {root}/environments/dev cannot be written: {reason}\n"
        "hint: make the folder writable for you, or write elsewhere with `--output DIR`; the old output is untouched\n"
    )
    assert folders(root) == old


def test_without_a_cache_folder_the_build_works(make_project: MakeProject) -> None:
    """A file stands where `.envc` belongs: the scratch folder is beside the output."""
    root = make_project(sources(1, 2) | ENVIRONMENTS | {".envc": "a file"})
    for generation in (1, 2):
        rewrite(root, sources(generation, 2))
        assert run_envc(root, "build").code == 0
        assert run_envc(root, "build", "--check") == (0, "", "2 environments are current\n")
    assert (root / ".envc").read_text() == "a file"
    assert staging(root) == []


def test_two_builds_at_once_end_with_the_right_output(
    both: tuple[Path, dict[str, dict[str, bytes]], dict[str, dict[str, bytes]]],
) -> None:
    """The second waits for the first and finds its work done, or builds on it."""
    root, now, then = both
    for generation, wanted in ((2, then), (1, now), (2, then)):
        rewrite(root, sources(generation))
        processes = [spawn_envc(root, "build") for _ in range(2)]
        errors = [process.communicate(timeout=PATIENCE)[1].decode() for process in processes]
        assert [process.returncode for process in processes] == [0, 0], errors
        assert folders(root) == wanted
        assert staging(root) == []
        assert run_envc(root, "build", "--check").code == 0
