"""`envc explain`: which file and line set a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.actions.explain import ExplainedField, Explanation

EPILOG = r"""Examples:

  envc explain prod deployment/user-service spec.replicas

  envc explain prod deployment/user-service 'spec.template.spec.containers[name=user-service]'

  envc explain prod configmap/user-service-config 'data.app\.properties#server.port'
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("explain", epilog=EPILOG)
    def command(
        context: typer.Context,
        environment: Annotated[str, typer.Argument(metavar="ENV", help="The environment.")],
        resource: Annotated[str, typer.Argument(metavar="KIND/NAME", help="The resource.")],
        field: Annotated[
            str | None,
            typer.Argument(
                metavar="[FIELD]", help="A field or a part of the resource; default: all.", show_default=False
            ),
        ] = None,
        *,
        output_format: Annotated[str, typer.Option("--format", metavar="text|json", help="How to print.")] = "text",
    ) -> None:
        """Say for a field every layer that had a say: value, file, line, and who won."""
        from envcompile.actions.explain import explain_field
        from envcompile.cli.options import check_format
        from envcompile.units.project import Project

        check_format(output_format, "text", "json")
        explanation = explain_field(Project.open(context.obj.project), environment, resource, field or "")
        if output_format == "json":
            import json

            typer.echo(json.dumps(_as_data(explanation), indent=2, ensure_ascii=False))
        else:
            typer.echo(_as_text(explanation))


def _as_data(explanation: Explanation) -> dict[str, Any]:
    return {
        "environment": explanation.environment,
        "resource": explanation.resource._asdict(),
        "fields": [
            {
                "field": field.field,
                "value": field.value,
                "says": [
                    {
                        "layer": say.layer,
                        "role": say.role,
                        "place": str(say.place) if say.place else None,
                        "value": say.value,
                        "wins": say.wins,
                        **({"note": say.note} if say.note else {}),
                    }
                    for say in field.says
                ],
                "lists": [{"field": merged.field, "how": merged.how} for merged in field.lists],
                "parameters": [
                    {"name": parameter.name, "place": str(parameter.place) if parameter.place else None}
                    for parameter in field.parameters
                ],
            }
            for field in explanation.fields
        ],
    }


def _as_text(explanation: Explanation) -> str:
    lines = [f"{explanation.resource} in {explanation.environment}"]
    told: set[str] = set()
    for field in explanation.fields:
        lines += ["", f"{field.field} = {_shown(field.value)}"]
        lines += _say_lines(field)
        for parameter in field.parameters:
            lines.append(f"    with params.{parameter.name}" + (f" from {parameter.place}" if parameter.place else ""))
        for merged in field.lists:
            if merged.field not in told:
                told.add(merged.field)
                lines.append(f"    list {merged.field}: {merged.how}")
    return "\n".join(lines)


def _say_lines(field: ExplainedField) -> Iterable[str]:
    rows = [
        (
            "* " if say.wins else "  ",
            say.layer if say.role != "setting" else f"{say.layer} settings",
            str(say.place or "-"),
            _shown(say.value) + (f"  ({say.note})" if say.note else ""),
        )
        for say in field.says
    ]
    wide = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return [f"  {mark}{layer:<{wide[1]}}  {at:<{wide[2]}}  {value}" for mark, layer, at, value in rows]


def _shown(value: Any) -> str:
    import json

    text = value if value == "(removed)" else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."
