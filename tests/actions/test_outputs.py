"""`envc build` writes what the sources say, touches nothing else, and knows what it owns."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import pytest

from envcompile.emit.index import digest, parse_index, render_digests
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "base/web/deployment.yaml": deployment(),
    "base/web/config.yaml": config_map(),
    "base/api/deployment.yaml": deployment("api"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    "overlays/prod/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
}
OUTPUT = {
    f"{name}/{path}"
    for name in ("dev", "prod")
    for path in (".envc-index", "web/deployment-web.yaml", "web/configmap-settings.yaml", "api/deployment-api.yaml")
}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments of three resources, not built yet."""
    return make_project(FILES)


@pytest.fixture
def built(project: Path) -> Path:
    """The same, built."""
    assert run_envc(project, "build").code == 0
    return project


def outputs(root: Path) -> dict[str, bytes]:
    """Everything below environments/."""
    return read_files(root / "environments")


def stats(root: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every output."""
    return {
        path: ((root / "environments" / path).stat().st_ino, (root / "environments" / path).stat().st_mtime_ns)
        for path in outputs(root)
    }


def test_one_resource_a_file(built: Path) -> None:
    """`<env>/<app>/<kind>-<name>.yaml`, and the index."""
    assert outputs(built).keys() == OUTPUT
    assert b"replicas: 3" in outputs(built)["prod/web/deployment-web.yaml"]
    assert b"replicas: 1" in outputs(built)["dev/web/deployment-web.yaml"]


def test_the_index_lists_every_file_by_name(built: Path) -> None:
    """And nothing but envc's files; an edit of a resource does not touch it."""
    index = outputs(built)["prod/.envc-index"]
    lines = [line for line in index.decode().splitlines() if not line.startswith("#")]
    assert sorted(lines) == ["api/deployment-api.yaml", "web/configmap-settings.yaml", "web/deployment-web.yaml"]
    (built / "base/web/deployment.yaml").write_text(deployment(image="nginx:2"))
    assert run_envc(built, "build").code == 0
    assert outputs(built)["prod/.envc-index"] == index


def test_an_index_of_envc_0_1_is_read_and_replaced(built: Path) -> None:
    """With its digests, which still tell what was edited; it is not stale by itself."""
    shutil.rmtree(built / ".envc")
    indexes = [built / f"environments/{name}/.envc-index" for name in ("dev", "prod")]
    now = [index.read_bytes() for index in indexes]
    for index in indexes:
        files = {path: digest((index.parent / path).read_bytes()) for path in parse_index(index.read_bytes())}
        index.write_bytes(render_digests(files))
    edited = built / "environments/prod/web/deployment-web.yaml"
    assert run_envc(built, "build", "--check").code == 0
    edited.write_text("mine\n")
    assert run_envc(built, "build").code == 1
    edited.unlink()
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=4))
    assert run_envc(built, "build").code == 0
    assert [index.read_bytes() for index in indexes] == now
    assert run_envc(built, "build").err == "2 environments, 6 resources: nothing to do\n"


def test_building_one_environment_leaves_the_other_alone(built: Path) -> None:
    """Names on the command line choose; they may be folders, as a shell completes them."""
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=4))
    before = outputs(built)
    assert run_envc(built, "build", "overlays/prod/").err == "prod: 3 resources, 1 changed\n"
    changed = {path for path, data in outputs(built).items() if data != before[path]}
    assert changed == {"prod/api/deployment-api.yaml"}


def test_unchanged_files_keep_their_inode_and_time(built: Path) -> None:
    """Neither a build of one application nor one of all of them touches what is the same."""
    before = stats(built)
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=4))
    assert run_envc(built, "build").code == 0
    same = {path for path, stat in stats(built).items() if stat == before[path]}
    assert same == OUTPUT - {f"{name}/api/deployment-api.yaml" for name in ("dev", "prod")}
    before = stats(built)
    (built / "base/web/config.yaml").write_text(config_map(color="red"))
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=5))
    assert run_envc(built, "build").code == 0
    same = {path for path, stat in stats(built).items() if stat == before[path]}
    assert same == {"dev/web/deployment-web.yaml", "prod/web/deployment-web.yaml"}


def test_an_added_resource_renames_no_other_file(built: Path) -> None:
    """Adding is adding."""
    before = stats(built)
    write_files(
        built,
        {
            "base/web/more.yaml": deployment("web-2") + "---\n" + config_map("web"),
            "base/web/elsewhere.yaml": deployment(namespace="elsewhere"),
            "base/web/custom.yaml": "apiVersion: example.com/v1\nkind: Deployment\nmetadata: {name: web}\n",
        },
    )
    assert run_envc(built, "build").code == 0
    after = stats(built)
    assert {path: after[path] for path in before if not path.endswith(".envc-index")} == {
        path: stat for path, stat in before.items() if not path.endswith(".envc-index")
    }
    assert {path for path in after.keys() - before.keys() if path.startswith("prod")} == {
        "prod/web/deployment-web-2.yaml",
        "prod/web/configmap-web.yaml",
        "prod/web/deployment-web.elsewhere.yaml",
        "prod/web/deployment.example.com-web.yaml",
    }


def test_what_is_gone_from_the_sources_is_pruned(built: Path) -> None:
    """Files of others beside them stay, and an application's folder goes with its last file."""
    write_files(built, {"environments/prod/web/notes.txt": "mine\n", "environments/prod/README.md": "mine\n"})
    (built / "base/web/config.yaml").unlink()
    shutil.rmtree(built / "base/api")
    assert run_envc(built, "build").err == "dev: 1 resources, 2 removed\nprod: 1 resources, 2 removed\n"
    assert outputs(built).keys() == {
        "dev/.envc-index",
        "dev/web/deployment-web.yaml",
        "prod/.envc-index",
        "prod/README.md",
        "prod/web/deployment-web.yaml",
        "prod/web/notes.txt",
    }
    assert not (built / "environments/prod/api").exists()


def test_the_folder_of_a_removed_environment_goes(built: Path) -> None:
    """A build of everything takes envc's files away; what others put there stays."""
    write_files(built, {"environments/notes/README.md": "no environment\n"})
    shutil.rmtree(built / "overlays/dev")
    checked = run_envc(built, "build", "--check")
    assert checked.out.splitlines() == [
        "environments/dev/api/deployment-api.yaml: stale: would be removed",
        "environments/dev/web/configmap-settings.yaml: stale: would be removed",
        "environments/dev/web/deployment-web.yaml: stale: would be removed",
    ]
    assert checked.code == 16
    assert run_envc(built, "build", "prod").code == 0
    assert (built / "environments/dev").exists()
    assert run_envc(built, "build").err == "prod: 3 resources, nothing changed\ndev: 0 resources, 3 removed\n"
    assert {path.name for path in (built / "environments").iterdir()} == {"prod", "notes"}
    assert run_envc(built, "build", "--check").code == 0


def test_a_removed_environment_with_files_of_others(built: Path) -> None:
    """They stay, and no index claims them."""
    write_files(built, {"environments/dev/web/notes.txt": "mine\n"})
    shutil.rmtree(built / "overlays/dev")
    assert run_envc(built, "build").code == 0
    assert read_files(built / "environments/dev") == {"web/notes.txt": b"mine\n"}
    assert run_envc(built, "build", "--check").code == 0


def test_an_environment_without_resources_has_an_index(make_project: MakeProject) -> None:
    """Its folder is there for Argo CD, and is current."""
    root = make_project({
        "base/web/config.yaml": config_map(),
        "overlays/prod/environment.yaml": environment("exclude: [{name: '*'}]\n"),
    })
    assert run_envc(root, "build").err == "prod: 0 resources, nothing changed\n"
    assert list(outputs(root)) == ["prod/.envc-index"]
    assert run_envc(root, "build", "--check").code == 0


def test_check_lists_what_is_stale_and_writes_nothing(built: Path) -> None:
    """Missing, changed, added and removed files each have their word."""
    (built / "environments/dev/api/deployment-api.yaml").unlink()
    (built / "base/web/config.yaml").unlink()
    write_files(
        built, {"base/web/more.yaml": config_map("more"), "base/web/deployment.yaml": deployment(image="nginx:2")}
    )
    before = outputs(built)
    outcome = run_envc(built, "build", "--check")
    assert outcome.out.splitlines() == [
        "environments/dev/api/deployment-api.yaml: missing",
        "environments/dev/web/configmap-more.yaml: stale: would be added",
        "environments/dev/web/configmap-settings.yaml: stale: would be removed",
        "environments/dev/web/deployment-web.yaml: stale: would change",
        "environments/prod/web/configmap-more.yaml: stale: would be added",
        "environments/prod/web/configmap-settings.yaml: stale: would be removed",
        "environments/prod/web/deployment-web.yaml: stale: would change",
    ]
    assert outcome.err == "hint: run `envc build` and commit environments/; changes by hand belong into overlays/\n"
    assert outcome.code == 16
    assert outputs(built) == before


@pytest.mark.parametrize("damage", ["", "<<<<<<< ours\n", "# nothing\n"])
def test_a_damaged_index_is_stale_and_mended(built: Path, damage: str) -> None:
    """The files are right, so a build only writes the index; without it they are still envc's by their content."""
    index = built / "environments/prod/.envc-index"
    good = index.read_bytes()
    index.write_text(damage)
    checked = run_envc(built, "build", "--check")
    assert (checked.out, checked.code) == ("environments/prod/.envc-index: stale\n", 16)
    before = stats(built)
    assert run_envc(built, "build").code == 0
    assert index.read_bytes() == good
    del before["prod/.envc-index"]
    assert {path: stats(built)[path] for path in before} == before


def test_a_merge_conflict_in_the_index_does_no_harm(built: Path) -> None:
    """The marks are passed over; both sides' lines count."""
    index = built / "environments/prod/.envc-index"
    lines = index.read_text().splitlines(keepends=True)
    other = f"{'0' * 64}  web/deployment-web.yaml\n"
    index.write_text("".join([*lines[:3], "<<<<<<< HEAD\n", *lines[3:], "=======\n", other, ">>>>>>> branch\n"]))
    (built / "base/web/deployment.yaml").write_text(deployment(image="nginx:2"))
    assert run_envc(built, "build").code == 0
    assert run_envc(built, "build", "--check").code == 0


def test_an_index_never_leads_out_of_its_folder(built: Path) -> None:
    """Whatever the file says, only what lies below the environment's folder is removed."""
    (built / "victim").write_text("mine\n")
    digest = hashlib.sha256(b"mine\n").hexdigest()
    index = built / "environments/prod/.envc-index"
    index.write_text(f"{index.read_text()}{digest}  ../../victim\n{digest}  {built}/victim\n")
    assert run_envc(built, "build").code == 0
    assert (built / "victim").read_text() == "mine\n"


def test_stdout_prints_one_stream_and_writes_nothing(project: Path) -> None:
    """What others need comes first."""
    outcome = run_envc(project, "build", "prod", "--stdout")
    documents = outcome.out.split("---\n")
    assert documents[0] == ""
    assert [document.splitlines()[1] for document in documents[1:]] == [
        "kind: ConfigMap",
        "kind: Deployment",
        "kind: Deployment",
    ]
    assert not (project / "environments").exists()
    one = run_envc(project, "build", "prod", "--stdout", "--only", "DEPLOYMENT/web").out
    assert one.startswith("---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n")
    assert one.count("---") == 1


def test_options_that_exclude_each_other(project: Path) -> None:
    """One way of building at a time."""
    outcome = run_envc(project, "build", "--check", "--stdout")
    assert outcome.err == "error: --check, --stdout and --watch exclude each other\nhint: give one of them\n"
    assert outcome.code == 2


def test_another_output_folder_has_its_own_record(built: Path, tmp_path: Path) -> None:
    """The project's own output is neither touched nor believed to be that one."""
    before = stats(built)
    elsewhere = tmp_path / "elsewhere"
    assert (
        run_envc(built, "build", "--output", str(elsewhere)).err
        == "dev: 3 resources, 3 added\nprod: 3 resources, 3 added\n"
    )
    assert read_files(elsewhere) == outputs(built)
    assert stats(built) == before
    shutil.rmtree(elsewhere)
    assert run_envc(built, "build", "--check").code == 0
    assert run_envc(built, "build", "--check", "--output", str(elsewhere)).code == 16
    assert run_envc(built, "build", "--output", str(elsewhere)).code == 0
    assert read_files(elsewhere) == outputs(built)


def test_only_one_resource_is_written(built: Path) -> None:
    """Everything else stays as it is, stale or not; the index goes on saying what envc wrote."""
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=4))
    (built / "base/web/config.yaml").unlink()
    (built / "base/web/deployment.yaml").write_text(deployment(image="nginx:2"))
    before = stats(built)
    outcome = run_envc(built, "build", "--only", "deployment/web")
    assert outcome.err == "dev: 3 resources, 1 changed\nprod: 3 resources, 1 changed\n"
    changed = {path for path, stat in stats(built).items() if stat != before[path]}
    assert changed == {f"{name}/web/deployment-web.yaml" for name in ("dev", "prod")}
    assert run_envc(built, "build", "prod", "--check").out.splitlines() == [
        "environments/prod/api/deployment-api.yaml: stale: would change",
        "environments/prod/web/configmap-settings.yaml: stale: would be removed",
    ]
    assert run_envc(built, "build", "--only", "deployment/web").err == (
        "dev: 3 resources, nothing changed\nprod: 3 resources, nothing changed\n"
    )


def test_only_does_not_forget_what_people_edited(built: Path) -> None:
    """An edit of another file stays, and is still known as one afterwards; one of this file is refused."""
    edited = built / "environments/prod/api/deployment-api.yaml"
    edited.write_text("mine\n")
    (built / "base/web/deployment.yaml").write_text(deployment(image="nginx:2"))
    assert run_envc(built, "build", "--only", "deployment/web").code == 0
    assert edited.read_text() == "mine\n"
    assert run_envc(built, "build").err.startswith(
        "error: environments/prod/api/deployment-api.yaml was changed by hand"
    )
    assert run_envc(built, "build", "--only", "deployment/api").code == 1
    assert run_envc(built, "build", "--only", "deployment/api", "--force").code == 0
    assert run_envc(built, "build", "--check").code == 0


def test_only_in_a_folder_that_was_never_built(project: Path) -> None:
    """The rest is added by the next build of everything."""
    assert run_envc(project, "build", "prod", "--only", "configmap/settings").err == "prod: 1 resources, 1 added\n"
    assert outputs(project).keys() == {"prod/.envc-index", "prod/web/configmap-settings.yaml"}
    assert run_envc(project, "build", "prod").err == "prod: 3 resources, 2 added\n"


def test_only_with_check_looks_at_that_resource_alone(built: Path) -> None:
    """What else is stale is not asked for."""
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=4))
    assert run_envc(built, "build", "--check", "--only", "deployment/web").code == 0
    outcome = run_envc(built, "build", "prod", "--check", "--only", "deployment/api")
    assert (outcome.out, outcome.code) == ("environments/prod/api/deployment-api.yaml: stale: would change\n", 16)


def test_only_needs_a_resource_that_is_there(built: Path) -> None:
    """Wrong usage, with the nearest name."""
    outcome = run_envc(built, "build", "--only", "deployment/wbe")
    assert (
        outcome.err
        == "error: dev has no resource deployment/wbe\nhint: did you mean `Deployment/web` or `Deployment/api`?\n"
    )
    assert outcome.code == 2


def test_the_first_build_writes_the_first_folder(project: Path) -> None:
    """Nothing has to be there, and nothing but output and cache comes into being."""
    assert run_envc(project, "build").err == "dev: 3 resources, 3 added\nprod: 3 resources, 3 added\n"
    assert {path.name for path in project.iterdir()} == {"base", "overlays", "environments", ".envc"}
    assert (project / ".envc/.gitignore").read_text() == "*\n"
