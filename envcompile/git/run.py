"""How git is started: one environment, one set of safeguards, for every call."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.record import Record

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

_KEPT = frozenset({
    "GIT_ASKPASS",
    "GIT_CEILING_DIRECTORIES",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_EXEC_PATH",
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
})
"""What a machine or its user sets for every repository; pre-commit's `no_git_env` keeps about the same."""
_KEPT_STARTS = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_SSL_")
_OURS = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "",  # an empty list allows none, whatever the configuration says
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_SAFEGUARDS = (
    "safe.bareRepository=explicit",  # files named HEAD, objects and refs make no repository
    "core.fsmonitor=false",
    "log.showSignature=false",  # would run the program that gpg.program names
)
INDEX_IS_OF = "ENVC_INDEX_IS_OF"
"""The env var in which a hook of envc names the git folder that GIT_INDEX_FILE belongs to."""
_DAMAGE = re.compile(
    r"is empty$|corrupt|inflate|header|loose object|(?:bad|missing) (?:tree|commit|blob|object)"
    r"|unable to (?:read|parse|unpack)|could not (?:read|parse)|Failed to traverse",
    re.IGNORECASE,
)
"""What git says of objects that it has not, or not whole."""
HOW_TO_COMPLETE = "in a partial clone run `git fetch --refetch --no-filter`: envc fetches nothing; else run `git fsck`"
"""What mends a repository that lacks something it names."""
_NO_HOOKS = "core.hooksPath=/dev/null"


class Place(Record, frozen=True):
    """Which repository git is told to take, so that it looks for none itself."""

    folder: Path
    """Where git runs."""
    git_folder: str = ""
    """The repository's own folder; empty only while it is looked for."""
    work_tree: str = ""
    """The top of the work tree; empty for a bare repository."""
    index_file: str = ""
    """The index of a partial commit; empty for the repository's own."""
    filters: tuple[str, ...] = ()
    """Names of the filters that git is not to run."""


def at_top(place: Place) -> Place:
    """The same repository, with git running at the top of the work tree: paths count from there."""
    return place._replace(folder=Path(place.work_tree)) if place.work_tree else place


def without_filters(place: Place) -> Place:
    """The same repository, for a command that would take files of the work tree through filters.

    The configuration says what a filter runs, `.gitattributes` of a checkout for which files. Git has no switch against
    it (gitattributes(5), "filter"), so each is set to nothing.
    """
    names = ask_quietly(place, "config", "--name-only", "-z", "--get-regexp", r"^filter\..*\.(clean|process)$")
    return place._replace(filters=tuple(dict.fromkeys(name.rpartition(".")[0] for name in names.split("\0") if name)))


def clean_environment(index_file: str = "", filters: Sequence[str] = ()) -> dict[str, str]:
    """The env vars for git: what a hook sets for the repository it runs in would lead elsewhere.

    Args:
        index_file: the index to read; empty for the repository's own.
        filters: sections of the configuration that name filters which are not to run, such as `filter.lfs`.
    """
    kept = {name: text for name, text in os.environ.items() if _is_harmless(name)}
    ours = {**_OURS, "GIT_INDEX_FILE": index_file} if index_file else _OURS
    return {**kept, **ours, **(_stilled(filters, kept.get("GIT_CONFIG_COUNT", "")) if filters else {})}


def _stilled(filters: Sequence[str], count: str) -> dict[str, str]:
    """Env vars that set filters to nothing, after those of the user; `-c` could not name one with `=` in it."""
    first = int(count) if count.isdigit() else 0
    settings = [
        (f"{name}.{key}", value)
        for name in filters
        for key, value in (("clean", ""), ("process", ""), ("required", "false"))
    ]
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for position, (key, value) in enumerate(settings, first):
        found |= {f"GIT_CONFIG_KEY_{position}": key, f"GIT_CONFIG_VALUE_{position}": value}
    return found


def _is_harmless(name: str) -> bool:
    return not name.startswith("GIT_") or name in _KEPT or name.startswith(_KEPT_STARTS)


def command(place: Place, *arguments: str, hooks_path: bool = False) -> list[str]:
    """The words that start git in a place.

    Args:
        place: the repository.
        arguments: the git command with its options.
        hooks_path: leave `core.hooksPath` as people have set it, for a command that only asks for it.
    """
    flags = [*_SAFEGUARDS] if hooks_path else [*_SAFEGUARDS, _NO_HOOKS]
    words = ["git", *(word for flag in flags for word in ("-c", flag))]
    if arguments[0] != "check-ignore":  # which takes names only, and refuses the option
        words.append("--literal-pathspecs")
    if place.git_folder:
        words.append(f"--git-dir={place.git_folder}")
    if place.work_tree:
        words.append(f"--work-tree={place.work_tree}")
    return [*words, *arguments]


def run(
    place: Place, *arguments: str, stdin: bytes = b"", hooks_path: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run git and wait for it, whatever it answers.

    Raises:
        UnavailableError: there is no git on this machine.
        UsageError: the place is no folder.
    """
    import subprocess

    try:
        return subprocess.run(
            command(place, *arguments, hooks_path=hooks_path),
            cwd=place.folder,
            env=clean_environment(place.index_file, place.filters),
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise _not_there(place, error) from error
    except NotADirectoryError as error:
        raise _no_folder(place) from error


def start(place: Place, *arguments: str) -> subprocess.Popen[bytes]:
    """Start git to talk with it through pipes.

    Raises:
        UnavailableError: there is no git on this machine.
        UsageError: the place is no folder.
    """
    import subprocess

    try:
        return subprocess.Popen(
            command(place, *arguments),
            cwd=place.folder,
            env=clean_environment(place.index_file, place.filters),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise _not_there(place, error) from error
    except NotADirectoryError as error:
        raise _no_folder(place) from error


def ask(place: Place, *arguments: str, stdin: str = "") -> str:
    """What git prints.

    Raises:
        UnavailableError: there is no git on this machine.
        UsageError: git refuses.
        UnavailableError: the repository is damaged or not whole.
    """
    done = run(place, *arguments, stdin=stdin.encode("utf-8", "surrogateescape"))
    if done.returncode:
        kind = UnavailableError if _DAMAGE.search(reason_of(done)) else UsageError
        raise kind([Problem(f"git {arguments[0]} failed: {reason_of(done)}", HOW_TO_COMPLETE)])
    return done.stdout.decode("utf-8", "surrogateescape")


def ask_quietly(place: Place, *arguments: str, fallback: str = "") -> str:
    """What git prints; the fallback when it refuses.

    Raises:
        UnavailableError: there is no git on this machine.
    """
    done = run(place, *arguments)
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else fallback


def reason_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first thing that git complains of, in one line."""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    telling = [line for line in lines if line.startswith(("fatal: ", "error: "))] or lines
    return telling[0].removeprefix("fatal: ").removeprefix("error: ") if telling else "it gives no reason"


def index_of(environ: Mapping[str, str], git_folder: str, top: str) -> str:
    """The index of a partial commit that a hook of this very work tree was given; empty for any other.

    Git writes it beside the index itself. One that lies elsewhere belongs to another repository, submodule or work
    tree, unless a hook of envc says that it is the one that git makes this commit of: people set GIT_INDEX_FILE, too.

    Args:
        environ: the env vars of this process.
        git_folder: the work tree's own git folder.
        top: the top of the work tree, from which relative paths count.
    """
    named = environ.get("GIT_INDEX_FILE", "")
    if not named:
        return ""
    file = os.path.realpath(os.path.join(top, named))
    beside = os.path.realpath(git_folder)
    said = environ.get(INDEX_IS_OF, "")
    is_own = (os.path.dirname(file) == beside or (said and os.path.realpath(said) == beside)) and os.path.isfile(file)
    return file if is_own and file != f"{beside}/index" else ""


def _not_there(place: Place, error: FileNotFoundError) -> UnavailableError | UsageError:
    if place.folder.is_dir() or error.filename == "git":
        return UnavailableError([Problem("git is not installed", "install git")])
    return _no_folder(place)


def _no_folder(place: Place) -> UsageError:
    return UsageError([Problem(f"{place.folder} is no folder", "name the repository with `envc --project DIR`")])
