"""What was there before: the objects of each environment as the source has them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.sources.project import RESERVED
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.adopt.authors import Written
    from envcompile.errors import Problems
    from envcompile.model import Location

Value = dict[str, Any]

_UNFIT = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 63
_STAGES = ("dev", "test", "qa", "int", "stag", "uat", "pre", "prod", "live")
"""How names of environments begin, in the order in which changes usually travel."""
STAGE_WORDS = frozenset((
    "dev", "devel", "develop", "development", "test", "testing", "tst", "qa", "int", "integration", "stage",
    "staging", "stg", "uat", "acc", "acceptance", "pre", "preprod", "preproduction", "prod", "production", "prd",
    "live", "sandbox", "local",
))  # fmt: skip
"""Words that name an environment wherever they stand alone."""


class Existing(NamedTuple):
    """One object and where it was read; for a rendered one the kustomization it comes from."""

    value: Value
    where: Location
    written: Written | None = None
    """The lines it was read from; those of rendered objects are in `ExistingEnvironment.written`."""
    template: Value | None = None
    """The object before Flux filled in variables, where it has some."""

    def __repr__(self) -> str:
        return f"Existing({self.where})"


@dataclass(frozen=True, slots=True)
class ExistingEnvironment:
    """The objects of one environment; `origin` says in the user's words what was taken for it."""

    name: str
    origin: str
    objects: tuple[Existing, ...] = field(repr=False)
    written: tuple[Written, ...] = field(default=(), repr=False)
    """What authors wrote of it: objects, as the files have them before anything changes them."""
    patches: tuple[Written, ...] = field(default=(), repr=False)
    """The author's patches, in their order."""
    affixes: tuple[str, str] = ("", "")
    """What kustomize puts before and behind the names of its objects."""
    renamed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Names of images that the author's settings give, with the names that they take the place of."""
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Variables that Flux fills in, and that may be parameters, with their values."""


class Component(NamedTuple):
    """A component of kustomize: the name of its overlay, the environments that use it, and what its files speak of."""

    name: str
    environments: frozenset[str]
    whats: frozenset[tuple[str, str, str]]
    """Group, kind and name of the objects of its resources and patches."""


class Sources(NamedTuple):
    """All environments that were found, first to last as changes travel, and what was assumed or left out."""

    environments: tuple[ExistingEnvironment, ...]
    notes: tuple[str, ...]
    base: tuple[Value, ...] = ()
    """The objects of the author's own base, as they are before any environment changes them."""
    settled: frozenset[str] = frozenset({"images", "replicas"})
    """Which of these become settings of environments: what the author says in a patch stays one."""
    components: tuple[Component, ...] = ()
    """The author's components, in their order."""
    consumed: frozenset[str] = frozenset()
    """The files that all of it was made of, relative to the source: nobody needs them any more."""

    def __repr__(self) -> str:
        return f"Sources({[environment.name for environment in self.environments]})"


def literal_identity(value: Value) -> tuple[str, str, str, str]:
    """Group, kind, namespace and name as the object states them; a generated name is told by its content."""
    metadata = value["metadata"]
    name = metadata.get("name")
    if not name:
        import json

        content = json.dumps(value, sort_keys=True, ensure_ascii=False)
        name = f"{metadata['generateName']}\n{content}"
    return value["apiVersion"].rpartition("/")[0], value["kind"], metadata.get("namespace") or "", name


def title(value: Value) -> str:
    """KIND/NAME of an object for messages."""
    metadata = value["metadata"]
    return f"{value['kind']}/{metadata.get('name') or metadata['generateName'] + '*'}"


def without_repeats(
    environment: str, objects: Iterable[Existing], problems: Problems, source: str = ""
) -> tuple[Existing, ...]:
    """The objects with exact repeats taken out; two different objects of one identity are noted as a problem.

    Args:
        environment: its name.
        objects: those of the environment.
        problems: gets what is there twice.
        source: the folder that paths of `--skip` are relative to, where places are below it.
    """
    found: dict[tuple[str, str, str, str], Existing] = {}
    for existing in objects:
        identity = literal_identity(existing.value)
        first = found.setdefault(identity, existing)
        if first is not existing and not same(first.value, existing.value):
            namespace = f" (namespace {identity[2]})" if identity[2] else ""
            fix = "keep one of them: a cluster holds only one object of this name"
            if first.where.file != existing.where.file:
                glob = existing.where.file.removeprefix(f"{source}/") if source else "GLOB"
                fix += f": `--skip '{glob}'` leaves one out, `--env NAME=PATH` says when they are two environments"
            problems.add(
                f"environment {environment}: {title(existing.value)}{namespace} is defined twice, and differently",
                fix,
                first.where,
                existing.where,
            )
    return tuple(found.values())


def shortly(texts: Sequence[str], most: int = 6) -> str:
    """Some texts for a sentence, the first ones and how many more there are."""
    return ", ".join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def environment_name(name: str) -> str:
    """A name that may name an environment: lower-case letters, digits and `-`."""
    fit = _UNFIT.sub("-", name.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "default"
    return f"{fit}-environment" if fit == RESERVED else fit


def has_stage(name: str) -> bool:
    """Whether a word of a name is that of an environment: `prod`, `eu-prod`, `values.dev`."""
    return any(word in STAGE_WORDS for word in _UNFIT.split(name.lower()))


def in_promotion_order(environments: Iterable[ExistingEnvironment]) -> tuple[ExistingEnvironment, ...]:
    """Environments as changes usually travel (dev, test, staging, prod); unknown names come first, by name."""

    def rank(environment: ExistingEnvironment) -> tuple[int, str]:
        stages = [
            position
            for position, stage in enumerate(_STAGES)
            if any(part.startswith(stage) for part in environment.name.split("-"))
        ]
        return (max(stages, default=-1), environment.name)

    return tuple(sorted(environments, key=rank))


def unique_names(names: Sequence[str]) -> dict[str, str]:
    """For each name one that fits an environment, told apart by a number where two become the same."""
    fitting: dict[str, str] = {}
    for name in names:
        fit = wanted = environment_name(name)
        number = 1
        while fit in fitting.values():
            number += 1
            fit = f"{wanted[: _LONGEST_NAME - 4]}-{number}"
        fitting[name] = fit
    return fitting
