"""`envc crds add`: definitions of custom kinds, for their schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from envcompile.cli.arguments import Format, make_group

EPILOG = """Examples:

  envc crds add crds/widgets.yaml                    from files

  envc crds add --from-cluster                       of every custom kind that the project has

  envc crds add --from-cluster Widget.example.com    of these kinds
"""


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = make_group("crds", "Definitions of custom kinds, for their fields, scopes and merge keys.")
    app.add_typer(group)

    @group.command("add", epilog=EPILOG)
    def add(
        context: typer.Context,
        sources: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[FILE|KIND.GROUP]...", help="Files; with --from-cluster kinds, default: those in use."
            ),
        ] = None,
        *,
        from_cluster: Annotated[
            bool, typer.Option("--from-cluster", help="Ask the API server of the kubeconfig.")
        ] = False,
        kube_context: Annotated[
            str | None, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig; default: its own.")
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Keep CustomResourceDefinitions in `crds/`, without descriptions; nothing of them is deployed."""
        import os

        from envcompile.actions.crds import add as add_definitions
        from envcompile.actions.crds import definitions_in, definitions_of_cluster, wanted_of
        from envcompile.cli.output import answer, table, tell
        from envcompile.cli.secret_input import bytes_of
        from envcompile.errors import Problem, UsageError
        from envcompile.kubernetes.crds import read_crds
        from envcompile.units.project import Project

        project = Project.open(context.obj.project)
        named = sources or []
        if not from_cluster and not named:
            raise UsageError([Problem("nothing to add", "give files, or --from-cluster")])
        if from_cluster:
            from envcompile.secrets.fetch import cluster_answers

            kinds = frozenset((name.partition(".")[2], name.partition(".")[0]) for name in named) or wanted_of(project)
            with cluster_answers(os.environ, kube_context) as get:
                found = [each for each in definitions_of_cluster(get) if next(read_crds([each]))[0] in kinds]
        else:
            kinds = frozenset()
            found = [each for name in named for each in definitions_in(bytes_of(Path(name)), name)]
        added = add_definitions(project, found)
        missing = [f"{kind}.{group}" for group, kind in sorted(kinds - {next(read_crds([each]))[0] for each in found})]
        if output_format == "json":
            answer(definitions=[{"file": one.file, "state": one.state} for one in added], missing=missing)
        else:
            table(f"{one.state} {one.file}" for one in added)
        for name in missing:
            tell(f"the cluster defines no {name}")
