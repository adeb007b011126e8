"""Hooks: real git calls them; they check before a commit and record after it, beside the hooks that are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.blame import blame_fields
from envcompile.actions.hook_scripts import own_command
from envcompile.actions.past import log, open_past
from envcompile.history.doctor import check
from envcompile.history.spool import Spool
from tests.harness.command import PACKAGE_ROOT, PATIENCE, run_envc
from tests.harness.repository import commit, deployment, git
from tests.history.conftest import Folder, new_folder
from tests.history.test_recording import compiled, rebuilt

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository whose hooks find this envc, and whose output is not committed."""
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_ROOT))
    root = tmp_path / "a project"
    root.mkdir()
    made = new_folder(root)
    (root / ".gitignore").write_text(".envc/\nenvironments/\n")
    return made


def hooked_commit(folder: Folder, message: str, *options: str, **files: str) -> str:
    """A commit as people make it, with all hooks."""
    folder.write(**files)
    folder.git("add", "--all")
    folder.git("commit", "--quiet", "--allow-empty", *options, f"--message={message}")
    return folder.git("rev-parse", "HEAD")


def settle(folder: Folder) -> None:
    """Wait until the recorders in the background have nothing left to do."""
    spool = Spool(folder.root / ".envc")
    end = time.monotonic() + PATIENCE
    while spool.waiting() and time.monotonic() < end:
        time.sleep(0.05)
    with spool.alone():
        assert spool.waiting() == []


@pytest.mark.slow
def test_a_day_of_work_is_recorded(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits, an amend, a rebase, a merge, and a database that is away in between: the history is git's."""
    assert run_envc(folder.root, "hook", "install").code == 0
    start = hooked_commit(folder, "start")
    for number in range(2, 6):
        hooked_commit(folder, f"replicas {number}", base__web=deployment(replicas=number))
    settle(folder)
    hooked_commit(folder, "replicas 6, amended", "--amend", base__web=deployment(replicas=6))
    settle(folder)

    monkeypatch.setenv("ENVC_HISTORY_URL", f"sqlite:///{folder.root}/base/web.yaml/nowhere.db")
    folder.git("checkout", "-q", "-b", "side", start)
    first_side = hooked_commit(folder, "other", base__other=deployment("other"))
    hooked_commit(folder, "other 2", base__other=deployment("other", replicas=2))
    deadline = time.monotonic() + PATIENCE
    while not Spool(folder.root / ".envc").last_error() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert first_side in Spool(folder.root / ".envc").waiting()
    status = run_envc(folder.root, "hook", "status")
    assert "waiting to be recorded: the history database " in status.err
    monkeypatch.delenv("ENVC_HISTORY_URL")

    folder.git("rebase", "-q", "main")
    settle(folder)
    folder.git("checkout", "-q", "main")
    hooked_commit(
        folder,
        "settings",
        base__settings="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n",
    )
    folder.git("merge", "-q", "--no-edit", "side")
    for number in (8, 9):
        hooked_commit(folder, f"replicas {number}", base__web=deployment(replicas=number))
    settle(folder)

    expected = folder.git("log", "--format=%H").split()
    assert len(expected) == 11
    with closing(open_past(folder.root)) as past:
        assert [entry.commit.hash for entry in log(past, "prod")] == expected
        assert {entry.commit.hash for entry in log(past, "prod", every=True)} > {*expected}
        assert check(past.store).damage == ()
        said = {
            (resource, blamed.field): blamed.commit
            for resource in ("deployment/web", "deployment/other", "configmap/settings")
            for blamed in blame_fields(past, "prod", resource, "")[1]
        }
    for name in expected:
        assert rebuilt(folder, "prod", name) == compiled(folder.root, "prod", name)
    by_subject = dict(line.split("\t")[::-1] for line in folder.git("log", "--format=%H%x09%s").splitlines())
    assert said["deployment/web", "spec.replicas"] == by_subject["replicas 9"]
    assert said["deployment/other", "spec.replicas"] == by_subject["other 2"]
    assert said["deployment/other", "metadata.name"] == by_subject["other"]
    assert said["configmap/settings", "data.color"] == by_subject["settings"]
    assert said["deployment/web", "metadata.name"] == by_subject["start"]


def test_recording_does_not_hold_a_commit_up(folder: Folder) -> None:
    """The hooks after a commit end while nothing can be recorded: the work is done by a process of its own."""
    run_envc(folder.root, "hook", "install")
    hooked_commit(folder, "start")
    settle(folder)
    spool = Spool(folder.root / ".envc")
    hook = folder.root / ".git" / "hooks" / "post-commit"
    with spool.alone():
        # Whoever waited for the recorder would wait for ever.
        subprocess.run([hook], cwd=folder.root, check=True, capture_output=True, timeout=PATIENCE)
        assert spool.waiting() == [folder.git("rev-parse", "HEAD")]
    settle(folder)


def test_hooks_of_others_are_kept_and_come_back(folder: Folder) -> None:
    """The other hook runs first, may refuse, gets its input, and is as it was after uninstall."""
    hooks = folder.root / ".git" / "hooks"
    for name, text in {
        "pre-commit": "#!/bin/sh\necho called >> called\n[ ! -f refuse ]\n",
        "post-rewrite": "#!/bin/sh\ncat >> rewritten\n",
    }.items():
        (hooks / name).write_text(text)
        (hooks / name).chmod(0o755)
    outcome = run_envc(folder.root, "hook", "install")
    assert outcome.err == (
        f"6 hooks installed in {hooks}\n"
        "pre-commit: the hook that was there is called first\npost-rewrite: the hook that was there is called first\n"
    )
    assert run_envc(folder.root, "hook", "install").code == 0, "a second time changes nothing"
    hooked_commit(folder, "start")
    assert (folder.root / "called").read_text() == "called\n"
    hooked_commit(folder, "amended", "--amend")
    assert len((folder.root / "rewritten").read_text().split()) == 2
    (folder.root / "refuse").touch()
    with pytest.raises(subprocess.CalledProcessError):
        hooked_commit(folder, "refused")
    settle(folder)
    outcome = run_envc(folder.root, "hook", "uninstall")
    assert (outcome.code, outcome.err) == (0, "6 hooks taken away\n")
    assert (hooks / "pre-commit").read_text().startswith("#!/bin/sh\necho called")
    assert sorted(path.name for path in hooks.iterdir() if not path.name.endswith(".sample")) == [
        "post-rewrite",
        "pre-commit",
    ]
    status = run_envc(folder.root, "hook", "status")
    assert (status.code, status.out.splitlines()[:2]) == (1, ["pre-commit        foreign", "pre-merge-commit  missing"])


def test_a_commit_with_stale_output_or_a_secret_is_refused(folder: Folder) -> None:
    """Committed output must be what the sources say; a private key is never committed."""
    (folder.root / ".gitignore").write_text(".envc/\n")
    run_envc(folder.root, "hook", "install")
    run_envc(folder.root, "build")
    hooked_commit(folder, "start")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "stale", base__web=deployment(replicas=7))
    assert "environments/ is not what the sources say: run `envc build`" in caught.value.stderr
    run_envc(folder.root, "build")
    hooked_commit(folder, "fresh")
    (folder.root / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 4)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "a key")
    assert "key.pem:1: private-key" in caught.value.stdout + caught.value.stderr
    settle(folder)


def test_hooks_path_and_work_trees_are_respected(folder: Folder, tmp_path: Path) -> None:
    """core.hooksPath inside of the repository is used; commits of a linked work tree come to the same history."""
    folder.git("config", "core.hooksPath", ".githooks")
    outcome = run_envc(folder.root, "hook", "install")
    assert outcome.err.startswith(f"6 hooks installed in {folder.root / '.githooks'}\n")
    hooked_commit(folder, "start")
    folder.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = Folder(tmp_path / "side", folder.minutes)
    commit = hooked_commit(side, "side", base__web=deployment(replicas=3))
    settle(folder)
    with closing(open_past(folder.root)) as past:
        assert commit in past.store.known()
    folder.git("config", "core.hooksPath", str(tmp_path / "elsewhere"))
    outcome = run_envc(folder.root, "hook", "install")
    assert (outcome.code, outcome.err) == (
        2,
        (
            f"error: core.hooksPath is {tmp_path / 'elsewhere'}, which other repositories share\n"
            "hint: set it for this repository: git config core.hooksPath .git/hooks\n"
        ),
    )


def test_a_bare_repository_has_no_hooks(tmp_path: Path) -> None:
    """It is said where its history comes from."""
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)
    outcome = run_envc(tmp_path / "bare", "hook", "install")
    assert (outcome.code, outcome.err) == (
        2,
        (
            "error: a bare repository has no commit hooks\n"
            "hint: run `envc history import` in it, by cron or after a push\n"
        ),
    )


def test_the_pre_commit_framework_runs_the_hooks(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real pre-commit takes .pre-commit-hooks.yaml; only the package's installation is replaced by this one."""
    program = shutil.which("pre-commit", path=f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}")  # ruff: ignore[os-path-dirname] - a PATH entry
    if program is None:
        pytest.skip("pre-commit is not installed (pip install pre-commit)")
    own = tmp_path / "envcompile"
    own.mkdir()
    text = (PACKAGE_ROOT / ".pre-commit-hooks.yaml").read_text()
    (own / ".pre-commit-hooks.yaml").write_text(text.replace("language: python", "language: system"))
    commit(own)
    git(own, "tag", "v1")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    envc = bin_folder / "envc"
    envc.write_text(f'#!/bin/sh\nexec {sys.executable} -m envcompile "$@"\n')
    envc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    (folder.root / ".gitignore").write_text(".envc/\n")
    hooks = "".join(
        f"      - id: {name}\n" for name in ("envc-build", "envc-check", "envc-secrets-scan", "envc-record")
    )
    (folder.root / ".pre-commit-config.yaml").write_text(f"repos:\n  - repo: {own}\n    rev: v1\n    hooks:\n{hooks}")
    for kind in ("pre-commit", "post-commit"):
        subprocess.run([program, "install", "-t", kind], cwd=folder.root, check=True, capture_output=True)
    run_envc(folder.root, "build")
    start = hooked_commit(folder, "start")
    settle(folder)
    with closing(open_past(folder.root)) as past:
        assert past.store.known() == {start}
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "stale", base__web=deployment(replicas=7))
    assert "envc build --check" in caught.value.stderr + caught.value.stdout
    (folder.root / "base/web.yaml").write_text(deployment().replace("replicas:", "replicsa:"))
    run_envc(folder.root, "build")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "a mistyped field")
    assert "base/web.yaml:6:13: error schema: `replicsa` is not a field of" in caught.value.stderr + caught.value.stdout
    (folder.root / "base/web.yaml").write_text(deployment(replicas=7))
    (folder.root / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 4)
    run_envc(folder.root, "build")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "a key")
    assert "key.pem:1: private-key" in caught.value.stderr + caught.value.stdout


def test_from_an_empty_folder_to_a_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git init`, `envc init`, `envc hook install`, a build, a commit: it is recorded."""
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_ROOT))
    root = tmp_path / "new"
    root.mkdir()
    folder = Folder(root, count())
    folder.git("init", "--quiet", "--initial-branch=main")
    folder.git("config", "user.name", "Ada")
    folder.git("config", "user.email", "ada@example.com")
    for words in (("init", str(root)), ("--project", str(root), "hook", "install"), ("--project", str(root), "build")):
        outcome = run_envc(None, *words)
        assert outcome.code == 0, outcome.err
    start = hooked_commit(folder, "The beginning")
    settle(folder)
    with closing(open_past(root)) as past:
        environments = past.store.environments()
        assert environments
        assert [entry.commit.hash for entry in log(past, environments[0])] == [start]
    for name in environments:
        assert rebuilt(folder, name, start) == compiled(root, name, start)


@pytest.mark.parametrize("path", ["", ".", "the project"])
def test_no_module_of_a_branch_is_imported(folder: Folder, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Case hooks-import-from-checkout: merging, committing, rebasing and pushing a branch runs none of its modules."""
    monkeypatch.setenv("PYTHONPATH", str(folder.root) if path == "the project" else path)
    run_envc(folder.root, "build")
    (folder.root / ".gitignore").write_text(".envc/\n")
    start = folder.commit("start")
    assert run_envc(folder.root, "hook", "install").code == 0
    folder.git("init", "--quiet", "--bare", "../origin")
    folder.git("remote", "add", "origin", "../origin")
    ran = folder.root.parent / "RAN"
    folder.git("checkout", "-q", "-b", "theirs")
    modules = (
        "json",
        "typing",
        "runpy",
        "site",
        "sitecustomize",
        "usercustomize",
        "encodings",
        "codecs",
        "os",
        "typer",
    )
    for name in (*modules, "envcompile", "envcompile/__init__", "envcompile/__main__", "base/json", "overlays/typing"):
        file = folder.root / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"open({str(ran)!r}, 'a').write({name!r})\nraise SystemExit(0)\n")
    folder.commit("theirs", base__web=deployment(replicas=4))
    folder.git("checkout", "-q", "main")
    folder.git("merge", "-q", "theirs")
    assert not ran.exists()
    settle(folder)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "stale")
    assert "environments/ is not what the sources say" in caught.value.stderr
    with pytest.raises(subprocess.CalledProcessError):
        folder.git("push", "-q", "origin", "main")
    run_envc(folder.root, "build")
    hooked_commit(folder, "fresh")
    hooked_commit(folder, "amended", "--amend")
    folder.git("push", "-q", "origin", "main")
    folder.git("rebase", "-q", "--no-ff", start)
    settle(folder)
    subprocess.run([*own_command(), "history", "record", "--detach"], cwd=folder.root, check=True)
    settle(folder)
    assert not ran.exists()
    with closing(open_past(folder.root)) as past:
        assert folder.git("rev-parse", "HEAD") in past.store.known()


def test_an_environment_that_a_branch_writes_into_runs_nothing(folder: Folder) -> None:
    """Case hooks-import-from-checkout: Python runs `.pth` files of a `.venv` that lies in the work tree."""
    (folder.root / ".gitignore").write_text(".envc/\nenvironments/\n.venv/\n")
    own = folder.root / ".venv"
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", own], check=True)
    packages = next(own.glob("lib/python3*/site-packages"))
    (packages / "here.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("site-packages")))
    command = [str(own / "bin" / "python"), *own_command()[1:]]
    subprocess.run([*command, "hook", "install"], cwd=folder.root, check=True, capture_output=True)
    hooked_commit(folder, "an environment that git ignores is the user's own")
    settle(folder)  # its recorder starts this very Python, which may take its time
    folder.git("checkout", "-q", "-b", "theirs")
    ran = folder.root.parent / "RAN"
    (packages / "theirs.pth").write_text(f"import os; open({str(ran)!r}, 'a')\n")
    folder.git("add", "--force", str(packages / "theirs.pth"))
    folder.commit("theirs")
    folder.git("checkout", "-q", "main")
    settle(folder)
    assert not ran.exists()
    folder.git("merge", "-q", "--no-verify", "theirs")
    with pytest.raises(subprocess.CalledProcessError) as caught:
        hooked_commit(folder, "not with this")
    assert ".venv runs envc, and git tracks files in it: install envc outside" in caught.value.stderr
    assert not ran.exists()
