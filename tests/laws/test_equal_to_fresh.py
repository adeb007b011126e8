"""After every edit a folder with a memory gives what a fresh copy gives, and `affected` names exactly what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.units import outlook, snapshot
from tests.laws.sequences import Sequence, explain

if TYPE_CHECKING:
    from pathlib import Path


def test_a_sequence_of_edits(
    sequence_seed: int, tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes, exit codes, messages, findings and chart equal those of a fresh copy; commit and folder agree.

    In every other sequence another process looks at the outputs, as in a large project.
    """
    if sequence_seed % 2:
        monkeypatch.setattr(snapshot, "_SOME", 0)
        monkeypatch.setattr(outlook, "_processors", lambda: 2)
        monkeypatch.setattr(outlook, "_has_threads", lambda: False)
    steps = pytestconfig.getoption("--steps")
    keep = None if steps is None else {int(step) for step in steps.split(",")}
    folder = tmp_path / "sequence"
    folder.mkdir()
    law = pytestconfig.getoption("--law")
    sequence = Sequence(sequence_seed, folder, keep, law)
    fault = sequence.play()
    if fault is not None:
        pytest.fail(explain(sequence_seed, fault, tmp_path, law), pytrace=False)
