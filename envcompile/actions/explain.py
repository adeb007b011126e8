"""The origin of a field in one environment, with the parameters that went into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.build import find_resources
from envcompile.actions.chart_values import chart_origin
from envcompile.actions.secret_sources import secret_source
from envcompile.compose.provenance import REMOVED, explain, explain_texts
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.kubernetes.fieldpath import format_field, keyed, look_up, parse_field, resolve
from envcompile.yamlio.places import exact_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.chart_values import ChartOrigin
    from envcompile.compose.provenance import FieldOrigin, Say
    from envcompile.compose.ways import ListMerge
    from envcompile.kubernetes import KubeApi
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import Location, Pointer, Resource, ResourceId
    from envcompile.sources import EnvironmentSources
    from envcompile.units.project import Project

HIDDEN = "(a secret value)"
_MOST_CALLED = 3
"""Fields of one name that are proposed."""


class Parameter(NamedTuple):
    """A parameter that went into a field, and where the environment sets it."""

    name: str
    place: Location | None


class ExplainedField(NamedTuple):
    """A field, its value, who had a say, how its lists were merged, and its parameters."""

    field: str
    value: Any
    says: tuple[Say, ...]
    lists: tuple[ListMerge, ...]
    parameters: tuple[Parameter, ...]
    chart: ChartOrigin | None
    """The chart of others that made it, and the values that it comes from."""


class Explanation(NamedTuple):
    """The answer of `envc explain`."""

    environment: str
    resource: ResourceId
    fields: tuple[ExplainedField, ...]


def explain_field(project: Project, environment: str, resource: str, field: str) -> Explanation:
    """Which layers had a say in a field, a part, or (with an empty field) the whole of a resource.

    `FIELD#KEY` is a key of a configuration file, or what is below it; `FIELD#` are all of its keys.

    Raises:
        UsageError: there is no such environment, resource or field.
    """
    (name,) = project.choose([environment])
    linked = project.link(name)
    found = find_resources(linked, resource)
    if len(found) > 1:
        kind = resource.partition("/")[0]
        choices = ", ".join(sorted(f"{kind}/{item.id.namespace}/{item.id.name}" for item in found))
        raise UsageError([Problem(f"{resource} is in several namespaces of {name}", f"write one of {choices}")])
    (target,) = found
    path, key = parse_field(field)
    if key is None:
        origins = explain(target, path, linked.plan.api, linked.plan.sources.where)
    else:
        origins = explain_texts(target, path, linked.plan.sources.where, key or None)
        if key and not origins:
            inside = (f"{format_field(path)}#{key}.", f"{format_field(path)}#{key}[")
            every = explain_texts(target, path, linked.plan.sources.where)
            origins = [origin for origin in every if origin.field.startswith(inside)]
    if not origins:
        raise _unknown(target, linked.plan.api, path, key, field)
    fields = []
    uses = _Uses(linked.plan.sources, target)
    for origin in without_secrets(target, origins):
        made_of = secret_source(target, origin.field, linked.plan.api, linked.plan.sources.where)
        if made_of is None:
            chart = _of_chart(project, name, target.id, origin)
            shown = origin
        else:
            chart = _of_secrets_chart(project, name, target.id, made_of)
            before = tuple(say._replace(wins=False) for say in _without_secrets(made_of).says if say.place is not None)
            shown = origin._replace(says=(*before, *origin.says))
        parameters = uses.of(shown if made_of is None else made_of)
        fields.append(ExplainedField(*shown[:4], parameters, chart))
    return Explanation(name, target.id, tuple(fields))


def without_secrets(target: Resource, origins: list[FieldOrigin]) -> list[FieldOrigin]:
    """The origins of a resource that is, or was made from, a Secret without the values that people wrote in clear."""
    if any(step.after.get("kind") == "Secret" for step in target.steps):
        return [_without_secrets(origin) for origin in origins]
    return origins


def _without_secrets(origin: FieldOrigin) -> FieldOrigin:
    """The origin of a Secret's field without the values that people wrote in clear; references may be shown."""
    if not origin.field.startswith(("data", "stringData")):
        return origin

    def shown(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shown(item) for key, item in value.items()}
        return value if isinstance(value, str) and value.startswith(("ref+", REMOVED)) else HIDDEN

    return origin._replace(
        value=shown(origin.value), says=tuple(say._replace(value=shown(say.value)) for say in origin.says)
    )


def _of_chart(project: Project, environment: str, identity: ResourceId, origin: FieldOrigin) -> ChartOrigin | None:
    winner = next((say for say in origin.says if say.wins), None)
    if winner is None or winner.place is None:
        return None
    return chart_origin(project, environment, identity, origin.field, winner.value, winner.place.file)


def _of_secrets_chart(
    project: Project, environment: str, sealed: ResourceId, made_of: FieldOrigin
) -> ChartOrigin | None:
    """The chart whose Secret a sealed or external field was made of: helm may have written the key in `data`."""
    last = [say for say in made_of.says if say.place is not None][-1:]
    part, _, key = made_of.field.partition(".")
    secret = sealed._replace(group="", kind="Secret")
    found = [
        chart_origin(project, environment, secret, f"{each}.{key}", say.value, say.place.file)
        for say in last
        for each in dict.fromkeys((part, "data", "stringData"))
        if say.place is not None
    ]
    return next((one for one in found if one is not None and one.values), found[0] if found else None)


class _Uses:
    """Where the documents of a resource use parameters: each is looked through once, however many fields ask."""

    def __init__(self, sources: EnvironmentSources, target: Resource) -> None:
        self._sources = sources
        self._names: dict[tuple[str, Location | None], tuple[str, ...]] = {}
        documents = {id(step.document): step.document for step in target.steps if step.document is not None}
        for document in documents.values():
            for use in sources.parameters(document):
                self._names.setdefault((document.layer, exact_place(document, use.pointer)), use.names)

    def of(self, origin: FieldOrigin) -> tuple[Parameter, ...]:
        """The parameters in the string that the winning layer wrote."""
        winner = next((say for say in origin.says if say.wins), None)
        if winner is None or winner.place is None:
            return ()
        names = dict.fromkeys(self._names.get((winner.layer, winner.place), ()))
        return tuple(Parameter(name, self._sources.where(("params", *name.split(".")))) for name in names)


def _unkeyed(target: Resource, path: FieldPath) -> UsageError:
    """Why there are no keys to explain in a field that is there."""
    from envcompile.compose import configtext

    pointer = resolve(path, target.value)
    text = look_up(target.value, pointer) if pointer is not None else None
    what = f"{target.id.short} has no keys in {format_field(path) or 'itself'}"
    name = str(path[-1]) if path else ""
    if not isinstance(text, str):
        return UsageError([Problem(what, "`#` asks for the keys of a configuration file in a ConfigMap")])
    try:
        is_empty = not text.strip()
        fix = "the text is empty" if is_empty else configtext.how_merged(name, text, "")
        if configtext.format_of(name) is not None:
            configtext.keys(name, text)
    except configtext.ConfigTextError as error:
        fix = f"the text does not parse: line {error.line}: {error.what}"
    return UsageError([Problem(what, fix)])


def _unknown(target: Resource, api: KubeApi, path: FieldPath, key: str | None, field: str) -> UsageError:
    if key == "" and resolve(path, target.value) is not None:
        return _unkeyed(target, path)
    if key:
        from envcompile.compose.provenance import text_keys

        advice = did_you_mean(key, text_keys(target, path), "`envc show` prints the whole text")
        place = format_field(path) or "itself"
        return UsageError([Problem(f"{target.id.short} has no key `{key}` in {place}", advice)])
    value: Any = target.value
    known: list[str] = []
    for length in range(len(path), -1, -1):
        pointer = resolve(path[:length], target.value)
        if pointer is not None:
            for part in pointer:
                value = value[part]
            known = [str(name) for name in value] if isinstance(value, dict) else []
            missing = str(path[length]) if length < len(path) else ""
            where = format_field(path[:length]) or "the resource"
            if length == 0 and (called := _fields_called(target, api, missing)):
                more = f", and {len(called) - _MOST_CALLED} more" if len(called) > _MOST_CALLED else ""
                named = " or ".join(f"`{each}`" for each in called[:_MOST_CALLED])
                return UsageError([
                    Problem(f"{target.id.short} has no field `{field}`", f"did you mean {named}?{more}")
                ])
            advice = did_you_mean(
                missing, known, f"{where} has {', '.join(known[:12])}" if known else "it is not a map"
            )
            return UsageError([Problem(f"{target.id.short} has no field `{field}`", advice)])
    return UsageError([Problem(f"{target.id.short} has no field `{field}`", "`envc show` prints the resource")])


def _fields_called(target: Resource, api: KubeApi, name: str) -> list[str]:
    """The whole names of fields that end with a name, as people say `image` and `replicas`; the shortest first."""
    group, _, version = target.value["apiVersion"].rpartition("/")
    node = api.node(group, version, target.id.kind)
    found = [
        format_field(keyed(pointer, target.value, node))
        for pointer in _pointers(target.value, ())
        if pointer[-1] == name
    ]
    return sorted(found, key=lambda field: field.count("."))


def _pointers(value: Any, above: Pointer) -> Iterator[Pointer]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*above, key)
        yield from _pointers(child, (*above, key))
