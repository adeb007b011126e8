"""Since when a finding's field is as it is: by the history where that is recorded, else by its line in git."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.check.finding import Since
from envcompile.errors import EnvcError
from envcompile.git.lines import changed_files, line_origins
from envcompile.history.blame import Blame

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from envcompile.actions.past import Past
    from envcompile.check.finding import Finding
    from envcompile.git.lines import LineOrigin
    from envcompile.history.blame import Blamed
    from envcompile.history.store import State
    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId


def with_origins(root: Path, findings: Iterable[Finding], revision: str | None = None) -> tuple[Finding, ...]:
    """The findings with who made their field what it is; as they are where nobody knows of the file.

    The line that a finding points at may be touched without a change of what it compiles to, and a field may change
    in one environment only: so the recorded revisions of the environment are asked, where there are any. A line that
    is not committed is told as such, and for a field that is missing git's line is what there is.

    Args:
        root: the project's folder.
        findings: each file of theirs is asked of git once, each resource of the history once.
        revision: the commit that they were found in; the folder when left out.
    """
    files: dict[str, dict[int, LineOrigin]] = {}
    told = []
    recorded = _open(root)
    changed = changed_files(root) if recorded is not None and revision is None else frozenset()
    try:
        for found in findings:
            file = found.where.file if found.where is not None else ""
            # Where nothing is uncommitted the history has the first word, and git need not look for lines.
            since = recorded.since(found, revision or "HEAD") if recorded is not None and file not in changed else None
            if since is None and found.where is not None:
                if file not in files:
                    files[file] = line_origins(root, file, revision)
                origin = files[file].get(found.where.line)
                since = Since(*origin) if origin is not None else None
                if recorded is not None and file in changed and (since is None or since.commit):
                    since = recorded.since(found, "HEAD") or since
            told.append(found._replace(since=since))
    finally:
        if recorded is not None:
            recorded.past.close()
    return tuple(told)


class _There(NamedTuple):
    """An environment at the commit that is asked about, as it is recorded."""

    state: State
    api: KubeApi
    blame: Blame


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
        inside = (f"{found.field}.", f"{found.field}[", f"{found.field}#")
        fields = self._blamed(found, revision)
        commits = {one.commit for one in fields if one.field == found.field or one.field.startswith(inside)}
        facts = self.past.store.commits(commits).values() if commits else ()
        last = max(facts, key=lambda commit: commit.committed_at, default=None)
        return Since(last.hash, last.committed_at, last.author_name) if last is not None else None

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
        from envcompile.actions.past import api_at, revision_of

        if environment not in self._there:
            try:
                known = revision_of(self.past, environment, revision)
            except EnvcError:
                self._there[environment] = None
            else:
                state = self.past.store.state(known.id)
                blame = Blame(self.past.store, known.environment, known.commit)
                self._there[environment] = _There(state, api_at(self.past, known), blame)
        return self._there[environment]


def _open(root: Path) -> _Recorded | None:
    """The history of a project; None where there is none, or its database does not answer."""
    from envcompile.actions.past import open_past

    try:
        return _Recorded(open_past(root))
    except EnvcError:
        return None
