"""From compiled environments to what the history keeps of them: contents, and changed fields with their places."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.at_commit import place_of
from envcompile.ask.changes import Moved, Order, field_changes
from envcompile.ask.redact import shown
from envcompile.history.records import Delta, FieldRow, content_of, line_of, unchanged
from envcompile.model import without_values
from envcompile.units.compare import differing
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.ask.changes import FieldChange
    from envcompile.history.reading import HistoryReader
    from envcompile.history.records import Content, Revision
    from envcompile.history.records import State as Recorded
    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId
    from envcompile.units.compare import State

NOT_RECORDED = "(not recorded)"
"""Stands for what a Secret of an environment with `secretBackend: plaintext` holds."""
_LONGEST = 4096
"""Characters of a field's value that are kept for blame; the whole value is in the resource."""


def contents(state: State) -> dict[ResourceId, Content]:
    """Everything that an environment holds."""
    return {identity: _content(state, identity) for identity in state.paths}


class Ground(NamedTuple):
    """A recorded revision on which the next one is told: what it was made from, and what its digest is made from."""

    state: State
    digest: bytes
    lines: Mapping[ResourceId, bytes]
    """What each resource adds to the digest, sorted by identity."""


def ground_of(before: State, base: Revision, recorded: Recorded) -> Ground | None:
    """A recorded revision as ground for the next one; None when what is recorded is not what the state says.

    Args:
        before: what the sources of the revision come to.
        base: the revision.
        recorded: what is recorded of it.
    """
    if before.paths.keys() != recorded.keys():
        return None
    if any(held.file != before.paths[identity] for identity, held in recorded.items()):
        return None
    lines = {identity: line_of(identity, *held[1:]) for identity, held in sorted(recorded.items())}
    return Ground(before, base.digest, lines)


def delta_beside(ground: Ground, state: State, base: Revision, recorded: Recorded) -> tuple[Delta, Ground]:
    """What a state changes against a revision: only what may differ is looked at. With it, ground for the next one.

    Args:
        ground: the revision.
        state: the environment now.
        base: the revision, too.
        recorded: what is recorded of it.
    """
    changed: dict[ResourceId, Content] = {}
    for identity in differing(ground.state, state):
        if identity in state.paths:
            content = _content(state, identity)
            if identity not in recorded or recorded[identity][1:] != content[1:]:
                changed[identity] = content
    gone = recorded.keys() - state.paths.keys()
    if not changed and not gone:
        return unchanged(base), ground._replace(state=state)
    lines = {identity: line for identity, line in ground.lines.items() if identity not in gone}
    is_sorted = changed.keys() <= lines.keys()
    lines.update({identity: line_of(identity, *content[1:]) for identity, content in changed.items()})
    if not is_sorted:
        lines = dict(sorted(lines.items()))
    digest = hashlib.sha256(b"".join(lines.values())).digest()
    changed = dict(sorted(changed.items()))
    return Delta(state.environment, base, changed, gone, digest, len(state.paths)), Ground(state, digest, lines)


def _content(state: State, identity: ResourceId) -> Content:
    value = without_values(state.resource(identity), NOT_RECORDED).value
    return content_of(value, state.paths[identity])


def field_rows(store: HistoryReader, before: Recorded, state: State, delta: Delta) -> list[FieldRow]:
    """The fields that differ in resources that were there before, each with the place in the sources that set it."""
    changed = sorted(
        identity
        for identity, content in delta.changed.items()
        if identity in before and before[identity].digest != content.digest
    )
    plan = state.plan
    if not changed or plan is None:
        return []
    api, sources = plan.api, plan.sources
    old = store.values([before[identity].content for identity in changed])
    rows: list[FieldRow] = []
    for identity in changed:
        resource = state.resource(identity)
        rows.extend(
            _row(identity, change, place_of(resource, change.path, api, sources))
            for change in field_changes(
                identity, old[before[identity].content], without_values(resource, NOT_RECORDED).value, api
            )
        )
    return rows


def _row(identity: ResourceId, change: FieldChange, place: str) -> FieldRow:
    if isinstance(change.new, (Order, Moved)):
        return FieldRow(identity, change.field, "order", str(change.old), str(change.new), place)
    how = "added" if change.old is ABSENT else "removed" if change.new is ABSENT else "changed"
    return FieldRow(identity, change.field, how, _text(change.old), _text(change.new), place)


def _text(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = json.dumps(shown(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def rows_between(store: HistoryReader, base: int, child: int, api: KubeApi) -> list[FieldRow]:
    """The fields in which two recorded revisions differ; nobody knows the places that set them."""
    before, after = store.state(base), store.state(child)
    both = [identity for identity in after if identity in before and before[identity].digest != after[identity].digest]
    values = store.values({*(before[item].content for item in both), *(after[item].content for item in both)})
    return [
        _row(identity, change, "")
        for identity in both
        for change in field_changes(identity, values[before[identity].content], values[after[identity].content], api)
    ]
