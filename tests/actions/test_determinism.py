"""The same sources give the same bytes, wherever and however they are built."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.command import PACKAGE_ROOT, call_envc
from tests.harness.repository import read_files

# Read while pytest collects: tests run in a cleaned environment.
PYTHONS = [
    python
    for python in (
        *os.environ.get("ENVC_TEST_PYTHONS", "").split(os.pathsep),
        *(shutil.which(f"python3.{minor}") for minor in range(11, 16)),
    )
    if python
]
"""Other interpreters, of `ENVC_TEST_PYTHONS` or on PATH; those that lack the libraries are passed over."""
SOURCES = ("base", "overlays", "envc.yaml", "lib", "vendor")


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    """The shop as it is committed, without the chart."""
    found = {
        path: data
        for path, data in read_files(PACKAGE_ROOT / "environments").items()
        if not path.startswith(("chart/", ".git"))  # git's attributes stand in the project's own output folder only
    }
    assert len(found) > 300
    return found


def copy_shop(target: Path, seed: int | None = None) -> Path:
    """Copy the shop's sources; with a seed in an order of its own, which file systems remember."""
    files = {
        path.relative_to(PACKAGE_ROOT).as_posix(): path
        for name in SOURCES
        for path in ([PACKAGE_ROOT / name] if (PACKAGE_ROOT / name).is_file() else (PACKAGE_ROOT / name).rglob("*"))
        if path.is_file()
    }
    names = sorted(files)
    if seed is not None:
        random.Random(seed).shuffle(names)
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(files[name], target / name)
    return target


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shop's sources; builds leave their cache there."""
    return copy_shop(tmp_path_factory.mktemp("shop"))


def built(root: Path, output: Path, **options: object) -> dict[str, bytes]:
    """What a build in a process of its own writes."""
    outcome = call_envc(root, "build", "--no-chart", "--output", str(output), **options)
    assert outcome.code == 0, outcome.err
    return read_files(output)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_files_in_their_folders(tmp_path: Path, expected: dict[str, bytes], seed: int) -> None:
    """Files are read in the order of their names, not in that of the disk."""
    root = copy_shop(tmp_path / "shop", seed)
    assert built(root, tmp_path / "output") == expected


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "random"},
        {"TZ": "Pacific/Kiritimati"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
        {"LC_ALL": "tr_TR.UTF-8"},
        {"PYTHONOPTIMIZE": "2"},
        {"COLUMNS": "20", "NO_COLOR": "1"},
    ],
    ids=lambda env: " ".join(f"{name}={text}" for name, text in env.items()),
)
def test_the_environment_of_the_process(
    tmp_path: Path, shop: Path, expected: dict[str, bytes], env: dict[str, str]
) -> None:
    """Neither hash seed, time zone nor locale reaches the result."""
    assert built(shop, tmp_path / "output", env=env) == expected


def test_the_folder_one_stands_in(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """Nor where the repository lies, nor from where it is built."""
    root = copy_shop(tmp_path / "a place with spaces" / "größer")
    assert built(root, tmp_path / "one", cwd=root / "overlays") == expected
    assert built(Path("größer"), tmp_path / "two", cwd=root.parent) == expected


def test_one_environment_alone_or_all_together(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """Environments share what they have in common while they are built; it does not show."""
    root = copy_shop(tmp_path / "shop")
    for name in ("prod", "dev", "staging", "test"):
        outcome = call_envc(root, "build", name, "--output", str(tmp_path / "output"))
        assert outcome.code == 0, outcome.err
    assert read_files(tmp_path / "output") == expected


def test_built_twice_from_a_warm_cache(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """A record of the last build changes nothing but the time it takes."""
    root = copy_shop(tmp_path / "shop")
    for _ in range(2):
        assert built(root, root / "environments") == expected


@pytest.mark.parametrize("python", PYTHONS or [None], ids=lambda python: Path(python or "none").name)
def test_every_python(tmp_path: Path, shop: Path, expected: dict[str, bytes], python: str | None) -> None:
    """The interpreter's version does not show."""
    if python is None:
        pytest.skip("there is no other Python")
    libraries = "import msgspec, yaml, _gojsonnet, cryptography"
    if subprocess.run([python, "-c", libraries], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} lacks the libraries")
    assert built(shop, tmp_path / "output", python=python) == expected
    assert sys.version_info >= (3, 11)
