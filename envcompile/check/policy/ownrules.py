"""Rules of one's own: an expression about each resource of some kinds, as a rule like those that come with envc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.reading import there
from envcompile.check.rule import Rule
from envcompile.settings import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Resource

FOLDER: Final = "checks"


class Match(Model, frozen=True, kw_only=True):
    """Which resources a rule is about; what is left out does not matter."""

    kinds: tuple[str, ...] = ()
    """Kinds, such as `Deployment`."""
    groups: tuple[str, ...] = ()
    """Groups, such as `apps`; empty text for the core group."""
    environments: tuple[str, ...] = ()
    """Environments by name."""


class OwnRule(Model, frozen=True, kw_only=True):
    """One rule in a file of `checks/`."""

    rule: str
    """Its name: lower-case words with hyphens."""
    expression: str
    """CEL: true for a resource that is as it should be; `object`, `environment` and `namespaceName` are known."""
    message: str
    """One sentence: what is wrong."""
    fix: str
    """What to write."""
    grade: Literal["error", "warning", "info"] = "error"
    match: Match = Match()
    field: str = ""
    """The field it is about, such as `metadata.labels`; what the expression reads first when left out."""
    summary: str = ""
    why: str = ""
    fires: str = ""
    """YAML documents in which it finds something, for `envc check --test`."""
    silent: str = ""
    """YAML documents in which it finds nothing."""


def as_rule(own: OwnRule, source: str) -> Rule:
    """The rule that an own one becomes.

    Args:
        own: as it is written.
        source: where.
    """
    summary = own.summary or own.message
    return Rule(
        own.rule, own.grade, summary, source, _finder(own), alone=True, why=own.why, fix=own.fix, fires=own.fires,
        silent=own.silent,
    )  # fmt: skip


def refused(own: OwnRule, minor: str) -> str | None:
    """Say why an expression cannot be used; None for one that can, and where nothing can read it."""
    if not is_installed():
        return None
    from envcompile.check.cel.engine import RefusedError

    try:
        _program(own, minor)
    except RefusedError as error:
        return str(error)
    return None


def _program(own: OwnRule, version: str) -> Any:
    from envcompile.check.cel.engine import TEXT, engine_for
    from envcompile.check.cel.tree import DYN

    names = {"object": DYN, "environment": TEXT, "namespaceName": TEXT}
    return engine_for(version).compile(own.expression, names, ("bool", "dyn"), is_typed=False)


def _finder(own: OwnRule) -> Callable[[CheckInput], Iterator[Hit]]:
    def find(inputs: CheckInput) -> Iterator[Hit]:
        about = [resource for resource in inputs.resources if is_about(own.match, inputs.environment, resource)]
        if about and is_installed():
            yield from _judged(own, inputs, about)

    return find


def is_about(match: Match, environment: str, resource: Resource) -> bool:
    """Tell whether a rule is about a resource of an environment."""
    return (
        (not match.kinds or resource.id.kind in match.kinds)
        and (not match.groups or resource.id.group in match.groups)
        and (not match.environments or environment in match.environments)
    )


def _judged(own: OwnRule, inputs: CheckInput, about: list[Resource]) -> Iterator[Hit]:
    from envcompile.check.cel.engine import RefusedError
    from envcompile.check.cel.values import CostError, UnknownError

    try:
        program = _program(own, inputs.api.version)
    except RefusedError as error:
        yield Hit(
            about[0].id, (), f"not evaluated, because {error}", f"correct the expression of `{own.rule}`", "warning"
        )
        return
    ways = [way[1:] for way in program.reads if way[0] == "object" and len(way) > 1]
    way = tuple(own.field.split(".")) if own.field else next(iter(ways), ())
    for resource in about:
        names = {"object": resource.value, "environment": inputs.environment, "namespaceName": resource.id.namespace}
        what = own.message
        try:
            found = program.run(names)
            if found.error is None and found.value is True:
                continue
            if found.error is not None:
                what = f"{own.message} (the expression failed: {found.error})"
        except (UnknownError, CostError) as error:
            what = f"not evaluated, because {error}"
        yield Hit(resource.id, there(way, resource.value), what, own.fix, value=own.rule)
