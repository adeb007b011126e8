"""The locks hold everything that is needed, each with its digests."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.lock import LOCKS, read

if TYPE_CHECKING:
    from tests.packaging.lock import Lock

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _wanted(lock: Lock) -> list[Requirement]:
    """What pyproject.toml asks for, extras of our own resolved."""
    found: list[Requirement] = []
    todo = [*PROJECT["dependencies"], *(line for extra in lock.extras for line in _extra(extra))]
    while todo:
        requirement = Requirement(todo.pop())
        if requirement.name == PROJECT["name"]:
            todo += [line for extra in requirement.extras for line in _extra(extra)]
        else:
            found.append(requirement)
    return found


def _extra(name: str) -> list[str]:
    lines: list[str] = PROJECT["optional-dependencies"][name]
    return lines


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.name for lock in LOCKS])
def test_everything_is_locked(lock: Lock) -> None:
    """Each requirement at a version that pyproject.toml allows."""
    locked = {canonicalize_name(line.requirement.name): line.requirement for line in read(lock)}
    for wanted in _wanted(lock):
        name = canonicalize_name(wanted.name)
        assert name in locked, f"{name} is not locked: python -m tests.packaging.lock"
        (version,) = [clause.version for clause in locked[name].specifier]
        assert wanted.specifier.contains(version), f"{name} {version}"


@pytest.mark.parametrize("lock", LOCKS, ids=[lock.name for lock in LOCKS])
def test_every_line_has_one_version_and_its_digests(lock: Lock) -> None:
    """So `pip install --require-hashes` takes nothing else, whatever an index answers; no address is in the file."""
    lines = read(lock)
    assert len(lines) > 20
    for line in lines:
        assert [clause.operator for clause in line.requirement.specifier] == ["=="]
        assert line.requirement.url is None
        assert line.digests
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in line.digests)
    assert "://" not in (ROOT / lock.name).read_text(encoding="utf-8")


def test_what_needs_something_finds_it_locked() -> None:
    """The lock is closed: what an installed package needs here is in it, too."""
    locked = {canonicalize_name(line.requirement.name) for line in read(LOCKS[0])}
    missing = set()
    for name in locked:
        try:
            needed = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in needed:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                missing |= {canonicalize_name(requirement.name)} - locked
    assert not missing


def test_the_locks_agree() -> None:
    """Tests run with the very versions that people get."""
    tested = {(canonicalize_name(line.requirement.name), str(line.requirement.specifier)) for line in read(LOCKS[0])}
    for line in read(LOCKS[1]):
        assert (canonicalize_name(line.requirement.name), str(line.requirement.specifier)) in tested
