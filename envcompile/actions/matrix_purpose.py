"""Whether a difference between environments is on purpose: a file or setting of the environment states it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.matrix import WHOLE, OwnFact
from envcompile.ask.ownwords import ITSELF
from envcompile.values import same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.actions.matrix import Cell, Row
    from envcompile.actions.origins import EnvironmentOrigins


_SEVERAL: Final = 3
"""Environments of which two say their own word."""


class Purpose:
    """Judges the rows of a matrix.

    A difference is on purpose when an overlay or a setting of the environment states it. It is not when its value names
    another environment, from which it was copied, when it is the very word that another environment goes by where all
    others say their own, and when an environment lacks what every other one has by a file of its own, and no file takes
    it away there.
    """

    def __init__(self, environments: Sequence[EnvironmentOrigins]) -> None:
        self._environments = environments
        self._words = {each.environment: each.words for each in environments}

    def is_own(self, row: Row) -> bool:
        """Tell whether every environment has the row, and says the same but for its own words."""
        if not all(cell.is_there for cell in row.present) or row.field == WHOLE:
            return False
        return len({repr(self._neutral(cell.environment, cell.value)) for cell in row.present}) == 1

    def own_facts(self) -> tuple[OwnFact, ...]:
        """What is each environment's own: its namespace, and what its settings do to every resource."""
        facts = [OwnFact("namespace", tuple(each.namespace or None for each in self._environments))]
        settings = dict.fromkeys(name for each in self._environments for name in each.settings)
        facts += [OwnFact(name, tuple(each.settings.get(name) for each in self._environments)) for name in settings]
        return tuple(fact for fact in facts if len(set(fact.values)) > 1)

    def judged(self, row: Row) -> Row:
        """The row with every cell that is not on purpose marked."""
        return row._replace(cells=tuple(self._judged(row)))

    def _judged(self, row: Row) -> Iterator[Cell]:
        forgotten = _forgotten(row)
        copied, whose = self._copied(row)
        for cell in row.cells:
            other = self._foreign(cell) if cell.is_there and row.field != WHOLE else ""
            if other:
                yield cell._replace(flag="foreign", why=f"names {other}, another environment")
            elif cell is copied:
                yield cell._replace(flag="foreign", why=f"is {whose}'s own word; every other environment says its own")
            elif cell is forgotten:
                yield cell._replace(flag="missing", why="missing: every other environment has it by a file of its own")
            else:
                yield cell

    def _foreign(self, cell: Cell) -> str:
        others = [words for name, words in self._words.items() if name != cell.environment]
        own = self._words[cell.environment]
        for text in _texts(cell.value):
            found = own.foreign(text, others)
            if found:
                return found
        return ""

    def _copied(self, row: Row) -> tuple[Cell | None, str]:
        """The only cell that says the word of another environment, and whose word it is; None where no cell does.

        A word that stands alone, such as a profile, names another environment where two or more say their own there and
        one does not. One that its environment has as a parameter is its own.
        """
        said = [cell for cell in row.present if cell.is_there]
        odd = [cell for cell in said if not self._is_own_word(cell.environment, cell.value)]
        if row.field == WHOLE or len(odd) != 1 or len(said) < _SEVERAL or odd[0].value in self._own(odd[0].environment):
            return None, ""
        owners = [cell.environment for cell in said if cell is not odd[0] and same(cell.value, odd[0].value)]
        return (odd[0], owners[0]) if owners else (None, "")

    def _own(self, environment: str) -> Mapping[str, str]:
        return self._words[environment].words

    def _is_own_word(self, environment: str, value: Any) -> bool:
        """Tell whether a value is an environment's name or namespace, and nothing else."""
        return isinstance(value, str) and self._own(environment).get(value) == ITSELF

    def _neutral(self, environment: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._words[environment].neutral(value)
        if isinstance(value, dict):
            return {key: self._neutral(environment, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._neutral(environment, item) for item in value]
        return value


def _forgotten(row: Row) -> Cell | None:
    """The only cell that lacks what all others have, when several files say it and none takes it away here."""
    lacking = [cell for cell in row.present if not cell.is_there]
    if row.is_inside or len(lacking) != 1 or len(row.present) < 3 or lacking[0].layer is not None:
        return None
    layers = {
        (cell.layer.kind, cell.layer.name, cell.environment if cell.layer.kind == "settings" else "")
        for cell in row.present
        if cell.is_there and cell.layer is not None
    }
    return lacking[0] if len(layers) > 1 else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
