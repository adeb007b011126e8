"""One error type: what happened, where, how to fix it; several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.record import Record
from envcompile.text import one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.model import Location

EXIT_OK = 0
EXIT_WRONG = 1
EXIT_USAGE = 2
EXIT_BUG = 3
EXIT_UNAVAILABLE = 4
EXIT_DIFFERENT = 16
EXIT_INTERRUPTED = 130


class Problem(Record, frozen=True):
    """One thing that is wrong: what, at which places (the most telling first), and the mend.

    `trace` holds further lines to print under the places, such as a jsonnet stack.
    The text never holds a whole document and never the value of a secret.
    """

    what: str
    fix: str
    where: tuple[Location, ...] = ()
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"error: {one_line(self.what)}"]
        lines += [f"  --> {one_line(str(place))}" for place in self.where]
        lines += [f"      {one_line(line)}" for line in self.trace]
        if self.fix:
            lines.append(f"hint: {visible(self.fix)}")
        return "\n".join(lines)

    @property
    def order(self) -> tuple[str, int, int, str]:
        """The key that sorts problems by file, line and column."""
        first = self.where[0] if self.where else None
        return (first.file, first.line, first.column, self.what) if first else ("", 0, 0, self.what)


class PicklableError(Exception):
    """An exception that survives pickling and copying with all it carries, whatever its constructor takes.

    Python rebuilds an exception by `cls(*self.args)`, which fails, or loses attributes, when the constructor gives
    `Exception` something else than its own arguments: an error of a worker process would break the whole pool.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        from copyreg import __newobj__  # type: ignore[attr-defined]  # what pickle itself calls for objects

        return __newobj__, (type(self), *self.args), self.__dict__


class EnvcError(PicklableError):
    """The user's configuration is wrong; carries every problem that was found."""

    exit_code = EXIT_WRONG

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.order))
        super().__init__("\n\n".join(str(problem) for problem in self.problems))


class UsageError(EnvcError):
    """The command line asks for something that does not exist."""

    exit_code = EXIT_USAGE


class UnavailableError(EnvcError):
    """Something outside of the repository does not answer (database, cluster, git host, disk)."""

    exit_code = EXIT_UNAVAILABLE


def fail(what: str, fix: str, *where: Location, trace: Sequence[str] = ()) -> EnvcError:
    """The error for one problem, ready to raise."""
    return EnvcError([Problem(what, fix, where, tuple(trace))])


class Problems:
    """A collector, so that one run reports every problem and not just the first."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, what: str, fix: str, *where: Location, trace: Sequence[str] = ()) -> None:
        """Note one problem and go on."""
        self._found.append(Problem(what, fix, where, tuple(trace)))

    def extend(self, error: EnvcError) -> None:
        """Note every problem of an error that was raised below."""
        self._found += error.problems

    def raise_any(self) -> None:
        """Raise all that was noted; nothing when all is well.

        Raises:
            EnvcError: when at least one problem was noted.
        """
        if self._found:
            raise EnvcError(self._found)

    @property
    def found(self) -> tuple[Problem, ...]:
        """All that was noted."""
        return tuple(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)


_LEAST_BEGINNING = 3
"""Letters of a beginning that are taken for the whole: `prod` of `production`."""


def nearest(name: str, known: Iterable[str], limit: int = 3, least: float = 0.6) -> list[str]:
    """The known names most like a mistyped one, best first; empty when none is close.

    Args:
        name: what was written.
        known: what can be meant.
        limit: how many at most.
        least: how alike they are at least, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    from difflib import get_close_matches

    lowered: dict[str, str] = {}
    for candidate in known:
        lowered.setdefault(candidate.lower(), candidate)
    wanted = name.lower()
    begun = sorted((each for each in lowered if len(wanted) >= _LEAST_BEGINNING and each.startswith(wanted)), key=len)
    found = dict.fromkeys([*begun, *get_close_matches(wanted, sorted(lowered), n=limit, cutoff=least)])
    return [lowered[match] for match in list(found)[:limit]]


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """`did you mean X?` for a near miss, else the given advice."""
    near = nearest(name, known)
    return f"did you mean {' or '.join(f'`{match}`' for match in near)}?" if near else otherwise
