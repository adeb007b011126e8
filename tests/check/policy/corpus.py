"""What a real API server (1.37.2) said of policies, objects and schemas, and the same asked here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.check.policy.admission import decide
from envcompile.check.policy.defaults import admitted
from envcompile.check.policy.matching import NAME_LABEL, Elsewhere, Labels, Namespace, Request, match, selects
from envcompile.kubernetes import load

if TYPE_CHECKING:
    from envcompile.check.policy.admission import Policy

DATA = Path(__file__).parent / "data"
WIDGET = {
    "type": "object",
    "properties": {
        "ratio": {"type": "number"},
        "count": {"type": "integer"},
        "port": {"x-kubernetes-int-or-string": True},
        "tags": {"type": "array", "items": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    },
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.lab.example.com"},
    "spec": {
        "group": "lab.example.com",
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": WIDGET}}}},
        ],
    },
}
API = load("1.37").with_crds([DEFINITION])
_PLURALS = {"ingress": "ingresses", "networkpolicy": "networkpolicies"}
NO_PARAMS = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"


class Said(NamedTuple):
    """What comes of a request."""

    denied: tuple[str, ...]
    warnings: tuple[str, ...]
    annotations: dict[str, str]
    unknown: tuple[str, ...]


def lines(name: str) -> list[dict[str, Any]]:
    """The records of a file."""
    text = gzip.decompress((DATA / f"{name}.gz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()]


def whole(name: str) -> Any:
    """A file that is one value."""
    return json.loads(gzip.decompress((DATA / f"{name}.gz").read_bytes()))


def _placed(record: dict[str, Any], value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is None:
        return None
    namespace = "" if value["kind"] == "Namespace" else record["namespace"]
    return admitted(API, {**value, "metadata": dict(value["metadata"])}, namespace)


def _request(record: dict[str, Any], case: dict[str, Any]) -> Request:
    value, old = _placed(record, case["object"]), _placed(record, case["oldObject"])
    subject = value or old or {}
    group, _, version = subject["apiVersion"].rpartition("/")
    user = record["administrator"]
    if "user" in case:
        user = {"username": case["user"], "groups": [*case.get("groups", []), "system:authenticated"]}
    labels = {"policy": record["id"], NAME_LABEL: record["namespace"], **record["namespaceLabels"]}
    around = {"metadata": {"name": record["namespace"], "labels": labels}}
    name = subject["metadata"]["name"]
    own = subject["kind"] == "Namespace"
    namespace = Namespace(name, subject) if own else Namespace(record["namespace"], around)
    name_of = subject["kind"].lower()
    plural = _PLURALS.get(name_of, f"{name_of}s")
    kind = (group, version, subject["kind"], plural)
    return Request(case["operation"], *kind, name, namespace, value, old, user, is_dry=True)


def _params(record: dict[str, Any], policy: Policy, binding: dict[str, Any]) -> list[dict[str, Any] | None]:
    reference = binding.get("paramRef")
    if not policy.wants_params or not reference:
        return [None]
    placed = [_placed(record, param) for param in record["params"]]
    return [
        param
        for param in placed
        if param is not None
        and (
            param["metadata"]["name"] == reference["name"]
            if "name" in reference
            else selects(reference["selector"], Labels(param["metadata"].get("labels") or {}))
        )
    ]


def say(record: dict[str, Any], policy: Policy, case: dict[str, Any]) -> Said:
    """Ask a policy with its bindings about one case."""
    request = _request(record, case)
    denied: list[str] = []
    warnings: list[str] = []
    annotations: dict[str, list[str]] = {}
    unknown: list[str] = []
    covered = match(record["spec"]["matchConstraints"], request)
    if isinstance(covered, Elsewhere):
        return Said((), (), {}, ("another version",))
    for at, binding in enumerate(record["bindings"] if covered else ()):
        if match(binding.get("matchResources", {}), request) is not True:
            continue
        head = f"ValidatingAdmissionPolicy '{record['id']}' with binding '{record['id']}-{at}'"
        found = _params(record, policy, binding)
        if not found and binding["paramRef"].get("parameterNotFoundAction") == "Deny" and policy.fails:
            denied.append(f"{head} denied request: {NO_PARAMS}")
        for params in found:
            verdict = decide(policy, request, params)
            unknown += [why for _, why in verdict.unknown]
            for denial in verdict.denials:
                actions = binding["validationActions"] if denial.is_certain else ["Deny"]
                if "Deny" in actions:
                    denied.append(f"{head} denied request: {denial.message}")
                if "Warn" in actions:
                    warnings.append(f"Validation failed for {head}: {denial.message}")
            for key, value in verdict.annotations:
                annotations.setdefault(key, []).append(value)
    joined = {key: ", ".join(dict.fromkeys(values)) for key, values in annotations.items()}
    return Said(tuple(denied), tuple(warnings), joined, tuple(unknown))
