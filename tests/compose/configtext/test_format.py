"""A further format of configuration texts is one further file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.compose.configtext import derive_text, format_of, formats, how_merged, keys, merge_text, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CSV = '''
"""Lines of `key,value`, as somebody might add them."""
from envcompile.compose.configtext.format import lines
from envcompile.compose.configtext.lines import Dialect, KeyLine, Section


def _scan(text):
    entries, at = [], 0
    for line in text.splitlines(keepends=True):
        key, _, value = line.rstrip("\\n").partition(",")
        end = at + len(line)
        entries.append(KeyLine(0, key, value, ",", at, at + len(key) + 1, at + len(line.rstrip("\\n")), end))
        at = end
    return [Section("", 0, 0)], entries


FORMAT = lines("csv", ("csv",), lambda: Dialect(scan=_scan, comments="#", last_wins=True, indents=False, empty=","))
'''


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The built-in formats and one more."""
    (tmp_path / "csv.py").write_text(CSV, encoding="utf-8")
    name = f"{formats.__name__}.csv"
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    sys.modules.pop(name, None)


@pytest.mark.usefixtures("csv")
def test_a_format_is_added_by_one_file() -> None:
    """Its texts are merged, read, derived and explained by what the file says."""
    assert format_of("limits.csv") == "csv"
    merged = merge_text("limits.csv", "a,1\nb,2\n", "b,3\nc,4\n")
    assert merged == "a,1\nb,3\nc,4\n"
    assert {key: span.value for key, span in keys("limits.csv", merged).items()} == {"a": "1", "b": "3", "c": "4"}
    assert derive_text("limits.csv", "a,1\nb,2\n", "a,1\nb,3\n") == "b,3\n"
    value = value_of("limits.csv", merged)
    assert value is not None
    assert value[0] == {"a": "1", "b": "3", "c": "4"}
    assert how_merged("limits.csv", "a,1\n", "a,2\n") == "merged key by key as csv text"


def test_without_the_file_such_a_text_is_replaced_whole() -> None:
    """So that the test above shows what its file does."""
    assert format_of("limits.csv") is None
