"""`envc fix`: mend what has one right answer, where it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from envcompile.cli.arguments import Format, project_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from envcompile.actions.fix import Fix
    from envcompile.cli.arguments import TextOrJson
    from envcompile.units.project import Project

EPILOG = """Examples:

  envc fix                                       the difference that it would make

  envc fix --select cluster-leftover --write
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("fix", epilog=EPILOG)
    def command(
        context: typer.Context,
        *,
        write: Annotated[
            bool, typer.Option("--write/--diff", help="Write the files; without it only the difference is shown.")
        ] = False,
        select: Annotated[
            list[str] | None,
            typer.Option(
                "--select",
                metavar="RULES",
                help="Only these: ids or first words of ids, with commas between.",
                show_default=False,
            ),
        ] = None,
        ignore: Annotated[
            list[str] | None,
            typer.Option("--ignore", metavar="RULES", help="Not these; the longer word wins.", show_default=False),
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Mend findings of `envc check` that have one right answer, in the files where the fields were written.

        Comments and layout stay. What does not come out as it should in every environment is left as it is, and told.
        """
        from envcompile.cli.output import raw

        with project_of(context) as project:
            mend(project, select or (), ignore or (), raw, write=write, output_format=output_format)


def mend(
    project: Project,
    select: Sequence[str],
    ignore: Sequence[str],
    show: Callable[[str], None],
    *,
    write: bool,
    output_format: TextOrJson = "text",
) -> None:
    """Show the difference that mends make, write it if that is asked, and tell what is left.

    Raises:
        UsageError: a word that no rule has.
        EnvcError: what is wrong with the sources, or a file cannot be written.
    """
    from envcompile.actions.check import rules_of
    from envcompile.actions.fix import plan_fix, write_fix
    from envcompile.check.picking import picked
    from envcompile.check.rules.catalogue import ALL
    from envcompile.cli.output import answer, tell

    fix = plan_fix(project, picked({rule.id for rule in (*ALL, *rules_of(project.tree)[0])}, select, ignore))
    if output_format == "json":
        answer(
            written=write and bool(fix.after),
            files=[{"file": path, "before": fix.before[path], "after": after} for path, after in fix.after.items()],
            left=[
                {
                    "rule": left.rule,
                    "subject": left.subject,
                    "place": left.where._asdict() if left.where is not None else None,
                    "why": left.why,
                }
                for left in fix.left
            ],
        )
    else:
        show(_difference(fix))
    for left in fix.left:
        place = f"{left.where}: " if left.where is not None else ""
        tell(f"{place}{left.rule} of {left.subject} is left: {left.why}")
    if not fix.after:
        tell("there is nothing to mend")
        return
    findings, files = len({(task.rule.id, task.where) for task in fix.tasks}), len(fix.after)
    said = f"{findings} {'place' if findings == 1 else 'places'} in {files} {'file' if files == 1 else 'files'}"
    if write:
        write_fix(project, fix)
        tell(f"mended {said}; `envc build` writes the result")
    else:
        tell(f"{said} to mend: envc fix --write")


def _difference(fix: Fix) -> str:
    """The difference of all files as `git apply` reads it."""
    from difflib import unified_diff

    pieces = []
    for path, after in fix.after.items():
        before = fix.before[path]
        lines = unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
        pieces += [line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines]
    return "".join(pieces)
