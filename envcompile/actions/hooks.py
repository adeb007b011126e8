"""Git hooks, put beside those of other programs: husky, lefthook, overcommit, pre-commit, and what people wrote.

A hook of somebody else moves to a folder beside the hooks, where it keeps its name and finds its helpers, and is called
first. Hooks that a team commits are not moved: those of husky, and others that are shell scripts, get a line that
calls envc. Several projects of one repository share the hooks.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.actions.hook_files import (
    ASIDE,
    calls_envc,
    is_abandoned,
    is_of_husky,
    is_of_pre_commit,
    is_ours,
    is_shell,
    is_the_same,
    is_there,
    keep,
    move,
    text_of,
    write,
)
from envcompile.actions.hook_places import Places, committed_hooks
from envcompile.actions.hook_scripts import (
    DRIVER,
    HOOKS,
    RUN,
    dispatcher,
    line,
    merge_script,
    project_script,
    run_script,
    with_line,
    without_line,
)
from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.git.refs import configure, configured

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.git.repository import Repository

_OF_OVERCOMMIT: Final = "old-hooks"
"""The folder beside its hooks into which overcommit moves those that it finds, and from which it puts them back."""
_DRIVER: Final = "merge.envc"
_DRIVER_KEY: Final = f"{_DRIVER}.driver"
_NOTHING: Final = frozenset({"", "#!/bin/sh"})
"""What is left of a hook that people keep when only envc wrote to it."""


class HookStatus(NamedTuple):
    """One hook.

    Its state is `installed`, `missing`, `foreign` (somebody else's alone), `replaced` (somebody else's in the place of
    envc's) or `outdated` (of another envc).
    """

    name: str
    state: str
    keeps: bool
    """Another hook is called, too."""


def shown_folder(repository: Repository) -> Path:
    """Where hooks are installed: for husky in the folder of the hooks that people write."""
    places = Places.of(repository)
    return places.lines or places.hooks


def lacks_husky(repository: Repository) -> bool:
    """Tell whether hooks are left to husky, which has put none into this work tree: a new one has none of its files."""
    places = Places.of(repository)
    return places.lines is not None and not any(is_there(places.hooks / name) for name in HOOKS)


def status(repository: Repository) -> list[HookStatus]:
    """Which hooks are there."""
    places = Places.of(repository)
    is_ours = text_of(places.project) == _project_script(repository) and text_of(places.run) == run_script()
    is_ours = is_ours and text_of(places.merge) == merge_script() and configured(repository, _DRIVER_KEY) == DRIVER
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


def _state(places: Places, name: str) -> tuple[str, bool]:
    """What a hook is, whichever project it is for, and whether another one is called with it."""
    if places.lines is not None:
        file = places.lines / name
        text = text_of(file)
        if line(name) not in text:
            return "missing", _says_more(text)
        if is_of_husky(places.hooks / name):
            return "installed", _says_more(text)
    file = places.hooks / name
    if not is_there(file):
        return "missing", False
    if is_ours(file):
        is_current = text_of(file) == dispatcher(name) and os.access(file, os.X_OK)
        is_current = is_current and not places.older(name).exists()
        is_current = is_current and not is_of_pre_commit(places.kept / name) and not _is_left(places, name)
        return ("installed" if is_current else "outdated"), is_there(places.kept / name)
    if calls_envc(file):
        return "installed", True
    legacy = _legacy(places, name)
    if is_of_pre_commit(file) and is_ours(legacy):
        return ("installed" if text_of(legacy) == dispatcher(name) else "outdated"), True
    return "foreign", False


def _says_more(text: str) -> bool:
    """Tell whether a hook that people keep does anything beside calling envc."""
    return without_line(text).strip() not in _NOTHING


def install(repository: Repository) -> list[HookStatus]:
    """Install every hook for a project; those of somebody else are kept, and those that were replaced are mended.

    Raises:
        UsageError: a committed hook cannot be changed by envc; nothing was changed.
        UnavailableError: a folder cannot be written.
    """
    places = Places.of(repository)
    _writing(places, lambda: _install(repository, places))
    return status(repository)


def _install(repository: Repository, places: Places) -> None:
    committed = frozenset() if places.lines is not None else committed_hooks(repository, places)
    _refuse_committed(places, committed)
    places.run.parent.mkdir(parents=True, exist_ok=True)
    write(places.run, run_script())
    write(places.project, _project_script(repository))
    write(places.merge, merge_script())
    configure(repository, _DRIVER_KEY, DRIVER)
    configure(repository, f"{_DRIVER}.name", "what branches changed in environments/, merged by keys")
    if places.lines is None:
        places.hooks.mkdir(parents=True, exist_ok=True)
    for name in HOOKS:
        if places.lines is not None:
            _give_back_to_husky(places, name)
            _add_line(places.lines / name, name)
            if is_there(places.hooks / name) and not is_of_husky(places.hooks / name):
                _install_dispatcher(places, name)  # another manager came after husky, and into its place
        elif name in committed and not is_ours(places.hooks / name):
            _add_line(places.hooks / name, name)
        else:
            _install_dispatcher(places, name)


def _install_dispatcher(places: Places, name: str) -> None:
    file, kept, legacy = places.hooks / name, places.kept / name, _legacy(places, name)
    if is_there(places.older(name)):
        keep(places.older(name), kept)
    if _is_left(places, name):
        kept.unlink()
    if is_of_pre_commit(kept):
        if is_ours(file):
            move(kept, file)
        else:
            kept.unlink()  # it must not call itself
    if is_there(file) and not is_ours(file):
        if calls_envc(file):
            return
        if is_of_pre_commit(file):
            # It calls what it finds by this name, and puts that in its own place when it is taken away.
            if is_there(legacy) and not is_ours(legacy):
                keep(legacy, kept)
            write(legacy, dispatcher(name))
            return
        keep(file, kept)
    for stale in (legacy, places.hooks / f"{name}{ASIDE}"):
        if is_ours(stale):
            stale.unlink()
    write(file, dispatcher(name))


def uninstall(repository: Repository) -> list[str]:
    """Take a project's hooks away, and with the last project put back those that were there before; the names taken.

    Raises:
        UnavailableError: a folder cannot be written.
    """
    places = Places.of(repository)
    taken: list[str] = []
    _writing(places, lambda: taken.extend(_uninstall(repository, places)))
    return taken


def _uninstall(repository: Repository, places: Places) -> list[str]:
    was_there = places.project.exists()
    places.project.unlink(missing_ok=True)
    if places.other_projects():
        return list(HOOKS) if was_there else []
    taken = []
    for name in HOOKS:
        if places.lines is not None:
            _give_back_to_husky(places, name)
        taken += [name] if _take_away(places, name) else []
        for file in (places.hooks / name, *([places.lines / name] if places.lines is not None else [])):
            text = text_of(file)
            if without_line(text) == text:
                continue
            taken += [name] if name not in taken else []
            if not _says_more(text):
                file.unlink()
            else:
                write(file, without_line(text))
    places.run.unlink(missing_ok=True)
    places.merge.unlink(missing_ok=True)
    if configured(repository, _DRIVER_KEY):
        configure(repository, _DRIVER)
    if places.kept.is_dir():
        for file in places.kept.iterdir():
            if file.is_symlink() or file.name == ".gitignore":
                file.unlink()
        if not any(places.kept.iterdir()):
            places.kept.rmdir()
    return taken


def _take_away(places: Places, name: str) -> bool:
    """Take one dispatcher away, wherever other programs have moved it, and put back what it kept."""
    file, kept, legacy = places.hooks / name, places.kept / name, _legacy(places, name)
    if is_there(places.older(name)):
        keep(places.older(name), kept)
    if (is_of_pre_commit(file) and is_of_pre_commit(kept)) or _is_left(places, name):
        kept.unlink()  # it must not call itself, nor who is no more
    aside = places.hooks / f"{name}{ASIDE}"
    waiting = [one for one in (kept, kept.with_name(f"{name}{ASIDE}")) if is_there(one)]
    found = False
    for own in (file, legacy, aside, places.hooks / _OF_OVERCOMMIT / name):
        if not is_ours(own):
            continue
        found = True
        own.unlink()
        if waiting:
            move(waiting.pop(0), own)
    for left in waiting:
        if is_the_same(left, file) or is_there(aside):
            left.unlink()
        else:
            move(left, aside)
    return found


def _is_left(places: Places, name: str) -> bool:
    """Tell whether the hook that envc keeps is of a manager that was taken away since."""
    return is_abandoned(places.kept / name, places.hooks, places.common)


def _give_back_to_husky(places: Places, name: str) -> None:
    """Undo what envc 0.1 did in the folder that husky writes."""
    file, older = places.hooks / name, places.older(name)
    if is_there(older):
        if is_ours(file):
            older.replace(file)
        else:
            older.unlink()


def _refuse_committed(places: Places, committed: frozenset[str]) -> None:
    """Say which line belongs into committed hooks that envc does not change: links, and other languages.

    Raises:
        UsageError: there are such hooks.
    """
    shared = [places.lines / name for name in HOOKS] if places.lines is not None else []
    shared += [places.hooks / name for name in sorted(committed)]
    problems = []
    for file in shared:
        if is_ours(file) or calls_envc(file) or (not file.is_symlink() and is_shell(file)):
            continue
        call = f'sh "$(git rev-parse --git-common-dir)/{RUN}" {file.name} "$@"'
        what = f"{file} is shared with others and no shell script: envc does not change it"
        problems.append(Problem(what, f"let it run this: {call}"))
    if problems:
        raise UsageError(problems)


def _add_line(file: Path, name: str) -> None:
    text = text_of(file)
    if line(name) not in text:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, with_line(name, text or "#!/bin/sh\n"))


def _project_script(repository: Repository) -> str:
    common = repository.common_folder.resolve()
    return project_script(
        repository.prefix, os.path.relpath(repository.home.parent.resolve() / repository.home.name, common)
    )


def _legacy(places: Places, name: str) -> Path:
    """Where pre-commit moves the hook that it finds, and calls it."""
    return places.hooks / f"{name}.legacy"


def _writing(places: Places, work: Callable[[], None]) -> None:
    try:
        work()
    except OSError as error:
        folder = Path(error.filename).parent if error.filename else places.hooks
        raise UnavailableError([
            Problem(f"cannot write to {folder}: {error.strerror}", "correct the permissions of the folder")
        ]) from error
