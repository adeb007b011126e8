"""Since when a finding's field is as it is: by the history where that is recorded, else by its line in git."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.blame import EnvironmentBlame
from envcompile.check.finding import Since
from envcompile.errors import EnvcError
from envcompile.git.lines import changed_files, line_origins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Self

    from envcompile.actions.origins import EnvironmentOrigins, ResourceOrigins
    from envcompile.actions.past import Past
    from envcompile.check.finding import Finding
    from envcompile.git.lines import LineOrigin
    from envcompile.git.repository import Commit
    from envcompile.history.blame import Blamed
    from envcompile.history.store import State
    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId


def with_origins(root: Path, findings: Iterable[Finding], revision: str | None = None) -> tuple[Finding, ...]:
    """The findings with who made their field what it is; as they are where nobody knows of the file.

    Args:
        root: the project's folder.
        findings: each file of theirs is asked of git once, each resource of the history once.
        revision: the commit that they were found in; the folder when left out.
    """
    return Dating(root, revision).dated(findings)


class Dating:
    """Since when fields are as they are; what git says is kept, so one of these belongs to one state of a folder.

    The line that a finding points at may be touched without a change of what it compiles to, and a field may change
    in one environment only: so the recorded revisions of the environment are asked, where there are any. A line that
    is not committed is told as such, and for a field that is missing git's line is what there is.

    Args:
        root: the project's folder.
        revision: the commit that findings were found in; the folder when left out.
        known: environment -> the origins of everything in it, where somebody has them: the history is not asked then.
    """

    def __init__(
        self, root: Path, revision: str | None = None, known: Mapping[str, EnvironmentOrigins] | None = None
    ) -> None:
        self._root = root
        self._revision = revision
        self._known = known if known is not None else {}
        self._resources: dict[str, dict[ResourceId, ResourceOrigins]] = {}
        self._files: dict[str, dict[int, LineOrigin]] = {}

    @cached_property
    def _changed(self) -> frozenset[str]:
        return changed_files(self._root) if self._revision is None else frozenset()

    def dated(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings with who made their field what it is; as they are where nobody knows of the file."""
        with _History(self._root) as history:
            return tuple(found._replace(since=self._since(found, history)) for found in findings)

    def _since(self, found: Finding, history: _History) -> Since | None:
        has_history = self._knows(found.environment) or history.recorded is not None
        file = found.where.file if found.where is not None else ""
        is_changed = has_history and file in self._changed
        # Where nothing is uncommitted the history has the first word, and git need not look for lines.
        since = self._recorded(found, history) if has_history and not is_changed else None
        if since is None and found.where is not None:
            origin = self._lines(file).get(found.where.line)
            since = Since(*origin) if origin is not None else None
            if is_changed and (since is None or since.commit):
                since = self._recorded(found, history) or since
        return since

    def _knows(self, environment: str) -> bool:
        return environment in self._known and bool(self._known[environment].commit)

    def _lines(self, file: str) -> dict[int, LineOrigin]:
        if file not in self._files:
            self._files[file] = line_origins(self._root, file, self._revision)
        return self._files[file]

    def _recorded(self, found: Finding, history: _History) -> Since | None:
        """Who gave a field its value as far as it is recorded."""
        if self._knows(found.environment):
            environment = self._known[found.environment]
            if found.environment not in self._resources:
                self._resources[found.environment] = {one.id: one for one in environment.resources}
            one = self._resources[found.environment].get(found.resource)
            fields = (
                []
                if one is None or not found.field
                else [field for field in one.fields if not field.key and is_within(field.field, found.field)]
            )
            if not any(field.is_uncommitted for field in fields):
                commits = {field.since.commit for field in fields if field.since is not None}
                return _last(environment.commits[commit] for commit in commits)
        return history.recorded.since(found, self._revision or "HEAD") if history.recorded is not None else None


class _History:
    """The history, opened when it is first asked; to be used in a `with` statement, which closes it.

    Args:
        root: the project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    @cached_property
    def recorded(self) -> _Recorded | None:
        """It; None where there is none, or its database does not answer."""
        return _open(self._root)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        recorded = self.__dict__.get("recorded")
        if recorded is not None:
            recorded.past.close()


def is_within(field: str, around: str) -> bool:
    """Tell whether a field is another one, or is below it."""
    return field == around or field.startswith((f"{around}.", f"{around}[", f"{around}#"))


def _last(commits: Iterable[Commit]) -> Since | None:
    """The last of commits; None for none."""
    last = max(commits, key=lambda commit: commit.committed_at, default=None)
    return Since(last.hash, last.committed_at, last.author_name) if last is not None else None


class _There(NamedTuple):
    """An environment at the commit that is asked about, as it is recorded."""

    state: State
    api: KubeApi
    blame: EnvironmentBlame


class _Recorded:
    """The history while findings are asked of it."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self._there: dict[str, _There | None] = {}
        self._fields: dict[tuple[str, ResourceId], list[Blamed]] = {}

    def since(self, found: Finding, revision: str) -> Since | None:
        """Who gave a field its value, or the last of what is below it; None where that is not recorded."""
        if not found.field:
            return None
        commits = {one.commit for one in self._blamed(found, revision) if is_within(one.field, found.field)}
        return _last(self.past.store.commits(commits).values() if commits else ())

    def _blamed(self, found: Finding, revision: str) -> list[Blamed]:
        from envcompile.ask.changes import root_node

        key = (found.environment, found.resource)
        if key not in self._fields:
            there = self._at(found.environment, revision)
            held = there.state.get(found.resource) if there is not None else None
            self._fields[key] = []
            if there is not None and held is not None:
                value = self.past.store.values([held.content])[held.content]
                node = root_node(found.resource, value, there.api)
                self._fields[key] = there.blame.fields(found.resource, node)
        return self._fields[key]

    def _at(self, environment: str, revision: str) -> _There | None:
        from envcompile.actions.kinds_at import api_at
        from envcompile.actions.past import revision_of

        if environment not in self._there:
            try:
                known = revision_of(self.past, environment, revision)
            except EnvcError:
                self._there[environment] = None
            else:
                state = self.past.store.state(known.id)
                blame = EnvironmentBlame(self.past, known)
                self._there[environment] = _There(state, api_at(self.past, known), blame)
        return self._there[environment]


def _open(root: Path) -> _Recorded | None:
    """The history of a project; None where there is none, or its database does not answer."""
    from envcompile.actions.past import open_past

    try:
        return _Recorded(open_past(root))
    except EnvcError:
        return None
