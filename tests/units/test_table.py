"""Records in one piece of memory are found by their keys, and what is no such piece is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.units.table import Table, pack


@given(st.dictionaries(st.binary(max_size=8), st.binary(max_size=8), max_size=30), st.binary(max_size=8))
def test_each_record_is_found_by_its_key(records: dict[bytes, bytes], other: bytes) -> None:
    """Empty keys, empty records and keys that begin alike included; nothing is found under any other key."""
    table = Table(memoryview(pack(records)))
    assert table.count == len(records)
    assert dict(table.items()) == records
    for key, value in records.items():
        found = table.get(key)
        assert found is not None
        assert bytes(found) == value
    assert (table.get(other) is None) is (other not in records)


@given(st.binary(max_size=64))
def test_what_is_no_table_is_refused_or_one_by_chance(data: bytes) -> None:
    """No bytes lead to another error, nor beyond their end."""
    try:
        table = Table(memoryview(data))
    except ValueError:
        return
    assert len(list(table.items())) == table.count


@pytest.mark.parametrize("cut", [0, 7, 8, 20, -1])
def test_a_part_of_a_table_is_refused(cut: int) -> None:
    """Wherever it was cut off."""
    with pytest.raises(ValueError, match="no table"):
        Table(memoryview(pack({b"a": b"1", b"b": b"22"})[:cut]))


@given(st.dictionaries(st.binary(max_size=8), st.binary(max_size=8), max_size=30), st.data())
def test_records_of_the_same_length_are_exchanged_in_place(records: dict[bytes, bytes], data: st.DataObject) -> None:
    """What comes of it is what packing all of them anew gives; where a length or a key differs, nothing does."""
    changed = data.draw(st.sets(st.sampled_from(sorted(records)))) if records else set[bytes]()
    others = {key: data.draw(st.binary(max_size=8)) for key in changed}
    found = Table(memoryview(pack(records))).edited(others)
    fits = all(len(other) == len(records[key]) for key, other in others.items())
    assert found == (pack({**records, **others}) if fits else None)
    assert Table(memoryview(pack(records))).edited({b"a longer key": b""}) is None
