"""`envc guide`: the pages of the guide."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import typer

from envcompile.cli.completion import complete_page


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("guide", epilog="Example: envc guide composition")
    def command(
        topic: Annotated[
            str | None,
            typer.Argument(
                metavar="[TOPIC]",
                help="A page; default: the list of pages.",
                show_default=False,
                autocompletion=complete_page,
            ),
        ] = None,
    ) -> None:
        """Print a page of the guide."""
        from envcompile.cli.output import data, raw
        from envcompile.errors import Problem, UsageError, did_you_mean

        pages = topics()
        if topic is None:
            for name, title in pages.items():
                data(f"{name:<14}{title}")
            return
        if topic not in pages:
            advice = did_you_mean(topic, pages, f"the pages are {', '.join(pages)}")
            raise UsageError([Problem(f"the guide has no page `{topic}`", advice)])
        raw((resources.files("envcompile") / "guide" / f"{topic}.md").read_text(encoding="utf-8"))


def topics() -> dict[str, str]:
    """The pages of the guide by name, with their titles."""
    found = {}
    for page in sorted((resources.files("envcompile") / "guide").iterdir(), key=lambda entry: entry.name):
        if page.name.endswith(".md"):
            with page.open(encoding="utf-8") as file:
                found[page.name.removesuffix(".md")] = file.readline().lstrip("# ").strip()
    return found
