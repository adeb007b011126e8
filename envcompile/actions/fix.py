"""Mending findings that have one right answer, in the files where the fields were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.build import compile_all
from envcompile.actions.check import grading
from envcompile.actions.looking import check_input_of
from envcompile.actions.sharededits import where_written
from envcompile.actions.sourceedits import UnplacedError, changed, changes_of
from envcompile.check.mend import mended
from envcompile.check.rules.catalogue import RULES
from envcompile.check.suppressions import read_suppressions
from envcompile.errors import EnvcError
from envcompile.files import write_below
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.field_places import source_place
from envcompile.units.project import Project
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from envcompile.actions.sourceedits import SourceEdit
    from envcompile.check.finding import Hit
    from envcompile.check.mend import Mend
    from envcompile.check.rule import Rule
    from envcompile.model import Location, Resource, ResourceId
    from envcompile.units.project import CompiledEnvironment


class Task(NamedTuple):
    """A finding with its mend, and where the sources have to be changed for it."""

    environment: str
    rule: Rule
    hit: Hit
    where: Location | None
    mends: tuple[Mend, ...]
    changes: tuple[SourceEdit, ...]


class Left(NamedTuple):
    """A finding that has a mend, and why it is left alone."""

    rule: str
    where: Location | None
    subject: str
    why: str


class Fix(NamedTuple):
    """The files as they would be, what that mends, and what is left."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    tasks: tuple[Task, ...]
    left: tuple[Left, ...]


def plan_fix(project: Project, chosen: Collection[str] | None = None) -> Fix:
    """Work out how to mend what has one right answer, in all environments, for they share files; nothing is written.

    A mend is taken only when every environment compiles afterwards to what it was, but for the mended fields, and the
    rule is silent about them. What a mend brings to light (a field that the new apiVersion knows by another name) is
    mended with it: mending again would change nothing more.

    Args:
        project: the repository.
        chosen: rules to mend for; all when left out.

    Raises:
        EnvcError: what is wrong with the sources.
    """
    compiled: Sequence[CompiledEnvironment] = compile_all(project, project.choose(()))
    after: dict[str, str] = {}
    tasks: list[Task] = []
    seen = [after]
    while True:
        tree = OverlaidTree(project.tree, {path: text.encode() for path, text in after.items()})
        mended_now, kept, left, compiled = _one_round(Project(tree) if after else project, compiled, chosen)
        tasks += kept
        after = {**after, **mended_now}
        if not mended_now or after in seen:
            break
        seen.append(after)
    before = {path: project.tree.read(path).decode() for path in sorted(after)}
    return Fix(before, {path: after[path] for path in before}, tuple(tasks), left)


def _one_round(
    project: Project, compiled: Sequence[CompiledEnvironment], chosen: Collection[str] | None
) -> tuple[dict[str, str], list[Task], tuple[Left, ...], Sequence[CompiledEnvironment]]:
    """What can be mended of what is found in the sources as they are.

    Returns:
        The changed files, what that mends, what is left, and all environments as they are afterwards.
    """
    tasks: list[Task] = []
    left: dict[tuple[str, Location | None, str, str], dict[str, None]] = {}

    def leave(rule: Rule, where: Location | None, short: str, why: str, environment: str) -> None:
        left.setdefault((rule.id, where, short, why), {})[environment] = None

    for built in compiled:
        for rule, resource, hit in _mendable(project, built, chosen):
            where = source_place(built.composed, resource, hit.pointer)
            mends = tuple(rule.mend(resource, hit)) if rule.mend is not None else ()
            if not mends:
                continue
            try:
                changes = tuple(change for mend in mends for change in changes_of(built, resource, mend))
            except UnplacedError as error:
                leave(rule, where, resource.id.short, str(error), built.compiled.environment)
                continue
            tasks.append(Task(built.compiled.environment, rule, hit, where, mends, changes))
    wanted = list(dict.fromkeys(change for task in tasks for change in task.changes))
    instead, refused = where_written(wanted, lambda path: project.tree.read(path).decode())
    ready = []
    for task in tasks:
        why = next((refused[change] for change in task.changes if change in refused), "")
        if why:
            leave(task.rule, task.where, task.hit.resource.short, why, task.environment)
        else:
            ready.append(task._replace(changes=tuple(instead.get(change, change) for change in task.changes)))
    done = _Trial(project, compiled)
    kept = [task for group in done.settled(_together(ready)) for task in group]
    for task in ready:
        if not any(task is other for other in kept):
            why = done.refused([task]) or "it would change more than this, or leave the finding: mend it by hand"
            leave(task.rule, task.where, task.hit.resource.short, why, task.environment)
    told = [
        Left(rule, where, f"{short} in {', '.join(environments)}", why)
        for (rule, where, short, why), environments in left.items()
    ]
    texts = done.texts(kept)
    return texts, kept, tuple(told), done.compiled(texts)


def write_fix(project: Project, fix: Fix) -> None:
    """Write the files, each in one step.

    Raises:
        UnavailableError: one cannot be written.
    """
    for path, text in fix.after.items():
        write_below(project.root, path, text.encode())


def _mendable(
    project: Project, built: CompiledEnvironment, chosen: Collection[str] | None
) -> Iterator[tuple[Rule, Resource, Hit]]:
    """What rules with a mend find in an environment, but for what the resource sets aside."""
    grades = grading(project, built.composed.sources)
    inputs = check_input_of(built)
    resources = {resource.id: resource for resource in built.compiled.resources}
    aside = {
        (entry.resource, entry.rule)
        for resource in inputs.resources
        for entry in read_suppressions(resource.id, resource.value)
        if entry.reason
    }
    for rule in RULES:
        if rule.mend is None or grades.is_off(rule.id) or (chosen is not None and rule.id not in chosen):
            continue
        for hit in rule.find(inputs):
            if (hit.resource, rule.id) not in aside:
                yield rule, resources[hit.resource], hit


class _Trial:
    """Tries changes of the sources before anything is written."""

    def __init__(self, project: Project, compiled: Sequence[CompiledEnvironment]) -> None:
        self._project = project
        self._compiled = compiled
        self._last: tuple[dict[str, str], Sequence[CompiledEnvironment]] = ({}, compiled)

    def compiled(self, texts: dict[str, str]) -> Sequence[CompiledEnvironment]:
        """All environments with files changed.

        Raises:
            EnvcError: what is wrong with them.
        """
        if not texts:
            return self._compiled
        if self._last[0] != texts:
            tree = OverlaidTree(self._project.tree, {path: text.encode() for path, text in texts.items()})
            self._last = texts, compile_all(Project(tree), [built.compiled.environment for built in self._compiled])
        return self._last[1]

    def texts(self, tasks: Sequence[Task]) -> dict[str, str]:
        """The changed files as they would be.

        Raises:
            EnvcError: a file is written so that it cannot be changed.
        """
        changes: dict[str, dict[SourceEdit, None]] = {}
        for task in tasks:
            for change in task.changes:
                changes.setdefault(change.file, {})[change] = None
        return {
            path: changed(self._project.tree.read(path).decode(), path, [*some])
            for path, some in sorted(changes.items())
        }

    def refused(self, tasks: Sequence[Task]) -> str:
        """Why the files cannot be changed so; empty when they can."""
        try:
            self.texts(tasks)
        except EnvcError as error:
            return f"{error.problems[0].what}: {error.problems[0].fix}"
        return ""

    def settled(self, groups: list[list[Task]]) -> list[list[Task]]:
        """The groups of tasks with which all environments become what they should."""
        while groups:
            wrong = self._wrong(groups)
            if not wrong:
                return groups if wrong is not None else self._halves(groups, [])
            rest = [group for group in groups if not any(_named(task.hit.resource) in wrong for task in group)]
            if len(rest) == len(groups):
                return self._halves(groups, [])
            groups = rest
        return []

    def _halves(self, groups: list[list[Task]], taken: list[list[Task]]) -> list[list[Task]]:
        """Those of some groups that hold beside others, found by halving: few do not."""
        if not groups or self._wrong([*taken, *groups]) == set():
            return groups
        if len(groups) == 1:
            return []
        middle = len(groups) // 2
        first = self._halves(groups[:middle], taken)
        return [*first, *self._halves(groups[middle:], [*taken, *first])]

    def _wrong(self, groups: Sequence[Sequence[Task]]) -> set[tuple[str, str]] | None:
        """The resources, by kind and name, that do not become what they should; None when nothing compiles."""
        tasks = [task for group in groups for task in group]
        try:
            after = self.compiled(self.texts(tasks))
        except (EnvcError, UnicodeDecodeError):
            return None
        return {
            name
            for old, new in zip(self._compiled, after, strict=True)
            for name in _not_as_due(old, new, [task for task in tasks if task.environment == old.compiled.environment])
        }


def _named(identity: ResourceId) -> tuple[str, str]:
    return identity.kind, identity.name


def _not_as_due(old: CompiledEnvironment, new: CompiledEnvironment, tasks: Sequence[Task]) -> Iterator[tuple[str, str]]:
    """The resources of an environment that are not what they were, with the mends of some tasks."""
    have = {resource.id: resource.value for resource in new.compiled.resources}
    mends: dict[ResourceId, dict[Mend, None]] = {}
    for task in tasks:
        for mend in task.mends:
            mends.setdefault(task.hit.resource, {})[mend] = None
    due = set()
    for resource in old.compiled.resources:
        some = mends.get(resource.id, {})
        identity = _identity(resource, some)
        due.add(identity)
        if identity not in have or not same(mended(resource.value, some, have[identity]), have[identity]):
            yield _named(identity)
    for identity in have.keys() - due:
        yield _named(identity)
    inputs = check_input_of(new)
    for rule in {task.rule.id: task.rule for task in tasks}.values():
        found = {(*_named(hit.resource), hit.pointer) for hit in rule.find(inputs)}
        for task in tasks:
            if task.rule is rule and (*_named(task.hit.resource), task.hit.pointer) in found:
                yield _named(task.hit.resource)


def _identity(resource: Resource, mends: Mapping[Mend, None]) -> ResourceId:
    """Who a resource is with its mends: another apiVersion may be one of another group."""
    for mend in mends:
        if mend.field == ("apiVersion",):
            group = str(mend.convert(resource.value["apiVersion"])).rpartition("/")[0]
            return resource.id._replace(group=group)
    return resource.id


def _together(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks that share a change of a file belong together."""
    groups: list[list[Task]] = []
    homes: dict[SourceEdit, list[Task]] = {}
    for task in tasks:
        mine: list[Task] = [task]
        for other in {id(homes[change]): homes[change] for change in task.changes if change in homes}.values():
            mine = [*other, *mine]
            groups.remove(other)
        groups.append(mine)
        for member in mine:
            homes.update(dict.fromkeys(member.changes, mine))
    return groups
