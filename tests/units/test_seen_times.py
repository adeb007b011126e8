"""Folders that did not change are not listed again, and whatever happens in one is seen as if they were."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile import seentimes
from envcompile.seenfiles import Seen, outputs_in
from envcompile.seentimes import NO_FOLDERS, Folders, packed, steady, times_now
from envcompile.units import outlook, snapshot
from envcompile.units.snapshot import Look, load
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, write_files

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {
    "base/web/config.yaml": config_map(),
    "base/web/deep/other.yaml": config_map("other"),
    "base/shop/config.yaml": config_map("shop"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}


def swap_for_a_link(path: Path) -> None:
    """Put a link in the place of a file or a folder, to where that went."""
    aside = path.parent.parent.parent.parent / f"aside-{path.name}"
    path.rename(aside)
    path.symlink_to(aside)


def edit(path: Path) -> None:
    """Change a file in place; its size and its times are those of before."""
    before = path.stat()
    path.write_text(path.read_text().replace("settings", "gnittess"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def save(path: Path) -> None:
    """Replace a file by another one, as editors do."""
    (path.parent / "new.tmp").write_text(path.read_text().replace("blue", "green"))
    (path.parent / "new.tmp").rename(path)


def replace(path: Path, make: Callable[[Path], object]) -> None:
    """Put something else into the place of a file."""
    path.unlink()
    make(path)


def let_a_tick_pass() -> None:
    """Wait until files get another time: where the kernel counts in ticks there are 100 in a second and more."""
    time.sleep(0.02)


SOURCES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "edited in place": lambda root: edit(root / "base/web/config.yaml"),
    "saved": lambda root: save(root / "base/web/config.yaml"),
    "put in": lambda root: write_files(root, {"base/web/deep/new.yaml": config_map("new")}),
    "put into a new folder": lambda root: write_files(root, {"base/new/deep/map.yaml": config_map("new")}),
    "put beside folders": lambda root: write_files(root, {"overlays/file.yaml": ""}),
    "put where nothing was": lambda root: write_files(root, {"lib/file.libsonnet": "{}"}),
    "a name with a dot": lambda root: write_files(root, {"base/web/.hidden.yaml": ""}),
    "an empty folder": lambda root: (root / "base/web/empty").mkdir(),
    "removed": lambda root: (root / "base/web/config.yaml").unlink(),
    "a folder removed": lambda root: shutil.rmtree(root / "base/web/deep"),
    "renamed": lambda root: (root / "base/web/config.yaml").rename(root / "base/web/conf.yaml"),
    "moved": lambda root: (root / "base/web/config.yaml").rename(root / "base/shop/map.yaml"),
    "folders renamed": lambda root: (root / "base/web/deep").rename(root / "base/web/deeper"),
    "a file is a folder": lambda root: replace(root / "base/web/config.yaml", Path.mkdir),
    "a file is a link": lambda root: swap_for_a_link(root / "base/web/config.yaml"),
    "a folder is a link": lambda root: swap_for_a_link(root / "base/web/deep"),
    "a file is a pipe": lambda root: replace(root / "base/web/config.yaml", os.mkfifo),
    "settings appear": lambda root: write_files(root, {"envc.yaml": "environments: [prod]\n"}),
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was built when its folders were old."""
    monkeypatch.setattr(seentimes, "FINE_NS", 0)
    monkeypatch.setattr(seentimes, "STEP_NS", 1_000_000_007)  # a tick may fall upon any ns
    root = write_files(tmp_path / "a/b/c/project", FILES)
    assert run_envc(root, "build").code == 0
    return root


def look(root: Path) -> Look:
    """The project seen now."""
    return Look(os.path.realpath(root), f"{os.path.realpath(root)}/environments")


@pytest.mark.parametrize("change", SOURCES)
def test_sources_are_seen_as_if_every_folder_were_listed(
    built: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """What changed, which files there are, and whether there are links."""
    SOURCES[change](built)
    seen = look(built)
    listed: list[Look] = []
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "load", _without_folders)
        listed.append(look(built))
    assert seen.changed == listed[0].changed
    assert seen.is_plain is listed[0].is_plain
    assert seen.inputs.stat_of == listed[0].inputs.stat_of
    unseen = {
        "nothing",
        "a name with a dot",
        "an empty folder",
        "a folder is a link",
    }  # the stats are those of the files
    assert bool(seen.changed) is (change not in unseen)
    assert seen.is_plain is ("link" not in change and "pipe" not in change)


def _without_folders(root: str, target: str, tool: str) -> snapshot.Snapshot | None:
    found = load(root, target, tool)
    assert found is not None
    assert found.folders.lines
    found.folders = NO_FOLDERS
    return found


@pytest.mark.parametrize("change", ["nothing", "edited in place", "saved", "a name with a dot"])
def test_folders_of_sources_are_not_listed_again(built: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """One that an editor put a file into is, alone."""
    SOURCES[change](built)
    below: list[str] = []
    real = Seen.look_below

    def noted(seen: Seen, root: str, *arguments: Any, **more: Any) -> None:
        below.append(root)
        real(seen, root, *arguments, **more)

    monkeypatch.setattr(Seen, "look_below", noted)
    seen = look(built)
    assert below == [str(Path(snapshot.__file__).parents[1])]  # the folder of envc itself is
    assert (seen.changed == set()) is (change in {"nothing", "a name with a dot"})


def test_times_of_folders_are_not_trusted_where_nothing_keeps_them(built: Path) -> None:
    """The folder that the last build put its snapshot into tells."""
    seen = look(built)
    kept = seen.snapshot
    assert kept is not None
    kept.outputs["prod"].times = b"times"
    snapshot.save(seen, kept)
    cache = built / ".envc/cache"
    file = next(cache.glob("build-????????.txt"))
    found = []
    for age in (0, 1):
        os.utime(cache, ns=(0, file.stat().st_mtime_ns - age))
        again = look(built).snapshot
        assert again is not None
        found.append((bool(again.folders.lines), again.outputs["prod"].times))
    assert found == [(True, b"times"), (False, b"")]


def test_folders_that_were_young_are_known_once_they_are_old(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As are the files in them, which are read again until then."""
    monkeypatch.setattr(seentimes, "FINE_NS", 10**15)
    write_files(built, {"base/web/config.yaml": config_map(color="red")})
    assert run_envc(built, "build").code == 0
    young = load(look(built).root, look(built).target, look(built).tool)
    assert young is not None
    assert set(young.folders.times) == {0, 255}  # all are of no use; those that are not there are known
    monkeypatch.setattr(seentimes, "FINE_NS", 0)
    old = look(built).snapshot
    assert old is not None
    assert old.racy == {}
    assert 0 < old.folders.times.count(b"\xff" * 24) < len(old.folders.lines)
    assert old.folders.times.count(b"\0" * 24) == 0


@pytest.mark.parametrize(
    ("changed", "is_known"), [(1_500_000_001, True), (1_950_000_001, False), (1_500_000_000, False), (-1, True)]
)
def test_times_that_may_not_show_a_change_are_not_kept(changed: int, *, is_known: bool) -> None:
    """Young ones, and those of clocks that count in steps; that there is no folder is known."""
    times = packed([changed, changed, 7 if changed > 0 else changed])
    assert (steady(times, 2_000_000_000) == times) is is_known


OUTPUTS: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "edited": lambda root: edit(root / "web/config.yaml"),
    "put in": lambda root: (root / "web/new.yaml").write_text("ours"),
    "put in, with the folder's time of before": lambda root: _put_in_unseen(root / "web"),
    "put in deep": lambda root: (root / "web/deep/new.yaml").write_text("ours"),
    "put in above": lambda root: (root / "new.yaml").write_text("ours"),
    "a name with a dot": lambda root: (root / "web/.new").write_text("ours"),
    "an empty folder": lambda root: (root / "web/empty").mkdir(),
    "removed": lambda root: (root / "web/config.yaml").unlink(),
    "replaced": lambda root: save(root / "web/config.yaml"),
    "exchanged": lambda root: (root / "web/config.yaml").rename(root / "web/new.yaml"),
    "a pipe": lambda root: replace(root / "web/config.yaml", os.mkfifo),
    "a folder is a link": lambda root: swap_for_a_link(root / "web/deep"),
}


def _put_in_unseen(folder: Path) -> None:
    before = folder.stat()
    (folder / "new.yaml").write_text("ours")
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", OUTPUTS)
def test_outputs_are_seen_as_if_every_folder_were_listed(tmp_path: Path, change: str) -> None:
    """Whether all is there and nothing else, with the times that folders had and without."""
    root = write_files(
        tmp_path / "a/b/prod",
        {"web/config.yaml": config_map(), "web/deep/x.yaml": "b", "shop/y.yaml": "c", "index": "d"},
    )
    files = outputs_in(str(root))
    known = files.times_in(str(root))
    assert known is not None
    let_a_tick_pass()
    OUTPUTS[change](root)
    found = []
    for times in (b"", known):
        files.times = times
        now = files.times_in(str(root))
        found.append(now is not None and outlook._is_alone(files, str(root), now))
    assert found == [change == "nothing"] * 2


def test_only_folders_with_other_times_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them where no times are known."""
    root = str(write_files(tmp_path, {"web/config.yaml": "a", "web/deep/x.yaml": "b", "shop/y.yaml": "c"}))
    files = outputs_in(root)
    lines = files.folder_lines
    assert lines == ["./", "shop/", "web/", "web/deep/"]
    listed: list[str] = []
    real = os.listdir

    def noted(path: str) -> list[str]:
        listed.append(path)
        return real(path)

    monkeypatch.setattr(os, "listdir", noted)
    times = files.times_in(root)
    assert times is not None
    assert outlook._is_alone(files, root, times)
    assert listed == [f"{root}/{line}" for line in lines]
    listed.clear()
    files.times = times
    assert outlook._is_alone(files, root, times)
    assert not listed
    let_a_tick_pass()
    (tmp_path / "web/deep/x.yaml").rename(tmp_path / "web/deep/z.yaml")
    (tmp_path / "web/deep/z.yaml").rename(tmp_path / "web/deep/x.yaml")
    assert outlook._is_alone(files, root, packed(times_now(root, lines)))
    assert listed == [f"{root}/web/deep/"]


@pytest.mark.parametrize("change", ["nothing", "put in", "edited", "removed", "an empty folder"])
def test_a_build_keeps_the_times_of_folders_for_the_next(
    built: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Of those that it did not write into; what is put into one stays when the environment is written whole."""
    monkeypatch.setattr(snapshot, "_SOME", 0)
    monkeypatch.setattr(outlook, "_processors", lambda: 2)
    monkeypatch.setattr(outlook, "_has_threads", lambda: False)
    for color in ("red", "green"):
        write_files(built, {"base/web/config.yaml": config_map(color=color)})
        assert run_envc(built, "build").code == 0
    folder = built / "environments/prod"
    kept = look(built).snapshot
    assert kept is not None
    files = kept.outputs["prod"]
    now = Folders(files.folder_lines, packed(times_now(str(folder), files.folder_lines)))
    assert Folders(now.lines, files.times).changed(now) == ["web/"]
    other = folder / "shop/configmap-shop.yaml"
    if change == "put in":
        (folder / "shop/README.md").write_text("ours")
    elif change == "edited":
        other.write_text(other.read_text() + "# a note\n")
    elif change == "removed":
        other.unlink()
    elif change == "an empty folder":
        (folder / "shop/empty").mkdir()
    write_files(built, {"base/web/config.yaml": config_map(color="blue"), "base/new/map.yaml": config_map("new")})
    outcome = run_envc(built, "build")
    assert outcome.code == (1 if change == "edited" else 0), outcome.err
    assert ("configmap-shop.yaml was changed by hand" in outcome.err) is (change == "edited")
    assert other.exists()
    assert (folder / "shop/README.md").exists() is (change == "put in")
    assert (folder / "new").exists() is (change != "edited")
