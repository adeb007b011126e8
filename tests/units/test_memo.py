"""A memo may be lost, damaged or another version's at any time without a changed byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.units.memo import FOLDER, FolderMemo, Remembered, told_of
from envcompile.units.project import Project
from envcompile.units.unit import UnitExports
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, read_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "base/web/deployment.yaml": deployment(),
    "base/web/config.yaml": config_map(),
    "base/api/deployment.yaml": deployment("api"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}
ENTRY = Remembered.of("web", told_of(UnitExports(())), {"base/web.yaml": "1"}, {"": ()})


def cut_short(path: Path) -> None:
    """Take the end off, as a full disk does."""
    path.write_bytes(path.read_bytes()[:-7])


def turn_a_bit(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def replace(path: Path) -> None:
    """Put something else there."""
    path.write_bytes(b"something else")


@pytest.mark.parametrize("harm", [cut_short, turn_a_bit, replace, lambda path: path.unlink()])
def test_what_is_damaged_is_compiled_again_to_the_same_bytes(
    make_project: MakeProject, harm: Callable[[Path], object]
) -> None:
    """Neither an error nor other bytes come of it."""
    root = make_project(FILES)
    assert run_envc(root, "build").code == 0
    before = read_files(root / "environments")
    for path in sorted((root / FOLDER).iterdir()):
        harm(path)
    (root / "base/web/deployment.yaml").write_text(f"{deployment()}# a note\n")
    assert run_envc(root, "build").code == 0
    assert read_files(root / "environments") == before


def test_what_another_version_remembers_does_not_count(tmp_path: Path) -> None:
    """The stamp of envc's own files is part of a memo."""
    memo = FolderMemo(tmp_path, "one version")
    memo.put("prod", "key", ENTRY)
    memo.save()
    assert FolderMemo(tmp_path, "one version").get("prod", "key") == ENTRY
    assert FolderMemo(tmp_path, "another").get("prod", "key") is None


def test_a_pack_is_written_entry_by_entry_as_it_is_written_whole(tmp_path: Path) -> None:
    """Whoever reads it finds all of it, however many entries there are."""
    memo = FolderMemo(tmp_path, "tool")
    for number in range(70_000):
        memo.put("prod", f"key{number}", ENTRY)
    memo.put_wholes("prod", {"a": "b"})
    memo.put_made_of("prod", {"digest": {"name": "value"}})
    memo.save()
    found = FolderMemo(tmp_path, "tool")
    assert found.get("prod", "key0") == ENTRY == found.get("prod", "key69999")
    assert found.get("prod", "key70000") is None
    assert found.wholes("prod") == {"a": "b"}
    assert found.made_of("prod") == {"digest": {"name": "value"}}
    assert found.last("prod", "web") == {"base/web.yaml": "1"}


def test_an_entry_that_eight_builds_did_not_use_is_forgotten(tmp_path: Path) -> None:
    """A memo does not grow for ever."""
    first = FolderMemo(tmp_path, "tool")
    first.put("prod", "old", ENTRY)
    first.save()
    for number in range(7):
        memo = FolderMemo(tmp_path, "tool")
        memo.put("prod", f"new {number}", ENTRY)
        memo.save()
    kept = FolderMemo(tmp_path, "tool")
    kept.put("prod", "new 8", ENTRY)
    kept.save()
    after = FolderMemo(tmp_path, "tool")
    assert after.get("prod", "old") is None
    assert after.get("prod", "new 6") is not None


def test_an_entry_that_is_used_stays(tmp_path: Path) -> None:
    """However often a build saves."""
    first = FolderMemo(tmp_path, "tool")
    first.put("prod", "used", ENTRY)
    first.save()
    for number in range(20):
        memo = FolderMemo(tmp_path, "tool")
        assert memo.get("prod", "used") is not None
        memo.put("prod", f"new {number}", ENTRY)
        memo.save()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """What is not remembered is compiled again."""
    (tmp_path / ".envc").write_text("in the way")
    memo = FolderMemo(tmp_path, "tool")
    memo.put("prod", "key", ENTRY)
    memo.save()
    assert FolderMemo(tmp_path, "tool").get("prod", "key") is None


def test_joining_is_remembered_and_done_again_when_a_unit_tells_something_else(make_project: MakeProject) -> None:
    """A new resource is something else."""
    root = make_project(FILES)
    assert run_envc(root, "build").code == 0
    assert list(Project.open(root).link("prod").paths or ()) == [
        ("api/deployment-api.yaml",),
        ("web/configmap-settings.yaml", "web/deployment-web.yaml"),
    ]
    more = config_map().replace("name: settings", "name: more")
    (root / "base/api/config.yaml").write_text(more)
    linked = Project.open(root).link("prod")
    assert linked.paths is None
    assert "more" in {identity.name for identity in linked.ids()}


def test_the_reason_names_the_file_that_changed(make_project: MakeProject) -> None:
    """The other unit is remembered."""
    root = make_project(FILES)
    assert run_envc(root, "build").code == 0
    (root / "base/api/deployment.yaml").write_text(f"{deployment('api')}# a note\n")
    reasons = Project.open(root).link("prod").reasons
    assert [(one.app, one.is_remembered, one.changed) for one in reasons] == [
        ("api", False, ("base/api/deployment.yaml",)),
        ("web", True, ()),
    ]
