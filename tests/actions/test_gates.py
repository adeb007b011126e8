"""Cases hook-looks-at-work-tree and hooks-check-the-working-tree: gates look at what is committed, or pushed."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.outputs import Outputs, Texts
from envcompile.units.project import Project
from tests.git.repositories import run_git
from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "base/web/web.yaml": f"{deployment()}---\n{config_map()}",
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    ".gitignore": ".envc/\n",
}
STALE = [f"environments/{name}/web/deployment-web.yaml: stale: would change" for name in ("dev", "prod")]


@pytest.fixture
def shop(make_project: MakeProject) -> Path:
    """Two environments, built and committed."""
    root = make_project(FILES)
    start(root)
    return root


def start(root: Path, *options: str) -> None:
    """Make a repository of a project that is built and committed."""
    git(root, "init", "--quiet", "--initial-branch=main", *options)
    git(root, "config", "user.name", "test")
    git(root, "config", "user.email", "test@example.com")
    assert run_envc(root, "build").code == 0
    commit(root)


def bump(root: Path, image: str) -> None:
    """Change an image in the sources."""
    (root / "base/web/web.yaml").write_text(f"{deployment(image=image)}---\n{config_map()}")


def gate(root: Path, *options: str) -> tuple[int, list[str]]:
    """Ask whether the next commit is current: exit code, and what is not."""
    done = run_envc(root, "build", "--check", *(options or ("--staged",)))
    return done.code, done.out.splitlines()


def test_what_is_staged_is_compared_with_what_is_staged(shop: Path) -> None:
    """Outputs that are built and not added are missing in the commit; what is not staged is no part of it."""
    bump(shop, "nginx:2")
    assert gate(shop) == (0, [])
    git(shop, "add", "base")
    assert gate(shop) == (16, STALE)
    assert run_envc(shop, "build").code == 0
    assert gate(shop) == (16, STALE)
    assert "hint: run `envc build` and `git add environments`\n" in run_envc(shop, "build", "--check", "--staged").err
    assert gate(shop, "--staged", "prod") == (16, STALE[1:])
    git(shop, "add", "environments/prod")
    assert gate(shop) == (16, STALE[:1])
    git(shop, "add", "environments")
    assert gate(shop) == (0, [])


def test_an_untracked_source_is_no_part_of_the_commit(shop: Path) -> None:
    """Its output is, once it is added: then the commit has a file that its sources do not make."""
    write_files(shop, {"base/api/api.yaml": deployment("api")})
    assert run_envc(shop, "build").code == 0
    assert gate(shop) == (0, [])
    git(shop, "add", "environments")
    gone = [f"environments/{name}/api/deployment-api.yaml: stale: would be removed" for name in ("dev", "prod")]
    assert gate(shop) == (16, gone)
    git(shop, "add", "--intent-to-add", "base/api/api.yaml")
    assert gate(shop) == (16, gone)
    git(shop, "add", "base")
    assert gate(shop) == (0, [])


def test_a_new_and_a_removed_environment_are_compared(shop: Path) -> None:
    """With their folders."""
    git(shop, "rm", "--quiet", "-r", "overlays/dev")
    write_files(shop, {"overlays/test/environment.yaml": environment("namespace: test\n")})
    git(shop, "add", "overlays")
    code, lines = gate(shop)
    assert code == 16
    assert "environments/dev/web/deployment-web.yaml: stale: would be removed" in lines
    assert "environments/test/web/deployment-web.yaml: stale: would be added" in lines
    assert run_envc(shop, "build").code == 0
    git(shop, "add", "environments")
    assert gate(shop) == (0, [])


def test_the_index_of_the_commit_is_the_committed_one(shop: Path) -> None:
    """An output whose name the index lacks is stale; old digests and another order are not."""
    index = shop / "environments/prod/.envc-index"
    lines = index.read_text().splitlines()
    index.write_text("\n".join([lines[0], *reversed(lines[1:]), "web/gone.yaml", ""]))
    git(shop, "add", "environments")
    assert gate(shop) == (0, [])
    index.write_text("\n".join(line for line in lines if "configmap" not in line))
    git(shop, "add", "environments")
    assert gate(shop) == (16, ["environments/prod/.envc-index: stale"])


def test_the_chart_is_compared(make_project: MakeProject) -> None:
    """`chart:` of the staged envc.yaml says that there is one."""
    root = make_project({**FILES, "envc.yaml": "chart: {name: shop}\n"})
    start(root)
    assert gate(root) == (0, [])
    bump(root, "nginx:2")
    assert run_envc(root, "build", "--no-chart").code == 0
    git(root, "add", ".")
    code, lines = gate(root)
    assert (code, {line.split(":")[0] for line in lines}) == (16, {"environments/chart/values.yaml"})
    assert gate(root, "--staged", "--no-chart") == (0, [])


def test_outputs_that_are_not_committed_cannot_be_stale(make_project: MakeProject) -> None:
    """The sources are compiled all the same; a mistake in them is told with its place."""
    root = make_project({**FILES, ".gitignore": ".envc/\nenvironments/\n"})
    start(root)
    done = run_envc(root, "build", "--check", "--staged")
    assert (done.code, done.err) == (0, "the sources compile; environments/ is not committed\n")
    (root / "overlays/prod/web.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\n")
    git(root, "add", ".")
    (root / "overlays/prod/web.yaml").unlink()
    done = run_envc(root, "build", "--check", "--staged")
    assert (done.code, done.err.startswith("error: the index does not compile: ")) == (1, True)
    assert "overlays/prod/web.yaml:1:1" in done.err


def test_files_in_conflict_are_told_with_their_places(shop: Path) -> None:
    """Nothing can be said of a commit that git would not make."""
    for name, image in (("one", "nginx:2"), ("two", "nginx:3")):
        git(shop, "checkout", "--quiet", "-b", name, "main")
        bump(shop, image)
        commit(shop)
    git(shop, "merge", "--quiet", "one", fails=True)
    done = run_envc(shop, "build", "--check", "--staged")
    assert done.code == 1
    assert "`base/web/web.yaml` is in conflict" in done.err


def test_a_commit_is_compared_with_itself(shop: Path) -> None:
    """Whatever lies in the folder, or is staged."""
    bump(shop, "nginx:2")
    stale = commit(shop)
    assert run_envc(shop, "build").code == 0
    current = commit(shop)
    bump(shop, "nginx:3")
    assert gate(shop, "--at", current) == (0, [])
    assert gate(shop, "--at", "HEAD~1") == gate(shop, "--at", stale) == (16, STALE)
    done = run_envc(shop, "build", "--check", "--at", "nowhere")
    assert (done.code, "git knows no revision `nowhere`" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("build", "--staged"), "--staged only compares"),
        (("build", "--at", "HEAD"), "--at only compares"),
        (("build", "--check", "--staged", "--at", "HEAD"), "--staged and --at exclude each other"),
        (("build", "--check", "--staged", "--output", "x"), "--staged and --output exclude each other"),
    ],
)
def test_flags_that_do_not_go_together(shop: Path, words: tuple[str, ...], said: str) -> None:
    """What git holds is compared, never written."""
    done = run_envc(shop, *words)
    assert (done.code, said in done.err) == (2, True)


def test_outside_of_a_repository_there_is_nothing_staged(make_project: MakeProject) -> None:
    """The message says what to do."""
    root = make_project(FILES)
    done = run_envc(root, "build", "--check", "--staged")
    assert (done.code, done.err) == (2, "error: not a git repository\nhint: `git init` and commit first\n")


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_folder_index_and_commit_are_one_project(make_project: MakeProject, options: tuple[str, ...]) -> None:
    """The law: equal bytes give equal bytes, and what is remembered of one holds for the others."""
    root = make_project({
        **FILES,
        "base/gen/gen.jsonnet": "local l = import 'l.libsonnet';\n" + "l",
        "lib/l.libsonnet": "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'made'}, data: {a: 'b'}}\n",
        "base/link": "-> web-elsewhere",
        "base/web-elsewhere/c.yaml": config_map("elsewhere"),
        "envc.yaml": "chart: {name: shop}\n",
    })
    (root / "base/link").unlink()
    start(root, *options)
    made = []
    for project in (Project.open(root), Project.of_index(root), Project.of_commit(root / "base", "HEAD")):
        linked = [project.link(name) for name in project.environments]
        texts = Texts()
        made.append([dict(Outputs(one, texts)) for one in linked])
        digests = {path: project.parsed.digest(project.tree, path) for path in ("base/web/web.yaml",)}
        assert {len(digest) for digest in digests.values()} == {64 if options else 40}
        assert all(reason.is_remembered for one in linked for reason in one.reasons)
    assert made[0] == made[1] == made[2]
    assert made[0][0] == {
        path: data for path, data in read_files(root / "environments/dev").items() if path != ".envc-index"
    }


def test_a_project_in_a_part_of_the_repository(make_project: MakeProject) -> None:
    """Of several; also from a folder inside of it, and when nothing of it is checked out."""
    root = make_project({f"{name}/{path}": text for name in ("one", "two") for path, text in FILES.items()})
    git(root, "init", "--quiet", "--initial-branch=main")
    for name in ("one", "two"):
        assert run_envc(root / name, "build").code == 0
    commit(root)
    bump(root / "one", "nginx:2")
    git(root, "add", ".")
    assert gate(root / "one/base/web") == (16, STALE)
    assert gate(root / "two") == (0, [])


def test_a_sparse_checkout_checks_the_whole_commit(shop: Path) -> None:
    """What is not on disk is in the index."""
    bump(shop, "nginx:2")
    git(shop, "add", ".")
    git(shop, "sparse-checkout", "set", "--no-cone", "/overlays/", "/.gitignore")
    assert not (shop / "base/web").exists() or not (shop / "environments").exists()
    assert gate(shop) == (16, STALE)


def test_a_linked_work_tree_has_an_index_of_its_own(shop: Path, tmp_path: Path) -> None:
    """What is staged in the main one is another commit."""
    git(shop, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    bump(shop, "nginx:2")
    git(shop, "add", ".")
    assert gate(shop)[0] == 16
    assert gate(tmp_path / "side") == (0, [])


@pytest.fixture
def hooked(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with envc's hooks, and a remote that has it."""
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE_ROOT))
    run_git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(shop, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(shop, "push", "--quiet", "origin", "main")
    assert run_envc(shop, "hook", "install").code == 0
    return shop


def test_a_forgotten_add_is_refused(hooked: Path) -> None:
    """By pre-commit, and by pre-push when somebody went around it."""
    bump(hooked, "nginx:2")
    assert run_envc(hooked, "build").code == 0
    git(hooked, "add", "base")
    git(hooked, "commit", "--quiet", "-m", "forgot", fails=True)
    git(hooked, "commit", "--quiet", "-m", "forgot", "base", fails=True)
    git(hooked, "commit", "--quiet", "--no-verify", "-m", "forgot")
    git(hooked, "push", "--quiet", "origin", "main", fails=True)
    git(hooked, "add", "environments")
    git(hooked, "commit", "--quiet", "-m", "mended")
    git(hooked, "push", "--quiet", "origin", "main")


def test_work_in_progress_refuses_nothing(hooked: Path) -> None:
    """A commit of something else, and a push of another branch, go through."""
    bump(hooked, "nginx:9")
    write_files(hooked, {"README.md": "hi\n", "base/x/new.yaml": "no: manifest\n"})
    git(hooked, "add", "README.md")
    git(hooked, "commit", "--quiet", "-m", "readme")
    git(hooked, "push", "--quiet", "origin", "main", "main:other")


@pytest.mark.parametrize("options", [("-a",), ("base", "environments"), ("--include", "base", "environments")])
def test_a_partial_commit_is_the_one_that_is_made(hooked: Path, options: tuple[str, ...]) -> None:
    """Git hands its hook the index of that commit."""
    bump(hooked, "nginx:2")
    assert run_envc(hooked, "build").code == 0
    git(hooked, "commit", "--quiet", "-m", "partial", *options)
    bump(hooked, "nginx:3")
    git(hooked, "commit", "--quiet", "-m", "partial", *(word for word in options if word != "environments"), fails=True)


def test_an_index_that_somebody_else_made_is_the_one_that_is_committed(
    hooked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that make commits beside the work at hand set GIT_INDEX_FILE to a file of theirs, wherever it is."""
    bump(hooked, "nginx:2")
    own = tmp_path / "index"
    shutil.copy(hooked / ".git/index", own)
    monkeypatch.setenv("GIT_INDEX_FILE", str(own))
    git(hooked, "add", "base")
    git(hooked, "commit", "--quiet", "-m", "stale", fails=True)
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert run_envc(hooked, "build").code == 0
    monkeypatch.setenv("GIT_INDEX_FILE", str(own))
    git(hooked, "add", "environments")
    git(hooked, "commit", "--quiet", "-m", "current")


def test_a_staged_secret_is_found_though_the_file_is_mended(hooked: Path) -> None:
    """The scan reads the same tree."""
    patch = (
        "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: ConfigMap, name: settings}\n"
        "merge: {data: {color: red}}\n"
    )
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2hunter2}\n"
    write_files(hooked, {"overlays/prod/patch.yaml": patch, "notes/secret.yaml": secret})
    assert run_envc(hooked, "build").code == 0
    git(hooked, "add", ".")
    (hooked / "notes/secret.yaml").unlink()
    git(hooked, "commit", "--quiet", "-m", "secret", fails=True)
    git(hooked, "rm", "--quiet", "--cached", "notes/secret.yaml")
    git(hooked, "commit", "--quiet", "-m", "patch")


def test_a_merge_that_is_not_current_is_refused(hooked: Path) -> None:
    """Two branches that are current each may not be together: pre-merge-commit."""
    git(hooked, "checkout", "--quiet", "-b", "label")
    (hooked / "overlays/prod/environment.yaml").write_text(environment("namespace: prod\nlabels: {tier: web}\n"))
    assert run_envc(hooked, "build").code == 0
    git(hooked, "add", ".")
    git(hooked, "commit", "--quiet", "-m", "label")
    git(hooked, "checkout", "--quiet", "main")
    write_files(hooked, {"base/api/api.yaml": deployment("api")})
    assert run_envc(hooked, "build").code == 0
    git(hooked, "add", ".")
    git(hooked, "commit", "--quiet", "-m", "api")
    git(hooked, "merge", "--quiet", "--no-edit", "label", fails=True)
    assert run_envc(hooked, "build").code == 0
    git(hooked, "add", "environments")
    git(hooked, "commit", "--quiet", "--no-edit")
    assert gate(hooked, "--at", "HEAD") == (0, [])


def test_a_push_is_judged_by_what_it_sends(hooked: Path) -> None:
    """Each branch and tag on its own: deletions, what the remote has, and commits without a project are let through."""
    git(hooked, "checkout", "--quiet", "-b", "stale")
    bump(hooked, "nginx:2")
    git(hooked, "commit", "--quiet", "--no-verify", "-m", "stale", "base")
    git(hooked, "tag", "-a", "-m", "tag", "v1")
    git(hooked, "checkout", "--quiet", "main")
    for refs in (["stale"], ["main:fine", "stale"], ["v1"], ["HEAD:fine", "v1", ":gone"]):
        git(hooked, "push", "--quiet", "origin", *refs, fails=True)
    git(hooked, "push", "--quiet", "origin", "main:fine")
    git(hooked, "push", "--quiet", "--no-verify", "origin", "stale")
    git(hooked, "push", "--quiet", "origin", "stale:again")
    git(hooked, "push", "--quiet", "origin", "--delete", "again")
    git(hooked, "checkout", "--quiet", "--orphan", "pages")
    git(hooked, "rm", "--quiet", "-rf", ".")
    shutil.rmtree(hooked / "environments", ignore_errors=True)
    write_files(hooked, {"index.html": "hi\n"})
    git(hooked, "add", "index.html")
    git(hooked, "commit", "--quiet", "-m", "pages")
    git(hooked, "push", "--quiet", "origin", "pages")


def test_a_hook_of_another_repository_asks_about_the_right_index(shop: Path, tmp_path: Path) -> None:
    """Case git-dir-from-a-hook: GIT_INDEX_FILE counts only for the repository that it belongs to."""
    bump(shop, "nginx:2")
    git(shop, "add", "base")
    app = write_files(tmp_path / "app", {"file": "1"})
    git(app, "init", "--quiet")
    said = tmp_path / "said"
    script = (
        f"#!/bin/sh\nPYTHONPATH={PACKAGE_ROOT} {sys.executable} -m envcompile --project {shop}"
        f" build --check --staged >{said} 2>/dev/null\n"
    )
    write_files(app / ".git/hooks", {"pre-commit": script})
    (app / ".git/hooks/pre-commit").chmod(0o755)
    git(app, "add", "file")
    git(app, "commit", "-m", "x", "file", fails=True)
    assert said.read_text().splitlines() == STALE
