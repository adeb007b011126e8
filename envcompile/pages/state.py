"""One state of a project with its history, asked once for everything that pages say of it."""

from __future__ import annotations

from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.origins import environment_origins
from envcompile.errors import EnvcError, UnavailableError, UsageError
from envcompile.history.times import stamp
from envcompile.pages.kept import Carried, marks_of
from envcompile.pages.seen import open_or_none
from envcompile.pages.sides import sides_of

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Sequence

    from envcompile.actions.compliance import Compliance, TrendPoint
    from envcompile.actions.cost import Costs
    from envcompile.actions.cost_history import CostHistory
    from envcompile.actions.graph import Graph
    from envcompile.actions.matrix import Matrix
    from envcompile.actions.origins import EnvironmentOrigins
    from envcompile.actions.past import Past
    from envcompile.actions.presence import Presence
    from envcompile.actions.reached import Event
    from envcompile.actions.since import Dating
    from envcompile.actions.timeline import Deliveries
    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.check.finding import Finding, Severity
    from envcompile.check.report import Group, Report
    from envcompile.git.repository import Commit
    from envcompile.history.drifted import Standing
    from envcompile.model import ResourceId
    from envcompile.pages.sides import Side
    from envcompile.units.project import Project

_LIVE = 30
"""Seconds after which a watched cluster is asked about anew."""
_HOUR = 3_600
"""Seconds after which days are counted anew."""
_MOST_RESOURCES = 6_000
"""Of all environments together; the origins of one resource take some 50 kB."""


class Recording(NamedTuple):
    """What the history has of the branch that is checked out."""

    events: tuple[Event, ...]
    commits: int
    missing: int
    """Commits of the branch that are not recorded."""
    first: Commit | None
    """The oldest recorded commit."""


class State:  # ruff: ignore[too-many-public-methods] - every question that pages ask of a project
    """A project as it is now; nothing in it changes, and what nobody asks for is never worked out.

    Args:
        project: the project, newly opened.
        identity: what tells this state from others.
        wanted: environments as the user named them; none means all.
        since: the begin of the period that is told of, in seconds since 1970.
        history: what tells its history from others; empty where that is not known.
    """

    def __init__(
        self, project: Project, identity: str, wanted: Sequence[str] = (), since: int = 0, history: str = ""
    ) -> None:
        self.project = project
        self.identity = identity
        self.history = history
        self.names = project.choose(wanted)
        self.since = since
        self.silence = ""
        """Why the history does not answer; empty when it does, or there is none."""
        self.trend: tuple[TrendPoint, ...] = ()
        """What each of the last weeks ended with, once somebody has worked it out."""
        self._carried = Carried()
        self._origins: dict[str, EnvironmentOrigins] = {}
        self._alone: dict[tuple[str, ResourceId], EnvironmentOrigins] = {}
        self._differences: dict[tuple[str, str], EnvironmentDiff] = {}
        self._matrices: dict[tuple[str, str], Matrix] = {}
        self._graphs: dict[str, Graph] = {}
        self._grouped: dict[Severity, tuple[Group, ...]] = {}
        self._dated: dict[Finding, Finding] = {}
        self._costs: Costs | None = None
        self._cost_history: CostHistory | None = None
        self._delivered: Deliveries | None = None
        self._presences: tuple[int, dict[str, Presence]] | None = None
        self._drift: tuple[int, dict[str, Standing]] | None = None

    @cached_property
    def sides(self) -> dict[str, Side]:
        """The environments in promotion order."""
        return sides_of(self.project, self.names)

    @property
    def compiled(self) -> tuple[str, ...]:
        """The environments that compile."""
        return tuple(name for name, side in self.sides.items() if not side.problems)

    @cached_property
    def report(self) -> Report | None:
        """What the checks find; None where there is nothing to check."""
        from envcompile.actions.check import check

        if not self.compiled:
            return None
        try:
            return check(self.project, self.compiled)
        except UsageError:
            return None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, the gravest first."""
        return self.report.findings if self.report is not None else ()

    def dated(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Findings with since when; git is asked of each file, so of those only that are shown."""
        new = [found for found in findings if found not in self._dated]
        self._dated |= dict(zip(new, self._dating.dated(new), strict=True))
        return tuple(self._dated[found] for found in findings)

    @cached_property
    def _dating(self) -> Dating:
        from envcompile.actions.since import Dating

        return Dating(self.project.root, known=self._origins)

    @cached_property
    def by_resource(self) -> dict[ResourceId, list[Finding]]:
        """The findings of each resource in all environments, whose own namespaces are left out."""
        found: dict[ResourceId, list[Finding]] = {}
        for finding in self.findings:
            found.setdefault(finding.resource._replace(namespace=""), []).append(finding)
        return found

    def grouped(self, least: Severity) -> tuple[Group, ...]:
        """The findings of at least a grade, those of several environments that say the same as one."""
        from envcompile.check.finding import RANK
        from envcompile.check.report import together

        if least not in self._grouped:
            self._grouped[least] = tuple(
                together(finding for finding in self.findings if RANK[finding.severity] >= RANK[least])
            )
        return self._grouped[least]

    @cached_property
    def counts(self) -> dict[str, Counter[str]]:
        """Environment -> how many findings of each grade."""
        found: dict[str, Counter[str]] = {name: Counter() for name in self.names}
        for finding in self.findings:
            found[finding.environment][finding.severity] += 1
        return found

    @cached_property
    def recording(self) -> Recording | None:
        """What was recorded; None where there is no history yet."""
        from envcompile.actions.past import missing, open_past
        from envcompile.actions.reached import reached

        try:
            past = open_past(self.project.root)
        except UsageError:
            return None
        except UnavailableError as error:
            self.silence = "; ".join(problem.what for problem in error.problems)
            return None
        with closing(past):
            if not past.repository.has_commits():
                return None
            events = tuple(reached(past, self.names, since=self.since))
            known = past.store.known()
            left = missing(past)
            walked = [name for name in past.repository.walk([past.repository.resolve("HEAD")]) if name in known]
            facts = past.store.commits(walked[-1:])
            return Recording(events, len(walked), left, facts.get(walked[-1]) if walked else None)

    @property
    def is_small(self) -> bool:
        """Whether the origins of everything in it may be kept at hand."""
        return sum(len(side.resources) for side in self.sides.values()) <= _MOST_RESOURCES

    def prepare(self, now: int) -> None:
        """Work out what takes longer than one page may: frameworks, marks, lead times, and where everything is from.

        Args:
            now: the time of reading, in seconds since 1970.
        """
        if self.is_small:
            self.explain()
        for name in self.compiled:
            self.graph(name)
        _ = self.by_resource, self.events_of, self.grouped("warning"), self.grouped("info")
        _ = self.compliance, self.marks, self.delivered(now), self.cost_history(now)
        if self.is_small and len(self.compiled) > 1:
            self.matrix("", "")

    def explain(self) -> None:
        """Work out where everything is from; of units that did not change since the former state it is known."""
        with self._past() as past:
            for name in self.compiled:
                if name not in self._origins:
                    known = self._carried.origins_in(self.project.link(name))
                    self._origins[name] = environment_origins(self.project, name, past, known=known)

    def carry(self, before: State) -> None:
        """Take over from the former state what cannot be otherwise, because the history is the same.

        Args:
            before: the former state.
        """
        mine = (self.history, self.names, self.since, self.project.environments)
        if not self.history or mine != (before.history, before.names, before.since, before.project.environments):
            return
        for name in ("recording", "marks", "head"):
            if name in before.__dict__:
                self.__dict__[name] = before.__dict__[name]
        self._delivered = before._delivered
        origins = {name: marks_of(before.project.link(name), found) for name, found in before._origins.items()}
        prices = before._costs.prices if before._costs is not None else None
        self._carried = Carried(origins, before.compiled, prices, before._cost_history)

    @cached_property
    def columns(self) -> tuple[EnvironmentOrigins, ...]:
        """The environments that compile, with the origins of what differs between them."""
        from envcompile.actions.matrix_columns import columns_of

        if self.compiled and all(name in self._origins for name in self.compiled):
            return tuple(self._origins[name] for name in self.compiled)
        with self._past() as past:
            return columns_of(self.project, self.compiled, past)

    def origins(self, environment: str, resources: Collection[ResourceId]) -> EnvironmentOrigins:
        """Where the fields of resources are from; of others, too, where that is known already.

        Args:
            environment: one that compiles.
            resources: those that are asked about.
        """
        known = self._origins.get(environment)
        if known is not None:
            return known
        with self._past() as past:
            if len(resources) == 1:
                only = next(iter(resources))
                if (environment, only) not in self._alone:
                    found = environment_origins(self.project, environment, past, only=only)
                    self._alone[environment, only] = found
                return self._alone[environment, only]
            return environment_origins(self.project, environment, past, explained=frozenset(resources))

    def matrix(self, app: str, field: str) -> Matrix:
        """The environments that compile side by side.

        Args:
            app: only this application; all of them when empty, which must not be too much.
            field: only rows of this kind; all when empty.
        """
        from envcompile.actions.matrix import matrix, narrowed

        key = (app, field)
        if key not in self._matrices:
            apps, fields = [app] if app else (), [field or "all"]
            if self.is_small and any(key):
                self._matrices[key] = narrowed(self.matrix("", ""), apps=apps, fields=fields)
            else:
                columns = self.columns if self.is_small else self._columns_of_app(app)
                self._matrices[key] = matrix(columns, apps=apps, fields=fields)
        return self._matrices[key]

    def difference(self, left: str, right: str) -> EnvironmentDiff:
        """What two environments compile to otherwise.

        Raises:
            EnvcError: one of them does not compile.
        """
        from envcompile.actions.diff import between

        if (left, right) not in self._differences:
            self._differences[left, right] = between(self.project, left, right)
        return self._differences[left, right]

    def _columns_of_app(self, app: str) -> list[EnvironmentOrigins]:
        held = ((name, self.sides[name].apps.items()) for name in self.compiled)
        return [self.origins(name, [identity for identity, own in apps if own == app]) for name, apps in held]

    @contextmanager
    def _past(self) -> Generator[Past | None]:
        """The history, where there is one that answers."""
        past = open_or_none(self.project.root)
        try:
            yield past
        finally:
            if past is not None:
                past.close()

    def graph(self, environment: str) -> Graph:
        """What needs what in an environment.

        Raises:
            UsageError: there is no such environment.
            EnvcError: it does not compile.
        """
        from envcompile.actions.graph import environment_graph

        if environment not in self._graphs:
            self._graphs[environment] = environment_graph(self.project, environment)
        return self._graphs[environment]

    @cached_property
    def compliance(self) -> Compliance | None:
        """What the findings mean for the controls of frameworks; None where there is nothing to check."""
        from envcompile.actions.compliance import compliance, frameworks_named

        if self.report is None:
            return None
        return compliance(self.project, self.compiled, frameworks_named(()))

    @cached_property
    def marks(self) -> dict[str, str]:
        """Commit -> the hash of the record up to it; empty where nothing is recorded."""
        from envcompile.actions.timeline import recorded_line
        from envcompile.history.chain import chain

        past = open_or_none(self.project.root) if self.recording is not None else None
        if past is None:
            return {}
        with closing(past):
            return {link.commit: link.hash for link in chain(past.store, recorded_line(past)[0])}

    def costs(self, now: int) -> Costs | None:
        """What the environments that compile cost a month at the prices of a day; None when none compiles.

        Raises:
            EnvcError: what is wrong with the prices.
        """
        from envcompile.actions.cost import costs

        if not self.compiled:
            return None
        day = datetime.fromtimestamp(now, UTC).date()
        if self._costs is None or self._costs.day != day:
            self._costs = costs(self.project, self.compiled, day)
        return self._costs

    def cost_history(self, now: int) -> CostHistory | None:
        """What the environments cost in the period, at the prices of a day; None where nothing is recorded.

        Raises:
            EnvcError: what is wrong with the prices.
        """
        from envcompile.actions.cost_history import cost_history

        today = self.costs(now) if self.recording is not None and self.events else None
        if today is None:
            return None
        if self._cost_history is None:
            self._cost_history = self._carried.cost_history_at(today, self.compiled)
        if self._cost_history is None or self._cost_history.day != today.day:
            past = open_or_none(self.project.root)
            if past is None:
                return None
            with closing(past):
                since, lanes = stamp(self.begin(now), utc=True), self.project.environments
                self._cost_history = cost_history(
                    past, lanes, self.compiled, today.prices, today.day, now, since, with_causes=False
                )
        return self._cost_history

    def delivered(self, now: int) -> Deliveries | None:
        """How changes reached environments until now; None where nothing is recorded."""
        from envcompile.actions.timeline import deliveries

        if self.recording is None:
            return None
        if self._delivered is None or self._delivered.end < now - _HOUR:
            past = open_or_none(self.project.root)
            if past is None:
                return None
            with closing(past):
                start = stamp(self.since, utc=True) if self.since else None
                self._delivered = deliveries(past, self.project.environments, (), now, since=start)
        return self._delivered

    def presences(self, now: int) -> dict[str, Presence]:
        """What a watcher stored of the environments' clusters; those that were never watched are left out."""
        from envcompile.actions.presence import presences

        if self._presences is None or not 0 <= now - self._presences[0] < _LIVE:
            wanted = {name: (side.context, side.resources) for name, side in self.sides.items() if side.context}
            self._presences = now, presences(self.project.root, wanted, now) if wanted else {}
        return self._presences[1]

    def drift(self, now: int) -> dict[str, Standing]:
        """What `envc drift --record` kept of environments' clusters."""
        from envcompile.actions.drift_record import recorded_drift

        if self._drift is None or not 0 <= now - self._drift[0] < _LIVE:
            self._drift = now, recorded_drift(self.project.root, self.sides)
        return self._drift[1]

    def begin(self, now: int) -> int:
        """When the period begins, in seconds since 1970: as asked, else with the record; now where there is none."""
        first = self.recording.first if self.recording is not None else None
        return self.since or (first.authored_at if first is not None else now)

    @property
    def events(self) -> tuple[Event, ...]:
        """The recorded changes, the newest first; none where there is no history."""
        return self.recording.events if self.recording is not None else ()

    @cached_property
    def events_of(self) -> dict[tuple[str, ResourceId], list[Event]]:
        """Environment and resource -> the recorded changes of it, the newest first."""
        found: dict[tuple[str, ResourceId], list[Event]] = {}
        for event in self.events:
            for resource in dict.fromkeys(item.resource for item in event.changed):
                found.setdefault((event.environment, resource), []).append(event)
        return found

    @cached_property
    def head(self) -> Commit | None:
        """The commit that is checked out; None outside of git, and before the first."""
        from envcompile.actions.opening import open_repository

        try:
            repository = open_repository(self.project.root)
            return repository.commit("HEAD") if repository.has_commits() else None
        except EnvcError:
            return None

    def warm(self) -> None:
        """Work out what every page needs."""
        _ = self.sides, self.counts, self.recording, self.head
        for name in self.compiled:
            self.project.link(name).remember()
        self.project.save_memo()
