"""`envc explain`: which file and line set a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from envcompile.cli.arguments import Env, ManifestFormats, Resource, Untrusted, project_of, wants_manifest

if TYPE_CHECKING:
    from envcompile.actions.chart_values import ChartOrigin
    from envcompile.actions.explain import ExplainedField, Explanation

EPILOG = r"""Examples:

  envc explain prod deployment/user-service spec.replicas

  envc explain prod deployment/user-service 'spec.template.spec.containers[name=user-service]'

  envc explain prod configmap/user-service-config 'data.app\.properties#server.port'

  envc explain prod deployment/user-service --yaml                 the whole manifest, with a gutter
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("explain", epilog=EPILOG)
    def command(
        context: typer.Context,
        environment: Env,
        resource: Resource,
        field: Annotated[
            str | None,
            typer.Argument(
                metavar="[FIELD]",
                help="A field or a part, FIELD#KEY for a key of a file in it, FIELD# for all; default: all.",
                show_default=False,
            ),
        ] = None,
        *,
        yaml: Annotated[
            bool, typer.Option("--yaml", help="The compiled manifest with layer, place and since of each line.")
        ] = False,
        output_format: Annotated[
            ManifestFormats,
            typer.Option("--format", "-o", metavar="text|json|html", help="How to print; html only with --yaml."),
        ] = "text",
        untrusted: Untrusted = False,
    ) -> None:
        """Say for a field every layer that had a say: value, file, line, and who won."""
        from envcompile.actions.explain import explain_field
        from envcompile.cli.output import answer, table

        if wants_manifest(output_format, field, yaml=yaml):
            from envcompile.actions.annotated import annotated
            from envcompile.cli.render.manifest import print_manifest

            with project_of(context, untrusted=untrusted) as project:
                found = annotated(project, environment, resource, with_history=not untrusted)
            print_manifest(found, output_format, with_commits=False)
            return
        with project_of(context, untrusted=untrusted) as project:
            explanation = explain_field(project, environment, resource, field or "")
        if output_format == "json":
            answer(**_as_data(explanation))
        else:
            table(_as_text(explanation))


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
                **({"chart": _of_chart(field.chart)} if field.chart is not None else {}),
            }
            for field in explanation.fields
        ],
    }


def _as_text(explanation: Explanation) -> list[str]:
    lines = [f"{explanation.resource} in {explanation.environment}"]
    told: set[str] = set()
    for field in explanation.fields:
        lines += ["", f"{field.field} = {_shown(field.value)}"]
        lines += _say_lines(field)
        for parameter in field.parameters:
            lines.append(f"    with params.{parameter.name}" + (f" from {parameter.place}" if parameter.place else ""))
        if field.chart is not None:
            lines += _chart_lines(field.chart)
        for merged in field.lists:
            if merged.field not in told:
                told.add(merged.field)
                lines.append(f"    list {merged.field}: {merged.how}")
    return lines


def _of_chart(origin: ChartOrigin) -> dict[str, Any]:
    return {
        "name": origin.chart,
        "version": origin.version,
        "values": [
            {"value": one.value, "place": str(one.place) if one.place else None, "certain": one.is_certain}
            for one in origin.values
        ],
        "note": origin.note,
    }


def _chart_lines(origin: ChartOrigin) -> list[str]:
    """The lines of values that a field of a chart comes from, or why none is known."""
    lines = [f"    from chart {origin.chart} {origin.version}" + (f": {origin.note}" if origin.note else "")]
    for one in origin.values:
        where = f" from {one.place}" if one.place else ""
        lines.append(f"    with values.{one.value}{where}" + ("" if one.is_certain else "  (it has the same value)"))
    return lines


def _say_lines(field: ExplainedField) -> list[str]:
    from envcompile.cli.render.columns import with_last_below

    rows = [
        (
            ("* " if say.wins else "  ") + (say.layer if say.role != "setting" else f"{say.layer} settings"),
            str(say.place or "-"),
            _shown(say.value) + (f"  ({say.note})" if say.note else ""),
        )
        for say in field.says
    ]
    return with_last_below(rows, indent="  ")


def _shown(value: Any) -> str:
    import json

    text = value if value == "(removed)" else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."
