"""The matrix for a terminal: a service after the other, an environment a column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from envcompile.actions.matrix import WHOLE, percentage
from envcompile.cli.render.layers import BOLD, COLORS, DIM, LETTERS, WARNING, WORDS, filled, fitted, styled
from envcompile.cli.render.since import in_few_words, newest_year
from envcompile.kubernetes.images import parse_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.actions.matrix import Cell, Matrix, Row
    from envcompile.actions.origins import LayerKind

_FIELD = 27
"""Cells for the field, of 80."""
_LEAST = 9
_PAGE = 4
"""Columns of a page, when there are too many for a line."""
MISSING = "–"
"""What an environment does not have."""


def as_text(found: Matrix, *, places: bool, own: bool, width: int = 0, colored: bool | None = None) -> str:
    """Lines for people: each service with its fields, an environment a column.

    Args:
        found: the matrix.
        places: with a line for each value that says layer, place and since.
        own: with what each environment calls its own.
        width: of a line, in cells; the terminal's when 0.
        colored: whether styles are shown; what the terminal does when left out.
    """
    import shutil

    from envcompile.cli.render.colors import is_colored

    total = width or shutil.get_terminal_size((80, 24)).columns
    shows = is_colored() if colored is None else colored
    names = [each.environment for each in found.environments]
    room = (total - _FIELD) // len(names)
    pages = [names] if room >= _LEAST else [names[start : start + _PAGE] for start in range(0, len(names), _PAGE)]
    lines: list[str] = []
    for page in pages:
        lines += _Page(found, page, total, places=places, own=own, colored=shows).lines()
    return "".join(f"{line.rstrip()}\n" for line in [*lines, *_legend(found, own=own, colored=shows)])


class _Page:
    """Some of the columns."""

    def __init__(
        self, found: Matrix, names: Sequence[str], total: int, *, places: bool, own: bool, colored: bool
    ) -> None:
        self._found = found
        self._names = names
        self._columns = {each.environment: each for each in found.environments}
        self._year = newest_year(commit for each in found.environments for commit in each.commits.values())
        self._width = max(_LEAST, (total - _FIELD - 1) // len(names))
        self._field = max(_FIELD, min(total - self._width * len(names), 48))
        self._places = places
        self._own = own
        self._colored = colored

    def lines(self) -> Iterator[str]:
        """The page."""
        head = "".join(filled(fitted(name, self._width - 1), self._width) for name in self._names)
        yield self._styled(" " * self._field + head, BOLD)
        if self._own:
            yield from self._own_lines()
        for service in self._found.services:
            count = len(service.rows)
            unintended = count - service.on_purpose
            said = f"  {count} {'differs' if count == 1 else 'differ'}"
            line = self._styled(service.app, BOLD) + self._styled(said, DIM)
            if unintended:
                line += self._styled(f", {unintended} not on purpose", "33")
                line += self._styled(f", {percent(percentage(service.rows))}", DIM)
            yield line
            last = ""
            for row in service.rows:
                if row.resource.short != last:
                    last = row.resource.short
                    yield self._styled(f"  {last}", DIM)
                yield from self._row(row)

    def _own_lines(self) -> Iterator[str]:
        yield self._styled("each environment's own", BOLD)
        order = [each.environment for each in self._found.environments]
        for fact in self._found.own:
            values = dict(zip(order, fact.values, strict=True))
            cells = (filled(fitted(values[name] or MISSING, self._width - 1), self._width) for name in self._names)
            yield self._label(fact.setting, 2) + self._styled("".join(cells), DIM)
        for row in self._found.folded:
            yield from self._row(row, f"{row.resource.short} {short_field(row)}")

    def _row(self, row: Row, label: str = "") -> Iterator[str]:
        cells = [cell for cell in row.cells if cell.environment in self._names]
        values = values_of(row)
        line = self._label(label or short_field(row), 4)
        notes: list[str] = []
        for cell in cells:
            mark = "! " if cell.flag else ""
            text = values[cell.environment]
            letter = f" {LETTERS[cell.layer.kind]}" if cell.layer and not self._colored and cell.is_there else ""
            shown = fitted(mark + text, self._width - 1 - len(letter)) + letter
            code = WARNING if cell.flag else DIM if not cell.is_there else COLORS[cell.layer.kind] if cell.layer else ""
            line += styled(shown, code, colored=self._colored) + filled(shown, self._width)[len(shown) :]
            if cell.flag:
                notes.append(self._styled(f"      ! {cell.environment}: {cell.why}", "33"))
                notes += [self._styled(f"        {cell.place}", DIM)] if cell.place and not self._places else []
        yield line
        yield from notes
        if self._places:
            yield from self._place_lines(cells, values)

    def _place_lines(self, cells: Sequence[Cell], values: dict[str, str]) -> Iterator[str]:
        for cell in cells:
            if cell.layer is None and not cell.is_there:
                continue
            since = in_few_words(cell.since, self._columns[cell.environment].commits, self._year)
            parts = [
                f"      {cell.environment}: {values[cell.environment]}",
                cell.layer.name if cell.layer else "",
                str(cell.place or ""),
                "not committed" if cell.is_uncommitted else since,
            ]
            yield self._styled("  ".join(part for part in parts if part), DIM)

    def _label(self, text: str, indent: int) -> str:
        shown = fitted(text, self._field - indent - 2, from_front=True)
        return filled(" " * indent + shown, self._field)

    def _styled(self, text: str, code: str) -> str:
        return styled(text, code, colored=self._colored)


def _legend(found: Matrix, *, own: bool, colored: bool) -> list[str]:
    kinds: dict[LayerKind, None] = {
        cell.layer.kind: None for row in found.rows for cell in row.cells if cell.layer is not None
    }
    shared = sorted({
        cell.layer.name for row in found.rows for cell in row.cells if cell.layer and cell.layer.kind == "shared"
    })
    words = {**WORDS, "shared": ", ".join(shared)}
    order: list[LayerKind] = [kind for kind in WORDS if kind in kinds]
    shown = [
        styled(words[kind], COLORS[kind], colored=True) if colored else f"{LETTERS[kind]} {one}"
        for kind in order
        for one in [styled(words[kind], "", colored=False)]
    ]
    lines = [""]
    if shown:
        lines.append(
            styled("set by  ", DIM, colored=colored)
            + "  ".join(shown)
            + styled(f"    {MISSING} not there", DIM, colored=colored)
        )
    facts = list(dict.fromkeys(fact.setting.partition(".")[0] for fact in found.own))
    if len(found.folded):
        facts.append(f"{len(found.folded)} {'value' if len(found.folded) == 1 else 'values'} with them")
    if facts and not own:
        lines.append(styled(f"folded: {', '.join(facts)} (--own shows them)", DIM, colored=colored))
    count = len(found.rows)
    good = sum(row.is_on_purpose for row in found.rows)
    what = "difference is" if count == 1 else "differences are"
    said = f"{good} of {count} {what} on purpose: {percent(found.consistency)}"
    lines.append(styled(said if count else "nothing differs", "" if good == count else WARNING, colored=colored))
    return lines


def percent(number: float) -> str:
    """A share in percent, with a decimal where it has one; never 100 while something is missing."""
    shown = min(number, 99.9) if number < 100 else number
    return f"{shown:.1f}".removesuffix(".0") + " %"


def short_field(row: Row) -> str:
    """The field without what every row of its kind begins with: the container of the same name, the file of a key."""
    field = row.field
    if "#" in field and row.resource.kind == "ConfigMap":
        return field.partition("#")[2]
    for start in ("spec.template.spec.", "spec.jobTemplate.spec.template.spec."):
        field = field.removeprefix(start)
    return field.removeprefix(f"containers[name={row.resource.name}].").removeprefix("data.")


def values_of(row: Row) -> dict[str, str]:
    """The values as they are shown, by environment: images of the same name by their tags."""
    texts = {cell.environment: shown_value(row, cell) for cell in row.cells}
    there = [cell for cell in row.cells if cell.is_there]
    if row.kind == "image" and all(isinstance(cell.value, str) for cell in there):
        images = {cell.environment: parse_image(cell.value) for cell in there}
        if len({image.name for image in images.values()}) == 1:
            for name, image in images.items():
                texts[name] = image.tag or image.digest or texts[name]
    return texts


def shown_value(row: Row, cell: Cell) -> str:
    """One value: the whole of a text, the number of fields of a part."""
    if not cell.is_there:
        return MISSING
    if row.field == WHOLE:
        return "there"
    if cell.fields:
        return f"{cell.fields} {'field' if cell.fields == 1 else 'fields'}"
    return value_text(cell.value)


def value_text(value: Any) -> str:
    """A value in a cell: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
