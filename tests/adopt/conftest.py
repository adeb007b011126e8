"""Repositories to bring over, written from a mapping of paths to texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Write = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write files below `old/` of the folder that is then the current one; gives the relative path `old`."""
    from pathlib import Path as RealPath

    monkeypatch.chdir(tmp_path)

    def written(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "old" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return RealPath("old")

    return written
