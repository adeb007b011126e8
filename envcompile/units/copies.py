"""Units compiled by copies of this process: they have read everything already, so only what comes of it travels.

A copy that ends early costs nothing but time: whatever it did not tell is compiled by whoever asks for it.
"""

from __future__ import annotations

import os
import pickle  # ruff: ignore[suspicious-pickle-import] - from copies of this very process
import sys
import threading
from typing import TYPE_CHECKING, cast

from envcompile.units.batches import made_of
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from envcompile.units.batches import Made
    from envcompile.units.environment import Units

    Place = tuple[Units, int]

_TOGETHER = 64
"""Units that are told of at a time."""


def can_copy() -> bool:
    """Tell whether a copy of this process can go on by itself: no thread is lost with it, nor a Go runtime in it."""
    is_alone = threading.active_count() == 1 and "_gojsonnet" not in sys.modules
    return sys.platform == "linux" and hasattr(os, "fork") and is_alone


def compile_in_copies(
    missing: Sequence[Place], count: int, forget: Callable[[list[str]], None]
) -> Iterator[tuple[Sequence[Place], list[Made]]]:
    """What becomes of units, some at a time, as copies of this process get ready with them; not of all if one ends.

    Args:
        missing: the units, those of an application together.
        count: so many copies share them.
        forget: is given the files that were read for units that are done.
    """
    from multiprocessing import get_context
    from multiprocessing.connection import wait

    context = get_context("fork")
    size = -(-len(missing) // count)
    lanes = {}
    try:
        for start in range(0, len(missing), size):
            places = missing[start : start + size]
            reader, writer = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(places, writer, forget), daemon=True)
            process.start()
            writer.close()
            lanes[reader] = (process, places, 0)
        while lanes:
            for reader in cast("list[Connection]", wait(list(lanes))):
                process, places, done = lanes[reader]
                try:
                    made = pickle.loads(reader.recv_bytes())  # ruff: ignore[suspicious-pickle-usage] - as above
                except (EOFError, OSError, pickle.UnpicklingError):
                    process.join()
                    del lanes[reader]
                    continue
                lanes[reader] = (process, places, done + len(made))
                yield places[done : done + len(made)], made
    finally:
        for process, _, _ in lanes.values():
            process.terminate()


def _work(places: Sequence[Place], writer: Connection, forget: Callable[[list[str]], None]) -> None:
    """Compile units and tell of them; what goes wrong goes wrong again in the process that waits, and is told there."""
    renderer = Renderer()
    app = ""
    read: list[str] = []
    try:
        for start in range(0, len(places), _TOGETHER):
            made = []
            for one, number in places[start : start + _TOGETHER]:
                unit = one.plan.units[number]
                if unit.app != app:
                    forget(read)
                    app, read, renderer = unit.app, [], Renderer()
                read += [part.path for part in unit.parts]
                made.append(made_of(one.compile(number), renderer, with_values=one.plan.is_joined))
                one.compiled.pop(number, None)
            writer.send_bytes(pickle.dumps(made, pickle.HIGHEST_PROTOCOL))
    except (Exception, KeyboardInterrupt):  # ruff: ignore[blind-except] - see above
        return
