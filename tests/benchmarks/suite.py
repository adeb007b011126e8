"""The measurements behind each line of the table."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.contenders import Envc, Kustomize, Made, leave_out_secrets
from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import Logical
from tests.benchmarks.measuring import BenchmarkError, Cost, age
from tests.benchmarks.reading import differences, expected_objects, rendered_objects
from tests.benchmarks.targets import (
    COLD_HELM,
    COLD_KAPITAN,
    COLD_KUSTOMIZE,
    DELETED,
    DELETED_BY_APP,
    DISK,
    DISK_BY_APP,
    EXPLAIN,
    GROWTH,
    HELP,
    JOBS,
    MEMORY,
    MEMORY_HUGE,
    MEMORY_LARGE,
    NOTHING_CHANGED,
    ONE_CHANGED,
    SHARED_MEMO,
    VERSION,
    WITH_CHART,
    Row,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.contenders import Contender
    from tests.benchmarks.measuring import Bench, Pairs

_COLD = {"kustomize": COLD_KUSTOMIZE, "helm4": COLD_HELM, "kapitan": COLD_KAPITAN}
_CHEAP = 4
"""Runs of a few milliseconds are repeated this many times as often: they are noisier, and cost nothing."""


class Repository(NamedTuple):
    """A generated repository on disk."""

    folder: Path
    services: int
    environments: tuple[str, ...]
    names: tuple[str, ...]


def make_repository(
    bench: Bench, services: int, environments: int, seed: int, *, bump: int | None = None
) -> Repository:
    """Generate a repository in every form, its files an hour old; `bump` is the number of a service to change."""
    logical = Logical(services, environments, seed, {} if bump is None else {bump: 1})
    folder = bench.scratch.fresh(f"generated-{services}")
    generate(logical, folder)
    age(folder)
    return Repository(folder, services, tuple(each.name for each in logical.environments), tuple(logical.names()))


def changed_service(services: int) -> int:
    """The number of the service that changes, of so many."""
    return services // 2


def check_output(repository: Repository, contender: Contender, made: Made, *, may_differ: bool = False) -> str:
    """Compare what a tool made with the objects that it should have made, as kubectl reads them.

    Returns:
        A line for people.

    Raises:
        BenchmarkError: it differs, and that is not known of the tool: a ratio would compare different work.
    """
    told = []
    count = 0
    for name, places in made.output.items():
        wanted = expected_objects(repository.folder / "expected" / f"{name}.jsonl")
        count += len(wanted)
        found = rendered_objects(*places)
        told += differences(wanted, found, keyed_order=not isinstance(contender, Kustomize))
    if told and not may_differ:
        raise BenchmarkError(f"{contender.name} differs in {len(told)} values, first: {told[0]}")
    where = f", first: {told[0]}" if told else ""
    return f"{contender.name}: {count} objects, {len(told)} wrong values{where}"


class _Changing:
    """A built project in which one base file of one service is saved, by turns in two versions, before each build."""

    def __init__(self, bench: Bench, repository: Repository, bumped: Repository) -> None:
        self._bench = bench
        self._versions = (bumped, repository)
        name = repository.names[changed_service(repository.services)]
        self._file = Path("base", name, "deployment.yaml")
        self._texts = [(each.folder / "envc" / self._file).read_bytes() for each in self._versions]
        self._turn = 0
        self.project = bench.scratch.copy(repository.folder / "envc", "changed")

    def save_and_build(self) -> Cost:
        """Save the other version, which is not measured, and build."""
        (self.project / self._file).write_bytes(self._texts[self._turn % 2])
        self._turn += 1
        return self._bench.run([self._bench.envc(self.project, "build")])

    def check(self) -> None:
        """Compare what the last build left with what it should have left.

        Raises:
            BenchmarkError: it differs.
        """
        last = self._versions[(self._turn - 1) % 2]
        output = {name: [self.project / "environments" / name] for name in last.environments}
        check_output(last, Envc(), Made(Cost(0, 0, 0), output))


class Suite:
    """The measurements of one run, on one machine, of one version of envc."""

    def __init__(self, bench: Bench, repository: Repository, runs: int) -> None:
        self._bench = bench
        self._repository = repository
        self._ours = Envc()
        self._runs = runs
        self._cold: list[Cost] = []

    def _compile(self, contender: Contender, repository: Repository | None = None) -> Cost:
        chosen = repository or self._repository
        cost = contender.compile(self._bench, chosen.folder, chosen.environments).cost
        if contender is self._ours and repository is None:
            self._cold.append(cost)
        return cost

    def check(self, contender: Contender) -> str:
        """Compile once with a tool and compare the objects; Kapitan is known to print some values wrongly."""
        made = contender.compile(self._bench, self._repository.folder, self._repository.environments)
        return check_output(self._repository, contender, made, may_differ=contender.name.startswith("Kapitan"))

    def cold(self, name: str, peer: Contender) -> Row:
        """A full compile of every environment, without any cache, beside another tool's."""
        pairs = self._bench.pairs(self._runs, lambda: self._compile(self._ours), lambda: self._compile(peer))
        return Row.of_pairs(_COLD[name], pairs)

    def on_disk(self, helm: Contender) -> Iterator[Row]:
        """A full compile on a disk, as one file a resource or an application, also where files were just deleted."""
        for layout, quiet, deleted in (("resource", DISK, DELETED), ("app", DISK_BY_APP, DELETED_BY_APP)):
            for target in (quiet, deleted):
                ours = Envc(layout=layout, after_deletion=target is deleted)
                pairs = self._bench.pairs(self._runs, partial(self._compile, ours), partial(self._compile, helm))
                yield Row.of_pairs(target, pairs)

    def with_chart(self) -> Row:
        """A full compile that writes the Helm chart too, beside one that does not."""
        both = Envc(writes_chart=True)
        pairs = self._bench.pairs(self._runs, lambda: self._compile(both), lambda: self._compile(self._ours))
        return Row.of_pairs(WITH_CHART, pairs)

    def memory(self) -> Row:
        """The largest peak of all full compiles so far."""
        if not self._cold:
            self._compile(self._ours)
        peaks = [cost.peak for cost in self._cold]
        return Row(MEMORY, max(peaks), min(peaks), max(peaks))

    def growth(self, large: Repository) -> Iterator[Row]:
        """A repository of ten times as many services beside the small one: time, and memory."""
        peaks = []

        def compile_large() -> Cost:
            cost = self._compile(self._ours, large)
            peaks.append(cost.peak)
            return cost

        pairs = self._bench.pairs(self._runs, compile_large, lambda: self._compile(self._ours))
        yield Row.of_pairs(GROWTH, pairs)
        yield Row(MEMORY_LARGE, max(peaks), min(peaks), max(peaks))

    def start_up(self) -> Iterator[Row]:
        """The commands that need no project."""
        folder = self._bench.scratch.folder
        yield Row.of_pairs(VERSION, self._beside_python(lambda: self._run(folder, "--version")))
        yield Row.of_pairs(HELP, self._beside_python(lambda: self._run(folder, "--help")))

    def nothing_changed(self) -> Row:
        """A build after a build."""
        project = self._bench.scratch.copy(self._repository.folder / "envc", "unchanged")
        self._run(project, "build")
        pairs = self._beside_python(lambda: self._run(project, "build"))
        return Row.of_pairs(NOTHING_CHANGED, pairs)

    def explain(self) -> Row:
        """Where one field comes from."""
        project = self._bench.scratch.copy(self._repository.folder / "envc", "explained")
        self._run(project, "build")
        service = self._repository.names[-1]
        words = ("explain", self._repository.environments[-1], f"Deployment/{service}", "spec.replicas")
        return Row.of_values(EXPLAIN, [self._run(project, *words).wall for _ in range(self._runs)])

    def one_changed(self, tool: Kustomize, bumped: Repository) -> Row:
        """A build after one base file of one service changed, which reaches every environment.

        kustomize has no cache: its users build the one service.

        Args:
            tool: the peer.
            bumped: the repository with that service changed.

        Raises:
            BenchmarkError: what envc made of the change is not what it should be.
        """
        service = self._repository.names[changed_service(self._repository.services)]
        changing = self._changing(bumped)

        def build_service() -> Cost:
            chosen = self._repository
            return tool.compile_service(self._bench, chosen.folder, chosen.environments, service).cost

        pairs = self._bench.pairs(self._runs * _CHEAP, changing.save_and_build, build_service)
        changing.check()
        return Row.of_pairs(ONE_CHANGED, pairs)

    def jobs(self, large: Repository) -> Row:
        """A full compile by two processes beside one, in wall time."""

        def build(*words: str) -> Cost:
            return self._run(self._bench.scratch.copy(large.folder / "envc", "jobs"), "build", *words)

        return Row.of_pairs(JOBS, self._bench.pairs(self._runs, lambda: build("--jobs", "2"), build))

    def shared_memo(self, large: Repository) -> Row:
        """A full compile of a fresh clone beside a memo that others filled.

        The project has no Secrets in clear: where there are some, nothing that is compiled leaves the machine.
        """
        memo = self._bench.scratch.fresh("shared")
        source = self._bench.scratch.copy(large.folder / "envc", "without-secrets")
        leave_out_secrets(source)
        age(source)

        def build(**environment: str) -> Cost:
            project = self._bench.scratch.copy(source, "clone")
            return self._bench.run([self._bench.envc(project, "build")], environment)

        build(ENVC_CACHE=str(memo))
        return Row.of_pairs(SHARED_MEMO, self._bench.pairs(self._runs, lambda: build(ENVC_CACHE=str(memo)), build))

    def huge(self, huge: Repository) -> Row:
        """The peak of one full compile of a hundred times as many services."""
        peak = self._compile(self._ours, huge).peak
        return Row(MEMORY_HUGE, peak, peak, peak)

    def _changing(self, bumped: Repository) -> _Changing:
        changing = _Changing(self._bench, self._repository, bumped)
        self._run(changing.project, "build")
        return changing

    def _run(self, folder: Path, *arguments: str) -> Cost:
        return self._bench.run([self._bench.envc(folder, *arguments)])

    def _beside_python(self, ours: Callable[[], Cost]) -> Pairs:
        return self._bench.pairs(self._runs * _CHEAP, ours, lambda: self._bench.run([self._bench.bare_python()]))
