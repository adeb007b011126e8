"""`--untrusted`: limits that the tree cannot raise, named in the error, and a comment that is written all the same."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile import limits as limits_module
from envcompile.actions import diff, graph_picture, review
from envcompile.errors import EnvcError
from envcompile.limits import UNTRUSTED_LIMITS, bounded, limits_for, raised
from envcompile.settings import Limits as Stated
from tests.actions.test_simulate import HPA, WEB
from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.repository import commit, config_map, environment, git, write_files

if TYPE_CHECKING:
    from collections.abc import Generator

    from envcompile.limits import Limits

ENDLESS = "local f(n) = f(n + 1) tailstrict; f(0)"
LARGE = "# " + "x" * (17 << 20) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project on a branch of its own, equal to main."""
    root = write_files(
        tmp_path / "shop",
        {
            "base/app/config.yaml": config_map(),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        },
    )
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    return root


COMMANDS = {
    "build": ("build",),
    "build --check": ("build", "--check"),
    "build --stdout": ("build", "--stdout"),
    "check": ("check",),
    "diff": ("diff",),
    "compare": ("compare", "dev", "prod"),
    "affected": ("affected",),
    "affected FILE": ("affected", "base/app/config.yaml"),
    "explain": ("explain", "dev", "configmap/settings"),
    "show": ("show", "dev"),
    "list": ("list",),
    "owners": ("owners",),
    "matrix": ("matrix",),
    "graph": ("graph", "dev"),
    "cost": ("cost",),
    "simulate": ("simulate", "dev", "deployment/web", "--load", "load.csv"),
}
SCALED = {
    "base/web/web.yaml": WEB.replace("  replicas: 2\n", ""),
    "base/web/scaler.yaml": HPA,
    "overlays/dev/environment.yaml": environment("namespace: dev\nowners: ['@shop/team']\n"),
    "load.csv": "time,cpu\n" + "".join(f"2026-03-06T18:{minute:02},3\n" for minute in range(40)),
}
"""What `envc simulate` and `envc owners` need."""


def test_every_command_that_takes_the_flag_is_tried() -> None:
    """None has it and forgets it."""
    table = (PACKAGE_ROOT / "envcompile/cli/completion/commands.tsv").read_text(encoding="utf-8").splitlines()
    command, having = "", set()
    for line in table:
        kind, name = line.split("\t")[:2]
        command = name if kind == "command" else command
        having |= {command} if kind == "option" and name.split()[0] == "--untrusted" else set()
    assert having == {words[0] for words in COMMANDS.values()}
    page = " ".join((PACKAGE_ROOT / "envcompile/guide/untrusted.md").read_text(encoding="utf-8").split())
    assert f"These take `--untrusted`: {', '.join(f'`{name}`' for name in sorted(having))}." in page


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_every_command_that_compiles_keeps_limits_that_the_tree_cannot_raise(
    project: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own `limits:` do not count, whoever runs the command may raise them; trusted, the tree is as it says."""
    monkeypatch.chdir(project)
    write_files(project, {**SCALED, "base/app/large.yaml": LARGE, "envc.yaml": "limits: {fileSize: 64}\n"})
    done = run_envc(project, *words, "--untrusted")
    if words == ("list",):  # which tells what does not compile beside what does
        assert "does not compile  `base/app/large.yaml` holds more than 16 MiB" in done.out
    else:
        assert done.code == 1
        assert "`base/app/large.yaml` holds more than 16 MiB" in done.err
        assert "ENVC_LIMITS=fileSize=NUMBER" in done.err
        assert "envc.yaml" not in done.err
    monkeypatch.setenv("ENVC_LIMITS", "fileSize=32")
    for own in (["--untrusted"], []):
        done = run_envc(project, *words, *own)
        assert done.code in {0, 16}, done
        assert "more than" not in done.out
        monkeypatch.delenv("ENVC_LIMITS", raising=False)


@pytest.mark.parametrize("words", [("build", "--check", "--staged"), ("build", "--check", "--at", "HEAD")])
def test_what_git_holds_keeps_the_same_limits(project: Path, words: tuple[str, ...]) -> None:
    """The index and a commit as the folder."""
    write_files(project, {"base/app/large.yaml": LARGE, "envc.yaml": "limits: {fileSize: 64}\n"})
    commit(project)
    for command in (words, ("check", *words[2:])):
        done = run_envc(project, *command, "--untrusted")
        assert done.code == 1
        assert "`base/app/large.yaml` holds more than 16 MiB" in done.err


def test_a_tree_lowers_its_limits(project: Path) -> None:
    """The lower of both counts."""
    write_files(project, {"envc.yaml": "limits: {files: 1}\n", "base/app/more.yaml": config_map("more")})
    done = run_envc(project, "show", "dev", "--untrusted")
    assert done.code == 1
    assert "`overlays` holds more than 1 files" in done.err


@pytest.mark.parametrize("value", ["files", "files=x", "files=0", "fils=3", "files=-1"])
def test_limits_of_the_user_are_checked(value: str) -> None:
    """A mistake in them is no silence."""
    with pytest.raises(EnvcError, match="ENVC_LIMITS holds"):
        limits_for({"ENVC_LIMITS": value}, is_trusted=False)


OPENED: list[str] = []
"""Files that this process opened since somebody looked."""
is_noting = False


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if is_noting and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        OPENED.append(str(Path(os.fsdecode(arguments[0])).absolute()))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened from now on, by whatever call."""
    if not hasattr(sys, "_envc_notes_opened_files"):  # an audit hook stays for good
        sys.addaudithook(_note)
        sys._envc_notes_opened_files = True  # type: ignore[attr-defined]
    OPENED.clear()
    monkeypatch.setattr(f"{__name__}.is_noting", True)
    return OPENED


KEEPING = {
    **COMMANDS,
    "build --check --at": ("build", "--check", "--at", "HEAD"),
    "build --check --staged": ("build", "--check", "--staged"),
    "check --at": ("check", "--at", "HEAD"),
    "diff --to": ("diff", "--from", "main", "--to", "HEAD"),
}


@pytest.mark.parametrize("words", KEEPING.values(), ids=KEEPING.keys())
def test_nothing_kept_below_the_own_folder_is_taken_up(
    project: Path, words: tuple[str, ...], opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memo, snapshot, plans, findings and results of jsonnet count only where the tree is trusted; they stay."""
    monkeypatch.chdir(project)
    write_files(
        project, {**SCALED, "base/app/more.jsonnet": "std.trace('evaluated', {})", "envc.yaml": "chart: {name: c}\n"}
    )
    assert run_envc(project, "build").code == 0
    commit(project, "all of it")
    for command in (("check",), words, words):
        assert run_envc(project, *command).code in {0, 16}, command
    own = f"{project.resolve()}/.envc/"
    assert words[0] in {"owners", "show"} or [path for path in opened if path.startswith(own)]
    before = {path: path.stat().st_mtime_ns for path in (project / ".envc").rglob("*")}
    opened.clear()
    assert run_envc(project, *words, "--untrusted").code in {0, 16}
    taken = [path.removeprefix(own) for path in opened if path.startswith(own)]
    # What builds wrote says whether a file was edited by hand since, and nothing of what is compiled.
    assert [name for name in taken if name != "build.lock" and not name.startswith("written/")] == []
    assert {path: path.stat().st_mtime_ns for path in (project / ".envc").rglob("*")} == before
    assert words != ("build",) or run_envc(project, "build").err.endswith("nothing to do\n")


BROKEN = {
    "no YAML": ({"base/app/config.yaml": "kind: [\n"}, "(base/app/config.yaml:2:1)"),
    "no settings": ({"envc.yaml": "environments: 3\n"}, "(envc.yaml:1:15)"),
    "endless": ({"base/app/x.jsonnet": ENDLESS}, "x.jsonnet' takes more than"),
    "too large": (
        {"base/app/large.yaml": LARGE},
        "holds more than 16 MiB (base/app/large.yaml:1:1); take some away; who trusts this tree raises it: ENVC",
    ),
    "a link out": ({"base/app/out.yaml": "-> /etc/hostname"}, "leaves the repository"),
    "no environment": ({"overlays/dev/environment.yaml": "kind: Nothing\n"}, "does not compile"),
    "an own folder": ({".envc/units/env-dev": "planted"}, ""),
}


@pytest.mark.parametrize(("files", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_comment_is_written_when_the_change_does_not_compile(
    project: Path, files: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says why, and the job does not fail; asked for by name, an environment that cannot be compared counts."""
    monkeypatch.setenv("ENVC_LIMITS", "seconds=2")
    write_files(project, files)
    git(project, "add", "--all", "--force")
    commit(project)
    done = run_envc(project, "pr", "comment", "--dry-run")
    assert done.code == 0, done.err
    assert words in done.out
    if words:
        assert "does not compile for **" in done.out
        assert "so that nothing of it is compared" in done.out
        assert run_envc(project, "pr", "comment", "--dry-run", "--fail-on-env", "dev").code == 16


def test_a_comment_is_written_when_the_project_is_gone(project: Path) -> None:
    """A change that takes everything away removes everything."""
    git(project, "rm", "-r", "-q", "base", "overlays")
    commit(project)
    done = run_envc(project, "pr", "comment", "--dry-run")
    assert done.code == 0, done.err
    assert "removed in dev, prod" in done.out


def test_one_broken_environment_hides_no_other(project: Path) -> None:
    """What compiles is compared."""
    write_files(project, {"overlays/dev/app.yaml": "kind: [\n", "overlays/prod/app.yaml": config_map(color="red")})
    done = run_envc(project, "pr", "comment", "--dry-run")
    assert done.code == 0
    assert "does not compile for **dev**, so that nothing of it is compared" in done.out
    assert "data.color: red" in done.out


def test_where_the_change_began_raises_limits_of_a_comment(project: Path) -> None:
    """The older side is trusted: its `limits:` count for the newer one, whose own do not."""
    write_files(project, {"base/app/large.yaml": LARGE, "envc.yaml": "limits: {fileSize: 64}\n"})
    assert "holds more than 16 MiB" in run_envc(project, "pr", "comment", "--dry-run").out
    assert run_envc(project, "pr", "comment", "--dry-run", "--trusted") == (
        0,
        "",
        "nothing differs: there would be no comment\n",
    )
    git(project, "stash", "--quiet")
    git(project, "checkout", "--quiet", "main")
    write_files(project, {"envc.yaml": "limits: {fileSize: 32}\n"})
    commit(project, "larger files")
    git(project, "checkout", "--quiet", "-B", "feature", "main")
    write_files(project, {"base/app/large.yaml": LARGE})
    assert run_envc(project, "pr", "comment", "--dry-run").out == ""
    assert run_envc(project, "diff", "--untrusted").code == 0


def test_the_plugin_and_the_action_trust_nobody(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Argo CD and CI run has the limits without being asked."""
    monkeypatch.setenv("ARGOCD_ENV_ENVIRONMENT", "dev")
    write_files(project, {"base/app/large.yaml": LARGE, "envc.yaml": "limits: {fileSize: 64}\n"})
    done = run_envc(project, "argocd", "generate")
    assert done.code == 1
    assert "holds more than 16 MiB" in done.err
    assert run_envc(project, "argocd", "generate", "--trusted").code == 0


def test_time_and_memory_of_the_whole_are_bounded() -> None:
    """Whatever the tree makes envc do: the limit is named, and nothing on the way can take it for another error."""
    limits = UNTRUSTED_LIMITS._replace(time=1)
    swallowed: list[Exception] = []

    @bounded(limits)
    def swallowing() -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception as error:  # ruff: ignore[blind-except] - as broad as any code on the way
                swallowed.append(error)

    kept = []

    @bounded(UNTRUSTED_LIMITS._replace(memory=64))
    def greedy() -> None:
        while True:
            kept.append(os.urandom(1 << 20))

    with pytest.raises(EnvcError, match="compiling takes more than 1 seconds"):
        swallowing()
    with pytest.raises(EnvcError, match="compiling takes more than 64 MiB of memory"):
        greedy()
    assert len(kept) < 2_000
    assert swallowed == []
    with pytest.raises(EnvcError, match="compiling takes more than 2,048 MiB of memory"), bounded(UNTRUSTED_LIMITS):
        raise MemoryError


def test_what_ends_in_time_is_not_bounded() -> None:
    """The timer is gone afterwards."""
    with bounded(UNTRUSTED_LIMITS):
        pass
    time.sleep(0.2)


def test_memory_that_was_taken_before_does_not_count() -> None:
    """What this process has already is no matter of the tree."""
    with bounded(UNTRUSTED_LIMITS._replace(memory=32)):
        time.sleep(0.3)


def test_where_the_change_began_lowers_nothing() -> None:
    """A tree that is trusted says what more a change may take, never what less."""
    assert raised(UNTRUSTED_LIMITS, Stated(file_size=1, files=30_000)) == UNTRUSTED_LIMITS._replace(files=30_000)


STEPS = ("compiling", "comparing dev", "comparing prod", "checking", "pricing", "drawing")
BOUNDED = {
    "build": (("build",), {"compiling takes"}),
    "check": (("check",), {"compiling takes"}),
    "show": (("show", "dev"), {"compiling takes"}),
    "diff": (("diff",), {"compiling takes", "comparing dev takes", "comparing prod takes"}),
    "comment": (
        ("pr", "comment", "--dry-run"),
        {
            f"{what} takes"
            for what in ("compiling", "comparing dev", "comparing prod", "checking", "pricing", "drawing")
        },
    ),
}
"""What has a limit of time and memory as a whole, in the commands that run it."""


@pytest.mark.parametrize(("words", "wanted"), BOUNDED.values(), ids=BOUNDED.keys())
def test_whatever_a_stranger_makes_envc_do_is_bounded(
    project: Path, words: tuple[str, ...], wanted: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step of a comparison has the limit of its own, and none has it where the tree is trusted."""
    seen: set[str] = set()

    @contextmanager
    def noted(limits: Limits, what: str = "compiling takes") -> Generator[None]:
        if not limits.is_trusted:
            seen.add(what)
        yield

    for module in (limits_module, diff, graph_picture, review):
        monkeypatch.setattr(module, "bounded", noted)
    write_files(project, {"base/app/config.yaml": config_map(color="red")})
    assert run_envc(project, *words, *(() if words[0] == "pr" else ("--untrusted",))).code in {0, 16}
    assert seen == wanted
    seen.clear()
    assert run_envc(project, *words, *(("--trusted",) if words[0] == "pr" else ())).code in {0, 16}
    assert not seen
