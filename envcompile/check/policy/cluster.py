"""The admission policies of an environment, asked about each of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.api.sure import surely_right
from envcompile.check.cel.engine import engine_for
from envcompile.check.cel.values import UnknownError
from envcompile.check.policy.admission import Denial, compile_policy, decide
from envcompile.check.policy.defaults import admitted
from envcompile.check.policy.kinds import ADMISSION, POLICY, policies_of
from envcompile.check.policy.matching import Elsewhere, Labels, Namespace, Request, match, selects
from envcompile.check.reading import at, map_at, maps_at, strings_at, text_at, texts_at, there
from envcompile.kubernetes import shortcomings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.check.cel.engine import Program
    from envcompile.check.check_input import CheckInput
    from envcompile.check.policy.admission import Policy, Refusal, Verdict
    from envcompile.model import Pointer, Resource

_EXEMPT: Final = (
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
)
"""Kinds of the policies' own group that no policy is asked about."""
_NOT_FOUND: Final = (
    "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
)


class Bound(NamedTuple):
    """A policy with one of its bindings."""

    resource: Resource
    policy: Policy
    name: str
    """The binding's name."""
    binding: Mapping[str, Any]


class Refused(NamedTuple):
    """An object that a policy refuses, or would warn about."""

    resource: Resource
    bound: Bound
    denial: Denial
    action: str
    """`Deny`, `Warn` or `Audit`: the gravest of the binding's actions."""
    operation: str
    field: Pointer
    """The field of the object that the policy looks at."""


class Open(NamedTuple):
    """Something about a policy that cannot be told here."""

    resource: Resource
    pointer: Pointer
    why: str


def refusals(inputs: CheckInput) -> Iterator[tuple[Resource, Refusal]]:
    """What the server refuses of the policies themselves."""
    engine = engine_for(inputs.api.version)
    for resource in policies_of(inputs):
        _, found = compile_policy(engine, resource.id.name, map_at(resource.value, "spec"))
        for refusal in found:
            yield resource, refusal


def judge(inputs: CheckInput) -> Iterator[Refused | Open]:
    """Ask every policy about every object it covers."""
    bound = list(_bound(inputs))
    if not bound:
        return
    requests = _Requests(inputs)
    asked = [resource for resource in inputs.resources if _is_asked_about(inputs, resource)]
    for one in bound:
        yield from _never_asked(one)
        for resource in asked:
            for request in requests.of(resource):
                yield from _answers(inputs, one, resource, request)


def _is_asked_about(inputs: CheckInput, resource: Resource) -> bool:
    """Tell whether a policy is asked about an object: not about policies, nor about what the server cannot read."""
    if resource.id.group == ADMISSION and resource.id.kind in _EXEMPT:
        return False
    value = resource.value
    return surely_right(inputs.api, value) or not any(
        at(value, *found.pointer) is not None for found in shortcomings(inputs.api, value) if not found.is_dropped
    )


def _never_asked(bound: Bound) -> Iterator[Open]:
    """What a policy is about that no environment tells: objects that are deleted, and connections."""
    for index, rule in maps_at(bound.policy.spec, "matchConstraints", "resourceRules"):
        for operation in ("DELETE", "CONNECT"):
            if operation in texts_at(rule, "operations"):
                pointer = ("spec", "matchConstraints", "resourceRules", index, "operations")
                why = f"only what is created and changed is known here, and no {operation}"
                yield Open(bound.resource, pointer, why)


def _bound(inputs: CheckInput) -> Iterator[Bound]:
    engine = engine_for(inputs.api.version)
    bindings: dict[str, list[Resource]] = {}
    for binding in inputs.of_kind(ADMISSION, f"{POLICY}Binding"):
        bindings.setdefault(text_at(binding.value, "spec", "policyName"), []).append(binding)
    for resource in policies_of(inputs):
        own = bindings.get(resource.id.name, [])
        if not own:
            continue
        policy, refused = compile_policy(engine, resource.id.name, map_at(resource.value, "spec"))
        if refused:
            continue
        for binding in own:
            yield Bound(resource, policy, binding.id.name, map_at(binding.value, "spec"))


class _Requests:
    """What is asked of the server when the objects of an environment are applied, each made once."""

    def __init__(self, inputs: CheckInput) -> None:
        self._inputs = inputs
        self._made: dict[Any, list[Request]] = {}
        self._plurals = {
            (text_at(resource.value, "spec", "group"), text_at(resource.value, "spec", "names", "kind")): text_at(
                resource.value, "spec", "names", "plural"
            )
            for resource in inputs.of_kind("apiextensions.k8s.io", "CustomResourceDefinition")
        }

    def of(self, resource: Resource) -> list[Request]:
        """The object as it is created, and as it changes what was there before."""
        known = self._made.get(resource.id)
        if known is None:
            known = self._made[resource.id] = list(self._make(resource))
        return known

    def _make(self, resource: Resource) -> Iterator[Request]:
        inputs, identity = self._inputs, resource.id
        value = admitted(inputs.api, resource.value, identity.namespace)
        version = text_at(resource.value, "apiVersion").rpartition("/")[2]
        plural = self._plurals.get((identity.group, identity.kind)) or plural_of(identity.kind)
        namespace = self._namespace(resource)
        kind = (identity.group, version, identity.kind, plural)
        request = Request("CREATE", *kind, identity.name, namespace, value, None)
        yield request
        before = inputs.older.get(identity)
        if before is not None:
            old = admitted(inputs.api, before, identity.namespace)
            yield request._replace(operation="UPDATE", old=old)

    def _namespace(self, resource: Resource) -> Namespace | None:
        identity = resource.id
        if (identity.group, identity.kind) == ("", "Namespace"):
            return Namespace(identity.name, resource.value)
        if not identity.namespace:
            return None
        found = self._inputs.named("", "Namespace", "", identity.namespace)
        value = admitted(self._inputs.api, found.value) if found is not None else None
        return Namespace(identity.namespace, value)


def plural_of(kind: str) -> str:
    """The resource of a kind, as the API's convention makes it: `ingresses`, `networkpolicies`, `endpoints`."""
    name = kind.lower()
    if name == "endpoints":
        return name
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def _answers(inputs: CheckInput, bound: Bound, resource: Resource, request: Request) -> Iterator[Refused | Open]:
    policy = bound.policy
    try:
        covered = match(map_at(policy.spec, "matchConstraints"), request)
        if covered is False or match(map_at(bound.binding, "matchResources"), request) is False:
            return
    except UnknownError as error:
        yield Open(bound.resource, ("spec", "matchConstraints"), str(error))
        return
    if isinstance(covered, Elsewhere):
        if request.version != covered.version and not inputs.api.is_built_in(request.group, request.kind):
            covered = True
        elif covered.version not in inputs.api.versions(request.group, request.kind):
            return
        else:
            what = f"the server shows {request.kind} in version {covered.version} to it, the resource is written in"
            yield Open(bound.resource, ("spec", "matchConstraints"), f"{what} {request.version}")
            return
    found, missing = _params(inputs, bound, request)
    if missing is not None:
        yield Open(bound.resource, ("spec", "paramKind"), missing)
    if not found and text_at(bound.binding, "paramRef", "parameterNotFoundAction") == "Deny" and policy.fails:
        denial = Denial(("spec", "paramKind"), _NOT_FOUND)
        yield Refused(resource, bound, denial, "Deny", request.operation, ())
    for params in found:
        verdict = decide(policy, request, params)
        yield from _told(bound, resource, request, verdict)


def _told(bound: Bound, resource: Resource, request: Request, verdict: Verdict) -> Iterator[Refused | Open]:
    actions = texts_at(bound.binding, "validationActions")
    for pointer, why in verdict.unknown:
        yield Open(bound.resource, pointer, why)
    for denial in verdict.denials:
        gravest = next((name for name in ("Deny", "Warn", "Audit") if name in actions), "")
        action = gravest if denial.is_certain else "Deny"
        if action:
            field = _field(bound.policy, denial.pointer, resource.value)
            yield Refused(resource, bound, denial, action, request.operation, field)


def _params(inputs: CheckInput, bound: Bound, request: Request) -> tuple[list[dict[str, Any] | None], str | None]:
    """The parameters that a policy is asked with, and why some may be missing."""
    if not bound.policy.wants_params or not map_at(bound.binding, "paramRef"):
        return [None], None
    kind = map_at(bound.policy.spec, "paramKind")
    group = text_at(kind, "apiVersion").rpartition("/")[0]
    reference = map_at(bound.binding, "paramRef")
    is_namespaced = inputs.api.is_namespaced(group, text_at(kind, "kind")) is not False
    own = request.namespace.name if request.namespace is not None else ""
    namespace = (text_at(reference, "namespace") or own) if is_namespaced else ""
    name = text_at(reference, "name")
    found = [
        resource
        for resource in inputs.of_kind(group, text_at(kind, "kind"))
        if resource.id.namespace == namespace
        and (
            resource.id.name == name
            if name
            else selects(map_at(reference, "selector"), Labels(strings_at(resource.value, "metadata", "labels")))
        )
    ]
    if not found:
        where = f" in the namespace `{namespace}`" if namespace else ""
        what = f"{text_at(kind, 'kind')} `{name}`" if name else f"{text_at(kind, 'kind')} that its selector selects"
        return [], f"there is no {what}{where} among the resources"
    return [admitted(inputs.api, resource.value, resource.id.namespace) for resource in found], None


def _field(policy: Policy, pointer: Pointer, value: dict[str, Any]) -> Pointer:
    """The field of an object that an expression reads first; as far as it is there, and one step more."""
    program = next((item.program for item in policy.validations if item.pointer == pointer), None)
    return next((there(way, value) for way in _read(policy, program)), ())


def _read(policy: Policy, program: Program | None) -> Iterator[Pointer]:
    """The fields of the object that an expression reads, also by way of variables."""
    for root, *rest in program.reads if program is not None else ():
        if root == "object" and rest:
            yield tuple(rest)
        elif root == "variables" and rest:
            # A variable uses those before it only, so this comes to an end.
            yield from _read(policy, policy.variables.get(rest[0]))
