"""`envc graph`: who needs whom, and in which order an environment starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from envcompile.cli.arguments import Untrusted, project_of
from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from envcompile.actions.graph import Graph
    from envcompile.units.project import Project

EPILOG = """Examples:

  envc graph prod                                        who needs whom, and the start order

  envc graph prod --from deployment/app --depth 1        what is near to one resource, and what breaks without it

  envc graph prod --affected --from main -o mermaid      what this branch touches, for a comment

  envc graph prod -o svg > prod.svg                      a picture
"""
_FORMATS = Literal["text", "json", "mermaid", "dot", "svg", "html"]
_PICTURES = frozenset({"svg", "html", "mermaid"})


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("graph", epilog=EPILOG)
    def command(
        context: typer.Context,
        environment: Annotated[
            str | None,
            typer.Argument(metavar="[ENV]", help="Default: the last one to be promoted to.", show_default=False),
        ] = None,
        *,
        start: Annotated[
            str | None,
            typer.Option(
                "--from",
                metavar="KIND/NAME",
                help="Around this resource; a commit with --affected.",
                show_default=False,
            ),
        ] = None,
        depth: Annotated[
            int | None,
            typer.Option(
                "--depth", metavar="N", min=0, help="Steps around it, both ways; default: 2.", show_default=False
            ),
        ] = None,
        affected: Annotated[bool, typer.Option("--affected", help="Around what the changes touch, one step.")] = False,
        most: Annotated[
            int | None,
            typer.Option("--most", metavar="N", min=1, help="Nodes of a picture; default: 60.", show_default=False),
        ] = None,
        output_format: Annotated[
            _FORMATS, typer.Option("--format", "-o", metavar="text|json|mermaid|dot|svg|html", help="How to print.")
        ] = "text",
        untrusted: Untrusted = False,
    ) -> None:
        """Draw who needs whom in an environment, what is missing, and in which waves it starts.

        An edge leads from who needs to what is needed: references, hosts in variables and configuration, backends,
        accounts, and `envcompile.dev/depends-on`. Budgets, policies and scalers only point at what they guard.
        """
        from envcompile.actions.graph import MOST, environment_graph, worst
        from envcompile.cli.output import tell

        with project_of(context, untrusted=untrusted) as project:
            name = environment if environment is not None else _last(project)
            whole = environment_graph(project, name)
            cut = most if most is not None else MOST if output_format in _PICTURES else None
            if affected:
                found = _affected(project, whole, start, depth if depth is not None else 1, cut)
            elif start is not None:
                found = _around(whole, start, depth if depth is not None else 2, cut)
            elif depth is not None:
                raise UsageError([Problem("--depth counts steps from a resource", "name it: --from KIND/NAME")])
            else:
                found = worst(whole, cut) if cut is not None else whole
        if affected and not found.changed:
            tell(f"nothing in {name} is touched")
        if not affected or found.changed or output_format != "text":
            _print(found, whole, output_format)
        if cut is not None and len(found.nodes) == cut and found.left_out:
            tell(f"{cut} of {cut + found.left_out} resources are drawn; --most N draws more")


def _last(project: Project) -> str:
    if not project.environments:
        raise UsageError([Problem("there is no environment", "add one: envc new env NAME")])
    return project.environments[-1]


def _around(whole: Graph, resource: str, depth: int, most: int | None) -> Graph:
    from envcompile.actions.graph import around
    from envcompile.actions.past import choose

    identity = choose([node.id for node in whole.nodes], whole.environment, resource)
    return around(whole, [identity], depth, most=most)._replace(around=identity)


def _affected(project: Project, whole: Graph, revision: str | None, depth: int, most: int | None) -> Graph:
    from envcompile.actions.affected import affected
    from envcompile.actions.graph import around

    changed = affected(project, [], revision).get(whole.environment, [])
    return around(whole, changed, depth, most=most)._replace(changed=frozenset(changed))


def _print(found: Graph, whole: Graph, output_format: str) -> None:
    from envcompile.cli.output import answer, raw, table
    from envcompile.cli.render import graph as shown

    if output_format == "json":
        answer(**shown.as_data(found, whole))
    elif output_format == "mermaid":
        from envcompile.actions.graph_picture import flowchart

        raw(flowchart(found))
    elif output_format == "dot":
        raw(shown.as_dot(found))
    elif output_format in {"svg", "html"}:
        from envcompile.pages.graph_page import graph_page
        from envcompile.pages.graph_svg import graph_svg

        raw(graph_svg(found) if output_format == "svg" else graph_page(found, whole))
    else:
        table(shown.text_lines(found, whole))
