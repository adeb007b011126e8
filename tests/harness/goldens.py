"""Expected files beside a case: compared always, written only when the run asks for it."""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from tests.harness.repository import read_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class GoldenError(AssertionError):
    """What a case gives is not what is expected, or would make a golden that pins nothing."""


def compare_with_goldens(folder: Path, actual: Mapping[str, bytes], *, update: bool) -> None:
    """Hold files against those of a folder; files that are expected and not there count, too.

    Args:
        folder: where the expected files are.
        actual: path -> content of what the case gave.
        update: write `actual` as the new expectation instead.

    Raises:
        GoldenError: they differ, or the new golden would be empty.
    """
    if not actual or not all(actual.values()):
        empty = ", ".join(path for path, data in actual.items() if not data) or "everything"
        raise GoldenError(f"a golden that is empty pins nothing: {empty}")
    expected = read_files(folder)
    if update:
        for path in expected.keys() - actual.keys():
            (folder / path).unlink()
        for path, data in actual.items():
            if expected.get(path) != data:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
        return
    if dict(actual) != expected:
        raise GoldenError("\n".join(_differences(expected, actual)))


def _differences(expected: Mapping[str, bytes], actual: Mapping[str, bytes]) -> list[str]:
    lines = ["not what is expected (--update-goldens accepts it):"]
    for path in sorted(expected.keys() | actual.keys()):
        old, new = expected.get(path, b""), actual.get(path, b"")
        if old != new:
            before, after = (data.decode("utf-8", "replace").splitlines() for data in (old, new))
            lines += unified_diff(before, after, f"expected/{path}", f"actual/{path}", lineterm="")
    return lines
