"""Who last changed a field of a compiled resource, or a key of a configuration file inside of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.actions.at_commit import AtCommit
from envcompile.actions.former_names import follow, former_of
from envcompile.actions.past import api_at, resources_at, revision_of
from envcompile.errors import Problem, UsageError
from envcompile.history.blame import blame, blame_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.actions.past import Past
    from envcompile.history.blame import Blamed
    from envcompile.history.store import Revision
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import ResourceId


def blame_fields(
    past: Past, environment: str, resource: str, field: str, revision: str = "HEAD"
) -> tuple[ResourceId, list[Blamed]]:
    """The last change of every field of a resource, of one field and what is below it, or of a key of a file in it.

    Raises:
        UsageError: no such environment, commit, resource, field or key.
    """
    from envcompile.ask.changes import root_node
    from envcompile.ask.redact import redacted, shown
    from envcompile.kubernetes.fieldpath import look_up, parse_field, resolve

    at = revision_of(past, environment, revision)
    (target,) = resources_at(past, at, resource)
    path, inner = parse_field(field)
    if inner is not None:
        return target.id, _blame_keys(past, at, target.id, path, inner)
    node = root_node(target.id, target.value, api_at(past, at))

    def ask(name: str, commit: str, identity: ResourceId) -> list[Blamed]:
        return blame(past.store, name, commit, identity, node, path)

    found = _through_names(past, environment, target.id, ask(environment, at.commit, target.id), ask)
    if not found:
        what = f"{target.id.short} has no field `{field}` at {at.commit[:12]}"
        raise UsageError([Problem(what, "`envc history show` prints the resource")])
    unplaced: dict[str, list[Any]] = {}
    for blamed in found:
        if not blamed.place:
            unplaced.setdefault(blamed.commit, []).append(blamed.path)
    places: dict[str, dict[FieldPath, str]] = {}
    names = follow(past.store, environment).revisions
    for commit, paths in unplaced.items():
        with AtCommit(past.repository, commit, names[commit].environment) as then:
            places[commit] = then.places(target.id, paths)
    hidden = shown(redacted(target.id, target.value))
    done = []
    for blamed in found:
        pointer = resolve(blamed.path, hidden)
        value = look_up(hidden, pointer) if pointer is not None else "<redacted>"
        place = blamed.place or places.get(blamed.commit, {}).get(blamed.path, "")
        done.append(blamed._replace(value=value, place=place))
    return target.id, done


def _blame_keys(past: Past, at: Revision, resource: ResourceId, path: FieldPath, key: str) -> list[Blamed]:
    """The last change of a key, or of all that are below it; of all keys when none is named."""
    from envcompile.kubernetes.fieldpath import format_field

    def parts(value: Any) -> Mapping[str, Any]:
        return _keys(path, value, key) if resource.kind not in {"Secret", "SealedSecret"} else {}

    def ask(name: str, commit: str, identity: ResourceId) -> list[Blamed]:
        return blame_parts(past.store, name, commit, identity, path, parts)

    found = _through_names(past, at.environment, resource, ask(at.environment, at.commit, resource), ask)
    if not found:
        what = f"{resource.short} has no key `{key}` in `{format_field(path)}` at {at.commit[:12]}"
        raise UsageError([Problem(what, "keys are those of a .properties, .env, .ini, .toml, .yaml or .json entry")])
    names: dict[str, list[str]] = {}
    for blamed in found:
        names.setdefault(blamed.commit, []).append(blamed.key)
    places: dict[str, dict[str, str]] = {}
    revisions = follow(past.store, at.environment).revisions
    for commit, keys in names.items():
        with AtCommit(past.repository, commit, revisions[commit].environment) as then:
            places[commit] = then.key_places(resource, path, keys)
    return [blamed._replace(place=places[blamed.commit].get(blamed.key, "")) for blamed in found]


def _through_names(
    past: Past,
    environment: str,
    resource: ResourceId,
    found: list[Blamed],
    ask: Callable[[str, str, ResourceId], list[Blamed]],
) -> list[Blamed]:
    """What came with the resource when its environment got another name is followed to the name before.

    Args:
        past: the history.
        environment: the name that was asked about.
        resource: the resource under it.
        found: what is known of it under that name.
        ask: asks the same of another environment, commit and resource.
    """
    store = past.store
    for commit in {blamed.commit for blamed in found if blamed.how == "created"}:
        revision = store.revisions(environment)[commit]
        above = store.commits([commit])[commit].parents
        former = former_of(store, revision, above[0]) if above else None
        state = store.state(former.id) if former is not None else {}
        same = [
            one for one in state if (one.group, one.kind, one.name) == (resource.group, resource.kind, resource.name)
        ]
        if former is None or not same:
            continue
        identity = resource if resource in state else same[0]
        earlier = _through_names(
            past, former.environment, identity, ask(former.environment, former.commit, identity), ask
        )
        known = {(blamed.path, blamed.key): blamed for blamed in earlier}
        found = [
            _joined(blamed, known.get((blamed.path, blamed.key)))
            if blamed.commit == commit and blamed.how == "created"
            else blamed
            for blamed in found
        ]
    return found


def _joined(blamed: Blamed, before: Blamed | None) -> Blamed:
    """A field that came with a new name: unchanged since before, changed with it, or new in it."""
    if before is None:
        return blamed._replace(how="added")
    if before.value == blamed.value:
        return before
    return blamed._replace(how="changed", old=json.dumps(before.value, ensure_ascii=False))


def _keys(path: FieldPath, value: Any, wanted: str) -> dict[str, Any]:
    """The keys of a configuration file in a field, those at and below the wanted one."""
    from envcompile.compose import configtext
    from envcompile.kubernetes.fieldpath import look_up, resolve

    pointer = resolve(path, value) if value is not None else None
    text = look_up(value, pointer) if pointer else None
    name = str(path[-1]) if path else ""
    if not isinstance(text, str) or configtext.format_of(name) is None:
        return {}
    try:
        spans = configtext.keys(name, text)
    except configtext.ConfigTextError:
        return {}
    return {
        key: span.value
        for key, span in spans.items()
        if not wanted or key == wanted or key.startswith((f"{wanted}.", f"{wanted}["))
    }
