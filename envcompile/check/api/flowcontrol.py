"""What is refused of flow schemas and priority levels.

Source: pkg/apis/flowcontrol/validation/validation.go of kubernetes/kubernetes; each function names its own there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.names import label, subdomain
from envcompile.check.reading import at, list_at, text_at, texts_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.check.api.refusal import Place, Said, Validator

_VERBS: Final = frozenset({
    "get", "list", "create", "update", "delete", "deletecollection", "patch", "watch", "proxy",
})  # fmt: skip


def flow_subject(value: dict[str, Any], _: Place) -> Said:
    """The member that belongs to the kind; source: ValidateFlowSchemaSubject."""
    members = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}
    wanted = members.get(text_at(value, "kind"))
    for field in members.values():
        if wanted == field and value.get(field) is None:
            yield (field,), f"`{field}` is missing: `kind` says so"
        elif wanted is not None and wanted != field and value.get(field) is not None:
            yield (field,), f"`{field}` does not belong to `kind`"
    name = at(value, "serviceAccount", "name")
    if wanted == "serviceAccount" and name and name != "*" and (what := subdomain(name)):
        yield ("serviceAccount", "name"), f"`name` {what}"


def flow_rules(value: dict[str, Any], _: Place) -> Said:
    """Rules that are there; source: ValidateFlowSchemaPolicyRulesWithSubjects."""
    if not value.get("resourceRules") and not value.get("nonResourceRules"):
        yield (), "neither `resourceRules` nor `nonResourceRules` is there: one must be"


def _stars(value: dict[str, Any], *fields: str) -> Said:
    for field in fields:
        items = list_at(value, field)
        if len(items) > 1 and "*" in items:
            yield (field,), f"`*` stands beside others in `{field}`"
    verbs = texts_at(value, "verbs")
    if verbs and "*" not in verbs and not set(verbs) <= _VERBS:
        yield ("verbs",), f"a verb is not one of {', '.join(sorted(_VERBS))}"


def flow_resources(value: dict[str, Any], _: Place) -> Said:
    """Source: ValidateFlowSchemaResourcePolicyRule."""
    yield from _stars(value, "verbs", "apiGroups", "resources", "namespaces")
    namespaces = list_at(value, "namespaces")
    if not namespaces and value.get("clusterScope") is not True:
        yield ("namespaces",), "`namespaces` is missing: only `clusterScope: true` needs none"
    elif "*" not in namespaces:
        for index, name in enumerate(namespaces):
            if what := label("" if name is None else name):
                yield ("namespaces", index), f"item {index} of `namespaces` {what}"


def flow_urls(value: dict[str, Any], _: Place) -> Said:
    """Source: ValidateFlowSchemaNonResourcePolicyRule, ValidateNonResourceURLPath."""
    yield from _stars(value, "verbs", "nonResourceURLs")
    urls = list_at(value, "nonResourceURLs")
    if "*" in urls:
        return
    for index, url in enumerate(urls):
        given = "" if url is None else url
        if isinstance(given, str) and (what := _url_path(given)):
            yield ("nonResourceURLs", index), f"item {index} of `nonResourceURLs` {what}"


def _url_path(path: str) -> str | None:
    if not path:
        return "is empty"
    if path == "/":
        return None
    if not path.startswith("/"):
        return "does not start with `/`"
    if " " in path:
        return "contains a blank"
    if "//" in path:
        return "contains `//`"
    if "*" in path and not (path.count("*") == 1 and path.endswith("/*")):
        return "contains `*` elsewhere than in `/*` at its end"
    return None


def flow_schema(value: dict[str, Any], _: Place) -> Said:
    """Precedence 1 is the server's own; source: ValidateFlowSchemaSpec."""
    if at(value, "spec", "matchingPrecedence") == 1 and text_at(value, "metadata", "name") != "exempt":
        yield ("spec", "matchingPrecedence"), "`matchingPrecedence: 1` is for the schema `exempt` only"


def priority_level(value: dict[str, Any], _: Place) -> Said:
    """The member that belongs to the type; source: ValidatePriorityLevelConfigurationSpec."""
    spec, exempt = value.get("spec"), text_at(value, "metadata", "name") == "exempt"
    kind = at(spec, "type")
    if isinstance(spec, dict) and exempt != (kind == "Exempt"):
        yield ("spec", "type"), "`type: Exempt` is for the level `exempt` only"
    if kind == "Limited":
        if at(spec, "limited") is None:
            yield ("spec", "limited"), "`limited` is missing: `type` says so"
        if at(spec, "exempt") is not None:
            yield ("spec", "exempt"), "`exempt` does not belong to `type: Limited`"
    elif kind == "Exempt" and at(spec, "limited") is not None:
        yield ("spec", "limited"), "`limited` does not belong to `type: Exempt`"
    elif kind != "Exempt" and at(spec, "limited") is not None:
        yield ("spec", "limited"), "`limited` belongs to `type: Limited`"


def limit_response(value: dict[str, Any], _: Place) -> Said:
    """Queues for the type that has them; source: ValidateLimitResponse."""
    if value.get("type") == "Queue" and value.get("queuing") is None:
        yield ("queuing",), "`queuing` is missing: `type: Queue` needs it"
    elif value.get("type") != "Queue" and value.get("queuing") is not None:
        yield ("queuing",), "`queuing` belongs to `type: Queue`"


def queuing(value: dict[str, Any], _: Place) -> Said:
    """A hand that can be dealt; source: ValidatePriorityLevelQueuingConfiguration, shufflesharding."""
    queues, hand = value.get("queues") or 64, value.get("handSize") or 8  # filled in
    if not isinstance(queues, int) or not isinstance(hand, int) or queues <= 0 or hand <= 0:
        return
    if hand > queues:
        yield ("handSize",), "`handSize` is more than `queues`"
        return
    bits = 1
    for step in range(hand):
        bits *= queues - step
        if bits.bit_length() > 60:
            yield ("handSize",), "`handSize` and `queues` need more than 60 bits of entropy"
            return


RULES: Final[Mapping[str, Validator]] = {
    "flowcontrol.v1.FlowSchema": flow_schema,
    "flowcontrol.v1.LimitResponse": limit_response,
    "flowcontrol.v1.NonResourcePolicyRule": flow_urls,
    "flowcontrol.v1.PolicyRulesWithSubjects": flow_rules,
    "flowcontrol.v1.PriorityLevelConfiguration": priority_level,
    "flowcontrol.v1.QueuingConfiguration": queuing,
    "flowcontrol.v1.ResourcePolicyRule": flow_resources,
    "flowcontrol.v1.Subject": flow_subject,
}
