"""What is refused of CustomResourceDefinitions.

Source: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go of
kubernetes/kubernetes; each function names its own there. What a schema may hold is in `crdschemas`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.crdschemas import Level, find_property, schema_refusals, schemas_in
from envcompile.check.api.expressions import schema_rules
from envcompile.check.api.names import label_1035, subdomain
from envcompile.check.reading import at, list_at, map_at, maps_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_COLUMN_TYPES: Final = frozenset({"integer", "number", "string", "boolean", "date"})
_COLUMN_FORMATS: Final = frozenset({"int32", "int64", "float", "double", "byte", "date", "date-time", "password"})
_MOST_SELECTABLE: Final = 8
_LONGEST_WARNING: Final = 256


def definition(value: dict[str, Any], _: Place) -> Said:
    """A name of plural and group; source: ValidateCustomResourceDefinition."""
    name = text_at(value, "metadata", "name")
    if at(value, "metadata", "generateName"):
        yield ("metadata", "generateName"), "the name of a definition is its plural and group: it cannot be made"
    plural, group = text_at(value, "spec", "names", "plural"), text_at(value, "spec", "group")
    if name and name != f"{plural}.{group}":
        yield ("metadata", "name"), f"`metadata.name` is not `{plural}.{group}`: plural and group"
    if group.endswith((".k8s.io", ".kubernetes.io")) or group in {"k8s.io", "kubernetes.io"}:
        approval = map_at(value, "metadata", "annotations").get("api-approved.kubernetes.io")
        where: Pointer = ("metadata", "annotations", "api-approved.kubernetes.io")
        if not approval:
            yield where, "the group is protected: it needs the annotation api-approved.kubernetes.io"
        elif isinstance(approval, str) and not approval.startswith(("https://", "http://", "unapproved")):
            yield where, "the annotation is neither a URL nor begins with `unapproved`"


def spec(value: dict[str, Any], _: Place) -> Said:
    """Names, versions and conversion; source: validateCustomResourceDefinitionSpec."""
    group = text_at(value, "group")
    if not group:
        yield ("group",), "`group` is missing"
    elif what := subdomain(group):
        yield ("group",), f"`group` {what}"
    elif "." not in group:
        yield ("group",), "`group` has no dot"
    if value.get("scope") not in {"Cluster", "Namespaced"}:
        yield ("scope",), "`scope` is not one of Cluster, Namespaced"
    if value.get("preserveUnknownFields") is True:
        yield ("preserveUnknownFields",), "`preserveUnknownFields` cannot be true"
    yield from _names(map_at(value, "names"))
    yield from _versions(value)
    yield from _conversion(value.get("conversion"))


def _names(names: dict[str, Any]) -> Said:
    for field in ("plural", "kind"):
        if not names.get(field):
            yield ("names", field), f"`{field}` is missing"
    for field in ("plural", "singular"):
        if names.get(field) and (what := label_1035(names[field])):
            yield ("names", field), f"`{field}` {what}"
    for field in ("kind", "listKind"):
        text = text_at(names, field)
        if text and (what := label_1035(text.lower())):
            yield ("names", field), f"`{field}` {what}"
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield ("names", "listKind"), "`listKind` is `kind`"
    for field in ("shortNames", "categories"):
        for index, text in enumerate(list_at(names, field)):
            if what := label_1035("" if text is None else text):
                yield ("names", field, index), f"item {index} of `{field}` {what}"


def _versions(value: dict[str, Any]) -> Said:
    versions = list(maps_at(value, "versions"))
    names = [text_at(item, "name") for _, item in versions]
    if len(set(names)) < len(names):
        yield ("versions",), "two versions have one name"
    if sum(item.get("storage") is True for _, item in versions) != 1:
        yield ("versions",), "not exactly one version has `storage: true`"
    for index, item in versions:
        where: Pointer = ("versions", index)
        if what := label_1035(item.get("name") or ""):
            yield (*where, "name"), f"`name` {what}"
        schema = at(item, "schema", "openAPIV3Schema")
        at_schema: Pointer = (*where, "schema", "openAPIV3Schema")
        if not isinstance(schema, dict):
            yield at_schema, "`openAPIV3Schema` is missing"
        else:
            yield from schema_refusals(schema, at_schema, Level.ROOT)
            for inner in schemas_in(schema, at_schema):
                yield from schema_rules(inner, is_root=inner.where == at_schema)
        yield from _version(item, where, schema)


def _version(item: dict[str, Any], where: Pointer, schema: Any) -> Said:
    warning = item.get("deprecationWarning")
    at_warning: Pointer = (*where, "deprecationWarning")
    if isinstance(warning, str):
        if item.get("deprecated") is not True:
            yield at_warning, "`deprecationWarning` needs `deprecated: true`"
        if not warning or len(warning.encode()) > _LONGEST_WARNING or not warning.isprintable():
            yield at_warning, f"`deprecationWarning` is no printable text of 1 to {_LONGEST_WARNING} characters"
    for index, column in maps_at(item, "additionalPrinterColumns"):
        yield from _column(column, (*where, "additionalPrinterColumns", index))
    scale = at(item, "subresources", "scale")
    if isinstance(scale, dict):
        yield from _scale(scale, (*where, "subresources", "scale"))
    fields = list_at(item, "selectableFields")
    if len(fields) > _MOST_SELECTABLE:
        yield (*where, "selectableFields"), f"more than {_MOST_SELECTABLE} fields are selectable"
    seen: set[str] = set()
    for index, entry in maps_at(item, "selectableFields"):
        path = text_at(entry, "jsonPath")
        at_path: Pointer = (*where, "selectableFields", index, "jsonPath")
        if not path:
            yield at_path, "`jsonPath` is missing"
        elif what := _selectable(path, schema):
            yield at_path, f"`jsonPath` {what}"
        elif path in seen:
            yield at_path, f"`{path}` is selectable twice"
        seen.add(path)


def _selectable(path: str, schema: Any) -> str | None:
    """Source: ValidateCustomResourceSelectableFields."""
    if path.startswith(".metadata"):
        return "leads into the metadata"
    found = find_property(schema, path)
    if found is None:
        return "leads to no field of the schema"
    if found.get("type") not in {"boolean", "integer", "string"}:
        return "leads to a field that is no string, integer or boolean"
    return None


def _column(column: dict[str, Any], where: Pointer) -> Said:
    """Source: ValidateCustomResourceColumnDefinition."""
    if not column.get("name"):
        yield (*where, "name"), "`name` is missing"
    if text_at(column, "type") not in _COLUMN_TYPES:
        yield (*where, "type"), f"`type` is not one of {', '.join(sorted(_COLUMN_TYPES))}"
    form = column.get("format")
    if isinstance(form, str) and form and form not in _COLUMN_FORMATS:
        yield (*where, "format"), f"`format` is not one of {', '.join(sorted(_COLUMN_FORMATS))}"
    path = text_at(column, "jsonPath")
    if not path.startswith("."):
        yield (*where, "jsonPath"), "`jsonPath` does not start with `.`"


def _scale(scale: dict[str, Any], where: Pointer) -> Said:
    """Source: ValidateCustomResourceDefinitionSubresources."""
    for field, begins in (
        ("specReplicasPath", (".spec.",)),
        ("statusReplicasPath", (".status.",)),
        ("labelSelectorPath", (".spec.", ".status.")),
    ):
        path = text_at(scale, field)
        if (path or field != "labelSelectorPath") and not path.startswith(begins):
            yield (*where, field), f"`{field}` does not start with {' or '.join(f'`{part}`' for part in begins)}"


def _conversion(value: Any) -> Said:
    """Source: validateCustomResourceConversion."""
    if not isinstance(value, dict):
        return
    strategy, webhook = value.get("strategy"), value.get("webhook")
    where: Pointer = ("conversion",)
    if strategy not in {"None", "Webhook"}:
        yield (*where, "strategy"), "`strategy` is not one of None, Webhook"
    if strategy != "Webhook":
        if webhook is not None:
            yield (*where, "webhook"), "`webhook` belongs to `strategy: Webhook`"
            yield (*where, "webhook", "clientConfig"), "`webhook` belongs to `strategy: Webhook`"
        return
    config = at(webhook, "clientConfig")
    if not isinstance(config, dict):
        yield (*where, "webhook", "clientConfig"), "`clientConfig` is missing: `strategy: Webhook` needs it"
    versions = texts_at(webhook, "conversionReviewVersions")
    at_versions: Pointer = (*where, "webhook", "conversionReviewVersions")
    if not list_at(webhook, "conversionReviewVersions"):
        yield at_versions, "`conversionReviewVersions` is missing"
    elif not {"v1", "v1beta1"} & set(versions):
        yield at_versions, "`conversionReviewVersions` names neither v1 nor v1beta1"
    for index, text in enumerate(list_at(webhook, "conversionReviewVersions")):
        if what := label_1035("" if text is None else text):
            yield (*at_versions, index), f"item {index} of `conversionReviewVersions` {what}"
        elif text in versions[:index]:
            yield (*at_versions, index), "the version stands twice"


RULES: Final[Mapping[str, Validator]] = {
    "apiextensions.v1.CustomResourceDefinition": definition,
    "apiextensions.v1.CustomResourceDefinitionSpec": spec,
}
