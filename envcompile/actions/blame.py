"""Who last changed a field of a compiled resource, or a key of a configuration file inside of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.actions.at_commit import AtCommit
from envcompile.actions.former_names import follow, former_of
from envcompile.actions.kinds_at import api_at
from envcompile.actions.past import resources_at, revision_of
from envcompile.errors import Problem, UsageError
from envcompile.history.blame import Blame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.actions.past import Past
    from envcompile.history.blame import Blamed
    from envcompile.history.store import Revision
    from envcompile.kubernetes import Node
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
    found = EnvironmentBlame(past, at, target.id).fields(target.id, node, path)
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

    found = EnvironmentBlame(past, at, resource).keys(resource, path, key)
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


class EnvironmentBlame:
    """Blame asked of one environment at a commit as often as wanted, also under the names that it had before.

    Nothing is compiled for it: a field has a place where a recorded change has one.

    Args:
        past: the history.
        at: the revision that is asked about.
        only: the one resource that will be asked about; any of the environment when left out.
    """

    def __init__(self, past: Past, at: Revision, only: ResourceId | None = None) -> None:
        self._store = past.store
        self._at = at
        self._is_of_one = only is not None
        self._blames: dict[tuple[str, str, ResourceId | None], Blame] = {}
        self._formers: dict[tuple[str, str], Revision | None] = {}
        self._revisions: dict[str, dict[str, Revision]] = {}

    def fields(self, resource: ResourceId, node: Node | None, within: FieldPath = ()) -> list[Blamed]:
        """The last change of every field of a resource; empty when there is no such resource or field.

        Args:
            resource: any.
            node: the schema of its kind, for the merge keys of lists.
            within: only this field, and what is below it.
        """
        return self._through_names(self._at, resource, lambda blame, identity: blame.fields(identity, node, within))

    def keys(self, resource: ResourceId, path: FieldPath, key: str = "") -> list[Blamed]:
        """The last change of the keys of a configuration file in a field: of one and those below it, or of all."""
        if resource.kind in {"Secret", "SealedSecret"}:
            return []

        def parts(value: Any) -> Mapping[str, Any]:
            return _keys(path, value, key)

        return self._through_names(self._at, resource, lambda blame, identity: blame.parts(identity, path, parts))

    def _through_names(
        self, at: Revision, resource: ResourceId, ask: Callable[[Blame, ResourceId], list[Blamed]]
    ) -> list[Blamed]:
        """What came with the resource when its environment got another name is followed to the name before."""
        found = ask(self._blame(at, resource), resource)
        for commit in {blamed.commit for blamed in found if blamed.how == "created"}:
            former = self._former(at.environment, commit)
            state = self._store.state(former.id) if former is not None else {}
            same = [
                one
                for one in state
                if (one.group, one.kind, one.name) == (resource.group, resource.kind, resource.name)
            ]
            if former is None or not same:
                continue
            earlier = self._through_names(former, resource if resource in state else same[0], ask)
            known = {(blamed.path, blamed.key): blamed for blamed in earlier}
            found = [
                _joined(blamed, known.get((blamed.path, blamed.key)))
                if blamed.commit == commit and blamed.how == "created"
                else blamed
                for blamed in found
            ]
        return found

    def _blame(self, at: Revision, resource: ResourceId) -> Blame:
        only = resource if self._is_of_one else None
        key = (at.environment, at.commit, only)
        if key not in self._blames:
            self._blames[key] = Blame(self._store, at.environment, at.commit, only)
        return self._blames[key]

    def _former(self, environment: str, commit: str) -> Revision | None:
        """What an environment was called in the commit before one with which it came."""
        key = (environment, commit)
        if key not in self._formers:
            if environment not in self._revisions:
                self._revisions[environment] = self._store.revisions(environment)
            above = self._store.commits([commit])[commit].parents
            revision = self._revisions[environment][commit]
            self._formers[key] = former_of(self._store, revision, above[0]) if above else None
        return self._formers[key]


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
