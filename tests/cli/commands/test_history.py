"""`envc history` as people run it: what it prints, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import call_envc, run_envc
from tests.harness.repository import deployment
from tests.history.conftest import new_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Two recorded commits: a start, and another image."""
    root = tmp_path / "project"
    root.mkdir()
    made = new_folder(root)
    made.commit("start")
    made.commit("another image\n\nWith a body.", base__web=deployment(image="nginx:1.28"))
    made.record()
    return made


def test_the_log_is_gits(folder: Folder) -> None:
    """One line a commit, newest first, and JSON with everything."""
    second, first = folder.git("log", "--format=%h", "--abbrev=12").split()
    outcome = run_envc(folder.root, "history", "log", "prod")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"{second}  2023-11-14 22:20  Ada  1 changed         another image\n"
        f"{first}  2023-11-14 22:17  Ada  2 added           start\n"
    )
    outcome = run_envc(folder.root, "history", "log", "prod", "-n", "1", "--format", "json")
    (entry,) = json.loads(outcome.out)["revisions"]
    assert entry["author"] == {"name": "Ada", "email": "ada@example.com", "time": "2023-11-14T22:20:20+00:00"}
    assert (entry["message"], entry["changed"], entry["resources"]) == ("another image\n\nWith a body.", 1, 2)


def test_commits_that_are_not_recorded_are_counted(folder: Folder) -> None:
    """The log never looks complete when it is not."""
    folder.commit("three")
    outcome = run_envc(folder.root, "history", "log", "prod", "-n", "1")
    assert outcome.err == "1 commit not recorded: `envc history import` records what is missing\n"
    outcome = run_envc(folder.root, "history", "show", "prod")
    commit = folder.git("rev-parse", "--short=12", "HEAD")
    assert (outcome.code, outcome.err) == (
        2,
        f"error: commit {commit} is not recorded\nhint: record it: envc history record --commit {commit}\n",
    )
    assert run_envc(folder.root, "history", "import").err == "1 commit recorded\n"
    assert run_envc(folder.root, "history", "import").err == "all 3 commits are recorded\n"


def test_everything_that_branches_and_tags_reach_can_be_imported(folder: Folder) -> None:
    """Not only what is checked out."""
    for name in ("branched", "tagged"):
        folder.git("checkout", "-q", "--detach", "main" if name == "branched" else "HEAD~1")
        folder.commit(name)
        folder.git(*(["branch", name] if name == "branched" else ["tag", "-a", "-m", "v1", "v1"]))
    folder.git("checkout", "-q", "main")
    assert run_envc(folder.root, "history", "import").err == "all 2 commits are recorded\n"
    assert run_envc(folder.root, "history", "import", "--all").err == "2 commits recorded\n"
    assert run_envc(folder.root, "history", "import", "--all").err == "all 4 commits are recorded\n"


def test_show_prints_the_change_or_the_resource(folder: Folder) -> None:
    """The changed fields with the line that sets them; with KIND/NAME the whole."""
    commit = folder.git("rev-parse", "HEAD")
    outcome = run_envc(folder.root, "history", "show", "prod")
    assert outcome.out == (
        f"commit {commit}\nAuthor: Ada <ada@example.com>  2023-11-14 22:20\n\n    another image\n\n"
        "prod: 2 resources, 1 changed\n  changed Deployment.apps/web (namespace production)\n"
        '    spec.template.spec.containers[name=web].image: "nginx:1.27" -> "nginx:1.28"  base/web.yaml:17:16\n'
    )
    outcome = run_envc(folder.root, "history", "show", "prod", "HEAD~1", "deployment/web")
    assert outcome.out.startswith("---\napiVersion: apps/v1\n")
    assert "image: nginx:1.27\n" in outcome.out


def test_at_prints_what_was_there(folder: Folder) -> None:
    """By the clock of the commits."""
    outcome = run_envc(folder.root, "history", "at", "2023-11-14T22:18", "prod", "deployment/web")
    assert "image: nginx:1.27\n" in outcome.out
    outcome = run_envc(folder.root, "history", "at", "2023-11-15", "prod", "deployment/web")
    assert "image: nginx:1.28\n" in outcome.out


def test_the_environment_comes_first_and_the_other_order_is_understood(folder: Folder) -> None:
    """A hint shows the one order, and stdout is the same."""
    for right, swapped in (
        (["show", "prod", "HEAD"], ["show", "HEAD", "prod"]),
        (["log", "prod", "HEAD"], ["log", "HEAD", "prod"]),
        (["diff", "prod", "HEAD~1", "HEAD"], ["diff", "HEAD~1", "HEAD", "prod"]),
    ):
        expected, outcome = (run_envc(folder.root, "history", *words) for words in (right, swapped))
        assert (outcome.code, outcome.out) == (expected.code, expected.out)
        assert f": envc history {' '.join(right)}\n" in outcome.err
        assert "hint" not in expected.err
    assert run_envc(folder.root, "history", "find", "prod", "image=*") == run_envc(
        folder.root, "history", "find", "image=*", "prod"
    )


def test_diff_exits_16_when_something_differs(folder: Folder) -> None:
    """The same picture as `envc diff` gives, without compiling."""
    outcome = run_envc(folder.root, "history", "diff", "HEAD~1", "HEAD", "--format", "json")
    assert outcome.code == 16
    assert "nginx:1.28" in outcome.out
    outcome = run_envc(folder.root, "history", "diff", "prod", "HEAD", "HEAD")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "nothing differs\n")


def test_blame_prints_a_field_and_its_commit(folder: Folder) -> None:
    """Value, commit, day, author, value before, place."""
    second, first = folder.git("log", "--format=%h", "--abbrev=12").split()
    field = "spec.template.spec.containers[name=web]"
    outcome = run_envc(folder.root, "history", "blame", "prod", "deployment/web", field)
    assert outcome.out == (
        f'{field}.name = "web"\n  {first}  2023-11-14 22:17  Ada  with the resource  base/web.yaml:16:15\n'
        f'{field}.image = "nginx:1.28"\n  {second}  2023-11-14 22:20  Ada  from "nginx:1.27"  base/web.yaml:17:16\n'
    )
    outcome = run_envc(folder.root, "history", "blame", "prod", "deployment/web", f"{field}.image", "--format", "json")
    (found,) = json.loads(outcome.out)["fields"]
    assert (found["value"], found["old"], found["how"]) == ("nginx:1.28", "nginx:1.27", "changed")


def test_find_stats_and_export_print_rows(folder: Folder) -> None:
    """Lines for people, JSON for machines."""
    outcome = run_envc(folder.root, "history", "find", "image=*:1.28")
    field = "spec.template.spec.containers[name=web].image"
    assert outcome.out == "".join(f'{name}: Deployment/web {field} = "nginx:1.28"\n' for name in ("dev", "prod"))
    outcome = run_envc(folder.root, "history", "find", "image")
    assert (outcome.code, outcome.err) == (
        2,
        "error: `image` is no search\nhint: write FIELD=PATTERN, such as 'image=*:v1.2*'\n",
    )
    outcome = run_envc(folder.root, "history", "stats", "--format", "json")
    assert json.loads(outcome.out)["sizes"] | {"bytes": 0} == {
        "commits": 2,
        "revisions": 4,
        "resources": 4,
        "contents": 6,
        "changed fields": 2,
        "bytes": 0,
    }
    rows = [json.loads(line) for line in run_envc(folder.root, "history", "export").out.splitlines()]
    assert [(row["environment"], len(row["changes"])) for row in rows] == [
        ("dev", 2),
        ("dev", 1),
        ("prod", 2),
        ("prod", 1),
    ]


def test_restore_says_what_it_did(folder: Folder) -> None:
    """The output goes back, the sources do not, and that is said."""
    first = folder.git("rev-parse", "--short=12", "HEAD~1")
    outcome = run_envc(folder.root, "history", "restore", "prod", "HEAD~1", "--as-output")
    assert outcome.err == (
        f"environments/prod is as at {first}: 2 files changed\n"
        "hint: the next build writes what the sources say; to stay there, take them back too: "
        f"envc history restore prod {first} --as-overlay\n"
    )


def test_restore_into_the_overlay_names_the_files(folder: Folder) -> None:
    """Files on standard output, for people what it means; a second time there is nothing to do."""
    first = folder.git("rev-parse", "--short=12", "HEAD~1")
    outcome = run_envc(folder.root, "history", "restore", "prod", "HEAD~1", "--as-overlay")
    assert (outcome.code, outcome.out) == (0, "overlays/prod/web/restored.yaml\n")
    assert outcome.err == (
        f"prod compiles to what it was at {first}: 1 file changed\n"
        "hint: envc build prod && git add overlays/prod environments/prod\n"
    )
    outcome = run_envc(folder.root, "history", "restore", "prod", "HEAD~1", "--as-overlay")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", f"prod is as at {first} already\n")
    outcome = run_envc(folder.root, "history", "restore", "prod", "HEAD~1", "--as-overlay", "--as-output")
    assert (outcome.code, outcome.err) == (
        2,
        "error: a restoration goes into the output or into the overlay\nhint: name one of the two options\n",
    )
    outcome = run_envc(folder.root, "history", "restore", "prod", "HEAD~1", "--as-overlay", "--only", "deployment/wep")
    assert (outcome.code, outcome.err) == (
        2,
        f"error: prod now and at {first} has no resource deployment/wep\nhint: did you mean `Deployment/web`?\n",
    )


def test_unknown_names_are_answered(folder: Folder) -> None:
    """An environment, a revision, and a folder without git."""
    outcome = run_envc(folder.root, "history", "log", "prodd")
    assert (outcome.code, outcome.err) == (
        2,
        "error: the history has no environment `prodd`\nhint: did you mean `prod`?\n",
    )
    outcome = run_envc(folder.root, "history", "show", "prod", "nowhere")
    assert (outcome.code, outcome.err) == (
        2,
        "error: git knows no revision `nowhere`\nhint: name a branch, a tag or a commit that this repository holds\n",
    )
    outcome = run_envc(folder.root.parent, "history", "log", "prod")
    assert outcome.code == 2
    assert outcome.err.startswith("error: not a git repository")


def test_a_detached_recording_returns_at_once(folder: Folder) -> None:
    """The commit waits in the spool for a process of its own."""
    from contextlib import closing

    from envcompile.actions.past import open_past
    from envcompile.history.spool import Spool

    commit = folder.commit("three")
    assert call_envc(folder.root, "history", "record", "--detach").code == 0
    spool = Spool(folder.root / ".envc")
    with spool.alone():
        pass
    outcome = run_envc(folder.root, "history", "record", "--waiting")
    assert outcome.code == 0
    with closing(open_past(folder.root)) as past:
        assert commit in past.store.known()


def test_sync_records_what_is_missing_and_rebuild_what_is_there(folder: Folder) -> None:
    """Also after pruning: what went stays away, what is kept compiles to what is recorded."""
    folder.commit("three", base__web=deployment(replicas=3))
    folder.commit("four", base__web=deployment(replicas=4))
    assert run_envc(folder.root, "history", "sync").err == "2 commits recorded\n"
    assert run_envc(folder.root, "history", "sync").err == "nothing is missing\n"
    assert run_envc(folder.root, "history", "rebuild", "--check").err == "4 commits compiled again: nothing differs\n"
    assert run_envc(folder.root, "history", "prune", "--keep-last", "2").code == 0
    assert run_envc(folder.root, "history", "sync").err == "nothing is missing\n"
    for options in (["--check"], []):
        outcome = run_envc(folder.root, "history", "rebuild", *options)
        assert (outcome.code, outcome.err) == (
            0,
            "2 commits compiled again, 2 others kept as recorded: nothing differs\n",
        )
    assert run_envc(folder.root, "history", "import").err == "all 4 commits are recorded\n"
    assert run_envc(folder.root, "history", "doctor").code == 0
