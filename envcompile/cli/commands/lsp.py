"""`envc lsp`: the language server that editors start."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("lsp", epilog="Example: envc lsp    (an editor starts it: envc guide editors)")
    def command(context: typer.Context) -> None:
        """Talk to an editor on stdin and stdout: diagnostics, hovers, completion, renaming."""
        import sys

        from envcompile.errors import Problem, UnavailableError

        try:
            from envcompile.editor.server import make_server
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in {"pygls", "lsprotocol"}:
                raise
            raise UnavailableError([
                Problem("the language server needs pygls", "pip install 'envcompile[lsp]'")
            ]) from None
        make_server(context.obj.project).start_io(sys.stdin.buffer, sys.stdout.buffer)
