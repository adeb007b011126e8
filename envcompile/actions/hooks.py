"""Git hooks: what they run, and how they are put beside hooks that are there already.

A hook of somebody else is renamed and called first, with its arguments and its input; what it answers counts.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UnavailableError, UsageError
from envcompile.files import write_atomically
from envcompile.git.refs import hooks_path

if TYPE_CHECKING:
    from envcompile.git.repository import Repository

HOOKS = ("pre-commit", "pre-push", "post-commit", "post-merge", "post-rewrite")
"""The hooks that are installed."""
KEPT = ".before-envc"
"""The ending that a hook of somebody else gets."""
_MARK = "# Written by `envc hook install`; `envc hook uninstall` takes it away."

_START = """\
#!/bin/sh
{mark}
kept="$0{kept}"
"""
_KEPT_PLAIN = """\
[ ! -x "$kept" ] || "$kept" "$@" || exit $?
"""
_KEPT_WITH_INPUT = """\
input=$(cat)
if [ -x "$kept" ]; then
  if [ -n "$input" ]; then printf '%s\\n' "$input" | "$kept" "$@" || exit $?
  else "$kept" "$@" </dev/null || exit $?
  fi
fi
"""
_ENVC = """\
case "$GIT_INDEX_FILE" in ""|/*) ;; *) GIT_INDEX_FILE=$PWD/$GIT_INDEX_FILE ;; esac
top=$(git rev-parse --show-toplevel) || exit 0
common=$(cd "$(git rev-parse --git-common-dir)" && pwd) || exit 0
gitdir=$(cd "$(git rev-parse --git-dir)" && pwd) || exit 0
cd "$top"/{prefix} 2>/dev/null || exit 0
[ -f envc.yaml ] || [ -d base ] || [ -d overlays ] || exit 0
if [ -x {python} ]; then envc() {{ {python} -m envcompile "$@"; }}
elif ! command -v envc >/dev/null 2>&1; then echo "envc is not installed: {hook} does nothing" >&2; exit 0
fi
"""
_CHECK = """\
said=$(envc build --check 2>&1) || {
  code=$?
  if [ $code -eq 16 ] && [ -n "$(git ls-files environments | head -n 1)" ]; then
    echo "environments/ is not what the sources say: run \\`envc build\\` and add what it writes" >&2
    exit $code
  fi
  [ $code -eq 16 ] || { printf '%s\\n' "$said" >&2; exit $code; }
}
"""
_SCAN = """\
envc secrets scan --staged || exit $?
"""
_RECORD = """\
unset $(git rev-parse --local-env-vars)
spool="$common"/{spool}
mkdir -p "$spool" 2>/dev/null || exit 0
wait_for() {{ : >"$spool/.$1.$$" && mv "$spool/.$1.$$" "$spool/$1"; }}
{commits}
{during_rebase}(envc history record --waiting </dev/null >/dev/null 2>&1 &)
exit 0
"""
_HEAD = 'wait_for "$(git rev-parse HEAD)" 2>/dev/null'
_REWRITTEN = """\
printf '%s\\n' "$input" | while read -r old new rest; do [ -z "$new" ] || wait_for "$new" 2>/dev/null; done"""
_NOT_NOW = '[ ! -d "$gitdir/rebase-merge" ] && [ ! -d "$gitdir/rebase-apply" ] || exit 0\n'


class HookStatus(NamedTuple):
    """One hook: `installed`, `missing`, `foreign` (somebody else's alone) or `outdated` (of another envc)."""

    name: str
    state: str
    keeps: bool
    """Another hook is kept beside it, and called first."""


def hooks_folder(repository: Repository) -> Path:
    """Where git looks for hooks: what `core.hooksPath` says, else the repository's own folder.

    Raises:
        UsageError: a bare repository, which has no commits to make, or a folder that other repositories share.
    """
    if repository.is_bare:
        raise UsageError([
            Problem("a bare repository has no commit hooks", "run `envc history import` in it, by cron or after a push")
        ])
    folder = Path(hooks_path(repository))
    if not any(folder.resolve().is_relative_to(own.resolve()) for own in (repository.common_folder, repository.top)):
        raise UsageError([
            Problem(
                f"core.hooksPath is {folder}, which other repositories share",
                "set it for this repository: git config core.hooksPath .git/hooks",
            )
        ])
    return folder


def status(repository: Repository) -> list[HookStatus]:
    """Which hooks are there."""
    folder = hooks_folder(repository)
    found = []
    for name in HOOKS:
        file = folder / name
        keeps = (folder / f"{name}{KEPT}").exists()
        if not file.exists():
            state = "missing"
        elif not _is_ours(file):
            state = "foreign"
        elif file.read_text(encoding="utf-8") != script(repository, name) or not os.access(file, os.X_OK):
            state = "outdated"
        else:
            state = "installed"
        found.append(HookStatus(name, state, keeps))
    return found


def install(repository: Repository) -> list[HookStatus]:
    """Install every hook; those of somebody else are kept, and called first.

    Raises:
        UnavailableError: the folder cannot be written.
    """
    folder = hooks_folder(repository)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in HOOKS:
            file, kept = folder / name, folder / f"{name}{KEPT}"
            if (file.exists() or file.is_symlink()) and not _is_ours(file):
                if kept.exists():
                    raise UsageError([
                        Problem(f"{file} and {kept.name} beside it are both not envc's", "remove one of them")
                    ])
                file.rename(kept)
            write_atomically(file, script(repository, name).encode(), mode=0o755)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return status(repository)


def uninstall(repository: Repository) -> list[str]:
    """Take envc's hooks away and put back those that were there before; the names of the hooks taken.

    Raises:
        UnavailableError: the folder cannot be written.
    """
    folder = hooks_folder(repository)
    taken = []
    try:
        for name in HOOKS:
            file, kept = folder / name, folder / f"{name}{KEPT}"
            if not file.exists() or not _is_ours(file):
                continue
            if kept.exists():
                kept.replace(file)
            else:
                file.unlink()
            taken.append(name)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return taken


def script(repository: Repository, name: str) -> str:
    """The text of a hook."""
    common = repository.common_folder
    with_input = name in {"post-rewrite", "pre-push"}
    parts = [
        _START.format(mark=_MARK, kept=KEPT),
        _KEPT_WITH_INPUT if with_input else _KEPT_PLAIN,
        _ENVC.format(prefix=shlex.quote(repository.prefix or "."), python=shlex.quote(sys.executable), hook=name),
    ]
    if name == "pre-commit":
        parts += ["unset $(git rev-parse --local-env-vars | grep -v -x GIT_INDEX_FILE)\n", _CHECK, _SCAN]
    elif name == "pre-push":
        parts += ["unset $(git rev-parse --local-env-vars)\n", _CHECK]
    else:
        parts.append(
            _RECORD.format(
                spool=shlex.quote(os.path.relpath(repository.home / "spool", common)),
                commits=_REWRITTEN if name == "post-rewrite" else _HEAD,
                during_rebase="" if name == "post-rewrite" else _NOT_NOW,
            )
        )
    return "".join(parts)


def _is_ours(file: Path) -> bool:
    try:
        return _MARK.encode() in file.read_bytes()
    except OSError:
        return False


def _unwritable(folder: Path, error: OSError) -> UnavailableError:
    return UnavailableError([
        Problem(f"cannot write to {folder}: {error.strerror}", "correct the permissions of the folder")
    ])
