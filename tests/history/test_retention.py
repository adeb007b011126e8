"""Retention: what goes is gone and stays gone, what stays reads as before, on both databases."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.blame import blame_fields
from envcompile.actions.past import log, open_past, resources_at, revision_of
from envcompile.actions.prune import prune_history
from envcompile.actions.record import record
from envcompile.errors import UsageError
from envcompile.history import retention
from envcompile.history.doctor import check
from envcompile.history.retention import choose, prune, pruned
from envcompile.history.stats import sizes
from envcompile.units.project import Project
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment

if TYPE_CHECKING:
    from typing import Any

    from envcompile.actions.past import Past
    from envcompile.history.retention import Pruned
    from tests.history.conftest import Folder

pytestmark = pytest.mark.usefixtures("backend")


def states(past: Past, commits: list[str]) -> dict[tuple[str, str], list[Any]]:
    """What every environment held at commits."""
    return {
        (name, commit): [(item.id, item.value) for item in resources_at(past, revision_of(past, name, commit))]
        for name in past.store.environments()
        for commit in commits
        if commit in past.store.revisions(name)
    }


def edited(folder: Folder, count: int, random: Random) -> list[str]:
    """Commits that change, add and remove resources; every fourth is a merge."""
    commits = [folder.commit("start")]
    for number in range(count):
        if number % 4 == 3:
            folder.git("checkout", "-q", "-b", f"side{number}", "HEAD~1")
            commits.append(folder.commit(f"side {number}", base__side=config_map("side", n=f"'{number}'")))
            folder.git("checkout", "-q", "main")
            folder.git("merge", "-q", "--no-edit", "--no-verify", "-X", "theirs", f"side{number}")
            folder.git("branch", "-q", "-D", f"side{number}")
            commits.append(folder.git("rev-parse", "HEAD"))
            continue
        files = {"base__web": deployment(replicas=random.randint(1, 99))}
        if random.random() < 0.5:
            files[f"base__extra{random.randint(0, 3)}"] = config_map(f"extra{random.randint(0, 3)}", k=f"v{number}")
        for path in (folder.root / "base").glob("extra*.yaml"):
            path.unlink()
        if random.random() < 0.2:
            files["base__broken"] = "apiVersion: v1\nkind: ConfigMap\n"
        else:
            (folder.root / "base" / "broken.yaml").unlink(missing_ok=True)
        commits.append(folder.commit(f"edit {number}", **files))
    return commits


@pytest.mark.parametrize("seed", range(2))
def test_what_stays_reads_as_before(folder: Folder, seed: int) -> None:
    """Whichever commits go: states, logs and digests of the others are as they were, and the rest is given back."""
    random = Random(seed)
    commits = edited(folder, 14, random)
    folder.record()
    with closing(open_past(folder.root)) as past:
        for share in (0.3, 0.6):
            gone = set(random.sample(commits[:-1], round(share * len(commits))))
            left = [commit for commit in commits if commit not in gone | pruned(past.store.database)]
            before = states(past, left)
            entries = {entry.commit.hash: entry.revision[4:] for entry in log(past, "prod", every=True)}
            rehearsed = prune(past.store, gone, dry_run=True)
            assert states(past, left) == before
            done = prune(past.store, gone)
            assert rehearsed == done
            assert states(past, left) == before
            assert {entry.commit.hash: entry.revision[4:] for entry in log(past, "prod", every=True)} == {
                commit: rest for commit, rest in entries.items() if commit in left
            }
            assert check(past.store).damage == ()
            held = past.store.database.rows("SELECT COUNT(DISTINCT content_id) FROM resource_change")[0][0]
            assert sizes(past.store.database)["contents"] == held
        folder.commit("afterwards", base__web=deployment(replicas=100))
        assert len(record_all(past)) == 1
        assert check(past.store).damage == ()
        prune(past.store, past.store.known())
        (folder.root / "base" / "broken.yaml").unlink(missing_ok=True)
        folder.commit("anew", base__web=deployment(replicas=101))
        assert len(record_all(past)) == 1
        assert check(past.store).damage == ()
        made = {item.id: item.value for item in Project.open(folder.root).compile("prod").resources}
        assert {item.id: item.value for item in resources_at(past, revision_of(past, "prod", "HEAD"))} == made


def record_all(past: Past) -> tuple[str, ...]:
    """Import everything that HEAD reaches; what was new."""
    return record(past.repository, past.store, past.repository.walk(["HEAD"], oldest_first=True)).new


def test_pruned_commits_do_not_come_back(folder: Folder) -> None:
    """They count as recorded, the log says that they are gone, and a question about them is answered."""
    first = folder.commit("start")
    folder.commit("two", base__web=deployment(replicas=2))
    folder.commit("three", base__web=deployment(replicas=3))
    folder.record()
    outcome = run_envc(folder.root, "history", "prune", "--keep-last", "1")
    assert outcome.err.startswith("2 commits pruned: 4 revisions, 4 contents of ")
    assert outcome.err.endswith("\n2 revisions now hold all themselves\n")
    assert run_envc(folder.root, "history", "import").err == "all 3 commits are recorded\n"
    assert run_envc(folder.root, "history", "doctor").code == 0
    outcome = run_envc(folder.root, "history", "log", "prod")
    assert outcome.out.endswith("  2 in all          three\n")
    assert outcome.err == "2 commits pruned: what they compiled to is not kept any more\n"
    outcome = run_envc(folder.root, "history", "show", "prod", first)
    assert (outcome.code, outcome.err) == (
        2,
        (
            f"error: commit {first[:12]} was pruned: what it compiled to is not kept any more\n"
            "hint: git has its sources; `envc history log prod` lists what is kept\n"
        ),
    )
    outcome = run_envc(folder.root, "history", "show", "prod")
    assert outcome.out.endswith("\n    three\n\nprod: 2 resources; the commits before were pruned\n")
    assert run_envc(folder.root, "history", "prune", "--keep-last", "1").err == "nothing to prune\n"


def test_blame_says_where_its_knowledge_begins(folder: Folder) -> None:
    """A change that is kept names its commit; what is older is in or before the first that is kept."""
    folder.commit("start")
    second = folder.commit("two", base__web=deployment(replicas=2))
    third = folder.commit("three", base__web=deployment(replicas=3))
    folder.record()
    with closing(open_past(folder.root)) as past:
        prune(past.store, choose(past.store.database, [], before=None, keep=2, among=None))
        found = {blamed.field: blamed for blamed in blame_fields(past, "prod", "deployment/web", "spec")[1]}
        replicas = found["spec.replicas"]
        assert (replicas.commit, replicas.how, replicas.old, replicas.or_before) == (third, "changed", "2", False)
        name = found["spec.template.spec.containers[name=web].name"]
        assert (name.commit, name.or_before) == (second, True)
    outcome = run_envc(folder.root, "history", "blame", "prod", "deployment/web", "metadata.name")
    when = folder.git("show", "-s", "--format=%cd", "--date=format:%Y-%m-%d %H:%M", second)
    assert outcome.out == (
        f'metadata.name = "web"\n  in or before {second[:12]}  {when}  Ada: the history begins there'
        "  base/web.yaml:4:9\n"
    )


def test_branches_tags_and_the_newest_revisions_stay(folder: Folder) -> None:
    """Whatever the rules say; an environment that went keeps its last revision."""
    commits = [folder.commit(f"c{number}", base__web=deployment(replicas=number)) for number in range(1, 7)]
    folder.git("tag", "-a", "-m", "release", "v1", commits[1])
    folder.git("branch", "old", commits[3])
    for path in (folder.root / "overlays" / "dev").iterdir():
        path.unlink()
    newest = folder.commit("no dev any more")
    folder.record()
    with closing(open_past(folder.root)) as past:
        prune_history(past, days=1, keep=None, unreachable=False, dry_run=False)
        assert {*past.store.revisions("prod")} == {commits[1], commits[3], commits[5], newest}
        assert {*past.store.revisions("dev")} == {commits[1], commits[3], commits[5]}
        assert check(past.store).damage == ()


def test_only_what_git_reaches_no_more_goes_when_asked(folder: Folder) -> None:
    """An amended commit goes, its successor and everything before stay."""
    first = folder.commit("start")
    amended = folder.commit("slip", base__web=deployment(replicas=2))
    folder.record()
    folder.write(base__web=deployment(replicas=3))
    folder.git("commit", "-q", "--all", "--amend", "--no-verify", "-m", "right")
    folder.record()
    with closing(open_past(folder.root)) as past:
        done, _ = prune_history(past, days=None, keep=None, unreachable=True, dry_run=False)
        assert done.commits == 1
        assert pruned(past.store.database) == {amended}
        assert {*past.store.revisions("prod")} == {first, folder.git("rev-parse", "HEAD")}


def test_rules_have_to_be_given_and_hold_together(folder: Folder) -> None:
    """Nothing goes without a rule; of several all must allow it."""
    for number in range(1, 5):
        folder.commit(f"c{number}", base__web=deployment(replicas=number))
    folder.record()
    with closing(open_past(folder.root)) as past:
        with pytest.raises(UsageError) as caught:
            prune_history(past, days=None, keep=None, unreachable=False, dry_run=False)
        assert str(caught.value) == (
            "error: nothing says what may go\n"
            "hint: write --older-than 90d, --keep-last 500 or --unreachable; several together must all allow it"
        )
        for rules, count in (((1, 3), 1), ((100_000, 1), 0), ((1, None), 3)):
            assert rehearsed(past, *rules).commits == count


def rehearsed(past: Past, days: int | None, keep: int | None) -> Pruned:
    """What would go."""
    return prune_history(past, days=days, keep=keep, unreachable=False, dry_run=True)[0]


def test_a_killed_pruning_leaves_all_as_it_was(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old history or the new one, never something between."""
    commits = [folder.commit(f"c{number}", base__web=deployment(replicas=number)) for number in range(1, 5)]
    folder.record()
    with closing(open_past(folder.root)) as past:
        before = (states(past, commits), {**sizes(past.store.database), "bytes": 0})
    child = os.fork()
    if not child:
        monkeypatch.setattr(retention, "_stop", lambda **_: os.kill(os.getpid(), signal.SIGKILL))
        past = open_past(folder.root)
        prune(past.store, commits[:3])
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    with closing(open_past(folder.root)) as past:
        assert (states(past, commits), {**sizes(past.store.database), "bytes": 0}) == before


def test_the_space_is_given_back(folder: Folder, backend: str) -> None:
    """A SQLite file is as small afterwards as what is in it."""
    for number in range(16):
        noise = Random(number).randbytes(4000).hex()
        folder.commit(f"c{number}", base__noise=config_map("noise", k=noise))
    folder.record()
    with closing(open_past(folder.root)) as past:
        before = sizes(past.store.database)["bytes"]
        done, left = prune_history(past, days=None, keep=2, unreachable=False, dry_run=False)
        assert (done.commits, left) == (14, "")
        assert done.bytes > 14 * 4000
        if backend == "sqlite":
            assert sizes(past.store.database)["bytes"] < before - done.bytes
