"""What compiled environments cost a month, and what a change adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.actions.build import compile_all
from envcompile.actions.diff import difference
from envcompile.actions.prices import prices_of
from envcompile.cost.causes import CostChange, Side, item_changes
from envcompile.cost.estimate import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from envcompile.actions.diff import Difference
    from envcompile.cost.estimate import Estimate
    from envcompile.cost.prices import PriceList, Rates
    from envcompile.limits import Limits
    from envcompile.model import Resource
    from envcompile.units.project import CompiledEnvironment, Project


class Priced(NamedTuple):
    """One environment with the prices that it was estimated with."""

    estimate: Estimate
    rates: Rates


class Costs(NamedTuple):
    """What environments cost a month."""

    prices: PriceList
    day: date
    """The day of which the prices are."""
    environments: tuple[Priced, ...]


class CostChanges(NamedTuple):
    """What a change adds to the costs of environments."""

    prices: PriceList
    day: date
    source: str
    """The older commit's hash."""
    environments: tuple[CostChange, ...]
    """The environments in which something differs, also those that cost the same."""
    untouched: tuple[str, ...]
    """Those in which nothing differs."""

    @property
    def changed(self) -> tuple[CostChange, ...]:
        """The environments in which something costs another amount."""
        return tuple(change for change in self.environments if change.items)


def costs(
    project: Project,
    wanted: Sequence[str],
    day: date,
    *,
    prices: Path | None = None,
    known: Callable[[PriceList, Sequence[CompiledEnvironment]], PriceList] | None = None,
) -> Costs:
    """What environments cost a month, by what their pods request.

    Args:
        project: the repository.
        wanted: environments as the user named them; none means all.
        day: the day of which the prices are.
        prices: a file of prices; the project's, or the list that comes with envc, when left out.
        known: adds to the list what is known of the compiled environments beside their manifests.

    Raises:
        UsageError: no such environment, or the file cannot be read.
        EnvcError: what is wrong with the sources or the prices.
    """
    listed = prices_of(project.tree, prices)
    names = project.choose(wanted)
    compiled = compile_all(project, names)
    if known is not None:
        listed = known(listed, compiled)
    found = []
    for name, built in zip(names, compiled, strict=True):
        found.append(Priced(_estimated(listed, name, built.compiled.resources, day), listed.sheet_of(name).at(day)))
    project.save_memo()
    return Costs(listed, day, tuple(found))


def cost_changes(
    root: Path, wanted: Sequence[str], day: date, *, source: str | None, prices: Path | None = None, limits: Limits
) -> CostChanges:
    """What the working tree adds to the costs of a commit, at the prices of one day.

    Args:
        root: the project's folder.
        wanted: environments; none means all that either side has.
        day: the day of which the prices are.
        source: the commit to compare with; where HEAD left the default branch when left out.
        prices: a file of prices; the newer side's own when left out.
        limits: what the newer side may take.

    Raises:
        UsageError: no such revision or environment, or the folder is in no git repository.
        UnavailableError: git does not answer.
        EnvcError: one of the sides does not compile, or the prices are wrong.
    """
    found = difference(root, wanted, source=source, with_sides=True, limits=limits)
    return changes_in(found, day, prices=prices)


def changes_in(found: Difference, day: date, *, prices: Path | None = None) -> CostChanges:
    """What a difference adds to costs; its sides must be there.

    Args:
        found: what differs, and both sides of the environments in which something does.
        day: the day of which the prices are.
        prices: a file of prices; the newer side's own when left out.

    Raises:
        UsageError: the file cannot be read.
        EnvcError: what is wrong with the prices.
    """
    listed = prices_of(found.project.tree, prices)
    changes = []
    for diff in found.changed:
        name = diff.environment
        before, after = (_side(listed, name, held.get(name), day) for held in (found.before, found.after))
        sheet = listed.sheet_of(name)
        items = item_changes(before, after, sheet.at(day), sheet.factor, listed.facts_of(name))
        changes.append(CostChange(name, before.estimate.money, after.estimate.money, items))
    untouched = tuple(diff.environment for diff in found.environments if not diff.resources)
    return CostChanges(listed, day, found.source, tuple(changes), untouched)


def _side(listed: PriceList, name: str, built: CompiledEnvironment | None, day: date) -> Side:
    resources: tuple[Resource, ...] = built.compiled.resources if built is not None else ()
    return Side(resources, _estimated(listed, name, resources, day))


def _estimated(listed: PriceList, name: str, resources: Sequence[Resource], day: date) -> Estimate:
    sheet = listed.sheet_of(name)
    return estimate(name, resources, sheet.at(day), sheet.factor, listed.facts_of(name))
