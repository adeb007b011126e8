"""The real husky, lefthook, pre-commit, overcommit beside envc: both are called in either order, re-installs mended."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import deployment
from tests.history.conftest import Folder, new_folder
from tests.oracles.conftest import REQUIRED
from tests.oracles.hook_managers import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Callable

MODULES: Final = PACKAGES.node_modules(os.environ)
"""Read while pytest collects: each test runs with a HOME of its own."""
REFUSES: Final = 'if [ "$REFUSED" = "{0}" ]; then echo "TEAM REFUSES {0} $(cat | head -c 400)"; exit 1; fi\n'
CHECKED: Final = ("pre-commit", "pre-merge-commit", "pre-push")


def unavailable(reason: str) -> None:
    """Skip, or fail where the run promised to have every oracle."""
    if REQUIRED:
        pytest.fail(f"ENVC_REQUIRE_ORACLES=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository with committed output that is current, npm's packages, and a second repository to push to."""
    if not MODULES.is_dir():
        unavailable(f"not installed: {PACKAGES.name}; run `python -m tests.oracles.build {PACKAGES.name}`")
    root = tmp_path / "a project"
    root.mkdir()
    made = new_folder(root)
    (root / ".gitignore").write_text(".envc/\nnode_modules\n")
    (root / "node_modules").symlink_to(MODULES)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert run_envc(root, "build").code == 0
    made.commit("start")
    made.git("init", "--quiet", "--bare", str(tmp_path / "origin"))
    made.git("remote", "add", "origin", str(tmp_path / "origin"))
    return made


def run(folder: Folder, *words: str) -> str:
    """Run a hook manager in the repository; what it says."""
    done = subprocess.run(words, cwd=folder.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def install_husky(folder: Folder) -> None:
    """What `npm install` runs as `prepare` of package.json."""
    run(folder, "node_modules/.bin/husky")


def install_lefthook(folder: Folder) -> None:
    """What `npm install` runs after it installed lefthook."""
    run(folder, "node_modules/.bin/lefthook", "install")


def install_pre_commit(folder: Folder) -> None:
    """What a team's set-up script runs."""
    program = shutil.which("pre-commit")
    if program is None:
        unavailable("pre-commit is not installed (pip install pre-commit)")
        return
    run(folder, program, "install", *(f"--hook-type={name}" for name in CHECKED))


def set_up_husky(folder: Folder) -> None:
    """A script for each hook, as people write them."""
    for name in CHECKED:
        file = folder.root / ".husky" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(REFUSES.format(name))


def set_up_lefthook(folder: Folder) -> None:
    """A job for each hook that shows what it is given."""
    jobs = "".join(
        f"{name}:\n  jobs:\n    - name: team\n      run: sh refuse.sh {name}\n"
        + ("      use_stdin: true\n" if name == "pre-push" else "")
        for name in CHECKED
    )
    (folder.root / "lefthook.yml").write_text(jobs)
    (folder.root / "refuse.sh").write_text(REFUSES.format("$1"))


def set_up_pre_commit(folder: Folder) -> None:
    """A local hook for each stage."""
    (folder.root / "refuse.sh").write_text(REFUSES.format("$1"))
    hooks = "".join(
        f"      - id: {name}-team\n        name: team\n        language: system\n        entry: sh refuse.sh {name}\n"
        f"        always_run: true\n        pass_filenames: false\n        stages: [{name}]\n"
        for name in CHECKED
    )
    (folder.root / ".pre-commit-config.yaml").write_text(f"repos:\n  - repo: local\n    hooks:\n{hooks}")


def install_overcommit(folder: Folder) -> None:
    """What a team's set-up script runs; it puts what was there aside, into `old-hooks`."""
    program = shutil.which("overcommit")
    if program is None:
        pytest.skip("overcommit is not installed (a gem of Ruby): gem install overcommit")
    run(folder, program, "--install", "--force")


def set_up_overcommit(folder: Folder) -> None:
    """A command for each hook that it knows."""
    (folder.root / "refuse.sh").write_text(REFUSES.format("$1"))
    hooks = "".join(
        f"{name}:\n  ALL: {{enabled: false}}\n  Team:\n    enabled: true\n    required_executable: sh\n"
        f"    command: [sh, -c, 'sh refuse.sh {hook} </dev/null']\n"
        for name, hook in (("PreCommit", "pre-commit"), ("PrePush", "pre-push"))
    )
    off = "CommitMsg:\n  ALL: {enabled: false}\n"
    (folder.root / ".overcommit.yml").write_text(f"verify_signatures: false\n{hooks}{off}")


MANAGERS: Final = {
    "overcommit": (set_up_overcommit, install_overcommit),
    "husky": (set_up_husky, install_husky),
    "lefthook": (set_up_lefthook, install_lefthook),
    "pre-commit": (set_up_pre_commit, install_pre_commit),
}
COMMIT: Final = ("commit", "--quiet", "-mx")
PUSH: Final = ("push", "--quiet", "origin", "HEAD:refs/heads/main")


def refused(folder: Folder, *words: str) -> str:
    """What git says when a command is refused."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        folder.git(*words)
    return str(caught.value.stdout + caught.value.stderr)


def both_are_called(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The team's hooks refuse, envc's refuse, and what neither refuses goes through and is noted."""
    status = run_envc(folder.root, "hook", "status")
    assert status.code == 0, status.out
    folder.commit("something to push")
    # lefthook and pre-commit look at nothing where nothing changes.
    (folder.root / "notes.txt").write_text(status.out + folder.git("rev-parse", "HEAD"))
    folder.git("add", "notes.txt")
    for name, words in (("pre-commit", COMMIT), ("pre-push", PUSH)):
        monkeypatch.setenv("REFUSED", name)
        assert f"TEAM REFUSES {name}" in refused(folder, *words)
        monkeypatch.delenv("REFUSED")
    (folder.root / "base/web.yaml").write_text(deployment(replicas=7))
    assert "environments/ is not what the sources say" in refused(folder, "commit", "-am", "stale")
    folder.git("commit", "-q", "-a", "--no-verify", "-m", "stale")
    assert "environments/ is not what the sources say" in refused(folder, *PUSH)
    folder.git("reset", "-q", "--hard", "HEAD~1")
    (folder.root / "notes.txt").write_text(folder.git("rev-parse", "HEAD"))
    folder.git("add", "notes.txt")
    folder.git(*COMMIT)
    folder.git(*PUSH)
    assert run_envc(folder.root, "history", "record", "--waiting").code == 0
    head = folder.git("rev-parse", "--short=12", "HEAD")
    assert run_envc(folder.root, "history", "log", "prod").out.startswith(head)


@pytest.mark.parametrize("manager", MANAGERS)
@pytest.mark.parametrize("first", ["envc", "the manager"])
def test_both_are_called_in_either_order(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, manager: str, first: str
) -> None:
    """Case hooks-silence-husky: the team's hooks and envc's, also after either was installed again."""
    set_up, install = MANAGERS[manager]
    set_up(folder)
    folder.commit("the team's hooks")

    def envc(_: Folder) -> None:
        outcome = run_envc(folder.root, "hook", "install")
        assert outcome.code == 0, outcome.err

    order: list[Callable[[Folder], None]] = [install, envc] if first == "the manager" else [envc, install]
    for step in order:
        step(folder)
    if run_envc(folder.root, "hook", "status").code:
        # The manager came last and put its own hooks into the place of envc's: that is said, and mended.
        assert first == "envc"
        envc(folder)
    both_are_called(folder, monkeypatch)
    envc(folder)
    both_are_called(folder, monkeypatch)
    install(folder)
    if run_envc(folder.root, "hook", "status").code:
        assert manager in {"lefthook", "overcommit"}
        envc(folder)
    both_are_called(folder, monkeypatch)
    assert run_envc(folder.root, "hook", "uninstall").code == 0
    (folder.root / "base/web.yaml").write_text(deployment(replicas=7))
    monkeypatch.setenv("REFUSED", "pre-commit")
    assert "TEAM REFUSES pre-commit" in refused(folder, "commit", "-qam", "envc is gone")
    monkeypatch.delenv("REFUSED")
    folder.git("commit", "-qam", "envc is gone")
    hooks = Path(folder.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    left = [file for file in (*hooks.iterdir(), *hooks.parent.glob("*")) if file.is_file()]
    assert not [file for file in left if b"envc hook install" in file.read_bytes() and file.parent == hooks]
    assert not list(hooks.parent.glob("*.before-envc"))


def test_what_husky_calls_is_committed_and_survives_an_installation(folder: Folder) -> None:
    """The line of envc stands in `.husky/`, which people commit; nothing of envc is in husky's own `.husky/_`."""
    set_up_husky(folder)
    install_husky(folder)
    outcome = run_envc(folder.root, "hook", "install")
    assert outcome.err.startswith(f"6 hooks installed in {folder.root / '.husky'}\n")
    own = {file.name: file.read_bytes() for file in (folder.root / ".husky" / "_").iterdir()}
    install_husky(folder)
    assert {file.name: file.read_bytes() for file in (folder.root / ".husky" / "_").iterdir()} == own
    assert run_envc(folder.root, "hook", "status").code == 0
    assert (folder.root / ".husky" / "pre-commit").read_text().endswith(REFUSES.format("pre-commit"))


def states(folder: Folder) -> dict[str, str]:
    """The state of each hook, and whether it calls another one."""
    return dict(text.split(None, 1) for text in run_envc(folder.root, "hook", "status").out.splitlines())


def test_lefthook_in_the_place_of_huskys_own_hooks_is_noticed_and_mended(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people keep for husky holds envc's line, but git calls lefthook's hook: that is replaced, not installed."""
    set_up_husky(folder)
    set_up_lefthook(folder)
    install_husky(folder)
    run_envc(folder.root, "hook", "install")
    folder.commit("the team's hooks")
    for again in (False, True):
        run(folder, "node_modules/.bin/lefthook", "install", "--force")
        found = states(folder)
        assert {name for name, state in found.items() if state == "replaced"} == set(CHECKED), again
        done = subprocess.run(
            ["git", "commit", "--allow-empty", "-mx"], cwd=folder.root, capture_output=True, text=True, check=True
        )
        assert "pre-commit was replaced and does not call envc any more" in done.stderr
        assert run_envc(folder.root, "hook", "install").code == 0
        both_are_called(folder, monkeypatch)
    install_husky(folder)
    both_are_called(folder, monkeypatch)
    assert run_envc(folder.root, "hook", "uninstall").code == 0
    assert not list((folder.root / ".husky").rglob("*.before-envc"))


def test_a_work_tree_that_husky_never_saw_says_so(folder: Folder, tmp_path: Path) -> None:
    """Git calls nothing in a linked work tree whose `.husky/_` is missing; the committed line alone is not enough."""
    set_up_husky(folder)
    install_husky(folder)
    run_envc(folder.root, "hook", "install")
    folder.commit("the team's hooks")
    other = tmp_path / "other"
    folder.git("worktree", "add", "--quiet", str(other), "-b", "other")
    for verb in ("status", "install"):
        done = run_envc(other, "hook", verb)
        assert done.code == (verb == "status")
        assert "git calls no hook in this work tree until husky has put its own there" in done.err
    assert not (other / ".husky" / "_").exists()
    (other / "node_modules").symlink_to(MODULES)
    run(Folder(other, folder.minutes), "node_modules/.bin/husky")
    assert run_envc(other, "hook", "status").code == 0


def test_what_version_0_1_did_to_husky_is_undone(folder: Folder) -> None:
    """Its dispatchers in `.husky/_` go, and what it kept there, whether or not husky came again meanwhile."""
    set_up_husky(folder)
    install_husky(folder)
    own = folder.root / ".husky" / "_"
    before = {file.name: file.read_bytes() for file in own.iterdir()}
    for name in ("pre-commit", "pre-push"):
        (own / name).rename(own / f"{name}.before-envc")
        (own / name).write_text("#!/bin/sh\n# Written by `envc hook install`; `envc hook uninstall` takes it away.\n")
    (own / "pre-push").write_bytes(before["pre-push"])
    assert run_envc(folder.root, "hook", "install").code == 0
    assert {file.name: file.read_bytes() for file in own.iterdir()} == before


def uninstall_pre_commit(folder: Folder) -> None:
    """Which puts back what it found."""
    run(folder, str(shutil.which("pre-commit")), "uninstall", *(f"--hook-type={name}" for name in CHECKED))


def uninstall_lefthook(folder: Folder) -> None:
    """Which takes away its hooks where git calls them."""
    run(folder, "node_modules/.bin/lefthook", "uninstall")


def uninstall_overcommit(folder: Folder) -> None:
    """Which takes away its hooks where git calls them, and puts back those that it moved."""
    run(folder, "overcommit", "--uninstall")


GOES: Final = {
    "overcommit": uninstall_overcommit,
    "lefthook": uninstall_lefthook,
    "pre-commit": uninstall_pre_commit,
}


@pytest.mark.parametrize("manager", GOES)
@pytest.mark.parametrize("first", ["envc", "the manager"])
def test_a_manager_that_goes_leaves_envc_alone(folder: Folder, manager: str, first: str) -> None:
    """Its jobs run no more and nothing of it is called; what is left of envc's hooks is said, and mended."""
    set_up, install = MANAGERS[manager]
    set_up(folder)
    folder.commit("the team's hooks")
    if first == "envc":
        assert run_envc(folder.root, "hook", "install").code == 0
    install(folder)
    assert run_envc(folder.root, "hook", "install").code == 0
    GOES[manager](folder)
    if run_envc(folder.root, "hook", "status").code:
        assert run_envc(folder.root, "hook", "install").code == 0
    assert run_envc(folder.root, "hook", "status").code == 0
    (folder.root / "notes.txt").write_text("one")
    folder.git("add", "notes.txt")
    words = ["git", "commit", "-mx"]
    environment = {**os.environ, "REFUSED": "pre-commit"}
    done = subprocess.run(words, cwd=folder.root, env=environment, capture_output=True, text=True, check=True)
    assert manager not in done.stdout + done.stderr
    (folder.root / "base/web.yaml").write_text(deployment(replicas=7))
    assert "environments/ is not what the sources say" in refused(folder, "commit", "-am", "stale")
    assert run_envc(folder.root, "hook", "uninstall").code == 0
    folder.git("commit", "-qam", "nobody is left")
