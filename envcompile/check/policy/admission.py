"""A ValidatingAdmissionPolicy as the API server decides by it: compiled once, then asked about one object at a time.

`decide` is a function of what it is given and of nothing else. Sources: pkg/admission/plugin/policy/validating
(validator.go, dispatcher.go), pkg/admission/plugin/policy/generic/policy_dispatcher.go, pkg/admission/plugin/cel and
pkg/admission/plugin/webhook/matchconditions of k8s.io/apiserver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel import costs
from envcompile.check.cel.engine import AUTHORIZER, BOOL, RESOURCE_CHECK, TEXT, TEXT_MAP, TEXTS, RefusedError
from envcompile.check.cel.tree import DYN, CelType
from envcompile.check.cel.values import CelError, CostError, Lazy, UnknownError
from envcompile.check.reading import map_at, maps_at, text_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.check.cel.engine import Engine, Program
    from envcompile.check.policy.matching import Request
    from envcompile.model import Pointer

_LONGEST_MESSAGE: Final = 5 * 1024
_KIND: Final = ("group", "version", "kind")
_RESOURCE: Final = ("group", "version", "resource")
_REQUEST_FIELDS: Final = {
    "request": (
        "kind", "resource", "subResource", "requestKind", "requestResource", "requestSubResource", "name", "namespace",
        "operation", "userInfo", "dryRun", "options",
    ),
    "request.kind": _KIND,
    "request.requestKind": _KIND,
    "request.resource": _RESOURCE,
    "request.requestResource": _RESOURCE,
    "request.userInfo": ("username", "uid", "groups", "extra"),
    "namespaceObject": ("metadata", "spec", "status"),
    "namespaceObject.metadata": (
        "name", "generateName", "namespace", "labels", "annotations", "UID", "creationTimestamp",
        "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "resourceVersion", "finalizers",
    ),
    "namespaceObject.spec": ("finalizers",),
    "namespaceObject.status": ("conditions", "phase"),
}  # fmt: skip
"""Objects whose shape the server knows, with all their fields (BuildRequestType, BuildNamespaceType)."""

_TYPES: Final[Mapping[str, CelType]] = {
    "object": DYN,
    "oldObject": DYN,
    **dict.fromkeys(_REQUEST_FIELDS, DYN),
    **{f"{name}.{part}": TEXT for name in ("request.kind", "request.requestKind") for part in _KIND},
    **{f"{name}.{part}": TEXT for name in ("request.resource", "request.requestResource") for part in _RESOURCE},
    **{f"request.{name}": TEXT for name in ("subResource", "requestSubResource", "name", "namespace", "operation")},
    "request.userInfo.username": TEXT,
    "request.userInfo.uid": TEXT,
    "request.userInfo.groups": TEXTS,
    "request.userInfo.extra": CelType("map", (TEXT, TEXTS)),
    "request.dryRun": BOOL,
    "request.options": DYN,
    **{
        f"namespaceObject.metadata.{name}": TEXT
        for name in ("name", "generateName", "namespace", "UID", "resourceVersion")
    },
    "namespaceObject.metadata.labels": TEXT_MAP,
    "namespaceObject.metadata.annotations": TEXT_MAP,
    "namespaceObject.metadata.finalizers": TEXTS,
    "namespaceObject.spec.finalizers": TEXTS,
    "namespaceObject.status.phase": TEXT,
}
_AUTHORIZERS: Final = {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK}


class Refusal(NamedTuple):
    """What the server refuses of a policy when it is created."""

    pointer: Pointer
    words: str


class Validation(NamedTuple):
    """One validation, compiled."""

    pointer: Pointer
    program: Program
    message: Program | None
    fallback: str
    reason: str


class Policy(NamedTuple):
    """A compiled policy."""

    name: str
    spec: Mapping[str, Any]
    conditions: tuple[tuple[str, Program], ...]
    variables: Mapping[str, Program]
    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Program], ...]

    @property
    def fails(self) -> bool:
        """True when what cannot be decided is denied."""
        return text_at(self.spec, "failurePolicy") != "Ignore"

    @property
    def wants_params(self) -> bool:
        """True when the policy is asked with parameters."""
        return bool(map_at(self.spec, "paramKind"))


class Denial(NamedTuple):
    """Why a request is denied: in the words of the policy, or those of the server for an error."""

    pointer: Pointer
    """The field of the policy that denies."""
    message: str
    reason: str = "Invalid"
    is_certain: bool = True
    """True for an error that denies whatever the binding's actions are."""


class Verdict(NamedTuple):
    """What a policy says of one object with one set of parameters."""

    denials: tuple[Denial, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[Pointer, str], ...] = ()
    """Fields of the policy that cannot be evaluated here, and why."""


# ---- compile


def compile_policy(engine: Engine, name: str, spec: Mapping[str, Any]) -> tuple[Policy, list[Refusal]]:
    """Compile the expressions of a policy.

    Returns:
        The policy with what compiles, and what the server refuses.
    """
    refusals: list[Refusal] = []
    types = {**_TYPES, **({"params": DYN} if map_at(spec, "paramKind") else {})}
    fields: dict[str, tuple[str, ...]] = {**_REQUEST_FIELDS, "variables": ()}

    def program(pointer: Pointer, text: Any, wanted: Sequence[str], *, authorizes: bool = True) -> Program | None:
        if not isinstance(text, str) or not text.strip():
            return None
        names = {**types, **(_AUTHORIZERS if authorizes else {})}
        try:
            return engine.compile(text, names, wanted, fields=fields)
        except RefusedError as error:
            refusals.append(Refusal(pointer, str(error)))
            return None

    conditions = [
        (text_at(item, "name"), made)
        for at, item in maps_at(spec, "matchConditions")
        if (made := program(("spec", "matchConditions", at, "expression"), item.get("expression"), ("bool",)))
    ]
    variables: dict[str, Program] = {}  # which conditions cannot name
    types["variables"] = DYN
    for at, item in maps_at(spec, "variables"):
        own = text_at(item, "name")
        made = program(("spec", "variables", at, "expression"), item.get("expression"), ())
        types[f"variables.{own}"] = made.result if made is not None else DYN
        fields = {**fields, "variables": (*fields["variables"], own)}
        if made is not None:
            variables[own] = made
    validations = []
    for at, item in maps_at(spec, "validations"):
        pointer = ("spec", "validations", at)
        made = program((*pointer, "expression"), item.get("expression"), ("bool",))
        message = program((*pointer, "messageExpression"), item.get("messageExpression"), ("string",), authorizes=False)
        if made is not None:
            reason = text_at(item, "reason") or "Invalid"
            validations.append(
                Validation((*pointer, "expression"), made, message, text_at(item, "message").strip(), reason)
            )
    annotations = [
        (text_at(item, "key"), made)
        for at, item in maps_at(spec, "auditAnnotations")
        if (
            made := program(
                ("spec", "auditAnnotations", at, "valueExpression"),
                item.get("valueExpression"),
                ("string", "null_type"),
            )
        )
    ]
    return Policy(name, spec, tuple(conditions), variables, tuple(validations), tuple(annotations)), refusals


# ---- decide


class _Budget:
    """What the expressions of a policy may still cost, together."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, cost: int) -> None:
        """Count what an expression has cost.

        Raises:
            CostError: it was more than is left.
        """
        self.left -= cost
        if self.left < 0:
            raise CostError(
                "validation failed due to running out of cost budget, no further validation rules will be run"
            )


def _user(request: Request) -> Any:
    if request.user is not None:
        return dict(request.user)

    def unknown(field: str) -> Any:
        raise UnknownError(f"who applies the object is not known here (`request.userInfo.{field}`)")

    return Lazy(unknown)


_AUTHORIZER: Final = UnknownError("only the cluster can say what somebody may do (`authorizer`)")


def request_value(request: Request) -> dict[str, Any]:
    """A request as expressions see it."""
    kind = {"group": request.group, "version": request.version, "kind": request.kind}
    resource = {"group": request.group, "version": request.version, "resource": request.resource}
    options = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}[request.operation]
    return {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "name": request.name,
        **({"namespace": request.namespace.name} if request.namespace is not None else {}),
        "operation": request.operation,
        "userInfo": _user(request),
        "dryRun": request.is_dry,
        "options": {
            "kind": options,
            "apiVersion": "meta.k8s.io/v1",
            **({"dryRun": ["All"]} if request.is_dry else {}),
        },
    }


def namespace_value(request: Request) -> Any:
    """The namespace of a request as expressions see it."""
    namespace = request.namespace
    if namespace is None or request.kind == "Namespace":
        return None
    if namespace.value is not None:
        whole = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}, **namespace.value}
        return {key: value for key, value in whole.items() if key in _REQUEST_FIELDS["namespaceObject"]}

    def metadata(field: str) -> Any:
        if field == "name":
            return namespace.name
        raise UnknownError(f"the namespace `{namespace.name}` is not among the resources")

    return Lazy(lambda field: Lazy(metadata) if field == "metadata" else metadata(field))


def decide(policy: Policy, request: Request, params: Mapping[str, Any] | None) -> Verdict:
    """Ask a policy about one object.

    Args:
        policy: the policy, which covers the request.
        request: what is asked, with defaults filled in.
        params: the parameters; None without.
    """
    names: dict[str, Any] = {
        "object": request.value,
        "oldObject": request.old,
        "request": request_value(request),
        "params": params,
        "namespaceObject": None,
        "authorizer": _AUTHORIZER,
    }
    try:
        if not _is_met(policy, names):
            return Verdict()
    except UnknownError as error:
        return Verdict(unknown=((("spec", "matchConditions"), str(error)),))
    except (CelError, CostError) as error:
        return Verdict((Denial(("spec", "matchConditions"), str(error)),) if policy.fails else ())
    names["namespaceObject"] = namespace_value(request)
    unknown: list[tuple[Pointer, str]] = []
    denials = tuple(_denials(policy, names, unknown))
    denials, annotations = _annotations(policy, names, unknown, denials)
    return Verdict(denials, annotations, tuple(unknown))


def _scope(policy: Policy, names: Mapping[str, Any], budget: _Budget) -> dict[str, Any]:
    """The names with the policy's variables, each of which is evaluated when it is first used."""
    scope = dict(names)

    def make(name: str) -> Any:
        program = policy.variables.get(name)
        if program is None:
            raise UnknownError(f"the variable `{name}` does not compile")
        failed = f'composited variable "{name}" fails to evaluate'
        try:
            found = program.run(scope)
        except CostError as error:
            budget.spend(costs.PER_CALL)
            raise CelError(f"{failed}: {error}") from None
        budget.spend(found.cost)
        if found.error is not None:
            raise CelError(f"{failed}: {found.error}")
        return found.value

    scope["variables"] = Lazy(make)
    return scope


def _ask(program: Program, scope: Mapping[str, Any], budget: _Budget) -> Any:
    """The result of an expression.

    Raises:
        CelError: it fails, in the server's words.
        CostError: nothing is left for it.
        UnknownError: it cannot be evaluated here.
    """
    try:
        found = program.run(scope)
    except CostError as error:
        budget.spend(costs.PER_CALL)
        raise CelError(f"expression '{program.text}' resulted in error: {error}") from None
    budget.spend(found.cost)
    if found.error is not None:
        raise CelError(f"expression '{program.text}' resulted in error: {found.error}")
    return found.value


def _is_met(policy: Policy, names: Mapping[str, Any]) -> bool:
    """Tell whether all conditions hold; one that is false wins over others that fail.

    Raises:
        CelError: some fail, in the server's words.
        CostError: they cost too much.
        UnknownError: one that decides cannot be evaluated here.
    """
    budget = _Budget(costs.MATCH_CONDITIONS)
    scope = _scope(policy, names, budget)
    failures: list[CelError] = []
    for _, program in policy.conditions:
        try:
            if _ask(program, scope, budget) is False:
                return False
        except CelError as error:
            failures.append(error)
    for failure in failures:
        if isinstance(failure, UnknownError):
            raise failure
    if failures:
        words = list(dict.fromkeys(map(str, failures)))
        raise CelError(words[0] if len(words) == 1 else f"[{', '.join(words)}]")
    return True


def _denials(policy: Policy, names: Mapping[str, Any], unknown: list[tuple[Pointer, str]]) -> Iterator[Denial]:
    budget = _Budget(costs.PER_BINDING)
    scope = _scope(policy, names, budget)
    found: list[Denial] = []
    for validation in policy.validations:
        try:
            if _ask(validation.program, scope, budget) is not True:
                found.append(Denial(validation.pointer, "", validation.reason))
        except UnknownError as error:
            unknown.append((validation.pointer, str(error)))
        except CelError as error:
            if policy.fails:
                found.append(Denial(validation.pointer, str(error)))
        except CostError as error:
            # The server gives up the whole policy.
            if policy.fails:
                yield Denial(validation.pointer, str(error))
            return
    by_pointer = {validation.pointer: validation for validation in policy.validations}
    without = {**names, "authorizer": None}
    scope = _scope(policy, without, budget)
    for denial in found:
        yield denial if denial.message else denial._replace(message=_message(by_pointer[denial.pointer], scope, budget))


def _message(validation: Validation, scope: Mapping[str, Any], budget: _Budget) -> str:
    text = ""
    if validation.message is not None:
        try:
            made = _ask(validation.message, scope, budget)
        except UnknownError:
            made = ""
        except CostError as error:
            return f"failed messageExpression: {error}"
        except CelError:
            made = ""
        text = made.strip() if isinstance(made, str) else ""
        if len(text.encode()) > _LONGEST_MESSAGE or "\n" in text:
            text = ""
    return text or validation.fallback or f"failed expression: {validation.program.text.strip()}"


def _annotations(
    policy: Policy, names: Mapping[str, Any], unknown: list[tuple[Pointer, str]], denials: tuple[Denial, ...]
) -> tuple[tuple[Denial, ...], tuple[tuple[str, str], ...]]:
    budget = _Budget(costs.PER_BINDING)
    scope = _scope(policy, names, budget)
    found: list[tuple[str, str]] = []
    for at, (key, program) in enumerate(policy.annotations):
        pointer: Pointer = ("spec", "auditAnnotations", at, "valueExpression")
        try:
            value = _ask(program, scope, budget)
            if isinstance(value, str) and value.strip():
                found.append((key, value.strip()))
        except UnknownError as error:
            unknown.append((pointer, str(error)))
        except CelError as error:
            if policy.fails:
                denials = (*denials, Denial(pointer, str(error), is_certain=False))
        except CostError as error:
            return ((Denial(pointer, str(error)),) if policy.fails else ()), ()
    return denials, tuple(found)
