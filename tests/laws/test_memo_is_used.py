"""One changed file of the shop compiles one unit in each environment that it reaches, and nothing else."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.repository import commit, git
from tests.laws.workshop import OUTPUT, can

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("base", "overlays", "environments", "envc.yaml", ".gitignore")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the shop, with its chart, built, checked, committed and recorded."""
    if not can("--why", "build"):
        pytest.skip("`envc build` has no --why")
    root = tmp_path_factory.mktemp("shop") / "shop"
    root.mkdir()
    for name in SOURCES:
        place = PACKAGE_ROOT / name
        (shutil.copytree if place.is_dir() else shutil.copyfile)(place, root / name)
    git(root, "init", "--quiet")
    commit(root)
    for command in (("build",), ("check", "--fail-on", "never"), ("history", "record")):
        assert run_envc(root, *command).code == 0
    return root


def compiled_units(outcome_text: str) -> set[tuple[str, str]]:
    """The units that `envc build --why --format json` says were compiled: environment and application."""
    data: list[dict[str, Any]] = json.loads(outcome_text)["units"]
    return {(unit["environment"], unit["application"]) for unit in data if unit["compiled"]}


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        (
            "base/user-service/deployment.yaml",
            "revisionHistoryLimit: 5",
            "revisionHistoryLimit: 4",
            ("dev", "test", "staging", "prod"),
        ),
        ("overlays/prod/redis.yaml", "kind:", "# a note\nkind:", ("prod",)),
        ("overlays/nonprod/order-service.yaml", "kind:", "# a note\nkind:", None),
    ],
    ids=["of base", "of one environment", "of a shared layer"],
)
@pytest.mark.parametrize("command", [("build",), ("build", "--check"), ("build", "prod")], ids=" ".join)
def test_one_changed_file_compiles_one_unit(
    shop: Path, command: tuple[str, ...], path: str, old: str, new: str, expected: tuple[str, ...] | None
) -> None:
    """In each environment that it reaches, with chart, checks and recording on (case slice-never-used)."""
    source = shop / path
    before = source.read_text(encoding="utf-8")
    assert old in before
    try:
        # A content that no other command has seen: what was compiled once is remembered for good.
        source.write_text(f"{before.replace(old, new, 1)}# {' '.join(command)}\n", encoding="utf-8")
        outcome = run_envc(shop, *command, "--why", "--format", "json")
        assert outcome.code in {0, 16}, outcome.err
        units = compiled_units(outcome.out)
        environments = [environment for environment, _ in units]
        assert len(environments) == len(set(environments))
        if expected is not None:
            wanted = {"prod"} & set(expected) if "prod" in command else set(expected)
            assert set(environments) == wanted
        assert len({application for _, application in units}) <= 1
    finally:
        source.write_text(before, encoding="utf-8")
        git(shop, "checkout", "--quiet", "--force", "HEAD", "--", OUTPUT)
        run_envc(shop, "build")


@pytest.mark.parametrize(
    ("path", "old", "new", "is_asked"),
    [
        ("base/user-service/deployment.yaml", "maxUnavailable: 0", "maxUnavailable: 1", True),
        ("base/user-service/deployment.yaml", "revisionHistoryLimit: 5", "revisionHistoryLimit: 4", False),
        ("base/user-service/deployment.yaml", "kind:", "# a note\nkind:", False),
    ],
    ids=["a field that rules about several see", "a field that none of them sees", "a line"],
)
def test_one_changed_file_checks_one_unit(shop: Path, path: str, old: str, new: str, *, is_asked: bool) -> None:
    """Rules about one resource look at its unit alone; those about several are asked when what they see changed."""
    source = shop / path
    before = source.read_text(encoding="utf-8")
    assert run_envc(shop, "check", "--fail-on", "never").code == 0
    try:
        source.write_text(f"{before.replace(old, new, 1)}# checked\n", encoding="utf-8")
        outcome = run_envc(shop, "-v", "check", "--fail-on", "never")
        told = [line for line in outcome.err.splitlines() if "envc.check" in line or "looked at anew" in line]
        for environment in ("dev", "test", "staging", "prod"):
            own = "\n".join(line for line in told if f"{environment}:" in line)
            assert "1 of " in own, outcome.err
            assert "user-service (base/user-service/deployment.yaml changed)" in own
            assert ("changed: they are asked" in own) is is_asked
    finally:
        source.write_text(before, encoding="utf-8")
