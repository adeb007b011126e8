"""`envc report`: one page with everything for people, or the same as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from envcompile.cli.arguments import Envs

ReportFormat = Literal["html", "json", "csv", "markdown", "pdf"]

EPILOG = r"""Examples:

  envc report --output report.html

  envc report staging prod --since 30d --format markdown
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("report", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        since: Annotated[
            str | None,
            typer.Option("--since", metavar="TIME", help="From then on, such as 30d or 2026-11-23; default: all."),
        ] = None,
        output: Annotated[
            Path | None, typer.Option("--output", metavar="FILE", help="Where to write; default: stdout.")
        ] = None,
        output_format: Annotated[
            ReportFormat,
            typer.Option("--format", "-o", metavar="html|json|csv|markdown|pdf", help="How to print."),
        ] = "html",
    ) -> None:
        """Write one page of what is wrong and what changed: environments side by side, costs, who approved it.

        The page needs no network, no server and no script; its tables can be sorted, filtered and printed. `envc ui`
        shows the same as pages that follow the project.
        """
        import gc
        import os
        import sys
        import time

        from envcompile.cli.output import answer, raw, tell
        from envcompile.errors import Problem, UnavailableError, UsageError
        from envcompile.files import write_output
        from envcompile.units.project import Project

        try:
            from envcompile.pages import exports
            from envcompile.pages.pdf import printed
            from envcompile.pages.report import report_html
            from envcompile.pages.state import State
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in {"jinja2", "markupsafe", "vl_convert"}:
                raise
            raise UnavailableError([
                Problem("reports need the packages of pages", "install them: pip install 'envcompile[pages]'")
            ]) from None
        # One short run allocates much and frees little: the collector would only look for cycles that are not there.
        gc.disable()
        from envcompile.history.times import moment_of

        now = int(time.time())
        project = Project.open(context.obj.project)
        state = State(project, "", environments or (), moment_of(since, now) if since else 0)
        root = project.root
        if output_format == "pdf" and output is None and sys.stdout.isatty():
            raise UsageError([Problem("a PDF is not for terminals", "name a file: --output report.pdf")])
        if output_format == "json" and output is None:
            answer(**exports.report_data(state, root, now))
            return
        if output_format == "html":
            data = report_html(state, root, now).encode()
        elif output_format == "pdf":
            data = printed(report_html(state, root, now), os.environ)
        elif output_format == "csv":
            data = exports.report_csv(state, root, now).encode()
        elif output_format == "markdown":
            data = exports.report_markdown(state, root, now).encode()
        else:
            data = _document(exports.report_data(state, root, now))
        if output is not None:
            write_output(output, data, root)
            tell(f"{output} is written: {len(data) / 1000:,.0f} kB")
        elif output_format == "pdf":
            sys.stdout.buffer.write(data)
        else:
            raw(data.decode())


def _document(data: dict[str, object]) -> bytes:
    """The document as it is printed."""
    import json

    from envcompile.cli.output import FORMAT_VERSION
    from envcompile.text import in_json

    return f"{in_json(json.dumps({'formatVersion': FORMAT_VERSION, **data}, indent=2, ensure_ascii=False))}\n".encode()
