"""Bringing an existing repository over: read it, factor it, prove it, and only then write it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import yamlio
from envcompile.adopt.affixes import are_different, parameters, with_marks
from envcompile.adopt.components import said_for, with_components
from envcompile.adopt.factor import GROUP, Strategy, factor
from envcompile.adopt.files import refuse_sources, replace_sources, write_new
from envcompile.adopt.proof import prove
from envcompile.adopt.render import render
from envcompile.adopt.substitution import uses_of, with_parameters
from envcompile.adopt.unsuffixed import is_marked, unsuffixed, with_short_names
from envcompile.adopt.wishes import NO_WISHES
from envcompile.check.rules.server.schema import RULE as SCHEMA
from envcompile.errors import EnvcError, Problem
from envcompile.kubernetes import load
from envcompile.settings import DEFAULT_KUBERNETES_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from envcompile.adopt.existing import ExistingEnvironment, Sources
    from envcompile.adopt.factor import AdoptionPlan
    from envcompile.adopt.pages import Kept
    from envcompile.adopt.proof import Proof
    from envcompile.adopt.render import Owners
    from envcompile.adopt.wishes import Wishes

_MOST_ROUNDS = 4
"""How often single objects are set apart before everything is made plainer."""
_MOST_REFUSED = 10
"""How many fields that no API server takes are named, of one environment."""


class AdoptedEnvironment(NamedTuple):
    """What became of one environment: its objects, and how many of them the overlay patches, adds and leaves out."""

    name: str
    origin: str
    objects: int
    patched: int
    own: int
    excluded: int
    secrets: int


@dataclass(frozen=True, slots=True)
class Adoption:
    """The result of bringing a repository over; nothing was written unless the proof holds."""

    environments: tuple[AdoptedEnvironment, ...]
    proof: Proof
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    base_lines: int
    overlay_lines: int
    source_lines: int
    kept: Kept
    """How much of the new repository is the author's own text."""

    @property
    def is_equal(self) -> bool:
        """True when the build is exactly the source."""
        return self.proof.is_equal


def from_manifests(source: Path, target: Path, wishes: Wishes = NO_WISHES) -> Adoption:
    """Bring plain manifests into a new repository.

    Args:
        source: a folder with `<environment>.yaml` files, `<environment>/` folders, or the manifests of one environment.
        target: the folder of the new repository.
        wishes: what a person says about the source.

    Raises:
        EnvcError: the source cannot be read, or the target has files in the way.
        UsageError: there is no such source.
    """
    from envcompile.adopt.manifests import read_manifests

    return adopt(read_manifests(source, wishes), target)


def from_kustomize(source: Path, target: Path, wishes: Wishes = NO_WISHES) -> Adoption:
    """Bring a kustomize project into a new repository, as kustomize itself renders it.

    Args:
        source: the folder above `overlays/`, or one with kustomizations that no other one uses.
        target: the folder of the new repository; where it is the source itself, the new files take the place of the
            old ones, which git must have.
        wishes: what a person says about the source.

    Raises:
        EnvcError: a kustomization cannot be built, or the target has files in the way.
        UnavailableError: neither kustomize nor kubectl is installed.
        UsageError: there is no such source.
    """
    from envcompile.adopt.kustomizations import read_kustomizations

    return adopt(read_kustomizations(source, wishes), target, in_place=source.resolve() == target.resolve())


def adopt(sources: Sources, target: Path, *, in_place: bool = False) -> Adoption:
    """Factor environments into base and overlays, prove that the build is equal, and write the repository.

    When even the plainest way fails, nothing is written and the proof says what differs.

    Raises:
        EnvcError: the target has files in the way, or the source holds what no build accepts.
    """
    planned = plan_adoption(sources)
    if planned.proof.problems:
        raise EnvcError(_at_their_source(problem, sources, planned) for problem in planned.proof.problems)
    written: tuple[Path, ...] = ()
    if planned.proof.is_equal and in_place:
        written = replace_sources(target, planned.files, sources.consumed)
    elif planned.proof.is_equal:
        refuse_sources(target, planned.files)
        written = write_new(target, planned.files)
    return _summary(sources, planned, written)


class PlannedAdoption(NamedTuple):
    """The files of the new repository and the proof that they build what the source is."""

    strategy: Strategy
    plan: AdoptionPlan
    files: Mapping[str, bytes]
    owners: Mapping[str, Owners]
    """For each file of resources the objects it speaks of."""
    kept: Kept
    """How much of it is the author's own text."""
    proof: Proof

    def __repr__(self) -> str:
        return f"PlannedAdoption({sorted(self.files)})"


def plan_adoption(sources: Sources) -> PlannedAdoption:
    """Factor environments into base and overlays, and prove that the build is equal.

    What does not come out exactly is written in a plainer way and proven again.
    """
    built_in = load(DEFAULT_KUBERNETES_VERSION)
    api = built_in.with_crds(existing.value for environment in sources.environments for existing in environment.objects)
    strategy = Strategy(author_base=bool(sources.base))
    short = with_short_names(sources.environments)
    short_base = unsuffixed(sources.base)
    while True:
        named, base = (short, short_base) if strategy.suffixes else (sources.environments, sources.base)
        affixed = strategy.affixes and are_different(named)
        if affixed:
            named, base = with_marks(named, base)
        varied = strategy.params and any(environment.params for environment in named)
        if varied:
            named, base = with_parameters(named, base)
        plan = factor(named, api, strategy, base, sources.settled)
        if strategy.components:
            plan = with_components(plan, sources.components)
        if marked := [environment.name for environment in named if is_marked(environment)]:
            suffixed = {name: {**plan.settings[name], "rollout": "suffix"} for name in marked}
            plan = replace(plan, settings={**plan.settings, **suffixed})
        if affixed:
            plan = replace(plan, settings=_with_params(plan.settings, parameters(named)))
        if varied:
            plan = replace(plan, settings=_with_params(plan.settings, _used_variables(named)))
        files, owners, kept = render(plan, named, loose=strategy.loose)
        proof = prove(files, sources.environments)
        plainer = None if proof.is_equal else _plainer(strategy, plan, proof, owners, sources.environments)
        if plainer is not None:
            strategy = plainer
            continue
        if refused := proof.refused:
            plan = _let_through(plan, refused)
            files, owners, kept = render(plan, named, loose=strategy.loose)
            proof = prove(files, sources.environments)._replace(refused=refused)
        return PlannedAdoption(strategy, plan, files, owners, kept, proof)


def _used_variables(environments: Sequence[ExistingEnvironment]) -> dict[str, dict[str, Any]]:
    """By environment the variables that an object of any environment uses."""
    used = uses_of(existing.value for environment in environments for existing in environment.objects)
    return {
        environment.name: {name: value for name, value in environment.params.items() if name in used}
        for environment in environments
        if used & environment.params.keys()
    }


def _with_params(
    settings: Mapping[str, dict[str, Any]], params: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Settings with further parameters."""
    return {
        name: {**said, "params": {**said.get("params", {}), **params[name]}} if name in params else said
        for name, said in settings.items()
    }


def _let_through(plan: AdoptionPlan, environments: Iterable[str]) -> AdoptionPlan:
    """The plan with settings by which `envc build` writes what no API server takes: the source has it so.

    The annotation that sets a rule aside for one resource would be in the build, which then differs from the source.
    """
    graded = {name: {**plan.settings[name], "checks": {SCHEMA.id: "warning"}} for name in environments}
    return replace(plan, settings={**plan.settings, **graded})


def _about_refused(sources: Sources, planned: PlannedAdoption) -> Iterator[str]:
    """Notes about what the source has and no API server takes, object and field by name."""
    for name, problems in planned.proof.refused.items():
        for problem in problems[:_MOST_REFUSED]:
            places = _at_their_source(problem, sources, planned, name).where
            where = f" ({places[0]})" if places else ""
            yield f"no API server takes this of {name}: {problem.what}{where}"
        more = len(problems) - _MOST_REFUSED
        if more > 0:
            yield f"and {more} more in {name}: `envc check {name} --select {SCHEMA.id}` lists them"
        yield (
            f"`checks: {{{SCHEMA.id}: warning}}` in overlays/{name}/environment.yaml lets `envc build` write it as the "
            "source has it: mend it, then take the line out"
        )


def _at_their_source(problem: Problem, sources: Sources, planned: PlannedAdoption, only: str | None = None) -> Problem:
    """What is wrong with a file of the new repository, told of the object of the source that is in it."""
    places = []
    for place in problem.where:
        owners = planned.owners.get(place.file)
        key = owners.at(place.line) if owners is not None else None
        for environment in sources.environments:
            if only is not None and environment.name != only:
                continue
            keys = planned.plan.keys[environment.name]
            places += [environment.objects[keys.index(key)].where] if key is not None and key in keys else []
    return Problem(problem.what, problem.fix, tuple(dict.fromkeys(places)), problem.trace)


def _plainer(
    strategy: Strategy,
    plan: AdoptionPlan,
    proof: Proof,
    owners: Mapping[str, Owners],
    environments: Sequence[ExistingEnvironment],
) -> Strategy | None:
    """The next strategy to try; None when nothing plainer is left."""
    failed = {
        plan.keys[difference.environment][difference.position]
        for difference in proof.differences
        if difference.position >= 0
    }
    if strategy.loose:
        return strategy._replace(loose=False)
    if strategy.affixes and are_different(environments):
        return strategy._replace(affixes=False)
    if strategy.params and any(environment.params for environment in environments):
        return strategy._replace(params=False)
    if strategy.patches and any(key.group == GROUP for each in plan.overlays.values() for key in each):
        return strategy._replace(patches=False)
    if strategy.components and any(each.get("extends") for each in plan.settings.values()):
        return strategy._replace(components=False)
    failed |= {
        owners[place.file].at(place.line)
        for problem in proof.problems
        for place in problem.where
        if place.file in owners
    }
    fresh = failed - strategy.separate
    if strategy.in_common and fresh and len(plan.namespaces.own) > 1 and strategy.rounds < _MOST_ROUNDS:
        return strategy._replace(separate=strategy.separate | fresh, rounds=strategy.rounds + 1)
    if strategy.suffixes and any(each.get("rollout") for each in plan.settings.values()):
        return strategy._replace(suffixes=False)
    plainest = Strategy(
        author_base=False, loose=False, patches=False, affixes=False, params=False, suffixes=False, components=False
    )
    if strategy.author_base:
        return plainest
    if strategy.settings:
        return plainest._replace(settings=False)
    if strategy.namespace_setting:
        return plainest._replace(settings=False, namespace_setting=False)
    if strategy.in_common and len(plan.namespaces.own) > 1:
        return plainest._replace(settings=False, namespace_setting=False, in_common=False)
    return None


def _summary(sources: Sources, planned: PlannedAdoption, written: Sequence[Path]) -> Adoption:
    return Adoption(
        environments=tuple(_adopted(environment, planned.plan) for environment in sources.environments),
        proof=planned.proof,
        files=tuple(written),
        notes=(*sources.notes, *_about_refused(sources, planned)),
        base_lines=_lines(planned.files, "base/"),
        overlay_lines=_lines(planned.files, "overlays/"),
        source_lines=sum(
            yamlio.dump(existing.value).count("\n")
            for environment in sources.environments
            for existing in environment.objects
        ),
        kept=planned.kept,
    )


def _adopted(environment: ExistingEnvironment, plan: AdoptionPlan) -> AdoptedEnvironment:
    overlay = [key for key in said_for(plan, environment.name) if key.group != GROUP]
    patched = sum(key in plan.base for key in overlay)
    return AdoptedEnvironment(
        name=environment.name,
        origin=environment.origin,
        objects=len(environment.objects),
        patched=patched,
        own=len(overlay) - patched,
        excluded=len(plan.settings[environment.name].get("exclude", ())),
        secrets=sum(key.kind == "Secret" and not key.group for key in plan.keys[environment.name]),
    )


def _lines(files: Mapping[str, bytes], prefix: str) -> int:
    return sum(data.count(b"\n") for path, data in files.items() if path.startswith(prefix))
