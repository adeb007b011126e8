"""One error type: what happened, where, how to fix it; several at once."""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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

_FEW: Final = 150
"""So many known names are all compared with a mistyped one."""
_BESIDE: Final = 12
"""Names before and behind a mistyped one that are compared with it where there are more."""


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

    Among many names those count that stand beside it in the alphabet, read forwards or backwards: thousands of
    mistyped names are told from thousands of known ones without comparing each with each.

    Args:
        name: what was written.
        known: what can be meant; asked again and again, a tuple or a frozenset is sorted once.
        limit: how many at most.
        least: how alike they are at least, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    from difflib import get_close_matches

    alphabet = _alphabet(known if isinstance(known, (tuple, frozenset)) else tuple(known))
    wanted = name.lower()
    beside = alphabet.beside(wanted)
    begun = sorted((each for each in beside if len(wanted) >= _LEAST_BEGINNING and each.startswith(wanted)), key=len)
    found = dict.fromkeys([*begun, *get_close_matches(wanted, beside, n=limit, cutoff=least)])
    return [alphabet.written[match] for match in list(found)[:limit]]


class _Alphabet(NamedTuple):
    """Names in lower case, sorted as they are and as they are read backwards."""

    written: dict[str, str]
    """As they were written, by how they are in lower case."""
    forwards: list[str]
    backwards: list[str]

    def beside(self, name: str) -> list[str]:
        """All names where there are few, else those that begin or end most like one."""
        if not self.backwards:
            return self.forwards
        found = {
            *_around(self.forwards, name),
            *(each[::-1] for each in _around(self.backwards, name[::-1])),
        }
        return sorted(found)


def _around(names: list[str], name: str) -> list[str]:
    place = bisect_left(names, name)
    return names[max(place - _BESIDE, 0) : place + _BESIDE]


@lru_cache(maxsize=8)
def _alphabet(known: tuple[str, ...] | frozenset[str]) -> _Alphabet:
    written: dict[str, str] = {}
    for candidate in sorted(known):
        written.setdefault(candidate.lower(), candidate)
    forwards = sorted(written)
    return _Alphabet(written, forwards, sorted(name[::-1] for name in forwards) if len(forwards) > _FEW else [])


def did_you_mean(name: str, known: Iterable[str], otherwise: str, least: float = 0.6) -> str:
    """`did you mean X?` for a near miss, else the given advice; `least` is how alike they are, as for `nearest`."""
    near = nearest(name, known, least=least)
    return f"did you mean {' or '.join(f'`{match}`' for match in near)}?" if near else otherwise
