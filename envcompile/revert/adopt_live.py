"""The way back into git: what is live of one resource becomes an edit of the overlay, proven by compiling."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.actions.build import choose_ids
from envcompile.actions.drift import differences_of
from envcompile.actions.drift_hiding import without_secrets
from envcompile.errors import EnvcError, Problem
from envcompile.kubernetes.fieldpath import Item, resolve
from envcompile.revert.draft_tree import Draft
from envcompile.revert.plan import check_others, really_changed
from envcompile.revert.plan_fields import Signature, lead
from envcompile.values import ABSENT, dotted, same

if TYPE_CHECKING:
    from envcompile.actions.drift import Wanted
    from envcompile.cluster.client import Cluster
    from envcompile.cluster.drift.compare import Difference
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.revert.draft_tree import Edits
    from envcompile.units.project import Project

    Value = dict[str, Any]

SIGNATURE: Final = Signature("adopted", "envc drift {environment} --adopt")
_SECRET: Final = "it holds a secret, or looks like one: seal it by `envc secrets set`"


class Adoption(NamedTuple):
    """A change of an overlay that was proven: afterwards the environment compiles to what is live."""

    edits: Edits
    """The changed files: path -> bytes, None for a file that goes; empty when there is nothing to adopt."""
    left: tuple[tuple[str, str], ...]
    """Fields that were not adopted, and why."""


def adopt_live(project: Project, environment: str, cluster: Cluster, wanted: Wanted, resource: str) -> Adoption:
    """Work out the change of overlays/ENV after which ENV compiles to what is live of one resource.

    Args:
        project: the sources.
        environment: the environment's name.
        cluster: the connection to its cluster.
        wanted: how drift is looked for.
        resource: KIND/NAME.

    Raises:
        UsageError: there is no such resource.
        EnvcError: no change of the overlay leads there, or it would change another environment.
    """
    built = project.compile_with_sources(environment)
    compiled = {one.id: one.value for one in built.compiled.resources}
    (identity,) = choose_ids(environment, compiled, resource)[:1]
    found = differences_of(project, built, cluster, wanted, identity)
    if found is None:
        goal = {other: value for other, value in compiled.items() if other != identity}
        return Adoption(_reached(project, environment, goal, f"{identity} cannot be left out"), ())
    live, left = copy.deepcopy(compiled[identity]), []
    for difference in found:
        why = _refusal(difference, without_secrets(identity, difference.path, difference.have))
        if why or not _write(live, difference):
            left.append((difference.field, why or "the compiled resource has no such place"))
    if same(live, compiled[identity]):
        return Adoption({}, tuple(left))
    goal = {**compiled, identity: live}
    return Adoption(_reached(project, environment, goal, f"{identity} would still differ"), tuple(left))


def _reached(project: Project, environment: str, goal: dict[Any, Value], what: str) -> Edits:
    """The edits that lead to a goal.

    Raises:
        EnvcError: none does.
    """
    draft = Draft(project.tree, environment, goal)
    lead(draft, SIGNATURE)
    if draft.state.gaps:
        fields = [dotted(field) for gap in draft.state.gaps for field in gap.fields][:5]
        more = f" in {', '.join(fields)}" if fields else ""
        raise EnvcError([
            Problem(
                f"no change of {draft.folder} alone adopts it: {what}{more}",
                f"edit the sources by hand; `envc explain {environment}` names the lines",
            )
        ])
    check_others(project, environment, draft.edits)
    return really_changed(project, draft.edits)


def _refusal(difference: Difference, shown: Any) -> str:
    """Why a value does not belong into git; empty when it does."""
    return "" if difference.have is ABSENT or same(shown, difference.have) else _SECRET


def _write(value: Value, difference: Difference) -> bool:
    """Give a compiled object what is live; tell whether there was a place for it."""
    path = difference.path
    pointer = resolve(path, value)
    if difference.kind == "extra":
        return _add(value, path, difference.have)
    if pointer is None or not pointer:
        return False
    holder: Any = value
    for step in pointer[:-1]:
        holder = holder[step]
    if difference.kind == "missing":
        del holder[pointer[-1]]
    elif difference.kind == "order":
        holder[pointer[-1]] = _ordered(holder[pointer[-1]], difference.have)
    else:
        holder[pointer[-1]] = difference.have
    return True


def _add(value: Value, path: FieldPath, item: Any) -> bool:
    """Put in what only the live object has; maps that are not there are made."""
    holder: Any = value
    for step in path[:-1]:
        if isinstance(holder, dict) and isinstance(step, str):
            holder = holder.setdefault(step, {})
            continue
        pointer = resolve((step,), holder)
        if pointer is None:
            return False
        holder = holder[pointer[0]]
    last = path[-1]
    if isinstance(holder, dict) and isinstance(last, str):
        holder[last] = item
    elif isinstance(holder, list) and not isinstance(last, str):
        holder.append(item)
    elif holder == {} and not isinstance(last, str):
        return _add(value, path[:-1], [item])
    else:
        return False
    return True


def _ordered(items: list[Any], names: list[str]) -> list[Any]:
    """The items of a list in the order in which the live object has them; what it does not name stays behind."""

    def place(item: Any) -> int:
        return next((number for number, name in enumerate(names) if _is_named(item, name)), len(names))

    return sorted(items, key=place)


def _is_named(item: Any, name: str) -> bool:
    pairs = tuple(pair.partition("=")[::2] for pair in name.strip("[]").split(","))
    return Item(pairs).matches(item)
