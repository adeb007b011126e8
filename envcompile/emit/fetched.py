"""The files of units whose texts others made: written unit by unit, and none of them is looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.write import write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class FetchedFiles:
    """Writes files of one environment.

    Args:
        places: for each unit the files of its resources.
        units: the numbers of those whose texts are there, once files are to be written.
        texts_of: gives the texts of one of these.
    """

    def __init__(
        self, places: Sequence[tuple[str, ...]], units: Sequence[int], texts_of: Callable[[int], Sequence[bytes]]
    ) -> None:
        self._places = places
        self._units = units
        self._texts_of = texts_of

    def begin(self, folder: str, paths: Sequence[str]) -> Sequence[str]:
        """Write those of some files below a folder whose texts are there; the paths of all others.

        Raises:
            OSError: one cannot be written.
        """
        wanted, done = {*paths} if self._units else set[str](), set[str]()
        for number in self._units:
            own = self._places[number]
            pairs = [pair for pair in zip(own, self._texts_of(number), strict=True) if pair[0] in wanted]
            write_files(folder, pairs)
            done.update([path for path, _ in pairs])
        return [path for path in paths if path not in done] if done else paths

    @staticmethod
    def finish() -> Sequence[str]:
        """Nothing is left to come."""
        return ()
