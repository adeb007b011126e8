"""`envc hook`: git hooks that check before a commit and record after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format, make_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_WORDS_OF_MERGE = 4
_HUSKY_IS_MISSING = (
    "hint: git calls no hook in this work tree until husky has put its own there: run it here, as `npm install` does"
)


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = make_group("hook", "Git hooks: check before a commit, record after it.")

    @group.command("install", epilog="Example: envc hook install")
    def install_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Install pre-commit, pre-merge-commit, pre-push, post-commit, post-merge and post-rewrite; mend what is not.

        Hooks that are there already are kept and called, too. Several projects of one repository share the hooks.
        """
        from envcompile.actions.hooks import install, lacks_husky, shown_folder
        from envcompile.actions.past import open_repository
        from envcompile.cli.output import answer, tell

        repository = open_repository(context.obj.project)
        found = install(repository)
        if output_format == "json":
            hooks = [{"name": hook.name, "keeps": hook.keeps} for hook in found]
            answer(folder=shown_folder(repository).as_posix(), hooks=hooks)
        tell(f"{len(found)} hooks installed in {shown_folder(repository)}")
        for hook in found:
            if hook.keeps:
                tell(f"{hook.name}: the hook that was there is called first")
        if lacks_husky(repository):
            tell(_HUSKY_IS_MISSING)

    @group.command("status", epilog="Example: envc hook status")
    def status_command(context: typer.Context, *, output_format: Format = "text") -> int:
        """Say which hooks are installed, and which commits wait to be recorded; exit 1 unless all are installed."""
        from envcompile.actions.hooks import lacks_husky, status
        from envcompile.actions.past import open_repository
        from envcompile.cli.output import answer, data, tell
        from envcompile.cli.render.recording import counted
        from envcompile.history.spool import Spool

        repository = open_repository(context.obj.project)
        found = status(repository)
        spool = Spool(repository.home)
        waiting, is_complete = spool.waiting(), all(hook.state == "installed" for hook in found)
        if output_format == "json":
            reason = spool.last_error() if waiting else None
            answer(hooks=[hook._asdict() for hook in found], waiting=len(waiting), reason=reason or None)
            return 0 if is_complete else 1
        for hook in found:
            data(f"{hook.name:<16}  {hook.state}{', calls the one that was there' if hook.keeps else ''}")
        if any(hook.state in {"replaced", "outdated"} for hook in found):
            tell("hint: `envc hook install` mends what is replaced or outdated")
        if lacks_husky(repository):
            tell(_HUSKY_IS_MISSING)
        if waiting:
            reason = spool.last_error()
            tell(f"{counted(len(waiting), 'commit')} waiting to be recorded" + (f": {reason}" if reason else ""))
        return 0 if is_complete else 1

    @group.command("run", epilog="Example: envc hook run pre-commit")
    def run_command(
        context: typer.Context,
        name: Annotated[str, typer.Argument(metavar="HOOK", help="pre-commit, pre-merge-commit or pre-push.")],
        words: Annotated[
            list[str] | None, typer.Argument(metavar="[WORD]...", help="What git gives the hook.", show_default=False)
        ] = None,
    ) -> int:
        """Do what a hook does before a commit or a push; the installed hooks call it."""
        from envcompile.errors import Problem, UsageError

        if name == "merge":
            return _merge(words or ())
        if name not in {"pre-commit", "pre-merge-commit", "pre-push"}:
            raise UsageError([Problem(f"no hook `{name}` checks anything", "name pre-commit or pre-push")])
        return _run(context.obj.project, name, words or ())

    @group.command("uninstall", epilog="Example: envc hook uninstall")
    def uninstall_command(context: typer.Context, *, output_format: Format = "text") -> None:
        """Take the hooks away and put back those that were there before."""
        from envcompile.actions.hooks import uninstall
        from envcompile.actions.past import open_repository
        from envcompile.cli.output import answer, tell

        taken = uninstall(open_repository(context.obj.project))
        if output_format == "json":
            answer(hooks=list(taken))
        tell(f"{len(taken)} hooks taken away" if taken else "no hook of envc is installed")

    app.add_typer(group)


def _merge(words: Sequence[str]) -> int:
    """Merge what git gives its merge driver: three files, of which the second is written, and the path; the exit code.

    Raises:
        UsageError: these are other words.
        UnavailableError: a file cannot be read or written.
    """
    from pathlib import Path

    from envcompile.errors import Problem, UnavailableError, UsageError

    if len(words) != _WORDS_OF_MERGE:
        raise UsageError([Problem("the merge driver takes BASE OURS THEIRS PATH", "let git call it: envc guide hooks")])
    from envcompile.emit.merging import merge
    from envcompile.files import write_atomically

    base, ours, theirs = map(Path, words[:3])
    try:
        merged = merge(base.read_bytes(), ours.read_bytes(), theirs.read_bytes(), words[3])
    except OSError as error:
        how = "let git call it: envc guide hooks"
        raise UnavailableError([Problem(f"cannot read {error.filename}: {error.strerror}", how)]) from error
    if merged is None:
        return 1
    write_atomically(ours, merged)
    return 0


def _run(folder: Path, name: str, words: Sequence[str]) -> int:
    """Check what a hook is about, in what git holds; the exit code."""
    import sys

    from envcompile.actions.hook_places import is_touched
    from envcompile.actions.opening import open_repository
    from envcompile.cli.render.gates import gate_index, gate_push

    if name == "pre-push":
        return gate_push(folder, words[0] if words else "", sys.stdin)
    code = gate_index(folder) if is_touched(open_repository(folder)) else 0
    if code:
        return code
    from envcompile.cli.entry import main

    return main(["--project", str(folder), "secrets", "scan", "--staged"])
