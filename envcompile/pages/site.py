"""A project that is looked at: its newest state, the pages made of it, and what is kept of both."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, NamedTuple

from envcompile import __version__
from envcompile.errors import EnvcError, UsageError
from envcompile.pages.links import PAGES, Links
from envcompile.pages.model import Frame
from envcompile.pages.seen import look
from envcompile.pages.state import State
from envcompile.pages.words import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from envcompile.actions.compliance import TrendPoint
    from envcompile.pages.model import Plot

_KEPT = 512
"""Finished pages of one state that are kept."""
_HASH = 10
"""Digits of a commit that pages show."""


class Served(NamedTuple):
    """A page as it is sent."""

    status: int
    body: bytes
    policy: str = ""
    """A content security policy of its own; empty for that of all pages."""


class Site:
    """The newest state of a project, made anew when something changes; one that is whole is never taken back.

    Args:
        folder: the project's folder.
        clock: the time, in seconds since 1970.
        wanted: environments as the user named them; none means all.
    """

    def __init__(self, folder: Path, clock: Callable[[], int], wanted: Sequence[str] = ()) -> None:
        from envcompile.sources import find_root

        self.root = find_root(folder).resolve()
        self.clock = clock
        self._wanted = wanted
        self._state: State | None = None
        self._pages: dict[tuple[str, ...], Served] = {}
        self.trouble = ""
        """Why the newest files cannot be shown; then pages show what was there before."""
        self.changed = clock()
        """When the newest state was made, in seconds since 1970."""
        self._seen = ""
        self._drawn: tuple[str, Plot | None] = ("", None)
        self._turn = threading.RLock()
        self._looked_back = ""
        self._weeks: dict[str, tuple[TrendPoint, ...]] = {}

    @property
    def state(self) -> State:
        """The newest state.

        Raises:
            EnvcError: what is wrong with the project as a whole.
        """
        if self._state is None:
            self.refresh()
        if self._state is None:
            raise UsageError([])
        return self._state

    def refresh(self) -> bool:
        """Look whether something changed, and compile it then; pages are made of the former state meanwhile.

        Raises:
            EnvcError: what is wrong with the project as a whole, as long as there is nothing else to show.
        """
        from envcompile.units.project import Project

        with self._turn:
            seen = look(self.root)
            if seen.identity == self._seen:
                return False
            self._seen = seen.identity
            try:
                state = State(Project.open(self.root), seen.identity, self._wanted, history=seen.history)
                if self._state is not None:
                    state.carry(self._state)
                state.warm()
            except EnvcError as error:
                if self._state is None:
                    raise
                self.trouble = str(error)
                self._pages.clear()
                return True
            self._state, self.trouble, self.changed = state, "", self.clock()
            self._pages.clear()
            return True

    def mark(self) -> str:
        """What changes whenever a page may say something else."""
        return frame_mark(self.state.identity, self.trouble, is_drawn=self._drawn[0] == self.state.identity)

    def draw(self) -> None:
        """Draw the newest state, which takes longer than to compile it: pages are there before their picture is."""
        from envcompile.pages.journeys import journeys

        with self._turn:
            state = self.state
            if self._drawn[0] != state.identity:
                state.prepare(self.clock())
            if self._drawn[0] != state.identity:
                self._drawn = (state.identity, journeys(state, self.clock()))
                self._pages.clear()

    def plot(self) -> Plot | None:
        """The picture of the last weeks, once it is drawn."""
        return self._drawn[1] if self._drawn[0] == self.state.identity else None

    def ahead(self, makers: Mapping[str, Callable[[], Served]]) -> None:
        """Make pages before anybody asks for them, those that are kept already left out.

        Args:
            makers: address -> what makes its page.
        """
        for address, make in makers.items():
            self.kept(address, make)

    def look_back(self) -> None:
        """Work out what each of the last weeks ended with: every commit of them is compiled and checked, once."""
        from envcompile.pages.trend import trend_points

        state = self.state
        if not state.is_small or self._looked_back == state.identity:
            return
        self._looked_back = state.identity
        state.trend = trend_points(self.root, state.names, self.clock(), self._weeks)
        shown = [key for key in self._pages if key[-1].startswith("/checks")] if state.trend else []
        for key in shown:
            self._pages.pop(key, None)

    def kept(self, address: str, make: Callable[[], Served]) -> Served:
        """A page that was made of this state in the last minutes, else one that is made now."""
        key = (self.state.identity, self.trouble, str(self.clock() // 300), address)
        found = self._pages.get(key)
        if found is None:
            found = make()
            if len(self._pages) >= _KEPT:
                self._pages.clear()
            self._pages[key] = found
        return found

    def links(self) -> Links:
        """Where links lead."""
        return Links({name: side.namespace for name, side in self.state.sides.items()})

    def frame(self, here: str = "", query: str = "") -> Frame:
        """What stands around a page.

        Args:
            here: the name of the page in the bar.
            query: what is searched for.
        """
        frame = frame_of(self.state, self.root, self.clock(), here, query, self.trouble)
        return frame._replace(state=self.mark())


def frame_mark(identity: str, trouble: str, *, is_drawn: bool) -> str:
    """What tells two states of a page from one another."""
    return hashlib.sha256(f"{identity} {trouble} {is_drawn}".encode()).hexdigest()[:16]


def frame_of(state: State, root: Path, now: int, here: str = "", query: str = "", trouble: str = "") -> Frame:
    """What stands around a page of a state.

    Args:
        state: the project.
        root: its folder.
        now: the time of reading, in seconds since 1970.
        here: the name of the page in the bar.
        query: what is searched for.
        trouble: why the newest files cannot be shown.
    """
    head = state.head
    return Frame(
        root.name,
        __version__,
        PAGES,
        here,
        state.identity,
        head.hash[:_HASH] if head is not None else "",
        moment(head.committed_at, now) if head is not None else None,
        state.names,
        query,
        trouble,
    )
