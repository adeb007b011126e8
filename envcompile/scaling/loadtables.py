"""Loads in files: CSV with a header, and Parquet."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from envcompile.errors import EnvcError, Problem, UsageError
from envcompile.scaling.loads import cleaned
from envcompile.scaling.quantities import amount_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from envcompile.scaling.loads import Load

TIME_NAMES: Final = ("time", "timestamp", "date", "datetime", "ts")
"""How a column of instants may be called, in any case; else it is the first one."""
_AMOUNTS: Final = frozenset({"cpu", "memory"})
"""Columns that are taken by their names."""
_TRIED: Final = 500
"""So many cells tell whether a column with empty cells is one of numbers."""
_DECIMAL_COMMA: Final = re.compile(r"^(\s*[+-]?\d+),(\d+)")
_MILLISECONDS_FROM: Final = 1e11
"""Numbers from here on are milliseconds since 1970, smaller ones seconds: the year 5138, or March 1973."""


class LoadFile:
    """A load in a file; its ending says of what kind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Load:
        """Read it.

        Raises:
            UsageError: it cannot be read, or is no such table.
        """
        try:
            names, columns = _parquet(self.path) if self.path.suffix == ".parquet" else _csv(self.path)
        except OSError as error:
            what = f"the load {self.path} cannot be read: {error.strerror or error}"
            raise UsageError([Problem(what, "name another file with --load")]) from error
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError([
                Problem(f"{self.path} is no CSV: {error}", "write UTF-8 with a header, one row for each instant")
            ]) from error
        place = next((at for at, name in enumerate(names) if name.lower() in TIME_NAMES), 0)
        times, known = _instants(columns[place], str(self.path), names[place])
        values = {}
        for name, column in zip(names, columns, strict=True):
            numbers = None if name == names[place] else _numbers(column)
            if numbers is not None:
                values[name] = numbers[known]
            elif name in _AMOUNTS and name != names[place]:
                shown = next((repr(one) for one in column if one not in {None, ""}), "empty cells")
                what = f"column {name} of {self.path} holds no numbers, but {shown}"
                raise UsageError([Problem(what, "write 0.5 or 500m for cores, 1073741824 or 1Gi for bytes")])
        if not values:
            raise UsageError([
                Problem(f"{self.path} has no column of numbers", "write one beside the time: cpu, memory or a metric")
            ])
        return cleaned(str(self.path), times, values)


def _csv(path: Path) -> tuple[list[str], list[Sequence[Any]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        # Spreadsheets write semicolons where the comma is the decimal sign.
        separator = max(",;\t", key=header.count)
        rows = csv.reader(file, delimiter=separator)
        names = [name.strip() for name in next(rows, [])]
        # Rows of another width are broken lines, and end where the header does.
        kept = [row for row in rows if len(row) == len(names)]
    if separator != ",":
        kept = [[_DECIMAL_COMMA.sub(r"\1.\2", cell) for cell in row] for row in kept]
    if len(names) < 2 or not kept:
        raise UsageError([
            Problem(f"{path} holds no table", "write a header such as `time,cpu`, and a row for each instant")
        ])
    return names, list(zip(*kept, strict=True))


def _parquet(path: Path) -> tuple[list[str], list[Any]]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError([
            Problem("Parquet files need pyarrow", "install it: pip install 'envcompile[warehouse]'")
        ]) from error
    try:
        table = parquet.read_table(path)
    except pa.ArrowException as error:
        raise UsageError([Problem(f"{path} is no Parquet file: {error}", "name another file with --load")]) from error
    columns = []
    for column in table.columns:
        if pa.types.is_timestamp(column.type):
            # Instants without a zone are taken for UTC, as in CSV.
            columns.append(column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_numpy())
        elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
            columns.append(column.cast(pa.float64()).to_numpy())
        else:
            columns.append(column.to_pylist())
    return table.column_names, columns


def _instants(column: Sequence[Any], source: str, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Milliseconds since 1970, and which rows have one at all."""
    plain = _plain_instants(column)
    if plain is not None:
        return plain, np.ones(len(plain), dtype=bool)
    numbers = _numbers(column)
    if numbers is None:
        numbers = np.array([_instant(one) for one in column], dtype=np.float64)
    else:
        finite = numbers[np.isfinite(numbers)]
        if len(finite) and np.median(finite) < _MILLISECONDS_FROM:
            numbers = numbers * 1000  # ruff: ignore[non-augmented-assignment] - the column is the caller's
    known = np.isfinite(numbers)
    if not known.any():
        raise UsageError([
            Problem(f"column {name} of {source} holds no times", "write ISO 8601, or seconds since 1970")
        ])
    return numbers[known].astype(np.int64), known


def _plain_instants(column: Sequence[Any]) -> npt.NDArray[np.int64] | None:
    """Instants that are all written alike in UTC, which numpy reads at once; None for any other."""
    first = column[0] if len(column) else ""
    if not isinstance(first, str) or not first[:4].isdecimal() or "-" not in first[4:5]:
        return None
    ending = next((zone for zone in ("Z", "+00:00") if first.endswith(zone)), "")
    if any(len(one) != len(first) or not one.endswith(ending) for one in column):
        return None
    texts = [one[: len(one) - len(ending)] for one in column] if ending else column
    if any("+" in one or "-" in one[10:] or one[-1:].isalpha() for one in (texts[0], texts[-1])):
        return None
    try:
        return np.array(texts, dtype="datetime64[ms]").astype(np.int64)
    except ValueError:
        return None


def _instant(text: Any) -> float:
    """An instant in ms since 1970; without a zone it is UTC, and what is none is NaN."""
    try:
        read = text if isinstance(text, datetime) else datetime.fromisoformat(str(text).strip())
    except ValueError:
        return np.nan
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000


def _numbers(column: Any) -> npt.NDArray[np.float64] | None:
    """A column as numbers, NaN where there is none; None for a column of other text."""
    if isinstance(column, np.ndarray):
        return column.astype(np.float64)
    try:
        return np.array(column, dtype=np.float64)
    except (ValueError, TypeError):
        pass
    some = column[:: len(column) // _TRIED + 1]
    if np.isnan([_number(one) for one in some]).mean() > 0.5:
        return None
    numbers = np.array([_number(one) for one in column], dtype=np.float64)
    return None if np.isnan(numbers).mean() > 0.5 else numbers


def _number(text: Any) -> float:
    """A number, or a quantity as Kubernetes prints it (`500m`, `300Mi`)."""
    try:
        return float(text)
    except (ValueError, TypeError):
        pass
    try:
        return float(amount_of(text.strip() if isinstance(text, str) else text))
    except EnvcError:
        return np.nan
