"""What stands in the way of writing is said whole, and nothing is overwritten that people made."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.command import PATIENCE, run_envc, spawn_envc
from tests.harness.repository import config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject

FILES = {
    "base/web/deployment.yaml": deployment(),
    "base/web/config.yaml": config_map(),
    "base/api/deployment.yaml": deployment("api"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}
WEB = "environments/prod/web/deployment-web.yaml"


@pytest.fixture
def built(make_project: MakeProject) -> Path:
    """A project with two environments, built."""
    root = make_project(FILES)
    assert run_envc(root, "build").code == 0
    return root


def edit_source(root: Path) -> None:
    """Change what the Deployment `web` compiles to."""
    (root / "base/web/deployment.yaml").write_text(deployment(replicas=2))


def assert_refused(root: Path, message: str, code: int = 1, *options: str) -> None:
    """A build says exactly this and leaves every output as it is."""
    before = read_files(root / "environments")
    outcome = run_envc(root, "build", *options)
    assert outcome.err.replace(str(root), "<root>") == message
    assert outcome.code == code
    assert not outcome.out
    assert read_files(root / "environments") == before


def test_output_edited_by_hand(built: Path) -> None:
    """Every edited file is named; --check calls it a difference; --force discards it."""
    (built / WEB).write_text((built / WEB).read_text() + "# note\n")
    (built / "environments/dev/api/deployment-api.yaml").write_text("")
    edited = "was changed by hand since envc wrote it"
    fix = "hint: carry the change into base/ or overlays/, or discard it with `envc build --force`\n"
    assert_refused(
        built,
        f"error: environments/dev/api/deployment-api.yaml {edited}\n"
        f"  --> environments/dev/api/deployment-api.yaml:1:1\n{fix}\n"
        f"error: {WEB} {edited}\n  --> {WEB}:1:1\n{fix}\n2 errors\n",
    )
    checked = run_envc(built, "build", "--check")
    assert checked.out == f"environments/dev/api/deployment-api.yaml: edited by hand\n{WEB}: edited by hand\n"
    assert checked.code == 16
    assert run_envc(built, "build", "--force").err == "dev: 3 resources, 1 changed\nprod: 3 resources, 1 changed\n"
    assert run_envc(built, "build", "--check").code == 0


def test_an_edited_file_whose_resource_is_gone(built: Path) -> None:
    """Pruning stops at what people changed, too."""
    (built / "base/web/config.yaml").unlink()
    path = "environments/prod/web/configmap-settings.yaml"
    (built / path).write_text("mine\n")
    assert_refused(
        built,
        f"error: {path} was changed by hand since envc wrote it\n  --> {path}:1:1\n"
        "hint: carry the change into base/ or overlays/, or discard it with `envc build --force`\n",
    )
    assert run_envc(built, "build", "--force").err == "dev: 2 resources, 1 removed\nprod: 2 resources, 1 changed\n"
    assert not (built / path).exists()


def make_file(path: Path) -> None:
    """Put a file of somebody else there."""
    path.write_text("mine\n")


def make_link(path: Path) -> None:
    """Put a symlink there that leads nowhere."""
    path.symlink_to("/nonexistent")


def make_folder(path: Path) -> None:
    """Put a folder there that is not empty."""
    path.mkdir()
    (path / "kept.txt").write_text("mine\n")


@pytest.mark.parametrize("make", [make_file, make_link, make_folder, os.mkfifo])
def test_something_foreign_in_the_way(built: Path, make: Any) -> None:
    """A file, a symlink, a folder or a pipe where a new resource belongs stays, and is never opened."""
    path = "environments/prod/web/configmap-more.yaml"
    write_files(built, {"base/web/more.yaml": config_map("more")})
    make(built / path)
    kind = (built / path).lstat().st_mode
    process = spawn_envc(built, "build")
    _, err = process.communicate(timeout=PATIENCE)
    assert err.decode() == (
        f"error: {path} is not envc's and stands where a compiled resource belongs\n  --> {path}:1:1\n"
        "hint: move it away, or let envc replace it with `envc build --force`\n"
    )
    assert process.returncode == 1
    assert (built / path).lstat().st_mode == kind
    assert run_envc(built, "build", "--check").out == (
        f"environments/dev/web/configmap-more.yaml: stale: would be added\n{path}: in the way\n"
    )
    assert run_envc(built, "build", "--force").code == 0
    assert (built / path).is_file()


@pytest.mark.parametrize("make", [make_link, make_folder, os.mkfifo])
def test_one_of_our_files_became_something_else(built: Path, make: Any) -> None:
    """A symlink is no file of ours even when it leads to the right content."""
    (built / WEB).unlink()
    make(built / WEB)
    process = spawn_envc(built, "build")
    _, err = process.communicate(timeout=PATIENCE)
    assert err.decode().startswith(f"error: {WEB} ")
    assert process.returncode == 1
    assert run_envc(built, "build", "--force").code == 0
    assert not (built / WEB).is_symlink()
    assert run_envc(built, "build", "--check").code == 0


def test_a_symlink_to_the_same_content(built: Path, tmp_path: Path) -> None:
    """It is not taken for the file, so a later build cannot write anything through it."""
    (tmp_path / "copy.yaml").write_bytes((built / WEB).read_bytes())
    (built / WEB).unlink()
    (built / WEB).symlink_to(tmp_path / "copy.yaml")
    assert run_envc(built, "build").code == 1
    assert run_envc(built, "build", "--check").out == f"{WEB}: edited by hand\n"


def test_a_file_where_a_folder_belongs(built: Path) -> None:
    """The environment's folder, the folder of all of them, and an application's."""
    shutil.rmtree(built / "environments/prod/web")
    make_file(built / "environments/prod/web")
    assert_refused(
        built,
        "error: environments/prod/web is not envc's and stands where a compiled resource belongs\n"
        "  --> environments/prod/web:1:1\n"
        "hint: move it away, or let envc replace it with `envc build --force`\n",
    )
    for name in ("environments/prod", "environments"):
        shutil.rmtree(built / name)
        make_file(built / name)
        assert run_envc(built, "build").err == (
            f"error: {name} is a file\nhint: move it away: envc writes a folder there\n"
        )
        assert (built / name).read_text() == "mine\n"


def test_the_index_is_a_folder(built: Path) -> None:
    """Whatever it is, it is not envc's."""
    (built / "environments/prod/.envc-index").unlink()
    make_folder(built / "environments/prod/.envc-index")
    path = "environments/prod/.envc-index"
    assert_refused(
        built,
        f"error: {path} is not envc's and stands where a compiled resource belongs\n  --> {path}:1:1\n"
        "hint: move it away, or let envc replace it with `envc build --force`\n",
    )
    assert run_envc(built, "build", "--force").code == 0
    assert run_envc(built, "build", "--check").code == 0


@pytest.mark.parametrize("name", ["environments", "environments/prod"])
@pytest.mark.parametrize("options", [(), ("--check",), ("--force",)], ids=["build", "check", "force"])
def test_an_output_folder_that_leaves_the_repository(
    built: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """Nothing is written through the symlink, not even with --force."""
    outside = tmp_path / "outside"
    shutil.move(built / name, outside)
    (built / name).symlink_to(outside)
    edit_source(built)
    first = "environments/dev" if name == "environments" else "environments/prod"
    leads = outside / "dev" if name == "environments" else outside
    assert_refused(
        built,
        f"error: {first} leads out of the repository, to {leads}\n"
        "hint: replace the symlink by a folder; envc never writes through it\n",
        1,
        *options,
    )


def test_an_application_folder_that_leaves_the_repository(built: Path, tmp_path: Path) -> None:
    """It is in the way; --force puts a folder in its place and leaves what it led to."""
    outside = tmp_path / "outside"
    shutil.move(built / "environments/prod/web", outside)
    (built / "environments/prod/web").symlink_to(outside)
    before = read_files(outside)
    edit_source(built)
    assert_refused(
        built,
        "error: environments/prod/web is not envc's and stands where a compiled resource belongs\n"
        "  --> environments/prod/web:1:1\n"
        "hint: move it away, or let envc replace it with `envc build --force`\n",
    )
    assert run_envc(built, "build", "--force").code == 0
    assert not (built / "environments/prod/web").is_symlink()
    assert read_files(outside) == before


def test_the_folder_of_a_removed_environment_is_never_followed_out(built: Path, tmp_path: Path) -> None:
    """Pruning does not reach through a symlink."""
    outside = tmp_path / "outside"
    shutil.move(built / "environments/dev", outside)
    (built / "environments/dev").symlink_to(outside)
    shutil.rmtree(built / "overlays/dev")
    before = read_files(outside)
    assert run_envc(built, "build").code == 0
    assert read_files(outside) == before
    assert (built / "environments/dev").is_symlink()


def test_a_symlink_inside_of_the_repository_is_fine(built: Path) -> None:
    """Output may live elsewhere in the same repository."""
    shutil.move(built / "environments/prod", built / "deploy")
    (built / "environments/prod").symlink_to("../deploy")
    edit_source(built)
    assert run_envc(built, "build").err == "dev: 3 resources, 1 changed\nprod: 3 resources, 1 changed\n"
    assert (built / "environments/prod").is_symlink()
    assert "replicas: 2" in (built / "deploy/web/deployment-web.yaml").read_text()
    assert run_envc(built, "build", "--check").code == 0


def failing(name: str, code: int) -> Any:
    """A function of the operating system that refuses to create anything below the scratch folder."""
    real = getattr(os, name)

    def refuse(*arguments: Any, **named: Any) -> Any:
        creates = name != "open" or arguments[1] & os.O_CREAT
        if creates and any("staging-" in str(argument) for argument in arguments):
            raise OSError(code, os.strerror(code), str(arguments[0]))
        return real(*arguments, **named)

    return refuse


REFUSALS = {
    errno.ENOSPC: """\
error: no space left to write <root>/environments/dev
hint: free some space and build again; the old output is untouched
""",
    errno.EROFS: """\
error: <root>/environments/dev cannot be written: read-only file system
hint: make the folder writable for you, or write elsewhere with `--output DIR`; the old output is untouched
""",
    errno.EIO: """\
error: <root>/environments/dev could not be written: Input/output error
hint: see to the file system and build again; the old output is untouched
""",
}


@pytest.mark.parametrize(("code", "message"), REFUSALS.items(), ids=["disk full", "read-only", "broken"])
@pytest.mark.parametrize("function", ["open", "link", "makedirs"])
def test_the_disk_refuses(built: Path, monkeypatch: pytest.MonkeyPatch, function: str, code: int, message: str) -> None:
    """Whatever the disk refuses: exit 4, the old output whole, nothing left in the scratch folder."""
    edit_source(built)
    # Two files, as one alone is replaced without links to the others.
    (built / "base/api/deployment.yaml").write_text(deployment("api", replicas=2))
    monkeypatch.setattr(os, function, failing(function, code))
    assert_refused(built, message, 4)
    assert not list((built / ".envc").glob("staging-*"))
    monkeypatch.undo()
    assert run_envc(built, "build").code == 0


def test_the_disk_is_full_in_the_middle_of_a_file(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short write is gone on with; a refused one ends the build."""
    edit_source(built)
    real, is_full = os.write, [True, False]

    def write(descriptor: int, data: bytes) -> int:
        if is_full and is_full.pop():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[:100])

    monkeypatch.setattr(os, "write", write)
    assert_refused(
        built,
        "error: no space left to write <root>/environments/dev\n"
        "hint: free some space and build again; the old output is untouched\n",
        4,
    )
    assert not list((built / ".envc").glob("staging-*"))
    assert run_envc(built, "build").code == 0
    assert run_envc(built, "build", "--check").code == 0
    assert "replicas: 2" in (built / WEB).read_text()


def test_a_folder_in_the_place_of_the_lock(built: Path) -> None:
    """It is as good a lock as a file."""
    edit_source(built)
    (built / ".envc/build.lock").unlink()
    (built / ".envc/build.lock").mkdir()
    assert run_envc(built, "build").code == 0
    assert run_envc(built, "build", "--check").code == 0


def test_without_a_cache_folder_everything_works_all_the_same(make_project: MakeProject) -> None:
    """A file called .envc only costs the cache."""
    root = make_project({**FILES, ".envc": "a file\n"})
    assert run_envc(root, "build").code == 0
    assert run_envc(root, "build", "--check").code == 0
    assert (root / "environments/.envc/.gitignore").read_text() == "*\n"


def test_an_output_that_cannot_be_read(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 4 and the path, not a traceback."""
    edit_source(built)
    monkeypatch.setattr(Path, "read_bytes", failing_read(built / "environments/dev/.envc-index"))
    outcome = run_envc(built, "build")
    assert outcome.err.replace(str(built), "<root>") == (
        "error: <root>/environments/dev/.envc-index cannot be read: permission denied\n"
        "hint: make it readable for you, or write elsewhere with `--output DIR`\n"
    )
    assert outcome.code == 4


def failing_read(path: Path) -> Any:
    """`Path.read_bytes` that has no permission for one file."""
    real = Path.read_bytes

    def read(self: Path) -> bytes:
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self)

    return read
