"""Units compiled by others: in batches, a function of what is sent, whose results are what this process would make."""

from __future__ import annotations

import pickle  # ruff: ignore[suspicious-pickle-import] - to and from workers that one starts or trusts with one's code
from typing import TYPE_CHECKING, NamedTuple

from envcompile.emit.manifests import render
from envcompile.errors import Problem, UnavailableError
from envcompile.log import decision, progress
from envcompile.units.compile import api_of, compile_unit
from envcompile.units.executor import find_engine
from envcompile.units.tool import package_digest
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor, Future

    from envcompile.kubernetes import KubeApi
    from envcompile.units.environment import Units
    from envcompile.units.executor import Engine
    from envcompile.units.plan import EnvironmentPlan
    from envcompile.units.sharing import Sharing
    from envcompile.units.unit import CompiledUnit, UnitInput

    Place = tuple[Units, int]

_UNITS = 128
"""Units of a batch: enough that sending it does not matter, few enough that losing it does not."""
_AHEAD = 3
"""Batches that wait for each worker: more would only fill the memory."""


class Batch(NamedTuple):
    """Some units for a worker."""

    units: tuple[UnitInput, ...]
    with_values: tuple[bool, ...]
    """For each unit whether its resources are wanted: else texts are enough."""
    package: str
    """The digest of the envc that asks; empty when the worker cannot have another one."""

    def __repr__(self) -> str:
        return f"Batch({len(self.units)} units)"


class Made(NamedTuple):
    """What a worker made of a unit."""

    compiled: CompiledUnit
    """Without its resources where texts are enough."""
    texts: tuple[bytes, ...]
    """Each resource as it is written while no other unit does anything to it; none where values were wanted."""

    def __repr__(self) -> str:
        return f"Made({len(self.texts)} texts)"


def compile_batch(packed: bytes) -> bytes:
    """Compile some units: what a worker does.

    Args:
        packed: a pickled `Batch`.

    Returns:
        A `Made` for each of its units, pickled.

    Raises:
        UnavailableError: the worker has another envc.
    """
    batch: Batch = pickle.loads(packed)  # ruff: ignore[suspicious-pickle-usage] - from whoever may run code here
    if batch.package and batch.package != package_digest():
        fix = "install the same envc there and here, or build without --engine"
        raise UnavailableError([Problem("a worker of the engine has another envc than this one", fix)])
    apis: dict[str, KubeApi] = {}
    renderer = Renderer()
    made = []
    for unit, with_values in zip(batch.units, batch.with_values, strict=True):
        api = apis.get(unit.facts.digest)
        if api is None:
            api = apis[unit.facts.digest] = api_of(unit.facts)
        made.append(made_of(compile_unit(unit, api), renderer, with_values=with_values))
    return pickle.dumps(made, pickle.HIGHEST_PROTOCOL)


def made_of(compiled: CompiledUnit, renderer: Renderer, *, with_values: bool) -> Made:
    """What is told of a unit that was compiled: its texts, unless its values are wanted or something is wrong."""
    if with_values or compiled.refused or not compiled.is_sound:
        return Made(compiled, ())
    texts = tuple([render(resource, renderer).encode() for resource in compiled.resources])
    return Made(compiled._replace(resources=()), texts)


def compile_elsewhere(
    units: Sequence[Units],
    address: str,
    sharing: Sharing,
    *,
    take: Callable[[str, int, Sequence[bytes]], None],
    forget: Callable[[list[str]], None],
) -> None:
    """Let an engine compile what is not remembered; units with anything private are left to this process.

    Args:
        units: those of all environments.
        address: the engine.
        sharing: tells what may leave this process.
        take: is given environment, number and texts of each unit that nothing is wrong with.
        forget: is given the files that were read for units that were sent.

    Raises:
        EnvcError: a file cannot be read.
        UsageError: the address names no engine.
        UnavailableError: the engine does not answer, or has another envc.
    """
    module, rest = find_engine(address)
    missing = [
        (one, number)
        for one in units
        for number in sorted(sharing.units_of(one.plan) if module.IS_REMOTE else _public(one.plan))
        if not one.is_remembered(number)
    ]
    if not missing:
        return
    missing.sort(key=lambda place: place[0].plan.units[place[1]].app)
    package = package_digest() if module.IS_REMOTE else ""
    with module.opened(rest) as engine:
        decision("units", "%s units are compiled by %s workers", len(missing), engine.workers)
        _adopt(_results(missing, engine, package, forget), len(missing), take)


def _adopt(
    results: Iterator[tuple[Sequence[Place], list[Made]]],
    total: int,
    take: Callable[[str, int, Sequence[bytes]], None],
) -> None:
    done = 0
    for places, result in results:
        done += len(places)
        progress("units", done, total)
        for (one, number), made in zip(places, result, strict=True):
            one.adopt(number, made.compiled, has_values=not made.texts)
            if made.texts:
                take(one.plan.environment, number, made.texts)


def _public(plan: EnvironmentPlan) -> list[int]:
    """The numbers of the units without files that git ignores."""
    return [number for number, unit in enumerate(plan.units) if unit.may_be_remembered]


def _results(
    missing: Sequence[Place], engine: Engine, package: str, forget: Callable[[list[str]], None]
) -> Iterator[tuple[Sequence[Place], list[Made]]]:
    """Each batch with what became of it, in order; those of a lost worker are compiled here."""
    waiting: list[tuple[Sequence[Place], bytes, Future[bytes] | None]] = []
    size = min(_UNITS, -(-len(missing) // (2 * engine.workers)))
    for start in range(0, len(missing), size):
        places = missing[start : start + size]
        packed = _packed(places, package)
        forget([part.path for one, number in places for part in one.plan.units[number].parts])
        waiting.append((places, packed, _submitted(engine, packed)))
        if len(waiting) > _AHEAD * engine.workers:
            yield _result(engine, *waiting.pop(0))
    while waiting:
        yield _result(engine, *waiting.pop(0))


def _packed(places: Sequence[Place], package: str) -> bytes:
    units = tuple([one.plan.input_of(one.plan.units[number]) for one, number in places])
    batch = Batch(units, tuple([one.plan.is_joined for one, _ in places]), package)
    return pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)


def _submitted(engine: Engine, packed: bytes) -> Future[bytes] | None:
    """The result to be; None when the engine takes nothing any more."""
    try:
        executor: Executor = engine.executor
        future: Future[bytes] = executor.submit(compile_batch, packed)
    except engine.lost:
        return None
    return future


def _result(
    engine: Engine, places: Sequence[Place], packed: bytes, future: Future[bytes] | None
) -> tuple[Sequence[Place], list[Made]]:
    try:
        data = future.result() if future is not None else compile_batch(packed)
    except engine.lost as error:
        decision("units", "a worker is gone (%s): its units are compiled here", type(error).__name__)
        data = compile_batch(packed)
    return places, pickle.loads(data)  # ruff: ignore[suspicious-pickle-usage] - from a worker that runs this project's code
