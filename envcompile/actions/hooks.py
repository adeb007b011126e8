"""Git hooks, put beside those of other programs: husky, lefthook, overcommit, pre-commit, and what people wrote.

A hook of somebody else moves to a folder beside the hooks, where it keeps its name and finds its helpers, and is called
first. Hooks that a team commits are not moved: those of husky, and others that are shell scripts, get a line that
calls envc. Several projects of one repository share the hooks.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from envcompile.actions.hook_scripts import (
    HOOKS,
    KEPT,
    RUN,
    SECOND_LINE,
    dispatcher,
    line,
    project_script,
    run_script,
    with_line,
    without_line,
)
from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.history.repository import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.history.repository import Repository

_ASIDE = ".old"
"""What other programs call a hook that they replaced, too."""


class HookStatus(NamedTuple):
    """One hook.

    Its state is `installed`, `missing`, `foreign` (somebody else's alone), `replaced` (somebody else's in the place of
    envc's) or `outdated` (of another envc).
    """

    name: str
    state: str
    keeps: bool
    """Another hook is called, too."""


class _Places(NamedTuple):
    """The files that hooks are made of."""

    hooks: Path
    """Where git looks for hooks."""
    kept: Path
    """Where hooks of somebody else lie."""
    lines: Path | None
    """Where a team keeps the hooks that husky calls, if husky owns the folder."""
    run: Path
    project: Path

    @classmethod
    def of(cls, repository: Repository) -> _Places:
        hooks = hooks_folder(repository)
        own = _common(repository) / RUN
        prefix = repository.prefix.rstrip("/")
        name = f"project-{quote(prefix, safe='')}.sh" if prefix else "project.sh"
        return cls(hooks, hooks.with_name(hooks.name + KEPT), _husky(hooks), own, own.with_name(name))

    def other_projects(self) -> list[Path]:
        return sorted({*self.project.parent.glob("project*.sh")} - {self.project})

    def older(self, name: str) -> Path:
        """Where envc 0.1 kept a hook of somebody else."""
        return self.hooks / f"{name}{KEPT}"


def hooks_folder(repository: Repository) -> Path:
    """Where git looks for hooks: what `core.hooksPath` says, else the repository's own folder.

    Raises:
        UsageError: a bare repository, which has no commits to make, or a folder that other repositories share.
    """
    if repository.is_bare:
        raise UsageError([
            Problem("a bare repository has no commit hooks", "run `envc history import` in it, by cron or after a push")
        ])
    folder = Path(_git(repository, "rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    top = Path(_git(repository, "rev-parse", "--show-toplevel"))
    if not any(folder.resolve().is_relative_to(own.resolve()) for own in (_common(repository), top)):
        raise UsageError([
            Problem(
                f"core.hooksPath is {folder}, which other repositories share",
                "set it for this repository: git config core.hooksPath .git/hooks",
            )
        ])
    return folder.resolve()


def shown_folder(repository: Repository) -> Path:
    """Where hooks are installed: for husky in the folder of the hooks that people write."""
    places = _Places.of(repository)
    return places.lines or places.hooks


def is_output_committed(repository: Repository) -> bool:
    """Tell whether git tracks `environments/`."""
    return bool(_git(repository, "ls-files", "--", "environments"))


def is_touched(repository: Repository) -> bool:
    """Tell whether the next commit changes anything of a project that is not the whole repository.

    `git commit -a` and `git commit FILE` make the commit of another index than the repository's.
    """
    if not repository.prefix:
        return True
    index = {name: os.environ[name] for name in ("GIT_INDEX_FILE",) if name in os.environ}
    return bool(_git(repository, "diff", "--cached", "--name-only", "--no-ext-diff", "--", ".", environ=index))


def status(repository: Repository) -> list[HookStatus]:
    """Which hooks are there."""
    places = _Places.of(repository)
    is_ours = _text(places.project) == _project_script(repository) and _text(places.run) == _run_script(places)
    missing = "outdated" if places.project.exists() else "missing"
    found = []
    for name in HOOKS:
        state, keeps = _state(places, name)
        if state == "installed" and not is_ours:
            state = missing
        elif state == "foreign" and places.project.exists():
            state = "replaced"
        found.append(HookStatus(name, state, keeps))
    return found


def _state(places: _Places, name: str) -> tuple[str, bool]:
    """What a hook is, whichever project it is for, and whether another one is called with it."""
    if places.lines is not None:
        file = places.lines / name
        text = _text(file)
        return ("installed" if line(name) in text else "missing"), bool(without_line(text).strip())
    file = places.hooks / name
    if not _is_there(file):
        return "missing", False
    if _is_ours(file):
        is_current = _text(file) == dispatcher(name) and os.access(file, os.X_OK)
        is_current = is_current and not places.older(name).exists()
        return ("installed" if is_current else "outdated"), _is_there(places.kept / name)
    if _calls_envc(file):
        return "installed", True
    legacy = _legacy(places, name)
    if _is_of_pre_commit(file) and _is_ours(legacy):
        return ("installed" if _text(legacy) == dispatcher(name) else "outdated"), True
    return "foreign", False


def install(repository: Repository) -> list[HookStatus]:
    """Install every hook for a project; those of somebody else are kept, and those that were replaced are mended.

    Raises:
        UsageError: a committed hook cannot be changed by envc; nothing was changed.
        UnavailableError: a folder cannot be written.
    """
    places = _Places.of(repository)
    _writing(places, lambda: _install(repository, places))
    return status(repository)


def _install(repository: Repository, places: _Places) -> None:
    committed = frozenset() if places.lines is not None else _committed(repository, places)
    _refuse_committed(places, committed)
    places.run.parent.mkdir(parents=True, exist_ok=True)
    _write(places.run, _run_script(places))
    _write(places.project, _project_script(repository))
    places.hooks.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        if places.lines is not None:
            _give_back_to_husky(places, name)
            _add_line(places.lines / name, name)
        elif name in committed and not _is_ours(places.hooks / name):
            _add_line(places.hooks / name, name)
        else:
            _install_dispatcher(places, name)


def _install_dispatcher(places: _Places, name: str) -> None:
    file, kept, legacy = places.hooks / name, places.kept / name, _legacy(places, name)
    if _is_there(places.older(name)):
        _keep(places.older(name), kept)
    if _is_there(file) and not _is_ours(file):
        if _calls_envc(file):
            return
        if _is_of_pre_commit(file) and _is_ours(legacy):
            # pre-commit calls what it found here by this name, and would be called again by it.
            if _is_of_pre_commit(kept):
                kept.unlink()
            _write(legacy, dispatcher(name))
            return
        _keep(file, kept)
    for stale in (legacy, places.hooks / f"{name}{_ASIDE}"):
        if _is_ours(stale):
            stale.unlink()
    _write(file, dispatcher(name))


def uninstall(repository: Repository) -> list[str]:
    """Take a project's hooks away, and with the last project put back those that were there before; the names taken.

    Raises:
        UnavailableError: a folder cannot be written.
    """
    places = _Places.of(repository)
    taken: list[str] = []
    _writing(places, lambda: taken.extend(_uninstall(places)))
    return taken


def _uninstall(places: _Places) -> list[str]:
    was_there = places.project.exists()
    places.project.unlink(missing_ok=True)
    if places.other_projects():
        return list(HOOKS) if was_there else []
    taken = []
    for name in HOOKS:
        if places.lines is not None:
            _give_back_to_husky(places, name)
        else:
            taken += [name] if _take_away(places, name) else []
        for file in (places.hooks / name, *([places.lines / name] if places.lines is not None else [])):
            text = _text(file)
            if without_line(text) == text:
                continue
            taken.append(name)
            if without_line(text).strip() in {"", "#!/bin/sh"}:
                file.unlink()
            else:
                _write(file, without_line(text))
    places.run.unlink(missing_ok=True)
    if places.kept.is_dir():
        for file in places.kept.iterdir():
            if file.is_symlink() or file.name == ".gitignore":
                file.unlink()
        if not any(places.kept.iterdir()):
            places.kept.rmdir()
    return taken


def _take_away(places: _Places, name: str) -> bool:
    """Take one dispatcher away, wherever other programs have moved it, and put back what it kept."""
    file, kept, legacy = places.hooks / name, places.kept / name, _legacy(places, name)
    if _is_there(places.older(name)):
        _keep(places.older(name), kept)
    found = False
    for own in (file, legacy, places.hooks / f"{name}{_ASIDE}"):
        if not _is_ours(own):
            continue
        found = True
        own.unlink()
        if _is_there(kept):
            _move(kept, own)
    if _is_there(kept):
        aside = places.hooks / f"{name}{_ASIDE}"
        if _is_the_same(kept, file) or _is_there(aside):
            kept.unlink()
        else:
            _move(kept, aside)
    return found


def _give_back_to_husky(places: _Places, name: str) -> None:
    """Undo what envc 0.1 did in the folder that husky writes."""
    file, older = places.hooks / name, places.older(name)
    if _is_there(older):
        if _is_ours(file):
            older.replace(file)
        else:
            older.unlink()


def _keep(file: Path, kept: Path) -> None:
    """Move a hook of somebody else to where it is called from; an older one there counts no more."""
    kept.parent.mkdir(exist_ok=True)
    if kept.parent.parent.name != ".git":
        (kept.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    if _is_there(kept):
        aside = kept.with_name(f"{kept.name}{_ASIDE}")
        if _is_the_same(kept, file) or kept.is_symlink():
            kept.unlink()
        else:
            kept.replace(aside)
    _move(file, kept)


def _move(file: Path, place: Path) -> None:
    """Move a hook; a symbolic link leads to where it led before."""
    if file.is_symlink():
        target = os.readlink(file)  # ruff: ignore[os-readlink] - as it is written
        if not os.path.isabs(target):  # ruff: ignore[os-path-isabs] - a link's text
            target = os.path.relpath(file.parent / target, place.parent)
        place.unlink(missing_ok=True)
        place.symlink_to(target)
        file.unlink()
    else:
        file.replace(place)


def _committed(repository: Repository, places: _Places) -> frozenset[str]:
    """The hooks that git tracks: what is written there comes to everybody."""
    top = Path(_git(repository, "rev-parse", "--show-toplevel")).resolve()
    if not places.hooks.is_relative_to(top) or not places.hooks.is_dir():
        return frozenset()
    if places.hooks.is_relative_to(_common(repository).resolve()):
        return frozenset()
    text = _git(repository, "-C", str(places.hooks), "ls-files", "-z", "--", *HOOKS)
    return frozenset(text.split("\0")) & {*HOOKS}


def _refuse_committed(places: _Places, committed: frozenset[str]) -> None:
    """Say which line belongs into committed hooks that envc does not change: links, and other languages.

    Raises:
        UsageError: there are such hooks.
    """
    shared = [places.lines / name for name in HOOKS] if places.lines is not None else []
    shared += [places.hooks / name for name in sorted(committed)]
    problems = []
    for file in shared:
        if _is_ours(file) or _calls_envc(file) or (not file.is_symlink() and _is_shell(file)):
            continue
        call = f'sh "$(git rev-parse --git-common-dir)/{RUN}" {file.name} "$@"'
        what = f"{file} is shared with others and no shell script: envc does not change it"
        problems.append(Problem(what, f"let it run this: {call}"))
    if problems:
        raise UsageError(problems)


def _add_line(file: Path, name: str) -> None:
    text = _text(file)
    if line(name) not in text:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, with_line(name, text or "#!/bin/sh\n"))


def _project_script(repository: Repository) -> str:
    common = _common(repository).resolve()
    return project_script(repository.prefix, os.path.relpath(repository.home.parent.resolve() / ".envc", common))


def _run_script(places: _Places) -> str:
    return run_script(is_noticed=places.lines is None)


def _husky(hooks: Path) -> Path | None:
    """The folder of the hooks that people write, where husky (9 or newer) owns the one that git looks into."""
    is_huskys = hooks.name == "_" and (hooks.parent.name == ".husky" or "husky" in _text(hooks / "h"))
    return hooks.parent if is_huskys else None


def _legacy(places: _Places, name: str) -> Path:
    """Where pre-commit moves the hook that it finds, and calls it."""
    return places.hooks / f"{name}.legacy"


def _is_there(file: Path) -> bool:
    return file.exists() or file.is_symlink()


def _is_ours(file: Path) -> bool:
    return not file.is_symlink() and f"\n{SECOND_LINE}\n" in _text(file)[:200]


def _calls_envc(file: Path) -> bool:
    return RUN in _text(file) and not _is_ours(file)


def _is_of_pre_commit(file: Path) -> bool:
    return "generated by pre-commit" in _text(file)[:400]


def _is_shell(file: Path) -> bool:
    first = _text(file).partition("\n")[0]
    words = first.removeprefix("#!").split()
    return not first.startswith("#!") or any(Path(word).name in {"sh", "bash", "dash", "ksh", "zsh"} for word in words)


def _is_the_same(one: Path, other: Path) -> bool:
    return _text(one) == _text(other)


def _text(file: Path) -> str:
    """What a file holds; nothing where there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape") if file.is_file() else ""
    except OSError:
        return ""


def _write(file: Path, text: str) -> None:
    scratch = file.with_name(f".{file.name}.envc")
    scratch.write_text(text, encoding="utf-8", errors="surrogateescape")
    scratch.chmod(0o755)
    scratch.replace(file)


def _writing(places: _Places, work: Callable[[], None]) -> None:
    try:
        work()
    except OSError as error:
        folder = Path(error.filename).parent if error.filename else places.hooks
        raise UnavailableError([
            Problem(f"cannot write to {folder}: {error.strerror}", "correct the permissions of the folder")
        ]) from error


def _common(repository: Repository) -> Path:
    return Path(_git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir"))


def _git(repository: Repository, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    variables = {**clean_environment(), **(environ or {})}
    done = subprocess.run(["git", *arguments], cwd=repository.folder, env=variables, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()
