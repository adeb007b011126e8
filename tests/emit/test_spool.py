"""Texts that are put aside come back as they were, however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit import spool
from envcompile.emit.spool import Spool

if TYPE_CHECKING:
    import pytest


def test_texts_come_back_from_memory_and_from_the_file_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ones are held, the others are read from the file."""
    monkeypatch.setattr(spool, "_BOUND", 100)
    kept = Spool()
    texts = {number: b"%d" % number * 9 for number in range(50)}
    for number, text in texts.items():
        kept.put(number, text)
        assert kept.get(number) == text
    assert {number: kept.get(number) for number in texts} == texts
    assert kept.get(50) is None
