"""`envc ui`: the pages by HTTP, to be read and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from envcompile.errors import EnvcError, UnavailableError, UsageError
from envcompile.pages.documents import document
from envcompile.pages.headers import Guard
from envcompile.pages.links import PAGES
from envcompile.pages.model import Failure
from envcompile.pages.routes import JSON_ROUTES, ROUTES, Asked
from envcompile.pages.site import Served
from envcompile.pages.templating import STATIC, compile_templates, render

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection

    from starlette.requests import Request

    from envcompile.pages.routes import JsonRoute, PageRoute
    from envcompile.pages.site import Site

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_BAR = frozenset(address for address, *_ in PAGES)
_LOOK = 1.0
"""Seconds between two looks whether something changed."""


def make_app(site: Site, *, hosts: Collection[str] | None, token: str = "", look: float = _LOOK) -> Starlette:
    """The application.

    Args:
        site: what is looked at.
        hosts: the names by which this host may be called; None for any.
        token: what has to be known; empty for nothing.
        look: seconds between two looks whether something changed; 0 for never.
    """
    # One thread makes pages, so that none is made twice at once; another compiles what changed meanwhile.
    pages = ThreadPoolExecutor(1, "pages")

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncGenerator[None]:
        looking = asyncio.create_task(_keep_looking(site, look)) if look else None
        try:
            yield
        finally:
            if looking is not None:
                looking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await looking
            pages.shutdown(wait=False, cancel_futures=True)

    def state(_: Request) -> Response:
        told = {"id": site.mark(), "trouble": site.trouble, "changed": site.changed}
        return Response(json.dumps(told), media_type="application/json")

    routes = [
        Route("/state.json", state),
        *(Route(route.pattern, _json(site, route)) for route in JSON_ROUTES),
        *(Route(f"/static/{name}", _static(name)) for name in ("envc.css", "envc.js")),
        *(Route(route.pattern, _page(site, pages, route)) for route in ROUTES),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts=hosts, token=token)],
        exception_handlers={404: partial(_not_found, site)},
        lifespan=running,
    )


def serve(app: Starlette, sockets: list[socket.socket]) -> None:
    """Answer requests until somebody stops it."""
    import uvicorn

    # While a thread compiles what changed, the one that makes a page waits for its turn this long, in seconds.
    sys.setswitchinterval(0.001)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False, timeout_graceful_shutdown=1
    )
    uvicorn.Server(config).run(sockets=sockets)


async def _keep_looking(site: Site, seconds: float) -> None:
    asked = Asked({}, {})
    # The pages of the bar are there before somebody opens them, also when the minutes that they are kept for are over.
    first = {f"{route.pattern}?": partial(_made, site, route, asked) for route in ROUTES if route.pattern in _BAR}
    await asyncio.to_thread(compile_templates)
    settled = ""
    while True:
        await asyncio.to_thread(site.draw)
        await asyncio.to_thread(site.ahead, first)
        await asyncio.to_thread(site.look_back)
        if settled != site.state.identity:
            settled = site.state.identity
            await asyncio.to_thread(settle)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(site.refresh)


def settle() -> None:
    """Let the collector of garbage leave alone what a state holds: to go through all of it takes longer than a page."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _page(site: Site, pages: ThreadPoolExecutor, route: PageRoute) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = Asked(dict(request.path_params), dict(request.query_params))
        address = f"{request.url.path}?{request.url.query}"
        loop = asyncio.get_running_loop()
        served = await loop.run_in_executor(pages, lambda: site.kept(address, lambda: _made(site, route, asked)))
        headers = {"content-security-policy": served.policy} if served.policy else {}
        return Response(served.body, served.status, headers, "text/html; charset=utf-8")

    return endpoint


def _made(site: Site, route: PageRoute, asked: Asked) -> Served:
    try:
        return route.make(site, asked)
    except EnvcError as error:
        return failed(site, error)


def failed(site: Site, error: EnvcError) -> Served:
    """The page that says what is wrong, in the words of the command."""
    status = 503 if isinstance(error, UnavailableError) else 404 if isinstance(error, UsageError) else 422
    title = error.problems[0].what if error.problems else "There is no such page"
    problems = tuple((problem.what, problem.fix, ", ".join(map(str, problem.where))) for problem in error.problems)
    page = Failure(title[:1].upper() + title[1:], "", problems)
    return Served(status, render("failure", page, site.frame(), site.links()).encode())


def _not_found(site: Site, request: Request, error: Exception) -> Response:
    del request, error
    page = Failure("There is no such page", "The bar leads to all pages.", ())
    return Response(render("failure", page, site.frame(), site.links()), 404, media_type="text/html")


def _json(site: Site, route: JsonRoute) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        asked = Asked(dict(request.path_params), dict(request.query_params))
        try:
            command, arguments = route.words(site, asked)
            found = await asyncio.to_thread(document, site.root, command, arguments)
        except EnvcError as error:
            return Response(str(error), 404, media_type="text/plain")
        kind = "application/json" if found.status == 200 else "text/plain"
        return Response(found.text, found.status, media_type=kind)

    return endpoint


def _static(name: str) -> Callable[[Request], Response]:
    data = (STATIC / name).read_bytes()
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'

    def endpoint(request: Request) -> Response:
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, headers=headers, media_type=_TYPES[name.rpartition(".")[2]])

    return endpoint
