"""Compiled environments compared: of two commits, of a commit and the working tree, or of one another."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.build import compile_all, link_all, link_each
from envcompile.actions.own_labels import own_values, without_own_values
from envcompile.ask.difference import Keys, compare
from envcompile.ask.folding import Folded, fold
from envcompile.ask.ownwords import own_words
from envcompile.compose import configtext
from envcompile.errors import EnvcError, Problem, Problems, UsageError, did_you_mean
from envcompile.git.refs import default_branch, merge_base
from envcompile.git.repository import open_repository
from envcompile.limits import DEFAULT_LIMITS, bounded, raised
from envcompile.sources.params import resolved_params
from envcompile.sources.project import read_project_file
from envcompile.units.compare import changed_resources
from envcompile.units.project import Project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.ask.ownwords import OwnWords
    from envcompile.check.rule import Rule
    from envcompile.git.repository import Repository
    from envcompile.git.trees import CommitTree
    from envcompile.limits import Limits
    from envcompile.model import Resource
    from envcompile.sources import Tree
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import CompiledEnvironment

_REVISION = re.compile(r"[~^@]|\AHEAD\b|\Av?\d+\.\d|\A[0-9a-f]{7,40}\Z")
"""What is a revision of git's, and hardly the name of an environment."""
OWN_NAMESPACE = "OWN"
"""Stands for each environment's own namespace when two are compared; no real one is written in capitals."""


class Difference(NamedTuple):
    """What differs between two states of a repository."""

    source: str
    """The older commit's hash."""
    target: str
    """The newer commit's hash; empty for the working tree."""
    environments: tuple[EnvironmentDiff, ...]
    """Every environment that was compared, also those in which nothing differs."""
    before: Mapping[str, CompiledEnvironment]
    """The environments of the older side in which something differs, by name; empty unless asked for."""
    after: Mapping[str, CompiledEnvironment]
    """Those of the newer side."""
    project: Project
    """The newer side."""
    broken: Mapping[str, EnvcError] = MappingProxyType({})
    """What is wrong with environments of the older side that do not compile; all of the newer side is new there."""
    failed: Mapping[str, EnvcError] = MappingProxyType({})
    """What is wrong with environments of the newer side, or with comparing them; nothing is compared there."""
    limits: Limits = DEFAULT_LIMITS
    """What the newer side may take."""
    former_rules: tuple[Rule, ...] | None = None
    """The repository's own rules as they were, where `checks/` differs and both sides are asked for."""

    @property
    def changed(self) -> tuple[EnvironmentDiff, ...]:
        """The environments in which something differs."""
        return tuple(diff for diff in self.environments if diff.resources)


def difference(
    root: Path,
    wanted: Sequence[str] = (),
    *,
    source: str | None = None,
    target: str | None = None,
    may_be_broken: bool = False,
    with_sides: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Difference:
    """Compare what two states of a repository compile to.

    Args:
        root: the project's folder.
        wanted: environments; none means all that either side has.
        source: the older revision; the merge base with the default branch when left out.
        target: the newer revision; the working tree when left out.
        may_be_broken: a side that does not compile is told in `broken` or `failed`, and is no error.
        with_sides: give both sides of the environments in which something differs as well, be it only what judges them.
        limits: what the newer side may take. Where it is not trusted, the older side's settings raise them.

    Raises:
        UsageError: no such revision or environment, or the folder is in no git repository.
        UnavailableError: git does not answer.
        EnvcError: one of the sides does not compile.
    """
    repository = open_repository(root)
    newer = repository.commit_tree(target) if target is not None else None
    older = None
    try:
        with ThreadPoolExecutor(1) as beside:
            # Listing a commit is git's work: it goes on while this process compiles the other side.
            opening = beside.submit(
                lambda: repository.commit_tree(source or branch_point(repository, target or "HEAD"))
            )
            if not limits.is_trusted:
                older = opening.result()
                limits = raised(limits, read_project_file(older, Problems())[0].limits)
            commit = newer.commit if newer is not None else ""
            if may_be_broken:
                project, after, failed = _newer_if_sound(root, newer, wanted, limits)
            else:
                with bounded(limits):
                    project = _newer_side(root, newer, limits)
                    after, failed = _linked(project, wanted, commit), {}
            older = opening.result()
        base = Project.of_tree(older, root, limits, project)
        broken: dict[str, EnvcError] = {}
        known = project.environments if project is not None else ()
        if may_be_broken:
            before = _linked_if_sound(base, wanted, list(after), broken)
            if not broken and not failed:
                _refuse_unknown(wanted, [*known, *base.environments])
            if "" in failed:
                failed = dict.fromkeys(before or wanted, failed[""])
        else:
            _refuse_unknown(wanted, [*known, *base.environments])
            before = _linked(base, wanted, older.commit)
        former_rules = _former_rules(base, project) if with_sides and project is not None else None
        names = [name for name in dict.fromkeys([*after, *before]) if name not in failed]
        found: list[EnvironmentDiff] = []
        sides: tuple[dict[str, CompiledEnvironment], dict[str, CompiledEnvironment]] = ({}, {})
        for name in names:
            try:
                with bounded(limits, f"comparing {name} takes"):
                    compared = _compared(name, before.get(name), after.get(name))
                    otherwise = former_rules is not None or _is_judged_otherwise(before.get(name), after.get(name))
                    if with_sides and (compared.resources or otherwise):
                        _compile_into(sides[0], base, before, name)
                        _compile_into(sides[1], project or base, after, name)
                    found.append(compared)
            except EnvcError as error:
                if not may_be_broken:
                    raise
                failed[name] = error
        if project is not None:
            project.save_memo()
    finally:
        for tree in (older, newer):
            if tree is not None:
                tree.close()
    return Difference(older.commit, commit, tuple(found), *sides, project or base, broken, failed, limits, former_rules)


def _former_rules(base: Project, project: Project) -> tuple[Rule, ...] | None:
    """The older side's own rules; None where both sides have the same ones."""
    if _checks_in(base.tree) == _checks_in(project.tree):
        return None
    from envcompile.actions.own_rules import own_rules
    from envcompile.check.rules.catalogue import ALL

    try:
        return own_rules(base.tree, (rule.id for rule in ALL)).rules
    except EnvcError:
        return ()  # rules that could not be read found nothing


def _checks_in(tree: Tree) -> dict[str, bytes]:
    from envcompile.check.policy.ownrules import FOLDER

    return {entry.path: tree.read(entry.path) for entry in tree.files(FOLDER)}


def _is_judged_otherwise(before: LinkedEnvironment | None, after: LinkedEnvironment | None) -> bool:
    """Tell whether the checks may find other things in the same manifests: another version, definitions, keys."""
    if before is None or after is None:
        return False
    was, is_now = before.plan, after.plan
    keys = was.sources.settings.sealing, is_now.sources.settings.sealing
    return was.facts.digest != is_now.facts.digest or keys[0] != keys[1]


def _compile_into(
    found: dict[str, CompiledEnvironment], side: Project, linked: Mapping[str, LinkedEnvironment], name: str
) -> None:
    if name in linked:
        found[name] = side.compile_with_sources(name)


def _newer_side(root: Path, commit: CommitTree | None, limits: Limits) -> Project:
    """The newer side, with what earlier runs remember of the project where it is trusted."""
    if commit is None:
        return Project.of_folder(root.resolve(), limits=limits)
    commit.limits = limits
    return Project.of_tree(commit, root, limits)


def _newer_if_sound(
    root: Path, commit: CommitTree | None, wanted: Sequence[str], limits: Limits
) -> tuple[Project | None, dict[str, LinkedEnvironment], dict[str, EnvcError]]:
    """The newer side, its environments that compile, and what is wrong with the others; by an empty name with all."""
    failed: dict[str, EnvcError] = {}
    found: dict[str, LinkedEnvironment] = {}
    project = None
    try:
        with bounded(limits):
            project = _newer_side(root, commit, limits)
            found = _linked_if_sound(project, wanted, (), failed)
    except EnvcError as error:
        # Whichever environment was compiled when the limit was reached: none is looked at.
        failed, found = {"": error}, {}
    return project, found, failed


def _compared(name: str, before: LinkedEnvironment | None, after: LinkedEnvironment | None) -> EnvironmentDiff:
    """What differs in one environment; units that both sides have are not compiled for it."""
    touched = changed_resources(before, after)
    old, new = (
        [side.resource(identity) for identity in touched if identity in side.ids_named(identity.name)]
        if side is not None
        else []
        for side in (before, after)
    )
    either = after if after is not None else before
    if either is None:
        raise ValueError(name)
    plan = either.plan
    return compare(name, old, new, plan.api, read_keys=read_keys, owners=plan.sources.settings.owners)


def branch_point(repository: Repository, revision: str) -> str:
    """The commit from which a revision left the default branch.

    Raises:
        UsageError: there is no such branch or revision, or the two have nothing in common.
        UnavailableError: there is no git on this machine.
    """
    return merge_base(repository, default_branch(repository), revision)


def between(project: Project, left: str, right: str, *, with_own: bool = False) -> EnvironmentDiff:
    """Compare two environments of one project; each one's own namespace counts as the same.

    Labels and annotations that their settings put on every resource are told once, and what differs only in each one's
    own name, namespace or parameters is counted, unless `with_own` asks for them on each resource.

    Raises:
        UsageError: no such environment.
        EnvcError: one of them does not compile.
    """
    project.choose([left, right])
    first, second = compile_all(project, [left, right])
    settings = [each.composed.sources.settings for each in (first, second)]
    own = () if with_own else own_values(settings[0], settings[1])
    sides = [
        [without_own_values(resource, own, is_left=is_left) for resource in _without_namespace(built)]
        for built, is_left in ((first, True), (second, False))
    ]
    folded = Folded(tuple(sides[1]), 0) if with_own else fold(sides[0], sides[1], _words(first), _words(second))
    found = compare(
        f"{left} -> {right}",
        sides[0],
        folded.resources,
        second.composed.api,
        read_keys=read_keys,
        owners=second.composed.sources.settings.owners,
    )
    told = f"{folded.times} values with each one's own name, namespace or parameters"
    return found._replace(settings=(*map(str, own), *([told] if folded.times else [])))


def _words(built: CompiledEnvironment) -> OwnWords:
    sources = built.composed.sources
    params = resolved_params(sources.settings.params, sources.where)
    return own_words(built.compiled.environment, built.compiled.namespace, params)


def read_keys(filename: str, text: str) -> Keys | None:
    """What a configuration file holds; None for a text that is not made of keys, or does not parse."""
    try:
        found = configtext.value_of(filename, text)
    except configtext.ConfigTextError:
        return None
    return Keys(*found) if found is not None else None


def _refuse_unknown(wanted: Sequence[str], known: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in known]
    if missing:
        advice = f"environments are {', '.join(dict.fromkeys(known))}"
        problems = []
        for name in missing:
            fix = f"a revision is named as `--from {name}`; {advice}" if _REVISION.search(name) else advice
            problems.append(Problem(f"neither side has an environment `{name}`", did_you_mean(name, known, fix)))
        raise UsageError(problems)


def _linked(project: Project, wanted: Sequence[str], commit: str) -> dict[str, LinkedEnvironment]:
    """The environments of one side; a side need not have all that are wanted."""
    names = [name for name in project.environments if not wanted or name in wanted]
    try:
        return {linked.environment: _remembered(linked) for linked in link_all(project, names)}
    except EnvcError as error:
        if not commit:
            raise
        problems = Problems()
        for problem in error.problems:
            what = f"commit {commit[:12]} does not compile: {problem.what}"
            problems.add(what, problem.fix, *problem.where, trace=problem.trace)
        problems.raise_any()
        raise


def _remembered(linked: LinkedEnvironment) -> LinkedEnvironment:
    """The environment, of which the other side need not compile what both have."""
    linked.remember()
    return linked


def _linked_if_sound(
    project: Project, wanted: Sequence[str], newer: Sequence[str], broken: dict[str, EnvcError]
) -> dict[str, LinkedEnvironment]:
    """Every wanted environment of the older side that compiles; what is wrong with others is put into `broken`."""
    try:
        names = [name for name in project.environments if not wanted or name in wanted]
    except EnvcError as error:
        broken.update(dict.fromkeys(newer, error))
        return {}
    found: dict[str, LinkedEnvironment] = {}
    for name, linked in link_each(project, names):
        if isinstance(linked, EnvcError):
            broken[name] = linked
        else:
            found[name] = _remembered(linked)
    return found


def _without_namespace(built: CompiledEnvironment) -> list[Resource]:
    """The resources with the environment's own namespace replaced by a word, in identities and in every field."""
    own = built.compiled.namespace
    return [
        resource._replace(
            id=resource.id._replace(namespace="" if resource.id.namespace == own else resource.id.namespace),
            value=_replace_namespace(resource.value, own),
        )
        for resource in built.compiled.resources
    ]


def _replace_namespace(value: Any, own: str) -> Any:
    if isinstance(value, dict):
        return {
            key: OWN_NAMESPACE if key == "namespace" and held == own else _replace_namespace(held, own)
            for key, held in value.items()
        }
    if isinstance(value, list):
        return [_replace_namespace(held, own) for held in value]
    return value
