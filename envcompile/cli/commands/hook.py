"""`envc hook`: git hooks that check before a commit and record after it."""

from __future__ import annotations

import typer

from envcompile.cli.arguments import make_group


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = make_group("hook", "Git hooks: check before a commit, record after it.")

    @group.command("install", epilog="Example: envc hook install")
    def install_command(context: typer.Context) -> None:
        """Install pre-commit, pre-push, post-commit, post-merge and post-rewrite.

        Hooks that are there already are kept and called first. core.hooksPath and linked work trees are respected.
        """
        from envcompile.actions.hooks import hooks_folder, install
        from envcompile.actions.past import open_repository
        from envcompile.cli.output import tell

        repository = open_repository(context.obj.project)
        found = install(repository)
        tell(f"{len(found)} hooks installed in {hooks_folder(repository)}")
        for hook in found:
            if hook.keeps:
                tell(f"{hook.name}: the hook that was there is called first")

    @group.command("status", epilog="Example: envc hook status")
    def status_command(context: typer.Context) -> int:
        """Say which hooks are installed, and which commits wait to be recorded; exit 1 unless all are installed."""
        from envcompile.actions.hooks import status
        from envcompile.actions.past import open_repository
        from envcompile.cli.output import data, tell
        from envcompile.cli.render.recording import counted
        from envcompile.history.spool import Spool

        repository = open_repository(context.obj.project)
        found = status(repository)
        for hook in found:
            data(f"{hook.name:<13} {hook.state}{', calls the one that was there' if hook.keeps else ''}")
        spool = Spool(repository.home)
        waiting = spool.waiting()
        if waiting:
            reason = spool.last_error()
            tell(f"{counted(len(waiting), 'commit')} waiting to be recorded" + (f": {reason}" if reason else ""))
        return 0 if all(hook.state == "installed" for hook in found) else 1

    @group.command("uninstall", epilog="Example: envc hook uninstall")
    def uninstall_command(context: typer.Context) -> None:
        """Take the hooks away and put back those that were there before."""
        from envcompile.actions.hooks import uninstall
        from envcompile.actions.past import open_repository
        from envcompile.cli.output import tell

        taken = uninstall(open_repository(context.obj.project))
        tell(f"{len(taken)} hooks taken away" if taken else "no hook of envc is installed")

    app.add_typer(group)
