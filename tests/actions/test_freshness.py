"""A build with nothing to do is recognised, and whatever matters to a build is noticed."""

from __future__ import annotations

import os
import re
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from envcompile.actions import freshness
from envcompile.actions.freshness import Look
from envcompile.cli.fastpath import quick_build
from envcompile.emit.index import INDEX_NAME
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, read_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import MakeProject

SOURCES = {
    "base/web/config.yaml": config_map("web", color="blue"),
    "base/api/config.yaml": config_map("api", color="red"),
    "base/made/made.jsonnet": (
        "local far = import '../../config/far.libsonnet';\nlocal near = import 'near.libsonnet';\n"
        "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'made'}, data: {far: far, near: near}}\n"
    ),
    "lib/near.libsonnet": "'near'\n",
    "config/far.libsonnet": "'far'\n",
    "overlays/prod/environment.yaml": environment(),
    "overlays/prod/web.yaml": config_map("web", color="green"),
}
NOTHING = "1 environments, 3 resources: nothing to do\n"


def age(root: Path, seconds: int = 60) -> None:
    """Let every file be older than what is compared by content."""
    for path in root.rglob("*"):
        stat = path.stat()
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns - seconds * 10**9))


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """A small project, written a minute ago and built."""
    root = make_project(SOURCES)
    age(root)
    assert run_envc(root, "build").err == "prod: 3 resources, 3 added\n"
    return root


def is_idle(root: Path) -> bool:
    """Whether a build has nothing to do and says so."""
    return run_envc(root, "build").err == NOTHING


def output(root: Path, name: str = "web") -> str:
    """The text of a compiled ConfigMap."""
    return (root / f"environments/prod/{name}/configmap-{name}.yaml").read_text()


def test_a_second_build_has_nothing_to_do(root: Path) -> None:
    """Of all environments, of one, and as a check."""
    assert is_idle(root)
    assert run_envc(root, "build", "prod").err == NOTHING
    assert run_envc(root, "build", "--check") == (0, "", NOTHING)


def test_a_build_with_other_options_is_none_of_the_quick_ones(root: Path) -> None:
    """They are left to the command line."""
    for options in (["--watch"], ["--help"], ["--only"], ["--stdout", "--force"]):
        assert quick_build(["--project", str(root), "build", *options]) is None


def test_an_environment_that_is_not_there_is_not_taken_for_current(root: Path) -> None:
    """A typo is an error, not nothing to do."""
    assert run_envc(root, "build", "prd").err == ("error: there is no environment `prd`\nhint: did you mean `prod`?\n")


def test_an_edit_within_the_same_clock_tick_is_noticed(make_project: MakeProject) -> None:
    """Same size, same time, same inode: what is younger than two seconds is compared by content."""
    root = make_project(SOURCES)
    assert run_envc(root, "build").code == 0
    assert is_idle(root)
    file = root / "overlays/prod/web.yaml"
    before = file.stat()
    file.write_text(config_map("web", color="brown"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert run_envc(root, "build").code == 0
    assert output(root) == config_map("web", color="brown")


def test_what_is_young_is_measured_by_when_the_build_looked(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow build does not make a file old."""
    file = root / "overlays/prod/web.yaml"
    file.write_text(config_map("web", color="black"))
    look = Look(str(root), f"{root}/environments")
    assert list(freshness.racy_inputs(look.root, look.inputs, look.began)) == ["overlays/prod/web.yaml"]
    monkeypatch.setattr(freshness, "time_ns", lambda: time.time_ns() + 10**11)
    assert list(freshness.racy_inputs(look.root, look.inputs, look.began)) == ["overlays/prod/web.yaml"]


def test_a_touched_file_is_read_again_and_changes_nothing(root: Path) -> None:
    """The output keeps its times; the build after has nothing to do."""
    target = root / "environments/prod/web/configmap-web.yaml"
    before = target.stat()
    os.utime(root / "base/web/config.yaml")
    assert run_envc(root, "build").err == "prod: 3 resources, nothing changed\n"
    assert target.stat() == before
    assert is_idle(root)


def edit_file(root: Path) -> None:
    """Change a value."""
    (root / "base/web/config.yaml").write_text(config_map("web", color="blue", new="1"))


def add_file(root: Path) -> None:
    """A new patch."""
    (root / "overlays/prod/api.yaml").write_text(config_map("api", color="black"))


def delete_file(root: Path) -> None:
    """A patch that is no more."""
    (root / "overlays/prod/web.yaml").unlink()


def rename_file(root: Path) -> None:
    """Its application changes with it."""
    (root / "base/other").mkdir()
    (root / "base/api/config.yaml").rename(root / "base/other/config.yaml")


def swap_files(root: Path) -> None:
    """Two files of the same sizes and times change their places."""
    (root / "base/api/config.yaml").rename(root / "kept")
    (root / "base/web/config.yaml").rename(root / "base/api/config.yaml")
    (root / "kept").rename(root / "base/web/config.yaml")


def edit_library(root: Path) -> None:
    """Something jsonnet imports from lib/."""
    (root / "lib/near.libsonnet").write_text("'new'\n")


def edit_far_library(root: Path) -> None:
    """Something jsonnet imports from elsewhere in the repository."""
    (root / "config/far.libsonnet").write_text("'new'\n")


def shadow_library(root: Path) -> None:
    """A library that is found first now."""
    (root / "base/made/near.libsonnet").write_text("'new'\n")


def add_settings(root: Path) -> None:
    """An envc.yaml where there was none."""
    (root / "envc.yaml").write_text("configMerge: replace\n")


def add_environment(root: Path) -> None:
    """One more folder of output."""
    (root / "overlays/dev").mkdir()
    (root / "overlays/dev/environment.yaml").write_text(environment())


def edit_output(root: Path) -> None:
    """By hand."""
    (root / "environments/prod/web/configmap-web.yaml").write_text("mine\n")


def delete_output(root: Path) -> None:
    """One file of it."""
    (root / "environments/prod/web/configmap-web.yaml").unlink()


def delete_index(root: Path) -> None:
    """Nothing is known to be envc's any more."""
    (root / "environments/prod/.envc-index").unlink()


def copy_output(root: Path) -> None:
    """The folder of an environment that is not there: a build takes it away."""
    shutil.copytree(root / "environments/prod", root / "environments/old")


@pytest.mark.parametrize(
    "change",
    [
        edit_file,
        add_file,
        delete_file,
        rename_file,
        swap_files,
        edit_library,
        edit_far_library,
        shadow_library,
        add_settings,
        add_environment,
        edit_output,
        delete_output,
        delete_index,
        copy_output,
    ],
)
def test_a_change_is_noticed(root: Path, change: Callable[[Path], None]) -> None:
    """By looking at times and sizes alone; the next build ends where one from nothing does."""
    assert is_idle(root)
    change(root)
    assert Look(str(root), f"{root}/environments").nothing_to_do(()) is None
    built = run_envc(root, "build", "--force")
    assert built.code == 0
    assert "nothing to do" not in built.err
    fresh = root.parent / "fresh"
    shutil.copytree(root, fresh, ignore=shutil.ignore_patterns(".envc", "environments"))
    assert run_envc(fresh, "build").code == 0
    assert read_files(root / "environments") == read_files(fresh / "environments")


def test_the_quick_look_knows_the_index_by_its_name(root: Path) -> None:
    """The name stands in two places."""
    assert (root / "environments/prod" / freshness._INDEX).is_file()
    assert freshness._INDEX == INDEX_NAME


def test_a_folder_that_is_not_envcs_may_lie_beside(root: Path) -> None:
    """Notes beside the environments are nobody's business."""
    (root / "environments/notes").mkdir()
    (root / "environments/notes/README.md").write_text("ours\n")
    assert is_idle(root)


def test_a_record_that_cannot_be_read_counts_for_nothing(root: Path) -> None:
    """Damaged, cut off, empty, of another version, or a folder: the build looks for itself."""
    (record,) = (root / ".envc/cache").iterdir()
    good = record.read_bytes()
    damaged = [b"", b"xy", good[:-1], good[:4], good[:10] + b"\xff" + good[11:], b"\0" * len(good)]
    for data in damaged:
        record.write_bytes(data)
        assert run_envc(root, "build").err == "prod: 3 resources, nothing changed\n"
        assert record.read_bytes() == good
    record.unlink()
    record.mkdir()
    assert run_envc(root, "build").err == "prod: 3 resources, nothing changed\n"


def test_a_record_of_another_version_counts_for_nothing(root: Path) -> None:
    """An upgraded envc may compile other things from the same sources."""
    look = Look(str(root), f"{root}/environments")
    assert look.record is not None
    assert freshness.load(str(root), look.key, look.tag) is not None
    assert freshness.load(str(root), look.key, (*look.tag[:-1], 7)) is None


def test_a_record_with_the_right_checksum_and_other_contents_counts_for_nothing(root: Path) -> None:
    """Somebody else's file by chance, or a format to come."""
    import marshal
    import zlib

    (record,) = (root / ".envc/cache").iterdir()
    for content in (None, 7, (), ("a", "b"), {"a": 1}, tuple(range(8))):
        data = marshal.dumps(content)
        record.write_bytes(zlib.crc32(data).to_bytes(4, "big") + data)
        assert run_envc(root, "build").err == "prod: 3 resources, nothing changed\n"


def test_without_a_place_for_the_record_the_build_works(make_project: MakeProject) -> None:
    """Every build looks for itself then."""
    root = make_project(SOURCES | {".envc/cache": "a file"})
    age(root)
    assert run_envc(root, "build").err == "prod: 3 resources, 3 added\n"
    assert run_envc(root, "build").err == "prod: 3 resources, nothing changed\n"


def test_a_full_disk_leaves_no_half_record(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build is done all the same."""

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    os.utime(root / "base/web/config.yaml")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        assert run_envc(root, "build").err == "prod: 3 resources, nothing changed\n"
    assert len(list((root / ".envc/cache").iterdir())) == 1


def test_another_output_folder_has_a_record_of_its_own(root: Path, tmp_path: Path) -> None:
    """Building elsewhere does not forget the first."""
    elsewhere = tmp_path / "elsewhere"
    assert run_envc(root, "build", "--output", str(elsewhere)).err == "prod: 3 resources, 3 added\n"
    assert len(list((root / ".envc/cache").iterdir())) == 2
    assert is_idle(root)
    delete_file(root)
    assert run_envc(root, "build").err == "prod: 3 resources, 1 changed\n"
    assert run_envc(root, "build", "--output", str(elsewhere)).err == "prod: 3 resources, 1 changed\n"
    assert is_idle(root)


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gates.example.com
spec:
  group: example.com
  names: {kind: Gate, plural: gates}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              rules:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [KEY]
                items: {type: object, properties: {name: {type: string}, port: {type: integer}}}
"""
GATE = """\
apiVersion: example.com/v1
kind: Gate
metadata:
  name: edge
spec:
  rules:
  - {name: a, port: NUMBER}
"""
CRD_SOURCES = {
    "envc.yaml": "crds: [crds]\n",
    "crds/gates.yaml": CRD.replace("KEY", "name"),
    "base/edge/gate.yaml": GATE.replace("NUMBER", "1"),
    "overlays/prod/environment.yaml": environment(),
    "overlays/prod/gate.yaml": GATE.replace("NUMBER", "2"),
}


@pytest.fixture
def crd_root(make_project: MakeProject) -> Path:
    """A project whose lists are merged as a definition outside of base/ says."""
    root = make_project(CRD_SOURCES)
    age(root)
    assert run_envc(root, "build").code == 0
    assert run_envc(root, "build").err == "1 environments, 1 resources: nothing to do\n"
    return root


def ports(root: Path) -> list[str]:
    """The ports of the compiled rules."""
    return re.findall(r"port: (\d)", (root / "environments/prod/edge/gate-edge.yaml").read_text())


def test_a_definition_that_envc_yaml_names_is_an_input(crd_root: Path) -> None:
    """Another merge key gives another list."""
    assert ports(crd_root) == ["2"]
    (crd_root / "crds/gates.yaml").write_text(CRD.replace("KEY", "port"))
    assert run_envc(crd_root, "build").err == "prod: 1 resources, 1 changed\n"
    assert ports(crd_root) == ["1", "2"]


def test_a_new_definition_in_a_folder_that_envc_yaml_names_is_noticed(crd_root: Path) -> None:
    """Also one that is deleted."""
    (crd_root / "crds/more.yaml").write_text(CRD.replace("KEY", "name").replace("ate", "oat"))
    assert run_envc(crd_root, "build").err == "prod: 1 resources, nothing changed\n"
    assert run_envc(crd_root, "build").err == "1 environments, 1 resources: nothing to do\n"
    (crd_root / "crds/more.yaml").unlink()
    assert run_envc(crd_root, "build").err == "prod: 1 resources, nothing changed\n"


def test_a_slice_merges_by_the_same_definitions(crd_root: Path) -> None:
    """A change of one file is built with what envc.yaml names."""
    (crd_root / "overlays/prod/gate.yaml").write_text(GATE.replace("NUMBER", "3"))
    assert run_envc(crd_root, "build").err == "prod: 1 resources, 1 changed\n"
    assert ports(crd_root) == ["3"]


def test_folders_behind_symlinks_are_inputs(make_project: MakeProject) -> None:
    """Two symlinks to one folder are two applications; removing one of them is a change."""
    files = {
        "shared/config.yaml": config_map("${{ params.name }}"),
        "base/web/config.yaml": config_map("web"),
        "overlays/prod/environment.yaml": environment("params: {name: common}\n"),
        "overlays/prod/more/one": "-> ../../../parts",
        "overlays/prod/more/two": "-> ../../../parts",
        "parts/note.txt": "x",
    }
    root = make_project(files)
    inputs = freshness.scan_inputs(str(root), {})
    assert {path for path in inputs if path.endswith("note.txt")} == {
        "overlays/prod/more/one/note.txt",
        "overlays/prod/more/two/note.txt",
    }


def test_symlinks_in_a_circle_end(make_project: MakeProject) -> None:
    """The compiler refuses them; looking for changes must not hang before it can."""
    root = make_project({
        "base/web/config.yaml": config_map("web"),
        "base/web/again": "-> ..",
        "overlays/prod/environment.yaml": environment(),
    })
    assert "base/web/config.yaml" in freshness.scan_inputs(str(root), {})
    assert run_envc(root, "build").err == (
        "error: the symlink `base/web/again` runs in a circle: it points to `..`\n"
        "  --> base/web/again:1:1\n"
        "hint: remove the symlink\n"
    )


def test_the_store_of_sealed_values_is_an_input(make_project: MakeProject) -> None:
    """What `envc secrets` writes reaches the next build."""
    root = make_project(SOURCES | {"overlays/prod/sealed.yaml": "apiVersion: envcompile.dev/v1\nkind: SealedStore\n"})
    before = Look(str(root), f"{root}/environments").inputs
    (root / "overlays/prod/sealed.yaml").write_text("{}\n")
    after = Look(str(root), f"{root}/environments").inputs
    assert {path for path in before if before[path] != after[path]} == {"overlays/prod/sealed.yaml"}
