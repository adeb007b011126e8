"""Hooks of others keep working beside envc's: under their own names, beside their helpers, whoever comes last."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.hook_scripts import HOOKS, line, with_line, without_line
from tests.harness.command import run_envc
from tests.harness.repository import deployment, read_files
from tests.history.conftest import Folder, new_folder

if TYPE_CHECKING:
    from pathlib import Path

SHELL = """\
#!/bin/sh
. "$(dirname "$0")/helper"
team "$(basename "$0")" "$@"
"""
SHELL_HELPER = """\
team() { if [ "$1" = "$REFUSED" ]; then echo "TEAM REFUSES $1 $(cat)"; exit 1; fi; }
"""
PYTHON = f"""\
#!{sys.executable} -I
import os, runpy, sys
team = runpy.run_path(os.path.join(os.path.dirname(sys.argv[0]), "helper"))["team"]
team(os.path.basename(sys.argv[0]))
"""
PYTHON_HELPER = """\
import os, sys
def team(name):
    if name == os.environ.get("REFUSED"):
        print("TEAM REFUSES", name, sys.stdin.read())
        raise SystemExit(1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A repository with committed output that is current, and a second one to push to."""
    root = tmp_path / "a project"
    root.mkdir()
    made = new_folder(root)
    assert run_envc(root, "build").code == 0
    made.commit("start")
    made.git("init", "--quiet", "--bare", str(tmp_path / "origin"))
    made.git("remote", "add", "origin", str(tmp_path / "origin"))
    return made


def script(file: Path, text: str) -> None:
    """Write an executable file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def dispatch(hooks: Path, text: str, helper: str, *, linked: bool = True) -> None:
    """One program that all hooks are links to, or copies of, and that tells them apart by their names."""
    script(hooks / "helper", helper)
    script(hooks / "dispatch", text)
    for name in ("pre-commit", "pre-merge-commit", "pre-push", "post-commit"):
        if linked:
            (hooks / name).symlink_to("dispatch")
        else:
            script(hooks / name, text)


def refused(folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str, *words: str) -> str:
    """What git says when the team's hook of this name refuses a command."""
    monkeypatch.setenv("REFUSED", name)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        folder.git(*words)
    monkeypatch.delenv("REFUSED")
    return str(caught.value.stdout + caught.value.stderr)


def states(folder: Folder) -> set[str]:
    """The states of all hooks."""
    return {
        text.split(None, 1)[1].partition(",")[0] for text in run_envc(folder.root, "hook", "status").out.splitlines()
    }


EMPTY = ("commit", "--quiet", "--allow-empty", "-mx")


@pytest.mark.parametrize(("text", "helper"), [(SHELL, SHELL_HELPER), (PYTHON, PYTHON_HELPER)], ids=["sh", "python"])
@pytest.mark.parametrize("linked", [True, False], ids=["links", "copies"])
@pytest.mark.parametrize("path", ["", ".githooks"])
def test_a_dispatcher_knows_its_name_and_finds_its_helpers(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, text: str, helper: str, path: str, *, linked: bool
) -> None:
    """Case hooks-silence-husky: a hook that goes by `$0` refuses as before, and so does envc beside it."""
    if path:
        folder.git("config", "core.hooksPath", path)
    hooks = folder.root / (path or ".git/hooks")
    dispatch(hooks, text, helper, linked=linked)
    before = {file.name: file.readlink() if file.is_symlink() else file.read_text() for file in hooks.iterdir()}
    for _ in range(2):
        assert run_envc(folder.root, "hook", "install").code == 0
        assert states(folder) == {"installed"}
        assert "TEAM REFUSES pre-commit" in refused(folder, monkeypatch, "pre-commit", *EMPTY)
        assert "TEAM REFUSES pre-push HEAD " in refused(
            folder, monkeypatch, "pre-push", "push", "origin", "HEAD:refs/heads/main"
        )
    folder.git("checkout", "-q", "-b", "side")
    folder.git(*EMPTY)
    folder.git("checkout", "-q", "main")
    folder.git(*EMPTY)
    merge = ("merge", "--no-edit", "side")
    assert "TEAM REFUSES pre-merge-commit" in refused(folder, monkeypatch, "pre-merge-commit", *merge)
    folder.git("merge", "--abort")
    folder.write(base__web=deployment(replicas=7))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        folder.git("commit", "-qam", "stale")
    assert "environments/ is not what the sources say" in caught.value.stderr
    assert run_envc(folder.root, "hook", "uninstall").code == 0
    after = {file.name: file.readlink() if file.is_symlink() else file.read_text() for file in hooks.iterdir()}
    assert after == before
    assert not hooks.with_name(f"{hooks.name}.before-envc").exists()


def test_a_hook_that_leads_elsewhere_still_does(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link into the work tree is called by its own name and leads to the same file, before and after."""
    script(folder.root / "tools" / "check", SHELL)
    hooks = folder.root / ".git" / "hooks"
    script(hooks / "helper", SHELL_HELPER)
    (hooks / "pre-commit").symlink_to("../../tools/check")
    run_envc(folder.root, "hook", "install")
    assert "TEAM REFUSES pre-commit" in refused(folder, monkeypatch, "pre-commit", *EMPTY)
    run_envc(folder.root, "hook", "uninstall")
    assert (hooks / "pre-commit").resolve() == folder.root / "tools" / "check"
    assert (hooks / "pre-commit").readlink().parts[:2] == ("..", "..")


def test_a_hook_that_is_not_executable_is_not_called(folder: Folder) -> None:
    """Git passes over it, and so does envc."""
    hook = folder.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o644)
    run_envc(folder.root, "hook", "install")
    folder.git(*EMPTY)
    run_envc(folder.root, "hook", "uninstall")
    assert not os.access(hook, os.X_OK)


@pytest.mark.parametrize("moved", ["", ".old", ".legacy"])
def test_a_hook_that_was_written_over_is_noticed_and_mended(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    """`hook status` and the next commit say so, `hook install` calls both, and nothing is left over in the end."""
    hooks = folder.root / ".git" / "hooks"
    script(hooks / "helper", SHELL_HELPER)
    script(hooks / "pre-commit", SHELL)
    run_envc(folder.root, "hook", "install")
    if moved:
        (hooks / "pre-commit").rename(hooks / f"pre-commit{moved}")
    script(hooks / "pre-commit", SHELL + "# a newer one\n")
    status = run_envc(folder.root, "hook", "status")
    if moved != ".legacy":
        assert (status.code, status.out.splitlines()[0]) == (1, "pre-commit        replaced")
        assert status.err == "hint: `envc hook install` mends what is replaced or outdated\n"
        done = subprocess.run(["git", *EMPTY], cwd=folder.root, capture_output=True, text=True, check=True)
        assert "pre-commit was replaced and does not call envc any more: run `envc hook install`" in done.stderr
    assert run_envc(folder.root, "hook", "install").code == 0
    assert states(folder) == {"installed"}
    assert "TEAM REFUSES pre-commit" in refused(folder, monkeypatch, "pre-commit", *EMPTY)
    folder.write(base__web=deployment(replicas=7))
    with pytest.raises(subprocess.CalledProcessError):
        folder.git("commit", "-qam", "stale")
    run_envc(folder.root, "hook", "uninstall")
    assert (hooks / "pre-commit").read_text() == SHELL + "# a newer one\n"
    left = {file.name for file in hooks.iterdir() if not file.name.endswith(".sample")}
    assert left <= {"helper", "pre-commit", "pre-commit.old"}


def test_committed_shell_hooks_get_a_line_that_does_nothing_without_envc(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a team commits is not moved away: whoever has no envc keeps the team's hook, and nothing else."""
    folder.git("config", "core.hooksPath", ".githooks")
    script(folder.root / ".githooks" / "helper", SHELL_HELPER)
    script(folder.root / ".githooks" / "pre-commit", SHELL)
    folder.commit("hooks")
    assert run_envc(folder.root, "hook", "install").code == 0
    assert states(folder) == {"installed"}
    assert folder.git("diff", "--name-only") == ".githooks/pre-commit"
    assert (folder.root / ".githooks" / "pre-commit").read_text() == with_line("pre-commit", SHELL)
    assert "TEAM REFUSES pre-commit" in refused(folder, monkeypatch, "pre-commit", *EMPTY)
    folder.commit("with the line", base__web=deployment(replicas=7))
    with pytest.raises(subprocess.CalledProcessError) as caught:
        folder.git(*EMPTY)
    assert "environments/ is not what the sources say" in caught.value.stderr
    folder.git("clone", "-q", ".", str(tmp_path / "colleague"))
    colleague = Folder(tmp_path / "colleague", folder.minutes)
    colleague.git("config", "core.hooksPath", ".githooks")
    colleague.git("config", "user.name", "Bo")
    colleague.git("config", "user.email", "bo@example.com")
    colleague.git(*EMPTY)
    assert "TEAM REFUSES" in refused(colleague, monkeypatch, "pre-commit", *EMPTY)
    run_envc(folder.root, "hook", "uninstall")
    assert (folder.root / ".githooks" / "pre-commit").read_text() == SHELL


@pytest.mark.parametrize("linked", [True, False], ids=["a link", "another language"])
def test_committed_hooks_that_envc_cannot_change_name_the_line(folder: Folder, *, linked: bool) -> None:
    """Nothing is installed until the team's hook calls envc itself; then it counts as installed."""
    folder.git("config", "core.hooksPath", ".githooks")
    hook = folder.root / ".githooks" / "pre-commit"
    script(folder.root / ".githooks" / "dispatch", SHELL)
    if linked:
        hook.symlink_to("dispatch")
    else:
        script(hook, PYTHON)
    folder.commit("hooks")
    outcome = run_envc(folder.root, "hook", "install")
    assert (outcome.code, outcome.err) == (
        2,
        (
            f"error: {hook} is shared with others and no shell script: envc does not change it\n"
            'hint: let it run this: sh "$(git rev-parse --git-common-dir)/envc/hooks/run" pre-commit "$@"\n'
        ),
    )
    assert states(folder) == {"foreign", "missing"}
    hook.unlink()
    script(hook, '#!/usr/bin/env bash\nsh "$(git rev-parse --git-common-dir)/envc/hooks/run" pre-commit "$@"\n')
    assert run_envc(folder.root, "hook", "install").code == 0
    assert states(folder) == {"installed"}


def test_hooks_of_version_0_1_are_taken_over(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it kept as NAME.before-envc is called under its own name, and comes back in the end."""
    hooks = folder.root / ".git" / "hooks"
    script(hooks / "helper", SHELL_HELPER)
    script(hooks / "pre-commit.before-envc", SHELL)
    script(
        hooks / "pre-commit",
        "#!/bin/sh\n# Written by `envc hook install`; `envc hook uninstall` takes it away.\n"
        'kept="$0.before-envc"\n[ ! -x "$kept" ] || "$kept" "$@" || exit $?\n',
    )
    assert run_envc(folder.root, "hook", "status").out.startswith("pre-commit        outdated")
    run_envc(folder.root, "hook", "install")
    assert states(folder) == {"installed"}
    assert "TEAM REFUSES pre-commit" in refused(folder, monkeypatch, "pre-commit", *EMPTY)
    run_envc(folder.root, "hook", "uninstall")
    assert (hooks / "pre-commit").read_text() == SHELL
    assert not (hooks / "pre-commit.before-envc").exists()


def test_projects_of_one_repository_keep_their_hooks(tmp_path: Path) -> None:
    """Case hooks-of-two-projects: each is checked and recorded, whichever came last, until it is taken away."""
    folders = {name: new_folder(tmp_path / "top" / name) for name in ("a", "b c")}
    top = Folder(tmp_path / "top", folders["a"].minutes)
    for name, folder in folders.items():
        for file in sorted((folder.root / ".git").rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        (folder.root / ".git").rmdir()
        assert run_envc(top.root / name, "build").code == 0
    top.git("init", "--quiet", "--initial-branch=main")
    top.git("config", "user.name", "Ada")
    top.git("config", "user.email", "ada@example.com")
    top.commit("start")
    for folder in folders.values():
        assert run_envc(folder.root, "hook", "install").code == 0
    for name, folder in folders.items():
        assert states(folder) == {"installed"}
        top.write(**{f"{name}__base__web": deployment(replicas=7)})
        with pytest.raises(subprocess.CalledProcessError) as caught:
            top.git("commit", "-qam", "stale")
        assert "environments/ is not what the sources say" in caught.value.stderr
        run_envc(folder.root, "build")
        top.git("commit", "-qam", "fresh")
        recorded = run_envc(folder.root, "history", "record", "--waiting")
        assert recorded.code == 0
        assert "fresh" in run_envc(folder.root, "history", "log", "prod").out
    assert run_envc(folders["a"].root, "hook", "uninstall").err == "6 hooks taken away\n"
    assert states(folders["a"]) == {"missing"}
    assert states(folders["b c"]) == {"installed"}
    top.write(a__base__web=deployment(replicas=8))
    top.git("commit", "-qam", "nobody checks it")
    top.write(**{"b c__base__web": deployment(replicas=8)})
    with pytest.raises(subprocess.CalledProcessError):
        top.git("commit", "-qam", "stale")
    run_envc(folders["b c"].root, "hook", "uninstall")
    assert not (top.root / ".git" / "hooks" / "pre-commit").exists()
    assert not (top.root / ".git" / "envc" / "hooks" / "run").exists()


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("text", ["", "#!/bin/sh\n", "npm test\n", "#!/usr/bin/env bash\nset -e\nnpm test"])
def test_a_line_that_was_added_can_be_taken_away(name: str, text: str) -> None:
    """Adding twice adds once, and taking away gives what was there."""
    added = with_line(name, text)
    assert line(name) in added
    assert with_line(name, added) == added
    assert without_line(added) == text


def test_a_branch_cannot_change_what_hooks_do(folder: Folder, tmp_path: Path) -> None:
    """Whatever it brings under the names that hooks have, what is checked out is not what git runs."""
    run_envc(folder.root, "hook", "install")
    hooks = {file.name: file.read_bytes() for file in (folder.root / ".git" / "hooks").iterdir()}
    hooks |= {file.name: file.read_bytes() for file in (folder.root / ".git" / "envc" / "hooks").iterdir()}
    folder.git("checkout", "-q", "-b", "theirs")
    ran = tmp_path / "RAN"
    for place in ("hooks", ".githooks", ".husky", ".husky/_", "envc/hooks", ".envc/hooks", "hooks.before-envc"):
        for name in (*HOOKS, "run", "project.sh", "post-checkout", "h"):
            script(folder.root / place / name, f"#!/bin/sh\ntouch '{ran}'\n")
    folder.commit("theirs")
    folder.git("checkout", "-q", "main")
    folder.git("merge", "-q", "theirs")
    folder.git(*EMPTY)
    folder.git("push", "-q", "origin", "main")
    assert not ran.exists()
    found = {file.name: file.read_bytes() for file in (folder.root / ".git" / "hooks").iterdir()}
    found |= {file.name: file.read_bytes() for file in (folder.root / ".git" / "envc" / "hooks").iterdir()}
    assert found == hooks


@pytest.mark.parametrize("path", [".githooks", ".husky/_"])
def test_planted_links_are_not_written_through(folder: Folder, tmp_path: Path, path: str) -> None:
    """A branch that brings links under the names of hooks, and of files beside them, gets nothing written elsewhere."""
    folder.git("config", "core.hooksPath", path)
    target = tmp_path / "target"
    target.mkdir()
    (target / "file").write_text("precious")
    for place in {path, ".husky", ".githooks"}:
        (folder.root / place).mkdir(parents=True, exist_ok=True)
        for name in ("post-merge", ".pre-commit.envc", ".pre-push.envc", ".post-merge.envc", ".gitignore"):
            (folder.root / place / name).symlink_to(target / "file")
    (folder.root / ".githooks.before-envc").symlink_to(target)
    script(folder.root / path / "pre-commit", SHELL)
    codes = {"install": 2 if path == ".husky/_" else 0, "uninstall": 0}  # a team's own link is not replaced
    for command, code in codes.items():
        assert run_envc(folder.root, "hook", command).code == code
        assert (target / "file").read_text() == "precious"
        assert [file.name for file in target.iterdir()] == ["file"], command


def test_no_hook_is_moved_through_a_planted_link(folder: Folder, tmp_path: Path) -> None:
    """A folder of kept hooks that is a link is none; a link in the place of a kept hook is not taken for one."""
    folder.git("config", "core.hooksPath", ".githooks")
    target = tmp_path / "target"
    script(target / "pre-commit", SHELL)
    before = read_files(tmp_path / "target")
    kept = folder.root / ".githooks.before-envc"
    kept.symlink_to(target)
    script(folder.root / ".githooks" / "pre-commit", PYTHON)
    assert run_envc(folder.root, "hook", "install").code == 0
    assert not kept.is_symlink()
    assert (kept / "pre-commit").read_text() == PYTHON
    assert read_files(target) == before
    (kept / "post-merge").symlink_to(target / "pre-commit")
    script(folder.root / ".githooks" / "post-merge", PYTHON)
    assert run_envc(folder.root, "hook", "install").code == 0
    assert run_envc(folder.root, "hook", "uninstall").code == 0
    hooks = {file.name: file.read_text() for file in (folder.root / ".githooks").iterdir()}
    assert hooks == {"pre-commit": PYTHON, "post-merge": PYTHON}
    assert read_files(target) == before


def hooks_of_manager(folder: Folder, word: str, left: str) -> Path:
    """A manager's hooks, and the file that it takes away with them."""
    mark = folder.root / ".git" / left
    mark.parent.mkdir(exist_ok=True)
    mark.write_text("")
    for name in HOOKS:
        script(folder.root / ".git/hooks" / name, f"#!/bin/sh\n# {word}\n[ -e {mark} ] || {{ echo BROKEN; exit 1; }}\n")
    return mark


@pytest.mark.parametrize(
    ("manager", "word", "left"),
    [
        ("overcommit", "OVERCOMMIT_DISABLE", "hooks/overcommit-hook"),
        ("lefthook", "call_lefthook() {", "info/lefthook.checksum"),
    ],
)
@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_manager_that_goes_beneath_envc_is_noticed(
    folder: Folder, manager: str, word: str, left: str, verb: str
) -> None:
    """It takes only those of its hooks away that git calls: the kept one must not fail every commit from then on."""
    mark = hooks_of_manager(folder, word, left)
    assert run_envc(folder.root, "hook", "install").code == 0
    assert run_envc(folder.root, "hook", "status").code == 0
    folder.commit("both")
    mark.unlink()
    status = run_envc(folder.root, "hook", "status")
    assert (status.code, status.out.count("outdated")) == (1, len(HOOKS))
    command = ["git", "commit", "--allow-empty", "-mx"]
    done = subprocess.run(command, cwd=folder.root, capture_output=True, text=True, check=True)
    assert f"{manager} was taken away, its pre-commit is not called any more" in done.stderr
    assert run_envc(folder.root, "hook", verb).code == 0
    done = subprocess.run(command, cwd=folder.root, capture_output=True, text=True, check=True)
    assert "BROKEN" not in done.stdout + done.stderr
    assert manager not in done.stderr
    assert run_envc(folder.root, "hook", "status").code == (verb == "uninstall")
    files = [file for file in folder.root.glob(".git/hooks*/*") if file.is_file()]
    assert not [file for file in files if word in file.read_text()]


def test_pre_commit_keeps_its_place_and_puts_envc_into_it_when_it_goes(folder: Folder) -> None:
    """It calls what it finds as NAME.legacy and puts that back; one that envc kept comes back to its place."""
    hooks = folder.root / ".git/hooks"
    own = "#!/bin/sh\n# generated by pre-commit: https://pre-commit.com\n"
    script(hooks / "pre-commit", own)
    script(hooks / "pre-commit.legacy", "#!/bin/sh\necho OLDEST\n")
    assert run_envc(folder.root, "hook", "install").code == 0
    assert (hooks / "pre-commit").read_text() == own
    assert "OLDEST" in (hooks.with_name("hooks.before-envc") / "pre-commit").read_text()
    # What envc 0.1 did: it stood before pre-commit.
    (hooks / "pre-commit.legacy").replace(hooks / "pre-commit")
    script(hooks.with_name("hooks.before-envc") / "pre-commit", own)
    assert "outdated" in run_envc(folder.root, "hook", "status").out
    assert run_envc(folder.root, "hook", "install").code == 0
    assert run_envc(folder.root, "hook", "status").code == 0
    assert (hooks / "pre-commit").read_text() == own
    (hooks / "pre-commit.legacy").replace(hooks / "pre-commit")  # `pre-commit uninstall`
    assert run_envc(folder.root, "hook", "status").code == 0
    folder.commit("envc alone")
