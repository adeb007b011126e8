"""Texts that are put aside come back as they were, however many they are."""

from __future__ import annotations

from envcompile.files import Spool


def test_texts_come_back_from_memory_and_from_the_file_beyond_the_bound() -> None:
    """Small ones are held, the others are read from the file; what is dropped is gone."""
    kept = Spool(100)
    texts = {number: b"%d" % number * 9 for number in range(50)}
    for number, text in texts.items():
        kept.put(number, text)
        assert kept.get(number) == text
    assert {number: kept.get(number) for number in texts} == texts
    assert kept.get(50) is None
    for number in (0, 49):
        kept.drop(number)
        assert kept.get(number) is None
    assert kept.get(1) == texts[1]
