"""Which address shows what: the pages, and the command that answers the same for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import Problem, UsageError
from envcompile.pages.checks import checks
from envcompile.pages.comparison import comparison
from envcompile.pages.costs import cost_page
from envcompile.pages.deliveries import figures
from envcompile.pages.environment import environment_page
from envcompile.pages.graphs import graph_page
from envcompile.pages.laid import FIELDS, matrix_page
from envcompile.pages.overview import overview
from envcompile.pages.resource import resource_page
from envcompile.pages.searching import pattern_of, search, wanted
from envcompile.pages.site import Served
from envcompile.pages.templating import render
from envcompile.pages.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.pages.model import Page
    from envcompile.pages.site import Site


class Asked(NamedTuple):
    """An address taken apart."""

    parts: Mapping[str, str]
    query: Mapping[str, str]


class PageRoute(NamedTuple):
    """A page."""

    pattern: str
    make: Callable[[Site, Asked], Served]


class JsonRoute(NamedTuple):
    """A document: the words of a command, and what it is asked about."""

    pattern: str
    words: Callable[[Site, Asked], tuple[Sequence[str], Sequence[str]]]


def _shown(site: Site, template: str, page: Page, here: str = "", query: str = "") -> Served:
    return Served(200, render(template, page, site.frame(here, query), site.links()).encode())


def _overview(site: Site, asked: Asked) -> Served:
    del asked
    return _shown(site, "overview", overview(site.state, site.clock(), site.plot()), "Overview")


def _timeline(site: Site, asked: Asked) -> Served:
    told = figures(site.state, site.clock())
    page = timeline(site.state, asked.query, site.links(), site.clock(), plot=site.plot(), figures=told)
    return _shown(site, "timeline", page, "Timeline")


def _matrix(site: Site, asked: Asked) -> Served:
    page = matrix_page(site.state, asked.query, site.links(), site.clock())
    return _shown(site, "matrix", page, "Matrix")


def _cost(site: Site, asked: Asked) -> Served:
    return _shown(site, "cost", cost_page(site.state, asked.query, site.links(), site.clock()), "Cost")


def _graph(site: Site, asked: Asked) -> Served:
    page = graph_page(site.state, asked.parts.get("environment", ""), asked.query, site.links())
    return _shown(site, "graph", page, "Graph")


def _needed(_: Site, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
    """What `envc graph` is asked for."""
    start = asked.query.get("from", "")
    return ("graph", *([f"--from={start}"] if start else [])), tuple(filter(None, [asked.parts.get("environment", "")]))


def _laid(_: Site, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
    """What `envc matrix` is asked for."""
    field, app = asked.query.get("field", ""), asked.query.get("app", "")
    chosen = [f"--field={field}"] if field in FIELDS else []
    return ("matrix", *chosen, *([f"--app={app}"] if app else [])), ()


def _environment(site: Site, asked: Asked) -> Served:
    page = environment_page(site.state, asked.parts["environment"], asked.query, site.links(), site.clock())
    return _shown(site, "environment", page)


def _chosen(site: Site, asked: Asked) -> Served:
    """What the form above a comparison asks for; the last two environments when it asks for nothing."""
    names = (*site.state.project.environments, "HEAD")
    left = asked.query.get("from", "").strip() or names[max(0, len(names) - 3)]
    right = asked.query.get("to", "").strip() or names[max(0, len(names) - 2)]
    return _compare(site, asked._replace(parts={"left": left, "right": right}))


def _compare(site: Site, asked: Asked) -> Served:
    return _shown(
        site,
        "compare",
        comparison(site.state, asked.parts["left"], asked.parts["right"], asked.query, site.links(), site.clock()),
    )


def _resource(site: Site, asked: Asked) -> Served:
    parts = asked.parts
    wanted = f"{parts['kind']}/{parts['name']}"
    page = resource_page(site.state, parts["environment"], wanted, asked.query, site.links(), site.clock())
    return _shown(site, "resource", page)


def _checks(site: Site, asked: Asked) -> Served:
    del asked
    return _shown(site, "checks", checks(site.state, site.clock()), "Checks")


def _search(site: Site, asked: Asked) -> Served:
    query = asked.query.get("q", "").strip()[:500]
    return _shown(site, "search", search(site.state, query, site.clock()), query=query)


def _find(_: Site, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
    """What `envc history find` is asked for a search."""
    found = wanted(asked.query.get("q", ""))
    if not found.image:
        raise UsageError([
            Problem("only `image:` is answered for programs", "envc history find FIELD=PATTERN finds any field")
        ])
    at = ("--at", found.at) if found.at and not found.at.startswith("-") else ()
    environments = (found.environment,) if found.environment else ()
    return ("history", "find", *at), (*environments, f"image={pattern_of(found.image)}")


def _named(asked: Asked) -> Sequence[str]:
    """The environment that is asked about; all when none is."""
    return tuple(filter(None, [asked.query.get("env", "")]))


def _differences(site: Site, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
    """What `envc compare` is asked for two environments, `envc diff` for two revisions."""
    left, right = asked.parts["left"], asked.parts["right"]
    if {left, right} <= {*site.state.project.environments}:
        return ("compare",), (left, right)
    return ("diff", f"--from={left}", f"--to={right}"), ()


def _explained(_: Site, asked: Asked) -> tuple[Sequence[str], Sequence[str]]:
    namespace = asked.query.get("namespace", "")
    name = "/".join(filter(None, (asked.parts["kind"], namespace, asked.parts["name"])))
    return ("explain",), (asked.parts["environment"], name)


ROUTES = (
    PageRoute("/", _overview),
    PageRoute("/matrix", _matrix),
    PageRoute("/cost", _cost),
    PageRoute("/graph", _graph),
    PageRoute("/graph/{environment}", _graph),
    PageRoute("/timeline", _timeline),
    PageRoute("/checks", _checks),
    PageRoute("/search", _search),
    PageRoute("/env/{environment}", _environment),
    PageRoute("/r/{environment}/{kind}/{name}", _resource),
    PageRoute("/compare", _chosen),
    PageRoute("/compare/{left}/{right}", _compare),
)
JSON_ROUTES = (
    JsonRoute("/index.json", lambda *_: (("list",), ())),
    JsonRoute("/matrix.json", _laid),
    JsonRoute("/cost.json", lambda _, asked: (("cost",), _named(asked))),
    JsonRoute("/graph.json", _needed),
    JsonRoute("/graph/{environment}.json", _needed),
    JsonRoute("/timeline.json", lambda _, asked: (("history", "timeline"), _named(asked))),
    JsonRoute("/checks.json", lambda *_: (("check", "--fail-on", "never"), ())),
    JsonRoute("/search.json", _find),
    JsonRoute("/env/{environment}.json", lambda _, asked: (("list",), (asked.parts["environment"],))),
    JsonRoute("/r/{environment}/{kind}/{name}.json", _explained),
    JsonRoute("/compare/{left}/{right}.json", _differences),
)
