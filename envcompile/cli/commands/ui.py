"""`envc ui`: pages in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

EPILOG = r"""Examples:

  envc ui

  envc ui --listen 127.0.0.1:8311
"""
_TOKEN = "ENVC_UI_TOKEN"
_LEAST = 16
"""Characters of a token: fewer can be tried out."""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("ui", epilog=EPILOG)
    def command(
        context: typer.Context,
        *,
        listen: Annotated[
            str, typer.Option("--listen", metavar="HOST:PORT", help="Where to answer; port 0 takes a free one.")
        ] = "127.0.0.1:8311",
        token: Annotated[
            str | None,
            typer.Option("--token", metavar="TOKEN", help=f"What readers have to know; {_TOKEN} says it, too."),
        ] = None,
    ) -> None:
        """Show the project in a browser: environments, resources, comparisons, changes, checks; read only.

        Pages follow the files: what is saved, committed or recorded appears while they are open. Only this machine
        can reach them, unless a token is given; then a browser asks for it as the password.
        """
        import ipaddress
        import os
        import socket
        import time

        from envcompile.cli.output import tell
        from envcompile.errors import Problem, UnavailableError, UsageError

        try:
            from envcompile.pages.server import make_app, serve
            from envcompile.pages.site import Site
        except ModuleNotFoundError as error:
            wanted = {"jinja2", "markupsafe", "starlette", "uvicorn", "anyio"}
            if error.name is None or error.name.partition(".")[0] not in wanted:
                raise
            raise UnavailableError([
                Problem("the web page needs the packages of pages", "install them: pip install 'envcompile[pages]'")
            ]) from None
        known = token if token is not None else os.environ.get(_TOKEN, "")
        if known and len(known) < _LEAST:
            raise UsageError([Problem(f"a token has at least {_LEAST} characters", "make one: openssl rand -hex 16")])
        host, _, port = listen.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
        if not port.isdecimal() or int(port) > 65_535:
            raise UsageError([Problem(f"`{listen}` is no place to listen", "write HOST:PORT, such as 127.0.0.1:8311")])
        try:
            is_own = host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_own = False
        if not is_own and not known:
            what = f"{host} can be reached from other machines, and whoever reaches it could read everything"
            raise UsageError([Problem(what, f"give a token (--token or {_TOKEN}), or listen on 127.0.0.1")])
        site = Site(context.obj.project, lambda: int(time.time()))
        tell("compiling all environments")
        site.refresh()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, int(port)), family=family)
        except OSError as error:
            fix = "name another port: --listen 127.0.0.1:0 takes a free one"
            raise UnavailableError([Problem(f"{listen} cannot be listened on: {error.strerror}", fix)]) from error
        # Elsewhere everybody has to know the token, and this machine has names that nobody can list.
        names = {"127.0.0.1", "localhost", "::1", host.lower()} if is_own else None
        address = f"[{host}]" if ":" in host else host
        tell(f"http://{address}:{listening.getsockname()[1]}/  (stop with Ctrl-C)")
        if not is_own:
            tell("warning: what is sent can be read on its way; put a server with TLS before it")
        serve(make_app(site, hosts=names, token=known), [listening])
