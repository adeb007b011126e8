"""What is found out by looking at stats alone is never wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from envcompile import seentimes
from envcompile.emit.index import INDEX_NAME
from envcompile.seenfiles import UNREAD, Files, Seen
from envcompile.seentimes import Folders, packed
from envcompile.units import outlook, snapshot
from envcompile.units.snapshot import Look, Snapshot, load, save
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "base/web/config.yaml": config_map(),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}


@pytest.fixture
def built(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One environment, built; however long that took, its sources are young."""
    monkeypatch.setattr(seentimes, "FINE_NS", seentimes.GRANULARITY_NS)
    root = make_project(FILES)
    assert run_envc(root, "build").code == 0
    return root


def look(root: Path) -> Look:
    """The project seen now."""
    return Look(os.path.realpath(root), f"{os.path.realpath(root)}/environments")


def test_nothing_is_left_to_do_after_a_build(built: Path) -> None:
    """The stats of sources and outputs are those that it put down."""
    assert look(built).nothing_to_do(()) == "1 environment, 1 resources: nothing to do"


def test_a_source_of_the_same_size_and_time_is_seen_to_be_another(built: Path) -> None:
    """The time of the inode's own change tells, and the content of files that are this young."""
    path = built / "base/web/config.yaml"
    before = path.stat()
    path.write_text(path.read_text().replace("settings", "gnittess"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert look(built).changed == {"base/web/config.yaml"}


@pytest.mark.parametrize("change", ["edit", "remove", "replace by a link"])
def test_an_output_that_somebody_touched_is_looked_at(built: Path, change: str) -> None:
    """A file with the same bytes is looked at, too: its stat is another one."""
    path = built / "environments/prod/web/configmap-settings.yaml"
    data = path.read_bytes()
    path.unlink()
    if change == "edit":
        path.write_bytes(data)
    elif change == "replace by a link":
        (built / "copy.yaml").write_bytes(data)
        path.symlink_to(built / "copy.yaml")
    assert look(built).nothing_to_do(()) is None


def test_files_of_others_among_the_outputs_do_not_matter(built: Path) -> None:
    """They are not envc's."""
    (built / "environments/prod/web/README.md").write_text("ours")
    assert look(built).nothing_to_do(()) is not None


def test_code_two_folders_deep_makes_every_memo_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of envc count that have a say in what is compiled, and no others."""
    deep, above = tmp_path / "envcompile/check/api/names.py", tmp_path / "envcompile/cli/commands/build.py"
    for file in (deep, above):
        file.parent.mkdir(parents=True)
    (tmp_path / "envcompile/units").mkdir()
    deep.write_text("one")
    monkeypatch.setattr(snapshot, "__file__", str(tmp_path / "envcompile/units/snapshot.py"))
    before = snapshot.tool_stamp()
    assert before == snapshot.tool_stamp()
    above.write_text("two, longer")
    assert before == snapshot.tool_stamp()
    deep.write_text("two, longer")
    assert snapshot.tool_stamp() != before


def test_a_snapshot_is_read_as_it_was_saved(tmp_path: Path) -> None:
    """Names with spaces and tabs, files that are not there and files that were not read included."""
    seen = look(tmp_path)
    inputs = Files.of({"base/a b\t.yaml": "1 2 3 4", "envc.yaml": "absent"}, ["d1", ""])
    outputs = Files.of({"web/x.yaml": "5 6 7 8", INDEX_NAME: "9 9 9 9"}, ["d2", ""])
    assert inputs is not None
    assert outputs is not None
    assert (inputs.stat("envc.yaml"), inputs.digest("base/a b\t.yaml"), inputs.digest("x")) == ("absent", "d1", UNREAD)
    kept = Snapshot(
        counts={"prod": 1},
        racy={"base/a b\t.yaml": 7},
        further=["envc.yaml"],
        beside=["lib/a.libsonnet", "files/b c"],
        inputs=inputs,
        folders=Folders(["base/", "base/a b/"], packed([1, 2, 3, -1, -1, -1])),
        outputs={"prod": outputs},
    )
    outputs.times = packed([1, 2, 3, 4, 5, 6])
    save(seen, kept)
    found = load(seen.root, seen.target, seen.tool)
    assert found is not None
    assert (found.counts, found.racy, found.further, found.beside) == (
        kept.counts,
        kept.racy,
        kept.further,
        kept.beside,
    )
    assert found.inputs.stat_of == {"base/a b\t.yaml": "1 2 3 4", "envc.yaml": "absent"}
    assert found.inputs.digest_of == {"base/a b\t.yaml": "d1", "envc.yaml": UNREAD}
    assert found.outputs["prod"].stat_of == {"web/x.yaml": "5 6 7 8", INDEX_NAME: "9 9 9 9"}
    assert found.outputs["prod"].digest_of == {"web/x.yaml": "d2", INDEX_NAME: UNREAD}
    assert (found.folders.lines, found.folders.times) == (kept.folders.lines, kept.folders.times)
    assert found.outputs["prod"].times == outputs.times
    assert load(seen.root, seen.target, "another tool") is None


def test_a_name_with_a_line_break_is_not_put_down() -> None:
    """Such a project is looked at whole each time."""
    assert Files.of({"base/a\nb.yaml": "1 2 3 4"}, [""]) is None
    assert Files.of({}, []) is not None


def test_inodes_of_all_64_bits_are_put_down() -> None:
    """Some file systems count them so; the times of files older than the epoch are negative."""
    seen = Seen()
    seen.add("base/web.yaml", (-5, 2, 3, (1 << 64) - 2))
    files = seen.files()
    assert files.is_same(seen.files())
    again = Files.of(files.stat_of, ["d"])
    assert again is not None
    assert again.is_same(files)


@pytest.mark.parametrize("different", ["", "edited", "added", "listed in another order"])
def test_what_changed_is_named(different: str) -> None:
    """File by file, however many there are; the order in which a system lists them does not matter."""
    stats = {f"base/web/{number}.yaml": f"1 2 3 {number}" for number in range(200)}
    now = dict(stats)
    if different == "edited":
        now["base/web/150.yaml"] = "1 3 3 150"
    elif different == "added":
        now["base/new.yaml"] = "1 2 3 4"
    elif different:
        now = dict(reversed(stats.items()))
    before, after = Files.of(stats, ["d"] * len(stats)), Files.of(now, ["d"] * len(now))
    assert before is not None
    assert after is not None
    changes = {"edited": {"base/web/150.yaml"}, "added": {"base/new.yaml"}}.get(different, set())
    assert before.changes(after) == changes
    assert before.is_same(after) is (not changes)


@pytest.mark.parametrize("touched", ["", "dev", "prod"])
def test_two_processes_find_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touched: str) -> None:
    """However many look at the outputs of a large project, a file that somebody touched is found."""
    monkeypatch.setattr(snapshot, "_MANY", 0)
    monkeypatch.setattr(outlook, "_processors", lambda: 2)
    monkeypatch.setattr(outlook, "_has_threads", lambda: False)
    files = {f"overlays/{name}/environment.yaml": environment(f"namespace: {name}\n") for name in ("dev", "prod")}
    root = write_files(tmp_path, {**files, "base/web/map.yaml": config_map()})
    assert run_envc(root, "build").code == 0
    if touched:
        with (root / f"environments/{touched}/web/configmap-settings.yaml").open("a") as file:
            file.write("# a note\n")
    seen = Look(os.path.realpath(root), f"{os.path.realpath(root)}/environments", with_outputs=True)
    assert (seen.nothing_to_do(()) is None) is bool(touched)


@pytest.mark.parametrize("change", ["", "another file", "edited", "gone", "its folder is a link"])
def test_what_was_written_is_asked_for_by_name(tmp_path: Path, change: str) -> None:
    """Files of others do not matter; a link to where the files went does."""
    folder = write_files(tmp_path / "prod", {"web/map.yaml": "a", "web/deep/x.yaml": "b", INDEX_NAME: "c"})
    seen = Seen()
    seen.look_below(str(folder), ("",), is_output=True)
    files = seen.files()
    if change == "another file":
        (folder / "web/new.yaml").write_text("d")
    elif change == "edited":
        (folder / "web/map.yaml").write_text("longer")
    elif change == "gone":
        (folder / "web/deep/x.yaml").unlink()
    elif change:
        (folder / "web").rename(tmp_path / "elsewhere")
        (folder / "web").symlink_to(tmp_path / "elsewhere")
    assert files.are_in(str(folder)) is (change in {"", "another file"})


@pytest.mark.parametrize("change", ["none", "other bytes", "a folder", "gone", "a link to the same bytes"])
def test_what_a_young_file_holds_is_held_against_what_the_build_read(built: Path, change: str) -> None:
    """Also where its stat, as it is said here, shows nothing; the digest of what was read is asked."""
    path = "base/web/config.yaml"
    file, kept = built / path, look(built).snapshot
    assert kept is not None
    assert kept.racy[path] == snapshot.BY_DIGEST
    data = file.read_bytes()
    if change != "none":
        file.unlink()
    if change == "other bytes":
        file.write_bytes(data[::-1])
    elif change == "a folder":
        file.mkdir()
    elif change == "a link to the same bytes":
        (built / "same.yaml").write_bytes(data)
        file.symlink_to(built / "same.yaml")
    is_same = change in {"none", "a link to the same bytes"}
    assert kept.changed_inputs(str(built), kept.inputs) == (set() if is_same else {path})


def test_a_file_saved_just_before_a_build_is_read_again_only_once(built: Path) -> None:
    """Its stat tells enough once it is old; until then what it holds is compared."""
    file = next((built / "base").rglob("*.yaml"))
    then = file.stat().st_mtime_ns
    first = look(built)
    assert first.snapshot is not None
    assert first.snapshot.racy
    assert not first.changed
    edge = 10 * 1_000_000_000
    first.began += edge
    first._settle(first.snapshot, set())
    again = load(first.root, first.target, first.tool)
    assert again is not None
    assert again.racy == {}
    assert again.outputs.keys() == {*again.counts}
    assert look(built).nothing_to_do(()) is not None
    file.write_bytes(file.read_bytes()[::-1])
    os.utime(file, ns=(then, then))
    assert look(built).nothing_to_do(()) is None  # its inode changed since


@pytest.mark.parametrize(
    ("changed", "age"),
    [
        (9_899_000_001, "old"),
        (9_901_000_001, "young"),
        (9_890_000_000, "young"),  # perhaps by a clock of whole seconds, or of hundredths
        (8_000_000_000, "young"),
        (7_990_000_000, "old"),
        (-1_000_000_001, "old"),
        (11_000_000_001, "young"),  # a clock that goes before ours
    ],
)
def test_a_stat_is_trusted_once_the_clock_of_its_file_system_went_on(changed: int, age: str) -> None:
    """Two seconds count that long; a file system that counts in less shows it by the digits of its times."""
    assert seentimes.is_old(changed, 10_000_000_000) is (age == "old")
    seen = Seen()
    seen.add("base/web.yaml", (1, changed, 3, 4))
    files = seen.files().with_digests(["a" * 64])
    assert files is not None
    assert snapshot.racy_inputs("", files, 10_000_000_000).keys() == (set() if age == "old" else {"base/web.yaml"})


@pytest.mark.parametrize("touched", ["", "edited", "another file", "gone", "killed"])
def test_a_build_after_an_edit_minds_what_another_process_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touched: str
) -> None:
    """While sources are compiled another process looks at the outputs: a build comes to what one process makes."""
    monkeypatch.setattr(snapshot, "_SOME", 0)
    monkeypatch.setattr(outlook, "_processors", lambda: 2)
    monkeypatch.setattr(outlook, "_has_threads", lambda: False)
    if touched == "killed":
        monkeypatch.setattr(outlook, "_is_alone", lambda *_: os._exit(1))
    files = {f"overlays/{name}/environment.yaml": environment(f"namespace: {name}\n") for name in ("dev", "prod")}
    root = write_files(tmp_path, {**files, "base/web/map.yaml": config_map(), "base/web/other.yaml": config_map("o")})
    assert run_envc(root, "build").code == 0
    folder = root / "environments/prod/web"
    other = folder / "configmap-o.yaml"
    before = other.read_bytes()
    if touched == "edited":
        other.write_bytes(before + b"# a note\n")
    elif touched == "another file":
        (folder / "README.md").write_text("ours")
    elif touched == "gone":
        other.unlink()
    write_files(root, {"base/web/map.yaml": config_map(color="green")})
    outcome = run_envc(root, "build")
    if touched == "edited":
        assert outcome.code == 1
        assert "configmap-o.yaml was changed by hand" in outcome.err
        return
    assert outcome.code == 0, outcome.err
    assert other.read_bytes() == before
    assert b"color: green" in (folder / "configmap-settings.yaml").read_bytes()
    assert (folder / "README.md").exists() is (touched == "another file")
    assert "nothing to do" in run_envc(root, "build").err


def test_no_files_may_be_added_to() -> None:
    """A folder may have held nothing at all."""
    none = Files.of({}, [])
    assert none is not None
    seen = none.seen()
    assert seen.files().paths() == []
    seen.add("base/web.yaml", (1, 2, 3, 4))
    assert seen.files().paths() == ["base/web.yaml"]
    assert seen.files().seen().files().is_same(seen.files())
