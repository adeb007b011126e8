"""Where units are compiled does not show: one process, four, or a Dask cluster whose workers are killed."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import EnvcError
from envcompile.units import batches, copies, engines
from envcompile.units.executor import find_engine, schemes
from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.repository import config_map, deployment, environment, git, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

    from envcompile.units.executor import Engine

FILES: dict[str, str] = {
    **{f"base/app{number:02}/deployment.yaml": deployment(f"app{number:02}") for number in range(12)},
    **{f"base/app{number:02}/settings.yaml": config_map(f"settings{number:02}") for number in range(12)},
    "base/tasks/tasks.jsonnet": "[{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'tasks'}, data: {a: 'x'}}]\n",
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\nrollout: checksum\nsyncWaves: true\n"),
    "overlays/prod/app03.yaml": config_map("settings03", color="green"),
}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """What this process alone makes of the project."""
    root = write_files(tmp_path_factory.mktemp("alone") / "project", FILES)
    assert run_envc(root, "build").code == 0
    return read_files(root / "environments")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project, not built yet."""
    return write_files(tmp_path / "project", FILES)


@pytest.fixture(autouse=True)  # ruff: ignore[pytest-fixture-autouse] - nobody may forget it
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import what is tested."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(PACKAGE_ROOT), *filter(None, sys.path)]))


@pytest.mark.parametrize("jobs", [1, 4])
def test_processes_make_the_same_bytes(root: Path, expected: Mapping[str, bytes], jobs: int) -> None:
    """One and four."""
    outcome = run_envc(root, "build", f"--jobs={jobs}")
    assert outcome.code == 0, outcome.err
    assert read_files(root / "environments") == expected


def test_errors_are_the_same_wherever_they_are_found(root: Path) -> None:
    """With their places, all of them."""
    for number in (2, 7):
        text = deployment(f"app{number:02}").replace("replicas: 1", "replicas: many")
        (root / f"overlays/dev/app{number:02}.yaml").write_text(
            f"{text}---\n{config_map('stray')}".replace("data:", "x:")
        )
    alone = run_envc(root, "build")
    assert run_envc(root, "build", "--jobs=2") == alone
    assert alone.code in {0, 1}


class Here:
    """An executor without processes that notes what it is given, and loses some of it."""

    def __init__(self, losses: int = 0) -> None:
        self.given: list[bytes] = []
        self._losses = losses

    def submit(self, function: Callable[[bytes], bytes], packed: bytes) -> Future[bytes]:
        """Do it at once."""
        self.given.append(packed)
        future: Future[bytes] = Future()
        if len(self.given) <= self._losses:
            future.set_exception(BrokenPipeError("the worker is gone"))
        else:
            try:
                future.set_result(function(packed))
            except EnvcError as error:
                future.set_exception(error)
        return future


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    """An engine whose one file was just added; the tests' own executor stands behind it."""
    folder = tmp_path / "engines"
    write_files(
        folder,
        {
            "here.py": (
                "from contextlib import contextmanager\n"
                "from envcompile.units.executor import Engine\n"
                "IS_REMOTE = True\n"
                "@contextmanager\n"
                "def opened(address):\n"
                "    yield Engine(EXECUTOR, 2, (OSError,))\n"
            )
        },
    )
    monkeypatch.setattr(engines, "__path__", [*engines.__path__, str(folder)])
    executor = Here()
    module: Any = find_engine("here://x")[0]
    module.EXECUTOR = executor
    yield executor
    del sys.modules["envcompile.units.engines.here"]


def test_an_engine_is_one_file(root: Path, expected: Mapping[str, bytes], added: Here) -> None:
    """A module in the folder is all it takes."""
    assert schemes() == ("dask", "here", "processes")
    assert run_envc(root, "build", "--engine=here://x").code == 0
    assert added.given
    assert read_files(root / "environments") == expected


def test_a_lost_batch_is_compiled_here(root: Path, expected: Mapping[str, bytes], added: Here) -> None:
    """Whatever else the engine still does."""
    added._losses = 1
    assert run_envc(root, "build", "--engine=here://x").code == 0
    assert len(added.given) > added._losses
    assert read_files(root / "environments") == expected


def test_workers_with_another_envc_are_refused(root: Path, added: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their bytes might differ."""
    digests = iter(["a" * 64])
    monkeypatch.setattr(batches, "package_digest", lambda: next(digests, "b" * 64))
    outcome = run_envc(root, "build", "--engine=here://x")
    assert outcome.code == 4
    assert "a worker of the engine has another envc" in outcome.err
    assert added.given


def test_what_is_private_is_compiled_here(root: Path, added: Here) -> None:
    """No file that git ignores is sent, and no Secret in clear."""
    password = "correct-horse-battery-staple"
    write_files(
        root,
        {
            ".gitignore": "*.private.yaml\n",
            "overlays/dev/app01.private.yaml": config_map("settings01", password=password),
            "base/app02/token.yaml": (
                "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\n"
                f"  annotations: {{envcompile.dev/plaintext: '*'}}\nstringData: {{token: {password}}}\n"
            ),
        },
    )
    git(root, "init", "--quiet")
    outcome = run_envc(root, "build", "--engine=here://x")
    assert outcome.code == 0, outcome.err
    assert b"settings03" in b"".join(added.given)
    assert password.encode() not in b"".join(added.given)
    assert password.encode() in b"".join(read_files(root / "environments").values())


@pytest.mark.parametrize("address", ["dusk://x", "dask", "processes://many", "processes://0"])
def test_an_address_that_is_none_is_refused(root: Path, address: str) -> None:
    """With what can be written."""
    outcome = run_envc(root, "build", f"--engine={address}")
    assert outcome.code == 2
    assert "hint: " in outcome.err
    assert not (root / "environments").exists()


@contextmanager
def cluster() -> Generator[Any]:
    """Two worker processes, which are started anew when they are killed."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as running:
        yield running


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_dask_makes_the_same_bytes_while_its_workers_are_killed(
    root: Path, expected: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case worker-killed: each worker in turn, with SIGKILL, after results came from it."""
    monkeypatch.setattr(batches, "_UNITS", 2)
    with cluster() as running:
        address = running.scheduler_address.removeprefix("tcp://")
        victims = [worker.pid for worker in running.workers.values()]
        killed = []
        take = batches._result

        def killing(engine: Engine, *rest: Any) -> Any:
            found = take(engine, *rest)
            if victims:
                killed.append(victims.pop())
                os.kill(killed[-1], signal.SIGKILL)
            return found

        monkeypatch.setattr(batches, "_result", killing)
        outcome = run_envc(root, "build", f"--engine=dask://{address}")
    assert outcome.code == 0, outcome.err
    assert len(killed) == 2
    assert read_files(root / "environments") == expected


@pytest.mark.filterwarnings("default")
def test_no_scheduler_is_an_error_of_the_world(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its address and what to do; nothing is written."""
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr("envcompile.units.engines.dask._SECONDS", 1)
    outcome = run_envc(root, "build", "--engine=dask://127.0.0.1:1")
    assert outcome.code == 4
    assert "no Dask scheduler answers at 127.0.0.1:1" in outcome.err
    assert not (root / "environments").exists()


def test_a_killed_process_costs_its_units_again(
    root: Path, expected: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that breaks is done without, where processes cannot be copies of this one."""
    monkeypatch.setattr(copies, "can_copy", lambda: False)
    monkeypatch.setattr(batches, "_UNITS", 2)
    before = {process.pid for process in _children()}
    take = batches._result
    killed: list[int] = []

    def killing(engine: Engine, *rest: Any) -> Any:
        if not killed:
            for process in _children():
                if process.pid not in before:
                    killed.append(process.pid)
                    process.kill()
        return take(engine, *rest)

    monkeypatch.setattr(batches, "_result", killing)
    outcome = run_envc(root, "build", "--jobs=2")
    assert outcome.code == 0, outcome.err
    assert killed
    assert read_files(root / "environments") == expected


def test_processes_that_are_no_copies_make_the_same_bytes(
    root: Path, expected: Mapping[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started from nothing, as on every other platform."""
    monkeypatch.setattr(copies, "can_copy", lambda: False)
    assert run_envc(root, "build", "--jobs=2").code == 0
    assert read_files(root / "environments") == expected


def _children() -> list[Any]:
    return list(get_context("spawn").active_children())
