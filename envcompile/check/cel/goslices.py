"""Names that lead to a value, kept as the server's estimator keeps them: as slices of Go."""

from __future__ import annotations


class Way:
    """The names that lead to a value, kept as a slice of Go.

    The server's estimator adds names to slices that others share: where there is room behind the last name, a later
    one takes the place of an earlier one, and the size of another value is taken. What it refuses depends on that.
    """

    __slots__ = ("_count", "_kept")

    def __init__(self, kept: list[str] | None = None, count: int = 0) -> None:
        self._kept = kept if kept is not None else []
        self._count = count

    @property
    def names(self) -> list[str]:
        """The names as they are now."""
        return self._kept[: self._count]

    def to(self, name: str) -> Way:
        """The way to something in the value."""
        kept = self._kept
        if self._count == len(kept):
            kept = [*kept, *[""] * max(1, len(kept))]
        kept[self._count] = name
        return Way(kept, self._count + 1)
