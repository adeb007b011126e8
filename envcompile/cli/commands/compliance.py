"""`envc compliance`: findings by framework, and the audit trail of a period."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from envcompile.cli.arguments import Envs, Format, TextOrJson, history_of, project_of

EPILOG = """Examples:

  envc compliance prod                       which controls hold, which are broken, which no rule covers

  envc compliance --framework cis --trend 8  with the last eight weeks

  envc compliance --audit --since 90d        who changed what, and who approved it

  envc compliance --verify HASH              is the record as it was when a trail told this hash?
"""
_WEEK = 7 * 86_400
_WEEKS = 520  # ten years; every week is a commit to compile and a row to show


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("compliance", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        framework: Annotated[
            list[str] | None,
            typer.Option("--framework", metavar="NAME", help="pss, nsa or cis; default: all.", show_default=False),
        ] = None,
        weeks: Annotated[
            int,
            typer.Option(
                "--trend",
                metavar="WEEKS",
                min=0,
                max=_WEEKS,
                help="Check what each of the last weeks ended with.",
            ),
        ] = 0,
        trail: Annotated[bool, typer.Option("--audit", help="The audit trail, from the recorded history.")] = False,
        since: Annotated[
            str | None,
            typer.Option("--since", metavar="TIME", help="Of --audit: such as 90d, or 2026-11-01.", show_default=False),
        ] = None,
        kept: Annotated[
            str | None,
            typer.Option(
                "--verify", metavar="HASH", help="Whether the record up to a hash is as it was.", show_default=False
            ),
        ] = None,
        output_format: Format = "text",
    ) -> int:
        """Group findings by framework; audit the record: Pod Security Standards, NSA/CISA and CIS in each environment.

        A control that no rule covers is said. `--audit` tells who changed what, from, to, in which commit, who approved
        it, and what is missing in the record; `--verify` exits 1 when the record was changed.
        """
        from envcompile.errors import EXIT_OK, Problem, UsageError

        if (trail or kept is not None) and (weeks or framework):
            raise UsageError([Problem("the audit trail has no frameworks", "leave --framework and --trend out")])
        if since is not None and not trail:
            raise UsageError([Problem("--since belongs to --audit", "write --audit --since TIME")])
        if kept is not None:
            return _verify(context, kept, output_format)
        if trail:
            _audit(context, environments or [], since, output_format)
        else:
            _frameworks(context, environments or [], framework or [], weeks, output_format)
        return EXIT_OK


def _frameworks(
    context: typer.Context, environments: list[str], named: list[str], weeks: int, output_format: TextOrJson
) -> None:
    from envcompile.actions.compliance import compliance, frameworks_named, trend
    from envcompile.cli.render.compliance import compliance_data, compliance_lines

    frameworks = frameworks_named(named)
    with project_of(context) as project:
        found = compliance(project, environments, frameworks)
        root = project.root
    if weeks:
        from envcompile.git.repository import open_repository

        now = int(time.time())
        ends = [now - _WEEK * number for number in range(weeks - 1, -1, -1)]
        found = found._replace(trend=trend(open_repository(root), root, environments, frameworks, ends))
    _print(compliance_data(found) if output_format == "json" else compliance_lines(found), output_format)


def _audit(context: typer.Context, environments: list[str], since: str | None, output_format: TextOrJson) -> None:
    from envcompile.actions.audit import audit
    from envcompile.cli.render.compliance import audit_data, audit_lines

    with history_of(context) as past:
        found = audit(past, environments, int(time.time()), since=since)
    _print(audit_data(found) if output_format == "json" else audit_lines(found), output_format)


def _verify(context: typer.Context, kept: str, output_format: TextOrJson) -> int:
    from envcompile.actions.audit import verify
    from envcompile.cli.output import answer, data, tell
    from envcompile.errors import EXIT_OK, EXIT_WRONG

    with history_of(context) as past:
        found = verify(past, kept)
    if output_format == "json":
        answer(holds=found.holds, commit=found.commit or None, later=found.later, altered=list(found.altered))
        return EXIT_OK if found.holds else EXIT_WRONG
    if found.commit:
        data(f"the record up to commit {found.commit[:12]} is as it was; {found.later} came since")
    else:
        tell("error: no commit of the record has this hash: what was recorded before it is another past")
    for digest in found.altered:
        tell(f"error: the content {digest} is not what was recorded")
    return EXIT_OK if found.holds else EXIT_WRONG


def _print(found: Any, output_format: TextOrJson) -> None:
    from envcompile.cli.output import answer, table

    if output_format == "json":
        answer(**found)
    else:
        table(found)
