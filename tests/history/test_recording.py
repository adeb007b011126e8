"""Recording: what is kept is what the commit compiles to, once, whatever git did to the commit."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import log, open_past, resources_at, revision_of
from envcompile.actions.record import record, take_up, unrecorded
from envcompile.emit.manifests import built_in_kinds, manifests
from envcompile.errors import UnavailableError
from envcompile.git.repository import open_repository
from envcompile.history.doctor import check
from envcompile.history.stats import sizes
from envcompile.units.project import Project
from envcompile.yamlio import Renderer, dump
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder

pytestmark = pytest.mark.usefixtures("backend")


def rebuilt(folder: Folder, name: str, commit: str) -> dict[str, bytes]:
    """The files of an environment as the history has them."""
    with closing(folder.past()) as past:
        revision = revision_of(past, name, commit)
        state = past.store.state(revision.id)
        return {state[item.id].file: dump(item.value).encode() for item in resources_at(past, revision)}


def compiled(root: Path, name: str, commit: str) -> dict[str, bytes]:
    """The files of an environment as a build of the commit writes them."""
    built = Project(open_repository(root).commit_tree(commit)).compile_with_sources(name)
    return dict(manifests(built.compiled, Renderer(), built_in_kinds(built.composed.api)).files)


def test_every_revision_rebuilds_byte_for_byte(folder: Folder) -> None:
    """Changed, added, removed and unchanged resources, and an environment that comes and goes."""
    commits = [
        folder.commit("start"),
        folder.commit("an image", base__web=deployment(image="nginx:1.28")),
        folder.commit("a new resource", base__more=config_map("more", answer='"42"', key="[a, b]")),
        folder.commit("only words", README="nothing\n"),
    ]
    (folder.root / "base" / "more.yaml").unlink()
    commits.append(folder.commit("a new environment", overlays__test__environment=environment()))
    (folder.root / "overlays" / "test" / "environment.yaml").unlink()
    commits.append(folder.commit("gone again", base__web=deployment(replicas=3)))
    found = folder.record()
    assert found.new == tuple(commits)
    for commit in commits:
        for name in Project(open_repository(folder.root).commit_tree(commit)).environments:
            assert rebuilt(folder, name, commit) == compiled(folder.root, name, commit), (name, commit)
    with closing(folder.past()) as past:
        assert check(past.store).damage == ()
        assert [entry.changed for entry in log(past, "prod")] == [1, 1, 0, 1, 1, 2]
        assert [entry.commit.message for entry in log(past, "test")] == ["a new environment"]


def test_the_working_tree_has_no_say(folder: Folder) -> None:
    """What is not committed is not recorded, however broken it is."""
    commit = folder.commit("start")
    folder.write(base__web="kind: [broken")
    folder.record()
    assert b"nginx:1.27" in b"".join(rebuilt(folder, "prod", commit).values())


def test_recording_twice_changes_nothing(folder: Folder) -> None:
    """A second run finds every commit recorded."""
    folder.commit("start")
    folder.commit("more", base__web=deployment(replicas=2))
    folder.record()
    with closing(folder.past()) as past:
        before = sizes(past.store.database)
    again = folder.record()
    assert (len(again.new), len(again.known)) == (0, 2)
    with closing(folder.past()) as past:
        assert sizes(past.store.database) == before


def test_equal_content_is_stored_once(folder: Folder) -> None:
    """Going back to an earlier value adds a revision and no content."""
    folder.commit("start")
    folder.commit("there", base__web=deployment(replicas=2))
    folder.record()
    with closing(folder.past()) as past:
        before = sizes(past.store.database)["contents"]
    folder.commit("and back", base__web=deployment(replicas=1))
    folder.record()
    with closing(folder.past()) as past:
        assert sizes(past.store.database)["contents"] == before


def test_a_commit_that_does_not_compile_is_recorded_with_the_reason(folder: Folder) -> None:
    """The environment keeps what it had, and the next commit's changes are its own."""
    first = folder.commit("start")
    broken = folder.commit("broken", overlays__prod__web="kind: Deployment\nmetadata: {name: web}\n")
    (folder.root / "overlays" / "prod" / "web.yaml").unlink()
    mended = folder.commit("mended", base__web=deployment(replicas=4))
    found = folder.record()
    assert found.failing == (broken,)
    with closing(folder.past()) as past:
        revisions = past.store.revisions("prod")
        assert "overlays/prod/web.yaml" in revisions[broken].problem
        assert past.store.state(revisions[broken].id) == past.store.state(revisions[first].id)
        assert [entry.changed for entry in log(past, "prod")] == [1, 0, 2]
    assert rebuilt(folder, "prod", mended) == compiled(folder.root, "prod", mended)


def test_a_partial_clone_records_no_failure_of_its_own(folder: Folder, tmp_path: Path) -> None:
    """What the clone does not hold would compile elsewhere: recording stops and says what is missing."""
    first = folder.commit("start")
    folder.commit("more", base__web=deployment(replicas=2))
    folder.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", folder.root.as_uri(), clone], check=True)
    with closing(open_past(clone, create=True)) as past:
        with pytest.raises(UnavailableError, match=r"git cannot read `base/web.yaml` of commit"):
            record(open_repository(clone), past.store, [first])
        assert not past.store.known()


@pytest.mark.parametrize(
    "what", ["{0}:base/web.yaml", "{0}:base", "{0}^{{tree}}", "{0}:overlays/prod/environment.yaml"]
)
@pytest.mark.parametrize("is_there", [True, False])
def test_a_damaged_repository_records_no_failure_of_its_own(folder: Folder, what: str, *, is_there: bool) -> None:
    """What a disk lost is no fault of the commit: it is not recorded until it can be read, and then as it is."""
    first = folder.commit("start")
    there = environment("namespace: there\n")
    second = folder.commit("more", base__web=deployment(replicas=2), overlays__prod__environment=there)
    name = folder.git("rev-parse", what.format(second)).strip()
    file = folder.root / ".git/objects" / name[:2] / name[2:]
    whole = file.read_bytes()
    file.unlink()
    if is_there:
        file.write_bytes(b"damaged")
    with closing(folder.past()) as past:
        with pytest.raises(UnavailableError, match="git cannot read") as caught:
            record(open_repository(folder.root), past.store, [first, second])
        assert "git fsck" in caught.value.problems[0].fix
        assert past.store.known() == {first}
        file.write_bytes(whole)
        assert record(open_repository(folder.root), past.store, [first, second]).failing == ()
        assert not past.store.revisions("prod")[second].problem


def test_a_shallow_clones_commit_is_completed_by_a_later_import(folder: Folder, tmp_path: Path) -> None:
    """A commit without its parent holds all; with the parent recorded it holds what it changed, and both rebuild."""
    first = folder.commit("start")
    second = folder.commit("more", base__web=deployment(replicas=2))
    third = folder.commit("even more", base__web=deployment(replicas=3))
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", folder.root.as_uri(), shallow], check=True)
    with closing(folder.past()) as past:
        assert record(open_repository(shallow), past.store, [third]).new == (third,)
        assert log(past, "prod")[0].changed == 2
    folder.record()
    with closing(folder.past()) as past:
        assert [(entry.commit.hash, entry.changed) for entry in log(past, "prod")] == [
            (third, 1),
            (second, 1),
            (first, 2),
        ]
        fields = past.store.field_rows(past.store.revisions("prod")[third].id)
        assert [(row.field, row.old, row.new) for row in fields] == [("spec.replicas", "2", "3")]
        assert check(past.store).damage == ()
    assert rebuilt(folder, "prod", third) == compiled(folder.root, "prod", third)


def test_a_bare_repository_is_recorded_as_it_is(folder: Folder, tmp_path: Path) -> None:
    """A server's repository has no work tree, and needs none."""
    commits = [folder.commit("start"), folder.commit("more", base__web=deployment(replicas=2))]
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", folder.root, bare], check=True)
    with closing(open_past(bare, create=True)) as past:
        assert record(past.repository, past.store, past.repository.walk(["HEAD"], oldest_first=True)).new == tuple(
            commits
        )
        assert [entry.commit.hash for entry in log(past, "prod")] == commits[::-1]


def test_a_linked_work_tree_shares_the_history(folder: Folder, tmp_path: Path) -> None:
    """The commits of every work tree come together."""
    folder.commit("start")
    folder.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    side = open_past(tmp_path / "side", create=True)
    main = open_past(folder.root, create=True)
    assert side.repository.home == main.repository.home == folder.root / ".envc"
    side.close()
    main.close()


def test_a_project_in_a_folder_of_a_repository_is_recorded(tmp_path: Path) -> None:
    """The project need not be at the top; a commit elsewhere in the repository changes nothing."""
    from tests.history.conftest import new_folder

    root = tmp_path / "repository"
    (root / "deploy").mkdir(parents=True)
    inner = new_folder(root / "deploy")
    (root / "deploy" / ".git").rename(root / ".git")
    first = inner.commit("start")
    (root / "code.txt").write_text("x")
    second = inner.commit("code")
    assert inner.record().new == (first, second)
    assert rebuilt(inner, "prod", second) == compiled(inner.root, "prod", second)


def test_what_lies_between_is_recorded_with_a_commit(folder: Folder) -> None:
    """After a pull, the commits that came with it are not forgotten; without any history only the one is recorded."""
    commits = [folder.commit(f"change {number}", base__web=deployment(replicas=number)) for number in range(1, 6)]
    with closing(folder.past()) as past:
        assert unrecorded(past.repository, past.store, [commits[1]]) == [commits[1]]
        record(past.repository, past.store, [commits[1]])
        assert unrecorded(past.repository, past.store, [commits[4]]) == commits[2:]


def test_waiting_commits_are_recorded_in_order_and_once(folder: Folder) -> None:
    """The spool is emptied; a commit that git has thrown away does not stop it, and strangers are left alone."""
    commits = [folder.commit(f"change {number}", base__web=deployment(replicas=number)) for number in range(1, 5)]
    with closing(folder.past()) as past:
        for commit in [commits[3], commits[1], commits[0], commits[2], "0" * 40]:
            past.spool.add(commit)
        (past.spool.folder / "scribble").write_bytes(b"\0\xff")
        found = take_up(past.repository, past.store, past.spool)
        assert (found.new, found.gone) == (tuple(commits), ("0" * 40,))
        assert past.spool.waiting() == []
        assert past.spool.strangers() == ["scribble"]
        assert take_up(past.repository, past.store, past.spool).new == ()


def test_a_secret_in_clear_is_never_recorded(folder: Folder) -> None:
    """Throw-away clusters keep their Secrets in git; the history has only that there is one."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: hunter-2}\n"
    commit = folder.commit(
        "start", overlays__dev__environment=environment("secretBackend: plaintext\n"), overlays__dev__token=secret
    )
    (folder.root / "base" / "token.yaml").unlink(missing_ok=True)
    folder.record()
    with closing(folder.past()) as past:
        state = past.store.state(past.store.revisions("dev")[commit].id)
        bodies = past.store.bodies([held.content for held in state.values()])
        assert not any(b"hunter-2" in body for body in bodies.values())
        assert any(b"(not recorded)" in body for body in bodies.values())
