"""What a run of the checks does not evaluate, for want of an engine or of leave: all of it is said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.cel.installed import INSTALL, is_installed
from envcompile.check.finding import Finding, fingerprint
from envcompile.check.policy.kinds import ADMISSION, POLICY, has_own_rules
from envcompile.check.rules.catalogue import RULES
from envcompile.check.rules.policies.not_evaluated import RULE
from envcompile.model import Location, ResourceId

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from envcompile.actions.own_rules import Own
    from envcompile.check.grading import Grading
    from envcompile.kubernetes import KubeApi


_DEVICES: Final = (
    "resource.k8s.io",
    frozenset({"DeviceClass", "DeviceTaintRule", "ResourceClaim", "ResourceClaimTemplate"}),
)
"""The group and kinds that select devices."""
_DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
_IN_CEL: Final = frozenset(rule.id for rule in RULES if rule.in_cel)
"""Rules that come with envc and need the engine."""


def untried(own: Own) -> frozenset[str]:
    """Rules that nothing is asked of here: they neither pass nor fail."""
    return own.untried if is_installed() else own.untried.union(_IN_CEL)


class Seen(NamedTuple):
    """One environment: what there is in it, and which rules it leaves out."""

    environment: str
    api: KubeApi
    resources: Iterable[ResourceId]
    grades: Grading
    value_of: Callable[[ResourceId], Any]
    """Looks up one of them."""


class Untold(NamedTuple):
    """What is not evaluated, where it stands, and what to do."""

    environment: str
    resource: ResourceId
    what: str
    fix: str
    where: Location | None = None


def not_evaluated(own: Own, seen: Sequence[Seen], chosen: Collection[str] | None = None) -> list[Untold]:
    """What is not evaluated in some environments.

    Args:
        own: the rules that the repository has of its own.
        seen: the environments.
        chosen: the rules that somebody asked for; all when left out.
    """
    off = _off_everywhere(seen)

    def is_off(rule: str) -> bool:
        return off(rule) or (chosen is not None and rule not in chosen)

    found = []
    for idle in own.idle:
        rules = [rule for rule in idle.rules if not is_off(rule)]
        if rules and seen:
            about = ResourceId("", *idle.path.partition("/")[:1], "", idle.path.partition("/")[2])
            what = f"{idle.path} is {idle.why}: {_listed(rules)}"
            found.append(Untold(seen[0].environment, about, what, idle.fix, Location(idle.path, 1, 1)))
    if is_installed():
        return found
    rules = [rule for rule in own.in_cel if not is_off(rule)]
    kinds, policies, devices = _in_cel(seen, is_off)
    parts = [f"the rules {_listed(rules)}"] if rules else []
    if policies:
        parts.append(f"{len(policies)} admission {'policy' if len(policies) == 1 else 'policies'}")
    parts += [f"the rules of {_listed(sorted({one.kind for _, one in kinds}))}"] if kinds else []
    parts += [f"the selectors of {_listed(sorted({one.kind for _, one in devices}))}"] if devices else []
    if not parts:
        return found
    named = [(seen[0].environment, ResourceId("", "checks", "", rule)) for rule in rules]
    environment, about = [*policies, *kinds, *devices, *named][0]
    what = f"not evaluated, because nothing here reads CEL: {', '.join(parts)}"
    return [*found, Untold(environment, about, what, INSTALL)]


def as_findings(untold: Iterable[Untold], seen: Sequence[Seen]) -> list[Finding]:
    """The same as findings of the rule `not-evaluated`, warnings unless the settings say otherwise."""
    grades = {one.environment: one.grades for one in seen}
    found = []
    for one in untold:
        grading = grades[one.environment]
        if grading.is_off(RULE.id):
            continue
        rule = RULE._replace(severity="warning")
        print_ = fingerprint(rule.id, one.environment, one.resource, "", one.what)
        grade = grading.grade(rule, rule)
        found.append(Finding(rule.id, grade, one.environment, one.resource, "", one.what, one.fix, print_, one.where))
    return found


def _off_everywhere(seen: Sequence[Seen]) -> Callable[[str], bool]:
    return lambda rule: all(one.grades.is_off(rule) for one in seen)


def _in_cel(
    seen: Sequence[Seen], is_off: Callable[[str], bool]
) -> tuple[list[tuple[str, ResourceId]], list[tuple[str, ResourceId]], list[tuple[str, ResourceId]]]:
    """The first object of each custom kind with rules or its definition, the policies, and what selects devices."""
    kinds: dict[tuple[str, str], tuple[str, ResourceId]] = {}
    policies: dict[ResourceId, tuple[str, ResourceId]] = {}
    definitions: dict[ResourceId, tuple[str, ResourceId]] = {}
    devices: dict[str, tuple[str, ResourceId]] = {}
    for one in seen:
        for resource in one.resources:
            key = (resource.group, resource.kind)
            if key == (ADMISSION, POLICY):
                policies.setdefault(resource._replace(namespace=""), (one.environment, resource))
            elif key == _DEFINITION:
                if not is_off("custom-kind-rule-expression") and _defines_rules(one.api, resource):
                    definitions.setdefault(resource, (one.environment, resource))
            elif resource.group == _DEVICES[0] and resource.kind in _DEVICES[1] and resource.kind not in devices:
                if _selects_by_expression(one.value_of(resource)):
                    devices[resource.kind] = (one.environment, resource)
            elif key not in kinds and not is_off("custom-kind-rule") and _is_custom_with_rules(one.api, *key):
                kinds[key] = (one.environment, resource)
    return (
        [*kinds.values()] or [*definitions.values()][:1],
        [] if is_off("admission-policy") and is_off("admission-policy-expression") else [*policies.values()],
        [] if is_off("device-selector-cost") else [*devices.values()],
    )


def _defines_rules(api: KubeApi, definition: ResourceId) -> bool:
    """Tell whether a kind in the group of a definition, which is the end of its name, has rules."""
    group = definition.name.partition(".")[2]
    return any(of == group and _is_custom_with_rules(api, of, kind) for of, kind in api.kinds())


def _selects_by_expression(value: Any) -> bool:
    """Tell whether an object holds a `cel` with an expression."""
    if isinstance(value, dict):
        cel = value.get("cel")
        return (isinstance(cel, dict) and "expression" in cel) or any(map(_selects_by_expression, value.values()))
    return isinstance(value, list) and any(map(_selects_by_expression, value))


def _is_custom_with_rules(api: KubeApi, group: str, kind: str) -> bool:
    return not api.is_built_in(group, kind) and any(
        has_own_rules(api, group, version, kind) for version in api.versions(group, kind)
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
