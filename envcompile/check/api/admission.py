"""What is refused of webhooks, admission policies and flow schemas.

Sources: pkg/apis/admissionregistration/validation/validation.go, pkg/apis/flowcontrol/validation/validation.go,
staging/src/k8s.io/apiserver/pkg/util/webhook/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.formats import port
from envcompile.check.api.names import label_1035, qualified, subdomain
from envcompile.check.reading import list_at, maps_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator
    from envcompile.model import Pointer

_SEGMENTS: Final = 3
_RESERVED: Final = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return", "var", "void", "while",
})  # fmt: skip


def webhooks(value: dict[str, Any], _: Place) -> Said:
    """Names that stand once; source: validateValidatingWebhookConfiguration."""
    seen: set[str] = set()
    for index, item in maps_at(value, "webhooks"):
        name = text_at(item, "name")
        if name and name in seen:
            yield ("webhooks", index, "name"), f"two webhooks are called `{name}`"
        seen.add(name)


def webhook(value: dict[str, Any], _: Place) -> Said:
    """A name with its domain, and a review that the server speaks; source: validateValidatingWebhook."""
    name = text_at(value, "name")
    if name and len(name.split(".")) < _SEGMENTS:
        yield ("name",), "`name` is no domain of at least three parts, such as `check.pods.example.com`"
    versions = list_at(value, "admissionReviewVersions")
    if versions and not {"v1", "v1beta1"} & {item for item in versions if isinstance(item, str)}:
        yield ("admissionReviewVersions",), "`admissionReviewVersions` names neither v1 nor v1beta1"
    yield from _once_each(value, "matchConditions", "name")


def _once_each(value: dict[str, Any], field: str, key: str) -> Said:
    seen: set[str] = set()
    for index, item in maps_at(value, field):
        name = text_at(item, key)
        if name and name in seen:
            yield (field, index, key), f"`{name}` stands twice"
        seen.add(name)


def client_service(value: dict[str, Any], _: Place) -> Said:
    """A path of DNS names; source: ValidateWebhookService."""
    given = value.get("port")
    if given == 0 and (what := port(given)):
        yield ("port",), f"`port` {what}"
    path = text_at(value, "path")
    if path in {"", "/"}:
        return
    if not path.startswith("/"):
        yield ("path",), "`path` does not start with `/`"
    for step in path[1:].removesuffix("/").split("/"):
        if not step:
            yield ("path",), "`path` has an empty part"
        elif what := subdomain(step):
            yield ("path",), f"`path` has a part that {what}"


def client_url(value: dict[str, Any], _: Place) -> Said:
    """Https with a host and nothing else but a path; source: ValidateWebhookURL."""
    url = value.get("url")
    if isinstance(url, str) and value.get("service") is None and (what := https_url(url)):
        yield ("url",), f"`url` {what}"


def https_url(url: str) -> str | None:
    """Say what is wrong with the address of a webhook."""
    from urllib.parse import urlsplit

    wanted = "is not https://HOST[/PATH]"
    if any(letter <= " " or letter == "\x7f" for letter in url):
        return wanted
    try:
        parts = urlsplit(url)
        _ = parts.port if not parts.netloc.rpartition("]")[2].rpartition(":")[2].isdigit() else None
    except ValueError:
        return wanted
    if parts.scheme != "https" or not parts.netloc or parts.netloc.startswith(":"):
        return wanted
    if "@" in parts.netloc or parts.query or parts.fragment:  # a mark with nothing behind it says nothing
        return f"{wanted}: users, queries and fragments are refused"
    return None


def match_rule(value: dict[str, Any], _: Place) -> Said:
    """`*` by itself; source: validateRuleWithOperations, validateRule, validateResources."""
    for field in ("operations", "apiGroups", "apiVersions"):
        if len(list_at(value, field)) > 1 and "*" in list_at(value, field):
            yield (field,), f"`*` stands beside others in `{field}`"
    resources = texts_at(value, "resources")
    if len(resources) > 1 and "*/*" in resources:
        yield ("resources",), "`*/*` stands beside other resources"
    if "*" in resources and any("/" not in item and item != "*" for item in resources if item):
        yield ("resources",), "`*` stands beside resources without a subresource"
    whole, all_resources = set(), set()
    for index, item in enumerate(resources):
        name, slash, sub = item.partition("/")
        if not slash:
            continue
        if name in whole:
            yield ("resources", index), f"`{name}/*` stands beside it"
        if sub in all_resources:
            yield ("resources", index), f"`*/{sub}` stands beside it"
        if sub == "*":
            whole.add(name)
        if name == "*":
            all_resources.add(sub)


def policy(spec: dict[str, Any], place: Place) -> Said:
    """What a policy needs to say.

    Source: validateValidatingAdmissionPolicySpec, validateMutatingAdmissionPolicySpec.
    """
    constraints = spec.get("matchConstraints")
    if isinstance(constraints, dict) and not constraints.get("resourceRules"):
        yield ("matchConstraints", "resourceRules"), "`resourceRules` is missing or empty"
    yield from _once_each(spec, "matchConditions", "name")
    if place.kind == "MutatingAdmissionPolicy":
        yield from _mutable(spec, "matchConstraints")
    if place.kind == "ValidatingAdmissionPolicy":
        if not spec.get("validations") and not spec.get("auditAnnotations"):
            yield ("validations",), "neither `validations` nor `auditAnnotations` is there: one must be"
        yield from _once_each(spec, "auditAnnotations", "key")
        name = text_at(place.root, "metadata", "name")
        for index, item in maps_at(spec, "auditAnnotations"):
            key = text_at(item, "key")
            if name and key and (what := qualified(f"{name}/{key}")):
                yield ("auditAnnotations", index, "key"), f"the policy's name with `key` behind it {what}"


def _mutable(spec: dict[str, Any], field: str) -> Said:
    """What is deleted cannot be changed on the way; source: supportedMutatingOperations."""
    for index, rule in maps_at(spec, field, "resourceRules"):
        operations = list_at(rule, "operations")
        if "DELETE" in operations:
            where: Pointer = (field, "resourceRules", index, "operations", operations.index("DELETE"))
            yield where, "DELETE is none of *, CONNECT, CREATE and UPDATE, at which an object can be changed"


def param_kind(value: dict[str, Any], _: Place) -> Said:
    """A kind and its version; source: validateParamKind."""
    version = text_at(value, "apiVersion")
    group, __, name = version.rpartition("/")
    if version:
        what = "is not GROUP/VERSION" if "/" in group else None
        what = what or (subdomain(group) if group else None) or label_1035(name)
        if what:
            yield ("apiVersion",), f"`apiVersion` {what}"
    kind = text_at(value, "kind")
    if kind and (what := label_1035(kind.lower())):
        yield ("kind",), f"`kind` {what}"


def variable(value: dict[str, Any], _: Place) -> Said:
    """A name that CEL can read; source: validateVariable."""
    if value.get("name") in _RESERVED:
        yield ("name",), "`name` is a word of CEL"
    yield from _blank(value, "expression")


def _blank(value: dict[str, Any], *fields: str) -> Said:
    for field in fields:
        text = value.get(field)
        if isinstance(text, str) and text and not text.strip():
            yield (field,), f"`{field}` is blank"


def validation(value: dict[str, Any], _: Place) -> Said:
    """An expression and its message; source: validateValidation."""
    yield from _blank(value, "expression", "message", "messageExpression")
    message = text_at(value, "message").strip()
    if "\n" in message or "\r" in message:
        yield ("message",), "`message` has line breaks"


def blank_expression(value: dict[str, Any], _: Place) -> Said:
    """An expression that says something."""
    yield from _blank(value, "expression", "valueExpression")


def mutation(value: dict[str, Any], _: Place) -> Said:
    """The member that belongs to the type; source: validateMutation."""
    members = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
    wanted = members.get(text_at(value, "patchType"))
    for field in members.values():
        if wanted == field and value.get(field) is None:
            yield (field,), f"`{field}` is missing: `patchType` says so"
        elif wanted is not None and wanted != field and value.get(field) is not None:
            yield (field,), f"`{field}` does not belong to `patchType`"


def binding(spec: dict[str, Any], _: Place) -> Said:
    """Actions that exclude each other; source: validateValidationActions."""
    actions = list_at(spec, "validationActions")
    if "Deny" in actions and "Warn" in actions:
        yield ("validationActions",), "`Deny` and `Warn` stand beside each other"


def param_ref(value: dict[str, Any], _: Place) -> Said:
    """A name or a selector; source: validateParamRef."""
    named, selected = bool(value.get("name")), value.get("selector") is not None
    if named and selected:
        yield ("name",), "`name` and `selector` stand beside each other: only one may be there"
        yield ("selector",), "`name` and `selector` stand beside each other: only one may be there"
    elif not named and not selected:
        yield (), "neither `name` nor `selector` is there: one must be"


RULES: Final[Mapping[str, Validator]] = {
    "admissionregistration.v1.AuditAnnotation": blank_expression,
    "admissionregistration.v1.MatchCondition": blank_expression,
    "admissionregistration.v1.MutatingAdmissionPolicySpec": policy,
    "admissionregistration.v1.MutatingWebhook": webhook,
    "admissionregistration.v1.MutatingWebhookConfiguration": webhooks,
    "admissionregistration.v1.Mutation": mutation,
    "admissionregistration.v1.NamedRuleWithOperations": match_rule,
    "admissionregistration.v1.ParamKind": param_kind,
    "admissionregistration.v1.ParamRef": param_ref,
    "admissionregistration.v1.RuleWithOperations": match_rule,
    "admissionregistration.v1.ServiceReference": client_service,
    "admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": binding,
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": policy,
    "admissionregistration.v1.ValidatingWebhook": webhook,
    "admissionregistration.v1.ValidatingWebhookConfiguration": webhooks,
    "admissionregistration.v1.Validation": validation,
    "admissionregistration.v1.Variable": variable,
    "admissionregistration.v1.WebhookClientConfig": client_url,
    "apiextensions.v1.ServiceReference": client_service,
    "apiextensions.v1.WebhookClientConfig": client_url,
}
