"""From compiled environments to what the history keeps of them: contents, and changed fields with their places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.ask.changes import Moved, Order, field_changes
from envcompile.ask.redact import shown
from envcompile.compose.provenance import explain
from envcompile.emit.filenames import place_files
from envcompile.emit.manifests import built_in_kinds
from envcompile.errors import EnvcError
from envcompile.git.identity import readable
from envcompile.history.records import FieldRow, content_of
from envcompile.model import without_values
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.ask.changes import FieldChange
    from envcompile.git.repository import Repository
    from envcompile.history.reading import Reader
    from envcompile.history.records import Content, Delta, State
    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Resource, ResourceId
    from envcompile.sources import EnvironmentSources
    from envcompile.units.project import CompiledEnvironment

NOT_RECORDED = "(not recorded)"
"""Stands for what a Secret of an environment with `secretBackend: plaintext` holds."""
_LONGEST = 4096
"""Characters of a field's value that are kept for blame; the whole value is in the resource."""


def contents(built: CompiledEnvironment) -> dict[ResourceId, Content]:
    """Everything that an environment holds."""
    compiled = built.compiled
    files = place_files(compiled.resources, compiled.namespace, built_in_kinds(built.composed.api))
    return {
        resource.id: content_of(without_values(resource, NOT_RECORDED).value, file) for file, resource in files.items()
    }


def field_rows(store: Reader, before: State, built: CompiledEnvironment, delta: Delta) -> list[FieldRow]:
    """The fields that differ in resources that were there before, each with the place in the sources that set it."""
    api = built.composed.api
    changed = sorted(
        identity
        for identity, content in delta.changed.items()
        if identity in before and before[identity].digest != content.digest
    )
    if not changed:
        return []
    old = store.values([before[identity].content for identity in changed])
    by_id = {resource.id: resource for resource in built.compiled.resources}
    rows: list[FieldRow] = []
    for identity in changed:
        resource = by_id[identity]
        rows.extend(
            _row(identity, change, _place(built.composed.sources, api, resource, change.path))
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


def _place(sources: EnvironmentSources, api: KubeApi, resource: Resource, path: FieldPath) -> str:
    """The file and line that set a field; empty where none does."""
    origins = explain(resource, path, api, sources.where)
    winners = [say.place for origin in origins for say in origin.says if say.wins and say.place is not None]
    return readable(str(winners[0])) if winners else ""


def places_of(
    repository: Repository, commit: str, environment: str, resource: ResourceId, fields: Iterable[FieldPath]
) -> dict[FieldPath, str]:
    """The file and line of a commit that set each field, found by compiling it; empty where that is not known."""
    from envcompile.units.project import Project

    if not repository.has(commit):
        return {}
    tree = repository.commit_tree(commit)
    try:
        linked = Project(tree).link(environment)
        found = [linked.resource(resource)] if resource in linked.ids() else []
        plan = linked.plan
        return {path: _place(plan.sources, plan.api, item, path) for item in found for path in fields}
    except EnvcError:
        return {}
    finally:
        tree.close()


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
