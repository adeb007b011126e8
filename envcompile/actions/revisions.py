"""From compiled environments to what the history keeps of them: contents, and changed fields with their places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.actions.at_commit import place_of
from envcompile.ask.changes import Order, field_changes
from envcompile.ask.redact import shown
from envcompile.history.records import Content, FieldRow, content_of
from envcompile.model import without_values
from envcompile.units.compare import differing
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from envcompile.ask.changes import FieldChange
    from envcompile.history.reading import Reader
    from envcompile.history.records import Delta
    from envcompile.history.records import State as Recorded
    from envcompile.kubernetes import KubeApi
    from envcompile.model import ResourceId
    from envcompile.units.compare import State
    from envcompile.units.environment import LinkedEnvironment

NOT_RECORDED = "(not recorded)"
"""Stands for what a Secret of an environment with `secretBackend: plaintext` holds."""
_LONGEST = 4096
"""Characters of a field's value that are kept for blame; the whole value is in the resource."""


def contents(state: State) -> dict[ResourceId, Content]:
    """Everything that an environment holds."""
    return {identity: _content(state, identity) for identity in state.paths}


def contents_beside(state: State, before: State, recorded: Recorded) -> dict[ResourceId, Content] | None:
    """Everything that an environment holds; what it has in common with an earlier state is as that was recorded.

    Args:
        state: the environment.
        before: the earlier state.
        recorded: what is recorded of that.

    Returns:
        None when what is recorded is not what the earlier state says.
    """
    if before.paths.keys() != recorded.keys():
        return None
    changed = differing(before, state)
    found: dict[ResourceId, Content] = {}
    for identity, path in state.paths.items():
        if identity in changed:
            found[identity] = _content(state, identity)
            continue
        held = recorded[identity]
        if held.file != path:
            return None
        found[identity] = Content(b"", held.digest, path)
    return found


def _content(state: State, identity: ResourceId) -> Content:
    value = without_values(_linked(state).resource(identity), NOT_RECORDED).value
    return content_of(value, state.paths[identity])


def _linked(state: State) -> LinkedEnvironment:
    if state.linked is None:
        raise ValueError("an environment that is not there holds nothing")
    return state.linked


def field_rows(store: Reader, before: Recorded, state: State, delta: Delta) -> list[FieldRow]:
    """The fields that differ in resources that were there before, each with the place in the sources that set it."""
    changed = sorted(
        identity
        for identity, content in delta.changed.items()
        if identity in before and before[identity].digest != content.digest
    )
    if not changed:
        return []
    linked = _linked(state)
    api, sources = linked.plan.api, linked.plan.sources
    old = store.values([before[identity].content for identity in changed])
    rows: list[FieldRow] = []
    for identity in changed:
        resource = linked.resource(identity)
        rows.extend(
            _row(identity, change, place_of(resource, change.path, api, sources))
            for change in field_changes(
                identity, old[before[identity].content], without_values(resource, NOT_RECORDED).value, api
            )
        )
    return rows


def _row(identity: ResourceId, change: FieldChange, place: str) -> FieldRow:
    if isinstance(change.new, Order):
        return FieldRow(identity, change.field, "order", str(change.old), str(change.new), place)
    how = "added" if change.old is ABSENT else "removed" if change.new is ABSENT else "changed"
    return FieldRow(identity, change.field, how, _text(change.old), _text(change.new), place)


def _text(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = json.dumps(shown(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def rows_between(store: Reader, base: int, child: int, api: KubeApi) -> list[FieldRow]:
    """The fields in which two recorded revisions differ; nobody knows the places that set them."""
    before, after = store.state(base), store.state(child)
    both = [identity for identity in after if identity in before and before[identity].digest != after[identity].digest]
    values = store.values({*(before[item].content for item in both), *(after[item].content for item in both)})
    return [
        _row(identity, change, "")
        for identity in both
        for change in field_changes(identity, values[before[identity].content], values[after[identity].content], api)
    ]
