"""How many sequences are played, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a sequence: its seed is its name."""
    if "sequence_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--seed", "--sequences"))
        metafunc.parametrize("sequence_seed", range(first, first + count))
    if "bound_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--seed", "--sequences"))
        metafunc.parametrize("bound_seed", range(first, first + max(1, count // 5)))
    if "revised_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--seed", "--sequences"))
        metafunc.parametrize("revised_seed", range(first - first % 4, first + max(1, count // 14), 4))
