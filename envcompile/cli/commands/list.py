"""`envc list`: the environments, and how they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from envcompile.cli.arguments import Envs, Format, Untrusted, project_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.listing import Listed

_TITLES = ("environment", "resources", "output", "findings", "last change")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("list", epilog="Example: envc list")
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        output_format: Format = "text",
        untrusted: Untrusted = False,
    ) -> None:
        """List the environments, the first to be promoted first: resources, stale output, findings, last change."""
        from envcompile.actions.listing import list_environments
        from envcompile.cli.output import answer, table

        with project_of(context, untrusted=untrusted) as project:
            found = list_environments(project, environments or ())
        if output_format == "json":
            answer(environments=[_as_data(listed) for listed in found])
        else:
            table(_as_table(found))


def _as_data(listed: Listed) -> dict[str, object]:
    from envcompile.history.times import stamp

    commit = listed.changed
    return {
        "environment": listed.environment,
        "namespace": listed.namespace or None,
        "resources": listed.resources,
        "stale": listed.is_stale,
        "findings": {grade: listed.findings.get(grade, 0) for grade in ("error", "warning", "info")},
        "lastChange": {
            "commit": commit.hash,
            "time": stamp(commit.committed_at),
            "author": commit.author_name,
            "message": commit.message.partition("\n")[0],
        }
        if commit is not None
        else None,
        "problem": listed.problem or None,
    }


def _as_table(found: Sequence[Listed]) -> list[str]:
    from envcompile.cli.render.columns import columns
    from envcompile.history.times import day

    rows = []
    for listed in found:
        commit = listed.changed
        counts = [f"{count} {grade}" for grade in ("error", "warning", "info") if (count := listed.findings.get(grade))]
        rows.append((
            listed.environment,
            "-" if listed.problem else str(listed.resources),
            "does not compile" if listed.problem else "stale" if listed.is_stale else "current",
            listed.problem or ", ".join(counts) or "none",
            f"{day(commit.committed_at)}  {commit.hash[:10]}  {commit.author_name}" if commit is not None else "-",
        ))
    return columns([_TITLES, *rows])
