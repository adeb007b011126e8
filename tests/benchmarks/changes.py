"""What one changed file and one question cost, beside a cold build and at several sizes of a repository."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.benchmarks.contenders import ask_for_chart
from tests.benchmarks.measuring import Command, age
from tests.benchmarks.targets import NOTHING_CHANGED_GROWTH, ONE_CHANGED_BESIDE_COLD, QUESTION, QUESTION_HUGE, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.measuring import Bench, Cost
    from tests.benchmarks.suite import Repository

_LIMIT: Final = (b"revisionHistoryLimit: 5", b"revisionHistoryLimit: 6")
"""A line of each Deployment of the base that no overlay changes."""
_ENVIRONMENT: Final = "overlays/{}/environment.yaml"


class Way(NamedTuple):
    """A way in which a project is asked after one of its files was saved."""

    name: str
    words: tuple[str, ...]
    settings: str = ""
    """What `environment.yaml` of each environment says besides."""
    has_chart: bool = False
    saves: bool = True
    in_git: bool = False


BUILDS: Final = (
    Way("Helm chart", ("build",), has_chart=True),
    Way("rollout: checksum", ("build",), settings="rollout: checksum\n"),
    Way("sync waves", ("build",), settings="syncWaves: true\n"),
    Way("--check", ("build", "--check")),
    Way("build prod", ("build", "prod")),
)
QUESTIONS: Final = (
    Way("explain", ("explain", "prod", "Deployment/{}", "spec.replicas"), saves=False),
    Way("affected", ("affected", "--from", "HEAD"), in_git=True),
    Way("diff of one change", ("diff", "--from", "HEAD"), in_git=True),
    Way("check after one change", ("check", "--fail-on", "never")),
    Way("chart after one change", ("build",), has_chart=True),
    Way("build after one change", ("build",)),
)
NOTHING: Final = Way("nothing changed", ("build",), saves=False)


class Asked:
    """A built project that is asked in one way, again and again."""

    def __init__(self, bench: Bench, repository: Repository, way: Way) -> None:
        self._bench = bench
        self._way = way
        service = repository.names[len(repository.names) // 2]
        self.project = bench.scratch.copy(repository.folder / "envc", "asked")
        self._file = self.project / "base" / service / "deployment.yaml"
        self._words = tuple(word.format(service) for word in way.words)
        if way.has_chart:
            ask_for_chart(self.project)
        for name in repository.environments if way.settings else ():
            with (self.project / _ENVIRONMENT.format(name)).open("a", encoding="utf-8") as settings:
                settings.write(way.settings)
        age(self.project)
        self.cold = bench.run([bench.envc(self.project, "build")])
        if way.in_git:
            self._commit()
        self._turn = 0

    def _commit(self) -> None:
        git = shutil.which("git") or "git"
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "gc.auto=0")
        for words in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-q", "-m", "one")):
            self._bench.run([Command((git, *words), self.project)])

    def ask(self) -> Cost:
        """Save the other version of one file, which is not measured, and ask."""
        if self._way.saves:
            old, new = _LIMIT if self._turn % 2 == 0 else _LIMIT[::-1]
            text = self._file.read_bytes()
            if old not in text:
                raise AssertionError(f"{self._file} has no `{old.decode()}`")
            self._file.write_bytes(text.replace(old, new))
            self._turn += 1
        return self._bench.run([self._bench.envc(self.project, *self._words)], may_differ=True)


def beside_cold(bench: Bench, repository: Repository, runs: int) -> Iterator[Row]:
    """A build after one change in each way, beside the cold build of the same project."""
    for way in BUILDS:
        asked = Asked(bench, repository, way)

        def cold(way: Way = way) -> Cost:
            return Asked(bench, repository, way).cold

        yield Row.of_pairs(ONE_CHANGED_BESIDE_COLD.of(way.name), bench.pairs(runs, asked.ask, cold))


def growth(bench: Bench, small: Repository, large: Repository, runs: int, *, is_huge: bool = False) -> Iterator[Row]:
    """What a question about one service costs in a large repository, beside the same in a small one."""
    for way in QUESTIONS if is_huge else (*QUESTIONS, NOTHING):
        here, there = Asked(bench, large, way), Asked(bench, small, way)
        for asked in (here, there):
            asked.ask()  # what the first question of its kind learns is no part of the second
        target = NOTHING_CHANGED_GROWTH if way is NOTHING else (QUESTION_HUGE if is_huge else QUESTION).of(way.name)
        yield Row.of_pairs(target, bench.pairs(runs, here.ask, there.ask))
