"""A chart, or an environment, that is revised after an edit is what a build without any memory makes."""

from __future__ import annotations

import os
import shutil
import sys
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import pytest

from envcompile.actions import charting
from envcompile.actions.outputs import Outputs
from envcompile.chart import revision, size
from envcompile.units import outlook, snapshot
from tests.harness.command import run_envc
from tests.harness.repository import read_files
from tests.laws import disturbances
from tests.laws.charted import charted_project, edit
from tests.laws.workshop import OUTPUT, Workshop, ask, difference, without_counts, without_idleness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.laws.repositories import Files
    from tests.laws.workshop import Answer

_STEPS: Final = 10
"""Edits of a sequence."""
_TRIES: Final = 40
"""Projects that are drawn until one compiles."""
_TOGETHER: Final = 4
"""Sequences of one test, every fourth of which has settings with which charts are never revised."""
_CHANGES: Final = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"})
_KILLED: Final = 99
_ELSEWHERE: Final = "elsewhere"
"""Another folder for outputs."""


class _Count:
    """How many builds there were, and how many of them took what the last one kept."""

    def __init__(self) -> None:
        self.builds = self.charts = self.environments = 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> _Count:
    """Another process looks at the outputs, as in a large project; who is revised is counted."""
    monkeypatch.setattr(snapshot, "_SOME", 0)
    monkeypatch.setattr(outlook, "_processors", lambda: 2)
    monkeypatch.setattr(outlook, "_has_threads", lambda: False)
    found = _Count()
    make: Callable[..., charting.MadeChart | None] = charting.revised_bundle
    look: Callable[..., Any] = Outputs._revised

    def chart_noted(*args: Any) -> charting.MadeChart | None:
        made = make(*args)
        found.charts += made is not None
        return made

    def environment_noted(*args: Any) -> Any:
        made = look(*args)
        found.environments += made is not None
        return made

    monkeypatch.setattr(charting, "revised_bundle", chart_noted)
    monkeypatch.setattr(Outputs, "_revised", environment_noted)
    return found


def test_revised_charts(
    revised_seed: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: _Count,
    record_property: Callable[[str, object], None],
) -> None:
    """Bytes, exit codes and messages are those of a copy that remembers nothing; and many builds are revised."""
    for seed in range(revised_seed, revised_seed + _TOGETHER):
        chance = Random(f"chart {seed}")
        with monkeypatch.context() as own:
            # Of a chart that comes near to its limit the size is told, which shows what its pieces are taken for.
            own.setattr(size, "LIMIT", chance.choice([size.LIMIT, 14_000, 20_000]))
            own.setattr(size, "_WINDOW", chance.choice([size._WINDOW, 500]))
            own.setattr(revision, "_RECENT", chance.choice([revision._RECENT, 6]))
            own.setattr(revision, "_FEW", chance.choice([revision._FEW, 2]))
            folder = tmp_path / f"{seed}"
            folder.mkdir()
            _Sequence(seed, folder, count).play()
            shutil.rmtree(folder)
    record_property("builds", (count.builds, count.charts, count.environments))
    assert count.charts * 5 > count.builds, (count.charts, count.builds)
    assert count.environments * 2 > count.builds, (count.environments, count.builds)


class _Sequence:
    """Edits of one project, with a build after each.

    Args:
        seed: decides everything.
        folder: an empty folder for the project and its copies.
        count: counts its builds.
    """

    def __init__(self, seed: int, folder: Path, count: _Count) -> None:
        self._seed = seed
        self._shop = Workshop(folder / "kept")
        self._copy = folder / "anew"
        self._kept = folder / "memo"
        self._count = count
        self._log: list[str] = []
        self._states: list[Files] = []
        self._is_broken = False
        self._may_have_strangers = False
        """Whether outputs may be other than envc leaves them: an index is lost that said whose they are, or no build
        with `--force` came after an edit by hand."""

    def play(self) -> None:
        """Play all of them."""
        for attempt in range(_TRIES):
            self._shop.put(charted_project(Random(f"{self._seed}/{attempt}"), is_plain=self._seed % _TOGETHER > 0))
            if not ask(self._shop.root, "build").code:
                break
        else:
            pytest.fail(f"no project of seed {self._seed} compiles")
        self._states.append(dict(self._shop.files))
        for number in range(_STEPS):
            self._step(Random(f"{self._seed}/step {number}"))

    def _step(self, chance: Random) -> None:
        shop = self._shop
        if self._is_broken and chance.random() < 0.8:
            shop.put(self._states[-1])
            self._log.append("the last sources that compiled are back")
        else:
            self._edit(chance)
            if chance.random() < 0.1:  # two edits, of which a build sees the first only
                self._build("build")
                self._edit(chance)
        how, is_ours = chance.random(), True
        if how < 0.06:
            self._log.append(disturbances.edit_output(chance, shop))
            self._may_have_strangers |= "(index)" in self._log[-1]
            self._build("build")
            self._may_have_strangers |= self._build("build", "--force") != 0
        elif how < 0.12:
            self._log.append(self._damage(chance))
        elif how < 0.17 and not self._may_have_strangers:
            at = chance.choice([chance.randrange(1, 20), chance.randrange(20, 90)])
            is_ours = not self._killed(at)
        elif how < 0.20:
            shutil.rmtree(self._kept, ignore_errors=True)
            shutil.copytree(shop.root / ".envc", self._kept, ignore=shutil.ignore_patterns(disturbances.WRITTEN))
            self._log.append("the memo is copied")
        elif how < 0.23 and self._kept.exists():
            shutil.copytree(self._kept, shop.root / ".envc", dirs_exist_ok=True)
            self._log.append("the memo is what it was when it was copied")
        elif how < 0.35:
            names = [path.name for path in (shop.root / OUTPUT).iterdir() if path.name != "chart"]
            self._build(
                *chance.choice([
                    ("build", chance.choice(sorted(names))),
                    ("build", "--check"),
                    ("build", "--no-chart"),
                    ("build", "--output", _ELSEWHERE),
                    ("build", "--force"),
                    ("build", "--only", "Deployment/web"),
                ])
            )
        elif how < 0.38:
            self._log.append(disturbances.touch(chance, shop))
        elif how < 0.41:
            self._log.append(disturbances.same_size_same_time(chance, shop))
        code = self._build("build", is_ours=is_ours and (self._may_have_strangers or chance.random() < 0.6))
        self._is_broken = code != 0
        if not code:
            self._states.append(dict(shop.files))
        if chance.random() < 0.1:
            self._build("build", "--check")

    def _edit(self, chance: Random) -> None:
        files = dict(self._shop.files)
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            self._log.append(edit(chance, files, chance.choice(self._states[-4:])))
        self._shop.put(files)

    def _build(self, *command: str, is_ours: bool = True) -> int:
        """Build here, and in a copy without a memory; the exit code.

        Args:
            command: what is run.
            is_ours: whether the copy has the outputs as they are here, and knows that envc wrote them.
        """
        root, before = self._shop.root, self._count.charts
        if is_ours:
            shutil.rmtree(self._copy, ignore_errors=True)
            shutil.copytree(root, self._copy, symlinks=True)
            disturbances.forget(self._copy)
            _carry_over(self._shop.root, self._copy)
        else:
            self._shop.fresh(self._copy, outputs=False)
        here = _asked(root, command)
        self._log.append(f"`envc {' '.join(command)}`{' is revised' if self._count.charts > before else ''}")
        self._count.builds += command == ("build",)
        fresh = _asked(self._copy, command)
        for answer in (here, fresh):
            if answer.code == 3 or "Traceback" in answer.err:
                self._fail(answer.err)
        one, other = (without_idleness(here), without_idleness(fresh))
        if not is_ours:
            one, other = without_counts(one), without_counts(other)
            if fresh.code:
                one, other = one._replace(files={}), other._replace(files={})
        if apart := difference(one, other):
            self._fail(f"not what a fresh copy gives:\n{apart}")
        return here.code

    def _fail(self, text: str) -> None:
        first = self._seed - self._seed % _TOGETHER
        again = f"again: pytest tests/laws/test_revised_chart.py --seed {first} --sequences 1"
        pytest.fail("\n".join([f"seed {self._seed}", *self._log, text, again]), pytrace=False)

    def _damage(self, chance: Random) -> str:
        """Files of the memo are gone, cut or garbled; what says which outputs are envc's stays."""
        told = []
        for path in sorted((self._shop.root / ".envc").rglob("*")):
            inside = path.relative_to(self._shop.root).as_posix()
            if not path.is_file() or disturbances.WRITTEN in inside.split("/") or chance.random() < 0.6:
                continue
            data, how = path.read_bytes(), chance.choice(["gone", "cut", "garbled"])
            if how == "gone":
                path.unlink()
            elif how == "cut":
                path.write_bytes(data[: len(data) // 2])
            elif data:
                place = chance.randrange(len(data))
                path.write_bytes(data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :])
            told.append(f"{inside} {how}")
        return f"the memo is damaged: {', '.join(told)}"

    def _killed(self, at: int) -> bool:
        """Build in a copy of this process that ends at its n-th change of a file, as `kill -9` would end it."""
        process = os.fork()
        if not process:
            left = [at]

            def watch(event: str, arguments: tuple[Any, ...]) -> None:
                if event in _CHANGES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
                    left[0] -= 1
                    if not left[0]:
                        os._exit(_KILLED)

            try:
                sys.addaudithook(watch)
                run_envc(self._shop.root, "build")
            finally:
                os._exit(0)
        is_killed = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == _KILLED
        self._log.append(f"a build is killed at its change {at}" if is_killed else "a build")
        return is_killed


def _carry_over(root: Path, copy: Path) -> None:
    """What a project recorded of its own outputs its copy knows of the same ones: records are named after folders."""
    for output in (OUTPUT, _ELSEWHERE):
        for home in (copy, copy / output):
            for record in (home / disturbances.MEMO / disturbances.WRITTEN).glob("*"):
                name, _, key = record.name.rpartition("-")
                if key == _key_of(root / output / name):
                    record.rename(record.with_name(f"{name}-{_key_of(copy / output / name)}"))


def _key_of(folder: Path) -> str:
    return f"{crc32(os.path.realpath(folder).encode()):08x}"


def _asked(root: Path, command: tuple[str, ...]) -> Answer:
    if command[-1] != _ELSEWHERE:
        return ask(root, *command)
    answer = ask(root, *command[:-1], str(root / _ELSEWHERE))
    return answer._replace(files={**answer.files, **read_files(root / _ELSEWHERE)})
