"""Case merge-conflicts-in-envc-index: what two branches do to different things merges; what git leaves is mended."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.emit.index import parse_index
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.conftest import MakeProject

WEB = deployment(replicas=2) + "---\n" + config_map("web-config", level="info", port='"8080"')


@pytest.fixture
def shop(make_project: MakeProject) -> Path:
    """One application in one environment, built and committed on main."""
    root = make_project({
        "base/web/web.yaml": WEB,
        "overlays/prod/environment.yaml": environment("namespace: shop-prod\n"),
        ".gitignore": ".envc/\n",
    })
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "test")
    git(root, "config", "user.email", "test@example.com")
    build(root)
    commit(root)
    return root


def build(root: Path) -> None:
    """Build what there is."""
    done = run_envc(root, "build")
    assert done.code == 0, done.err


def replace(root: Path, old: str, new: str) -> None:
    """Change a word of the application."""
    file = root / "base/web/web.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def add(name: str) -> Callable[[Path], object]:
    """A change that adds an application."""
    return lambda root: write_files(root, {f"base/{name}/{name}.yaml": f"{deployment(name)}---\n{config_map(name)}"})


CHANGES: dict[str, Callable[[Path], object]] = {
    "image": lambda root: replace(root, "nginx:1.27", "nginx:2"),
    "replicas": lambda root: replace(root, "replicas: 2", "replicas: 3"),
    "five": lambda root: replace(root, "replicas: 2", "replicas: 5"),
    "config": lambda root: replace(root, "level: info", "level: warn"),
    "further": lambda root: write_files(root, {"base/web/further.yaml": config_map("further")}),
    "another": lambda root: write_files(root, {"base/web/another.yaml": config_map("another")}),
    "gone": lambda root: (root / "base/web/web.yaml").write_text(deployment(replicas=2)),
    "staging": lambda root: write_files(root, {"overlays/staging/environment.yaml": environment()}),
    "testing": lambda root: write_files(root, {"overlays/testing/environment.yaml": environment()}),
    "api": add("api"),
    "job": add("job"),
}


def branch(root: Path, name: str, *, start: str = "main") -> str:
    """Make a change on a branch of its own, built and committed; the branch's name."""
    git(root, "checkout", "--quiet", "-b", name, start)
    CHANGES[name](root)
    build(root)
    commit(root, name)
    return name


def is_current(root: Path) -> bool:
    """Tell whether a fresh look finds environments/ to be what the sources say."""
    shutil.rmtree(root / ".envc", ignore_errors=True)
    return run_envc(root, "build", "--check").code == 0


PAIRS = [
    ("image", "replicas"),
    ("image", "config"),
    ("api", "job"),
    ("further", "another"),
    ("further", "gone"),
    ("api", "further"),
    ("gone", "api"),
    ("gone", "replicas"),
    ("staging", "testing"),
    ("staging", "image"),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_branches_that_touch_different_things_merge(shop: Path, ours: str, theirs: str, how: str) -> None:
    """Without a conflict, and what comes out is current: fields, resources, applications, environments."""
    branch(shop, theirs)
    branch(shop, ours)
    git(shop, how, *(["--quiet"] if how != "cherry-pick" else []), theirs)
    assert git(shop, "status", "--porcelain") == ""
    expected = {"staging", "testing"} & {ours, theirs}
    if not expected:
        assert is_current(shop)


def test_an_octopus_merges(shop: Path) -> None:
    """Which honours no attributes: the index merges by itself."""
    names = ["image", "api", "job", "further", "another"]
    for name in names:
        branch(shop, name)
    git(shop, "checkout", "--quiet", "main")
    git(shop, "merge", "--quiet", "-m", "all", *names)
    assert is_current(shop)


def test_hosts_that_honour_no_attributes_merge_it_too(shop: Path) -> None:
    """GitHub's button is one: additions do not meet in the index."""
    (shop / "environments/.gitattributes").write_text("")
    commit(shop)
    for name in ("api", "job", "further"):
        branch(shop, name)
    git(shop, "checkout", "--quiet", "main")
    for name in ("api", "job", "further"):
        git(shop, "merge", "--quiet", name)
    assert is_current(shop)


def test_a_queue_of_ten_branches_merges(shop: Path) -> None:
    """Each adds an application beside the others; one after the other lands."""
    names = [f"app-{number}" for number in range(10)]
    for name in names:
        git(shop, "checkout", "--quiet", "-b", name, "main")
        add(name)(shop)
        build(shop)
        commit(shop, name)
    git(shop, "checkout", "--quiet", "main")
    for name in names:
        git(shop, "merge", "--quiet", name)
    assert is_current(shop)
    index = (shop / "environments/prod/.envc-index").read_bytes()
    assert {path.partition("/")[0] for path in parse_index(index)} == {"web", *names}


def test_names_that_fall_into_one_place_are_joined(shop: Path) -> None:
    """Git's own union driver sees to those that a checksum puts side by side; the order is mended by a build."""
    index = shop / "environments/prod/.envc-index"
    text = index.read_text()
    for name, line in (("one", "web/a.yaml"), ("two", "web/b.yaml")):
        git(shop, "checkout", "--quiet", "-b", name, "main")
        index.write_text(text.replace("#00\n", f"#00\n{line}\n"))
        commit(shop, name)
    git(shop, "merge", "--quiet", "one")
    assert {"web/a.yaml", "web/b.yaml"} <= parse_index(index.read_bytes()).keys()
    assert is_current(shop)
    build(shop)
    assert index.read_text() == text


def conflicted(root: Path) -> None:
    """Leave main in the middle of a merge that no one can make: the sources are resolved, the outputs are not."""
    branch(root, "replicas")
    branch(root, "five")
    git(root, "merge", "--quiet", "replicas", fails=True)
    git(root, "checkout", "--quiet", "--ours", "base")
    git(root, "add", "base")
    assert "environments" in git(root, "diff", "--name-only", "--diff-filter=U")


def test_a_conflict_in_an_output_is_mended_by_a_build(shop: Path) -> None:
    """Without --force: both sides are in git, and the sources say what is right."""
    conflicted(shop)
    output = shop / "environments/prod/web/deployment-web.yaml"
    assert "<<<<<<< HEAD\n" in output.read_text()
    assert run_envc(shop, "build", "--check").out == f"{output.relative_to(shop)}: stale: would change\n"
    assert run_envc(shop, "build").err == "prod: 2 resources, 1 changed\n"
    commit(shop)
    assert is_current(shop)


@pytest.mark.parametrize("style", ["diff3", "zdiff3", "merge"])
def test_marks_are_known_by_themselves(shop: Path, style: str) -> None:
    """After `git reset` nothing but the file tells of the conflict; every style of marks is known."""
    git(shop, "config", "merge.conflictStyle", style)
    conflicted(shop)
    git(shop, "reset", "--quiet")
    shutil.rmtree(shop / ".envc")
    assert run_envc(shop, "build").err == "prod: 2 resources, 1 changed\n"


@pytest.mark.parametrize("text", ["<<<<<<< mine\nreplicas: 7\n", "=======\nreplicas: 7\n", "replicas: 7\n>>>>>>> x\n"])
def test_half_a_conflict_is_an_edit(shop: Path, text: str) -> None:
    """What git did not write is somebody's work, and is not lost."""
    output = shop / "environments/prod/web/deployment-web.yaml"
    output.write_text(output.read_text() + text)
    assert "was changed by hand" in run_envc(shop, "build").err
    assert output.read_text().endswith(text)


def test_a_conflict_between_change_and_removal_is_mended(shop: Path) -> None:
    """The output that one side removed goes when the sources do not have it, though the index has lost its name."""
    branch(shop, "config")
    branch(shop, "gone")
    git(shop, "merge", "--quiet", "config", fails=True)
    git(shop, "checkout", "--quiet", "gone", "--", "base")
    output = shop / "environments/prod/web/configmap-web-config.yaml"
    assert output.exists()
    assert run_envc(shop, "build").err == "prod: 1 resources, 1 removed\n"
    assert not output.exists()
    commit(shop)
    assert is_current(shop)


def test_a_conflict_of_old_indexes_is_mended(shop: Path) -> None:
    """Those of envc 0.1 had digests, which met in every merge."""
    index = shop / "environments/prod/.envc-index"
    now = index.read_text()
    name = "web/deployment-web.yaml"
    marks = f"<<<<<<< HEAD\n{'0' * 64}  {name}\n=======\n{'1' * 64}  {name}\n>>>>>>> x\n"
    index.write_text(f"# old\n{'0' * 64}  web/configmap-web-config.yaml\n{marks}")
    assert run_envc(shop, "build", "--check").code == 16
    build(shop)
    assert index.read_text() == now


def test_an_edit_that_nobody_keeps_is_never_lost(shop: Path) -> None:
    """Neither in a fresh clone nor after a build; one that git keeps is written anew."""
    output = shop / "environments/prod/web/deployment-web.yaml"
    text = output.read_text()
    output.write_text("mine\n")
    for _ in range(2):
        done = run_envc(shop, "build")
        assert (done.code, "was changed by hand since envc wrote it" in done.err) == (1, True)
        assert output.read_text() == "mine\n"
        shutil.rmtree(shop / ".envc", ignore_errors=True)
    replace(shop, "nginx:1.27", "nginx:2")
    assert run_envc(shop, "build").code == 1
    commit(shop)
    build(shop)
    assert output.read_text() == text.replace("nginx:1.27", "nginx:2")


def test_an_edit_of_what_would_be_removed_is_never_lost(shop: Path) -> None:
    """Only git or the record of a build lets a file go."""
    output = shop / "environments/prod/web/configmap-web-config.yaml"
    CHANGES["gone"](shop)
    output.write_text("mine\n")
    assert run_envc(shop, "build").code == 1
    assert output.read_text() == "mine\n"


def test_what_a_build_wrote_is_known_without_a_commit(shop: Path) -> None:
    """Also when another version of envc, or a build of one environment, wrote it."""
    replace(shop, "nginx:1.27", "nginx:2")
    assert run_envc(shop, "build", "prod", "--no-chart").code == 0
    shutil.rmtree(shop / ".envc/cache")
    replace(shop, "nginx:2", "nginx:3")
    build(shop)
    output = shop / "environments/prod/web/deployment-web.yaml"
    assert "nginx:3" in output.read_text()


def test_without_git_and_record_a_build_is_careful(make_project: MakeProject) -> None:
    """It says why, and writes nothing over what it cannot know; what is right is recorded."""
    root = make_project({"base/web/web.yaml": WEB, "overlays/prod/environment.yaml": environment()})
    build(root)
    shutil.rmtree(root / ".envc")
    build(root)
    replace(root, "nginx:1.27", "nginx:2")
    build(root)
    shutil.rmtree(root / ".envc")
    replace(root, "nginx:2", "nginx:3")
    done = run_envc(root, "build")
    assert done.err.startswith(
        "error: environments/prod/web/deployment-web.yaml is not what envc would write, and nothing tells who wrote it:"
        " no git, no record of a build in .envc/\n"
    )
    assert (done.code, run_envc(root, "build", "--force").code) == (1, 0)


def test_attributes_of_others_stay(shop: Path) -> None:
    """A build writes `environments/.gitattributes` once, and only inside of a repository."""
    file = shop / "environments/.gitattributes"
    now = "*/.envc-index merge=union\n*.yaml merge=envc\n*.json merge=envc\n"
    assert file.read_text() == now
    file.write_text("*/.envc-index merge=union\n")  # of an older envc
    replace(shop, "replicas: 2", "replicas: 3")
    build(shop)
    assert file.read_text() == now
    file.unlink()
    os.mkfifo(file)
    replace(shop, "nginx:1.27", "nginx:1.28")
    build(shop)  # and waits for nobody to write into it
    file.unlink()
    file.write_text("* text\n")
    replace(shop, "nginx:1.28", "nginx:2")
    build(shop)
    assert file.read_text() == "* text\n"
    assert not [path for path in read_files(shop / "environments") if path.endswith(".tmp")]


APPS = ("billing", "cart", "gateway", "mailer", "web-two")


@pytest.fixture
def charted(shop: Path) -> Path:
    """The shop with a chart, more applications and what all of these share."""
    write_files(
        shop,
        {
            "envc.yaml": "chart: {name: shop}\n",
            "overlays/prod/environment.yaml": environment("namespace: shop-prod\nlabels: {env: prod, tier: web}\n"),
            "overlays/test/environment.yaml": environment("namespace: shop-test\nlabels: {env: test, tier: web}\n"),
            "base/all.yaml": "".join(f"{config_map(f'all-{n}')}---\n" for n in range(4)),
        },
    )
    for name in ("delivery", "orders"):
        add(name)(shop)
    build(shop)
    commit(shop, "a chart")
    return shop


def test_an_application_more_changes_no_line_of_what_all_share(charted: Path) -> None:
    """Neither names nor numbers of resources stand there, so two branches do not meet in them."""
    values = charted / "environments/chart/values.yaml"
    before = values.read_text().partition("\n\n")[0]
    assert "# -- resources of many kinds · a label of theirs\n" in before or "several of kind" in before
    add("another")(charted)
    build(charted)
    assert values.read_text().partition("\n\n")[0] == before


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_a_queue_with_a_chart_needs_one_command_where_it_stops(charted: Path, how: str) -> None:
    """Each branch adds an application: where two fall into one place of the chart's values, a build joins them."""
    for name in APPS:
        git(charted, "checkout", "--quiet", "-b", name, "main")
        add(name)(charted)
        build(charted)
        commit(charted, name)
    git(charted, "checkout", "--quiet", "main")
    stopped = []
    for name in APPS:
        if how == "rebase":
            git(charted, "checkout", "--quiet", name)
        git(charted, "-c", "core.editor=true", how, "main" if how == "rebase" else name, fails=None)
        if met := git(charted, "diff", "--name-only", "--diff-filter=U").split():
            stopped.append(name)
            assert all(file.startswith("environments/chart/values") for file in met), met
            build(charted)
            git(charted, "add", "--all")
            words = ["commit", "--quiet", "--no-edit"] if how == "merge" else [how, "--continue"]
            git(charted, "-c", "core.editor=true", *words)
        elif not is_current(charted):
            build(charted)
            commit(charted, "current")
        if how == "rebase":
            git(charted, "checkout", "--quiet", "main")
            git(charted, "merge", "--quiet", "--ff-only", name)
        assert is_current(charted)
    assert stopped != list(APPS)
    values = (charted / "environments/chart/values.yaml").read_text()
    assert all(f"registry.example.com/{name}" in values or f"# -- Deployment/{name}" in values for name in APPS)


def merge_queue(root: Path, how: str, names: Sequence[str]) -> None:
    """Let branches land one after the other; git stops nowhere, and what comes of each is what a build makes."""
    for name in names:
        words = ["-c", "core.hooksPath=/dev/null", "-c", "core.editor=true"]
        if how == "rebase":
            git(root, "checkout", "--quiet", name)
            git(root, *words, "rebase", "main")
            git(root, "checkout", "--quiet", "main")
            git(root, "merge", "--quiet", "--ff-only", name)
        else:
            git(root, *words, how, name)
        assert is_current(root), name


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_a_queue_of_neighbours_merges_where_hooks_are_installed(charted: Path, how: str) -> None:
    """All between the same two applications, in values, schema and the values of environments."""
    assert run_envc(charted, "hook", "install").code == 0
    names = [f"new-{number}" for number in range(10 if how == "merge" else 3)]
    for number, name in enumerate(names):
        git(charted, "checkout", "--quiet", "-b", name, "main")
        add(name)(charted)
        write_files(charted, {f"overlays/test/{name}/{name}.yaml": patch_of(name, number)})
        build(charted)
        git(charted, "add", "--all")
        git(charted, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", name)
    git(charted, "checkout", "--quiet", "main")
    merge_queue(charted, how, names)


def patch_of(name: str, replicas: int) -> str:
    """What one environment has otherwise."""
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {replicas + 4}}}\n"


@pytest.mark.parametrize("layout", ["app", "environment"])
def test_files_of_several_resources_merge_where_hooks_are_installed(shop: Path, layout: str) -> None:
    """Two resources that are added beside each other in one file."""
    write_files(shop, {"envc.yaml": f"layout: {layout}\n"})
    build(shop)
    commit(shop, "layout")
    assert run_envc(shop, "hook", "install").code == 0
    for name in ("another", "further"):
        branch(shop, name)
    git(shop, "checkout", "--quiet", "main")
    merge_queue(shop, "merge", ["another", "further"])


def test_neighbouring_fields_of_two_files_merge_where_hooks_are_installed(shop: Path) -> None:
    """The sources say them in different places, so only outputs could meet."""
    write_files(shop, {"base/web/web.yaml": WEB.replace("level: info", "level: info\n  mode: fast")})
    build(shop)
    commit(shop, "more")
    assert run_envc(shop, "hook", "install").code == 0
    for name, (key, value) in {"one": ("level", "warn"), "two": ("mode", "slow")}.items():
        git(shop, "checkout", "--quiet", "-b", name, "main")
        patch = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web-config}}\ndata: {{{key}: {value}}}\n"
        write_files(shop, {f"overlays/prod/web/{name}.yaml": patch})
        build(shop)
        commit(shop, name)
    git(shop, "checkout", "--quiet", "main")
    merge_queue(shop, "merge", ["one", "two"])


def test_a_real_conflict_stops_where_hooks_are_installed(shop: Path) -> None:
    """Both changed one value: git's marks stand in the file, and a build mends it when the sources are."""
    assert run_envc(shop, "hook", "install").code == 0
    conflicted(shop)
    output = shop / "environments/prod/web/deployment-web.yaml"
    assert output.read_text().count("<<<<<<< ours\n") == 1
    assert not list(shop.glob(".merge_file*"))
    assert run_envc(shop, "build").code == 0
    commit(shop)
    assert is_current(shop)


@pytest.mark.parametrize("how", ["gone", "tracked"])
def test_without_envc_git_merges_lines(charted: Path, how: str) -> None:
    """An envc that is no more, or one that the repository itself tracks, is not called; nothing is lost or stopped."""
    assert run_envc(charted, "hook", "install").code == 0
    script = charted / ".git/envc/hooks/merge"
    text = script.read_text()
    if how == "gone":
        script.write_text(text.replace(shlex.quote(sys.executable), "/nowhere/python").replace("command -v", "false"))
    else:
        write_files(charted, {"venv/bin/python": "#!/bin/sh\ntouch ../ran ran\nexit 0\n"})
        (charted / "venv/bin/python").chmod(0o755)
        commit(charted, "an environment")
        own = str(charted / "venv")
        script.write_text(
            text.replace(shlex.quote(sys.executable), f"{own}/bin/python").replace(shlex.quote(sys.prefix), own)
        )
    for name in ("new-1", "new-2"):
        git(charted, "checkout", "--quiet", "-b", name, "main")
        add(name)(charted)
        build(charted)
        commit(charted, name)
    git(charted, "checkout", "--quiet", "main")
    git(charted, "-c", "core.hooksPath=/dev/null", "merge", "--quiet", "new-1")
    git(charted, "-c", "core.hooksPath=/dev/null", "merge", "--quiet", "new-2", fails=True)
    met = git(charted, "diff", "--name-only", "--diff-filter=U").split()
    assert met == ["environments/chart/values.schema.json", "environments/chart/values.yaml"]
    assert not (charted / "ran").exists()
    build(charted)
    commit(charted, "joined")
    assert is_current(charted)


def test_the_driver_comes_and_goes_with_the_hooks(shop: Path) -> None:
    """A repository of an older envc is told to install again; nothing is left behind."""
    assert run_envc(shop, "hook", "install").code == 0
    assert run_envc(shop, "hook", "status").code == 0
    git(shop, "config", "--unset", "merge.envc.driver")
    done = run_envc(shop, "hook", "status")
    assert (done.code, "outdated" in done.out) == (1, True)
    assert run_envc(shop, "hook", "install").code == 0
    assert run_envc(shop, "hook", "uninstall").code == 0
    assert "merge.envc" not in git(shop, "config", "--local", "--list")
    assert run_envc(shop, "hook", "uninstall").code == 0


@pytest.mark.parametrize("words", [[], ["one"], ["a", "b", "c", "x.yaml"]])
def test_who_calls_the_driver_by_hand_is_told(shop: Path, words: list[str]) -> None:
    """It is git's to call."""
    done = run_envc(shop, "hook", "run", "merge", *words)
    assert done.code in {2, 4}
    assert "let git call it" in done.err
