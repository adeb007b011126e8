"""Custom kinds: the schema of a CustomResourceDefinition, and merge keys that envc.yaml adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.errors import PicklableError
from envcompile.kubernetes.schema import ListRule, Node, spell_keys
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.kubernetes.schema import JsonType
    from envcompile.settings import MergeKeyRule

Schema = dict[str, Any]

CRD_GROUP: Final = "apiextensions.k8s.io"

KEYS: Final = "envcompile-keys"
"""Marks a list of an operator that states no keys; the value is the type of Kubernetes that its items are, empty for a
type of its own, and the keys."""

_REASON: Final = "envcompile-reason"
"""Marks a list whose rule comes from envc.yaml; the value is the sentence for `explain`."""

_TYPES: Final[Mapping[str, JsonType]] = {
    "object": "map",
    "array": "list",
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


class CustomKind(Record, frozen=True):
    """One custom kind: its scope where that is known, and its schema in each version, the newest listed first.

    `is_defined` is False for a kind of which only merge keys are known.
    """

    is_namespaced: bool | None
    versions: Mapping[str, Schema]
    is_defined: bool = True
    deprecated: frozenset[str] = frozenset()
    """Versions that are served and are to go."""
    gone: frozenset[str] = frozenset()
    """Versions that are no longer served."""
    project: str = ""
    """For a kind that nobody defines here: the project that does, with the version that is looked at."""
    is_loose: bool = False
    """True where the project was installed with definitions that take any field, too."""


class MergeKeyError(PicklableError, ValueError):
    """A rule of envc.yaml's `mergeKeys` that cannot hold; the message says why, `rule` is the rule."""

    def __init__(self, rule: MergeKeyRule, why: str) -> None:
        super().__init__(why)
        self.rule = rule


def read_crds(documents: Iterable[Any]) -> Iterator[tuple[tuple[str, str], CustomKind]]:
    """Read every CustomResourceDefinition (apiextensions.k8s.io/v1) among documents; all others are passed over.

    What a definition lacks is left out: whether it is complete, the checks on resources tell.
    """
    for document in documents:
        if not isinstance(document, dict) or document.get("kind") != "CustomResourceDefinition":
            continue
        if document.get("apiVersion") != f"{CRD_GROUP}/v1":
            continue
        spec = _mapping(document.get("spec"))
        group, kind = spec.get("group"), _mapping(spec.get("names")).get("kind")
        if isinstance(group, str) and isinstance(kind, str):
            versions = list(_versions(spec.get("versions")))
            yield (
                (group, kind),
                CustomKind(
                    spec.get("scope") != "Cluster",
                    {
                        name: _mapping(_mapping(of.get("schema")).get("openAPIV3Schema"))
                        for name, of in versions
                        if of.get("served") is not False
                    },
                    deprecated=frozenset(name for name, of in versions if of.get("deprecated") is True),
                    gone=frozenset(name for name, of in versions if of.get("served") is False),
                ),
            )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _versions(versions: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for version in versions if isinstance(versions, list) else ():
        name = _mapping(version).get("name")
        if isinstance(name, str):
            yield name, version


class SchemaNode(Node):
    """A value described by the structural schema of a CustomResourceDefinition."""

    __slots__ = ("_kind", "_object", "_path", "_project", "_schema")

    def __init__(
        self, schema: Schema, path: str, kind: str, every_object: Mapping[str, Node], project: str = ""
    ) -> None:
        said = f" ({project})" if project else ""
        super().__init__(_json_type(schema), f"{kind} {path}".strip() + said, _list_rule(schema, path, kind + said))
        self._schema = schema
        self._path = path
        self._kind = kind
        self._object = every_object
        self._project = project

    @property
    def schema(self) -> Schema:
        """The schema itself."""
        return self._schema

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields the schema lists, and at the root those of every object."""
        return tuple({**self._typed, **_mapping(self._schema.get("properties"))})

    @property
    def required(self) -> tuple[str, ...]:
        """What the schema requires, without what it gives a default."""
        names = self._schema.get("required")
        fields = _mapping(self._schema.get("properties"))
        return (
            tuple(name for name in names if "default" not in _mapping(fields.get(name)))
            if isinstance(names, list)
            else ()
        )

    @property
    def is_open(self) -> bool:
        """True unless it is an object of which the schema asks for nothing else to be kept: all else is dropped."""
        schema = self._schema
        keeps = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties")
        return bool(keeps) or schema.get("type") != "object"

    @property
    def is_nullable(self) -> bool:
        """What the schema says of `nullable`."""
        return bool(self._schema.get("nullable")) or self.type == "any"

    @property
    def is_certain(self) -> bool:
        """False for the schema of a project whose version in the cluster is not known."""
        return not self._project

    @property
    def _typed(self) -> Mapping[str, Node]:
        """The fields every object has, at the root and in objects embedded whole; a CRD may not describe them."""
        return self._object if not self._path or self._schema.get("x-kubernetes-embedded-resource") else {}

    def _make_child(self, key: str) -> Node | None:
        typed = self._typed.get(key)
        if typed is not None:
            return typed
        schema = _mapping(self._schema.get("properties")).get(key, self._schema.get("additionalProperties"))
        return self._below(schema, f"{self._path}.{key}".removeprefix("."))

    def _make_items(self) -> Node | None:
        return self._below(self._schema.get("items"), f"{self._path}[]")

    def _below(self, schema: Any, path: str) -> SchemaNode | None:
        if not isinstance(schema, dict):
            return None
        return SchemaNode(schema, path, self._kind, self._object, self._project)


def _json_type(schema: Schema) -> JsonType:
    if schema.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    named = schema.get("type")
    return _TYPES.get(named, "any") if isinstance(named, str) else "any"


def _list_rule(schema: Schema, path: str, kind: str) -> ListRule | None:
    """Read how a list of a custom kind merges; None for what is no list."""
    if schema.get("type") != "array":
        return None
    place = f"of {path} in the CustomResourceDefinition of {kind}"
    list_type, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    # YAML reads a key called `n` as false; the API server refuses such a definition, and its list merges by no key.
    if list_type == "map" and isinstance(keys, list) and keys and all(isinstance(key, str) for key in keys):
        reason = schema.get(_REASON) or f"merged by {spell_keys(keys)} (x-kubernetes-list-map-keys {place})"
        return ListRule("merge", tuple(keys), reason, tuple(_key_defaults(schema.get("items"), keys)))
    if list_type == "set":
        return ListRule("set", (), f"united as a set (x-kubernetes-list-type {place})")
    if list_type == "atomic":
        return ListRule("atomic", (), f"replaced (x-kubernetes-list-type is atomic, {place})")
    if KEYS in schema:
        of, *core = schema[KEYS]
        defaults = tuple(_key_defaults(schema.get("items"), core))
        said = f"items {place} are {of}" if of else f"the field that names items {place}"
        return ListRule("merge", tuple(core), f"merged by {spell_keys(core)} ({said})", defaults)
    return ListRule(
        "atomic",
        (),
        f"replaced (no x-kubernetes-list-type {place}; mergeKeys in envc.yaml can name its keys)",
        is_stated=False,
    )


def _key_defaults(items: Any, keys: Iterable[str]) -> Iterator[tuple[str, str | int]]:
    fields = _mapping(_mapping(items).get("properties"))
    for key in keys:
        default = _mapping(fields.get(key)).get("default")
        if isinstance(default, (str, int)):
            yield key, default


def with_keys(schema: Schema, rule: MergeKeyRule, *, is_defined: bool) -> Schema:
    """Lay one rule of `mergeKeys` over a schema; the schema itself stays as it is.

    A list type that the CustomResourceDefinition states wins over envc.yaml. Where nothing but merge keys is known of
    a kind (`is_defined` is False) the way to the list is made up as it goes.

    Raises:
        MergeKeyError: when the path is malformed, or leads to no list of the schema.
    """
    steps = rule.path.split(".")
    if rule.path.endswith("[]") or not all(step.removesuffix("[]") for step in steps):
        raise MergeKeyError(rule, f"`{rule.path}` does not name a list: write it like `spec.routes[].matches`")
    if not rule.keys:
        raise MergeKeyError(rule, f"`{rule.path}` has no keys")
    return _lay(schema, steps, rule, is_defined=is_defined)


def _lay(schema: Schema, steps: Sequence[str], rule: MergeKeyRule, *, is_defined: bool) -> Schema:
    if not steps:
        return _keyed(schema, rule)
    key, rest = steps[0].removesuffix("[]"), steps[1:]
    fields = _mapping(schema.get("properties"))
    below = fields.get(key)
    if below is None:
        if is_defined and not schema.get("x-kubernetes-preserve-unknown-fields"):
            raise MergeKeyError(
                rule, f"the CustomResourceDefinition of {rule.kind} has no `{key}` on the way to `{rule.path}`"
            )
        below, is_defined = {"x-kubernetes-preserve-unknown-fields": True}, False
    if steps[0].endswith("[]"):
        items = _lay(_mapping(below.get("items")), rest, rule, is_defined=is_defined)
        laid = {**below, "type": "array", "items": items}
    else:
        laid = _lay(below, rest, rule, is_defined=is_defined)
    return {**schema, "type": "object", "properties": {**fields, key: laid}}


def laid_over(schema: Schema, keys: Schema) -> Schema:
    """A schema with the merge keys of another one that `with_keys` made of nothing: what envc.yaml says goes first."""
    if "x-kubernetes-list-map-keys" in keys:
        schema = {**schema, **{key: of for key, of in keys.items() if key != "items"}}
    below = {
        name: laid_over(_mapping(_mapping(schema.get("properties")).get(name)), of)
        for name, of in _mapping(keys.get("properties")).items()
    }
    if below:
        schema = {**schema, "properties": {**_mapping(schema.get("properties")), **below}}
    if "items" in keys:
        schema = {**schema, "items": laid_over(_mapping(schema.get("items")), keys["items"])}
    return schema


def _keyed(schema: Schema, rule: MergeKeyRule) -> Schema:
    if _json_type(schema) not in {"list", "any"}:
        raise MergeKeyError(rule, f"`{rule.path}` of {rule.kind} is no list")
    if schema.get("x-kubernetes-list-type"):
        return schema
    return {
        **schema,
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": list(rule.keys),
        _REASON: f"merged by {spell_keys(rule.keys)} (mergeKeys of envc.yaml for {rule.path} of {rule.kind})",
    }
