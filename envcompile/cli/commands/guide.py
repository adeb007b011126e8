"""`envc guide`: the pages of the guide."""

from __future__ import annotations

import re
from importlib import resources
from typing import Annotated

import typer

from envcompile.cli.arguments import Format


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("guide", epilog="Examples:\n\n  envc guide composition\n\n  envc guide --search 'image digest'")
    def command(
        topic: Annotated[
            str | None,
            typer.Argument(
                metavar="[TOPIC]",
                help="A page; default: the list of pages.",
                show_default=False,
            ),
        ] = None,
        *,
        search: Annotated[
            str | None,
            typer.Option("--search", metavar="WORDS", help="Name sections with all these words.", show_default=False),
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Print a page of the guide, laid out on a terminal, or find the sections that speak of something."""
        import sys

        from envcompile.cli.output import answer, data, raw, table
        from envcompile.errors import Problem, UsageError, did_you_mean

        pages = topics()
        if topic is not None and topic not in pages:
            advice = did_you_mean(topic, pages, f"the pages are {', '.join(pages)}")
            raise UsageError([Problem(f"the guide has no page `{topic}`", advice)])
        if search is not None:
            found = [line for name in ([topic] if topic else pages) for line in _found(name, search.lower().split())]
            if not found:
                raise UsageError([Problem(f"the guide does not speak of `{search}`", "try fewer words")])
            table(found)
        elif output_format == "json":
            named = [{"name": name, "title": pages[name]} for name in ([topic] if topic else pages)]
            answer(pages=[{**page, "text": _text(page["name"])} for page in named] if topic else named)
        elif topic is None:
            for name, title in pages.items():
                data(f"{name:<14}{title}")
        elif sys.stdout.isatty():
            raw(_laid_out(_text(topic)))
        else:
            raw(_text(topic))


def _text(page: str) -> str:
    return (resources.files("envcompile") / "guide" / f"{page}.md").read_text(encoding="utf-8")


def _found(page: str, words: list[str]) -> list[str]:
    """The sections of a page that have all the words, with the line that has most of them."""
    found = []
    for section in re.split(r"^(?=#{1,4} )", _text(page), flags=re.MULTILINE):
        if section and all(word in section.lower() for word in words):
            heading, *lines = section.splitlines()
            line = max(lines, key=lambda line: sum(word in line.lower() for word in words), default="")
            found.append(f"{page}: {heading.lstrip('# ')}" + (f": {line.strip()[:100]}" if line else ""))
    return found


def _laid_out(text: str) -> str:
    """A page with its headings, tables and code as a terminal shows them."""
    import io
    import shutil

    from rich.console import Console
    from rich.markdown import Markdown

    from envcompile.cli.render.colors import is_colored

    page = io.StringIO()
    width = min(shutil.get_terminal_size().columns, 100)
    console = Console(file=page, width=width, force_terminal=True, no_color=not is_colored())
    console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))
    return page.getvalue()


def topics() -> dict[str, str]:
    """The pages of the guide by name, with their titles."""
    found = {}
    for page in sorted((resources.files("envcompile") / "guide").iterdir(), key=lambda entry: entry.name):
        if page.name.endswith(".md"):
            with page.open(encoding="utf-8") as file:
                found[page.name.removesuffix(".md")] = file.readline().lstrip("# ").strip()
    return found
