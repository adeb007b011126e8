"""`envc rule`: all that is to be said of a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Collection


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("rule", epilog="Example: envc rule image-latest")
    def command(
        context: typer.Context,
        names: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[RULE]...",
                help="Rules; default: the list of all.",
                show_default=False,
            ),
        ] = None,
        *,
        every: Annotated[bool, typer.Option("--all", help="Tell all of every rule.")] = False,
        output_format: Annotated[
            Literal["text", "markdown", "json"],
            typer.Option("--format", "-o", metavar="text|markdown|json", help="How to print."),
        ] = "text",
    ) -> None:
        """Tell of a rule of `envc check`: what must be so, why, what to write, an example of each kind, the source.

        In a project, those in its checks/ are among them.
        """
        from envcompile.actions.check import own_rules_near
        from envcompile.check.rules.catalogue import ALL
        from envcompile.check.ruletext import as_data, as_markdown, as_text
        from envcompile.cli.output import answer, raw, table, text
        from envcompile.cli.render.check import listed

        known = {rule.id: rule for rule in ALL}
        if not names or not {*names} <= known.keys():
            known |= {rule.id: rule for rule in own_rules_near(context.obj.project)}
        known = dict(sorted(known.items()))
        _refuse_unknown(names or (), known)
        wanted = [known[name] for name in names] if names else list(known.values())
        if output_format == "json":
            answer(rules=[as_data(rule) for rule in wanted])
        elif output_format == "markdown":
            raw("\n".join(map(as_markdown, wanted)))
        elif names or every:
            text("\n\n".join(map(as_text, wanted)))
        else:
            table(listed(wanted))


def _refuse_unknown(names: list[str] | tuple[()], known: Collection[str]) -> None:
    """Refuse names that no rule has.

    Raises:
        UsageError: naming each with the nearest one.
    """
    from envcompile.check.picking import ALIKE
    from envcompile.errors import Problem, UsageError, did_you_mean

    problems = [
        Problem(f"there is no rule `{name}`", _begun(name, known) or did_you_mean(name, known, _LIST, ALIKE))
        for name in names
        if name not in known
    ]
    if problems:
        raise UsageError(problems)


_LIST = "`envc rule` lists the rules"


def _begun(name: str, known: Collection[str]) -> str:
    """The rules that begin with a word, which `--select` would take; empty when none does."""
    longer = [f"`{rule}`" for rule in known if rule.startswith(f"{name.rstrip('-')}-")]
    return f"these begin with it: {', '.join(longer)}" if longer else ""
