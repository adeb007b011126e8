"""`envc init`: a first repository, or an existing one brought over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from envcompile.cli.arguments import Format
from envcompile.cli.output import answer, data, table, tell
from envcompile.cli.render.columns import with_last_below
from envcompile.errors import EXIT_OK, EXIT_WRONG, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.adopt import Adoption

EPILOG = """Examples:

  envc init shop                                   a working repository in shop/

  envc init shop --from-kustomize deploy           overlays/* of deploy/ become environments

  envc init shop --from-helm chart                 as helm renders chart/ with values-dev.yaml, values-prod.yaml

  envc init shop --from-helm oci://registry.example.com/charts/web --env prod=values-prod.yaml

  envc init shop --from-manifests rendered         rendered/dev.yaml, rendered/prod.yaml: two environments

  envc init shop --from-manifests old --env eu=old/a --env us=old/b --skip 'old/tests/*'
"""

_MOST_DIFFERENCES = 50


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("init", epilog=EPILOG)
    def command(
        context: typer.Context,
        folder: Annotated[
            Path | None,
            typer.Argument(metavar="[DIR]", help="Folder of the new repository; default: here.", show_default=False),
        ] = None,
        *,
        manifests: Annotated[
            Path | None, typer.Option("--from-manifests", metavar="DIR", help="Bring plain manifests over.")
        ] = None,
        kustomize: Annotated[
            Path | None, typer.Option("--from-kustomize", metavar="DIR", help="Bring kustomize overlays over.")
        ] = None,
        chart: Annotated[
            str | None,
            typer.Option("--from-helm", metavar="CHART", help="Bring a chart over, as helm renders it with values."),
        ] = None,
        environments: Annotated[
            list[str] | None,
            typer.Option(
                "--env",
                metavar="NAME=PATH",
                help="This file or folder of the source (of a chart: file of values) is that environment; repeatable.",
            ),
        ] = None,
        release: Annotated[
            str | None,
            typer.Option(
                "--release", metavar="NAME", help="Of the chart; default: the chart's name.", show_default=False
            ),
        ] = None,
        version: Annotated[
            str | None,
            typer.Option(
                "--version", metavar="V", help="Of the chart at an address; default: the newest.", show_default=False
            ),
        ] = None,
        namespaces: Annotated[
            list[str] | None,
            typer.Option("--namespace", metavar="[ENV=]NAME", help="Helm installs the chart into it; repeatable."),
        ] = None,
        apis: Annotated[
            list[str] | None,
            typer.Option("--api-versions", metavar="NAME", help="What the chart finds in the cluster; repeatable."),
        ] = None,
        skip: Annotated[
            list[str] | None,
            typer.Option("--skip", metavar="GLOB", help="Leave these files and folders of the source out; repeatable."),
        ] = None,
        base: Annotated[
            str | None,
            typer.Option(
                "--base",
                metavar="DIR",
                help="What all environments have; default: the kustomization that all of them use.",
                show_default=False,
            ),
        ] = None,
        helm: Annotated[
            Literal["keep", "clean"],
            typer.Option(
                "--helm",
                metavar="keep|clean",
                help="What only Helm reads (tests of charts, its labels) is kept, or taken out.",
            ),
        ] = "keep",
        skip_broken: Annotated[
            bool, typer.Option("--skip-broken", help="Leave a kustomization out that cannot be built, and name it.")
        ] = False,
        output_format: Format = "text",
    ) -> None:
        """Set up a repository; existing manifests are split into base and overlays, and proven to build the same."""
        from envcompile import adopt

        target: Path = folder if folder is not None else context.obj.project
        sources = {"manifests": manifests, "kustomize": kustomize, "helm": Path(chart) if chart is not None else None}
        given = [name for name, path in sources.items() if path is not None]
        told = bool(environments or skip or base or skip_broken or helm == "clean")
        _refuse(
            given,
            told=told,
            of_helm=bool(release or namespaces or version or apis),
            of_kustomize=bool(base or skip_broken),
        )
        if chart is not None:
            from envcompile.charts.adopting import read_helm_wishes
            from envcompile.charts.beginning import begin_with, is_address, read_address

            if is_address(chart):
                if skip or helm == "clean":
                    what = "--skip and --helm are for charts of one's own"
                    raise UsageError([Problem(what, "`exclude` of `charts:` leaves objects out (`envc guide charts`)")])
                asked = read_helm_wishes(
                    Path(), environments or (), release=release, namespaces=namespaces or (), api_versions=apis or ()
                )
                began = begin_with(read_address(chart, version), target, asked)
                if output_format == "json":
                    answer(**_data_of(began))
                raise typer.Exit(_tell(began, target, data if output_format == "text" else tell))
            if version is not None:
                raise UsageError([Problem(f"--version is for addresses, and `{chart}` is a path", "leave it out")])
        if given:
            source = sources[given[0]] or Path()
            wishes = adopt.read_wishes(
                source,
                () if given == ["helm"] else environments or (),
                skip=skip or (),
                base=base,
                skip_broken=skip_broken,
                cleans_helm=helm == "clean",
            )
            if given == ["helm"]:
                from envcompile.charts import adopting

                asked = adopting.read_helm_wishes(
                    source, environments or (), release=release, namespaces=namespaces or (), api_versions=apis or ()
                )
                adopted = adopting.from_helm(source, target, wishes, asked)
            else:
                bring = adopt.from_kustomize if given == ["kustomize"] else adopt.from_manifests
                adopted = bring(source, target, wishes)
            if output_format == "json":
                answer(**_data_of(adopted))
            raise typer.Exit(_tell(adopted, target, data if output_format == "text" else tell))
        made = [path.as_posix() for path in adopt.scaffold(target)]
        if output_format == "json":
            answer(files=made)
        else:
            table([*(f"created {path}" for path in made), *_next_steps(target, "dev", "prod")])


def _refuse(given: list[str], *, told: bool, of_helm: bool, of_kustomize: bool) -> None:
    """Refuse options that say nothing together."""
    if len(given) > 1:
        what = f"{' and '.join(f'--from-{name}' for name in given)} exclude each other"
        raise UsageError([Problem(what, "give one of them")])
    if of_helm and given != ["helm"]:
        raise UsageError([
            Problem("--release, --version, --namespace and --api-versions are for charts", "add --from-helm CHART")
        ])
    if of_kustomize and given == ["helm"]:
        raise UsageError([Problem("--base and --skip-broken are for other sources than charts", "leave them out")])
    if told and not given:
        what = "--env, --skip, --base, --skip-broken and --helm tell of what is brought over"
        raise UsageError([Problem(what, "add --from-kustomize DIR, --from-manifests DIR or --from-helm CHART")])


def _data_of(adoption: Adoption) -> dict[str, Any]:
    """What a machine reads of a source that was brought over."""
    return {
        "files": [path.as_posix() for path in adoption.files] if adoption.is_equal else [],
        "adoption": {
            "equal": adoption.is_equal,
            "differences": [str(difference) for difference in adoption.proof.differences],
            "environments": [environment._asdict() for environment in adoption.environments],
            "notes": list(adoption.notes),
            "sourceLines": adoption.source_lines,
            "baseLines": adoption.base_lines,
            "overlayLines": adoption.overlay_lines,
        },
    }


def _tell(adoption: Adoption, target: Path, say: Callable[[str], None]) -> int:
    """Say what became of the source, and whether the proof holds."""
    for note in adoption.notes:
        tell(f"note: {note}")
    if not adoption.is_equal:
        differences = adoption.proof.differences
        tell(f"error: the build would differ from the source, so nothing was written; {len(differences)} differences:")
        for difference in differences[:_MOST_DIFFERENCES]:
            tell(f"  {difference}")
        if len(differences) > _MOST_DIFFERENCES:
            tell(f"  and {len(differences) - _MOST_DIFFERENCES} more")
        tell("hint: this is worth a bug report; the objects named can be brought over by hand meanwhile")
        return EXIT_WRONG
    for environment in adoption.environments:
        parts = [f"{environment.objects} objects"]
        parts += [
            f"{count} {what}"
            for count, what in (
                (environment.patched, "patched"),
                (environment.own, "only here"),
                (environment.excluded, "of base left out"),
            )
            if count
        ]
        say(f"{environment.name} (from {environment.origin}): {', '.join(parts)}")
    total = sum(environment.objects for environment in adoption.environments)
    say(
        f"{adoption.source_lines} lines became {adoption.base_lines} in base/ and {adoption.overlay_lines} in overlays/"
    )
    say(f"proven: the build equals the source, {total} of {total} objects")
    with_secrets = [environment for environment in adoption.environments if environment.secrets]
    if with_secrets:
        tell(_secrets_warning([environment.name for environment in with_secrets]))
    names = [environment.name for environment in adoption.environments]
    for line in _next_steps(target, names[0], names[-1]):
        say(line)
    return EXIT_OK


def _secrets_warning(names: list[str]) -> str:
    return (
        f"warning: the source holds Secrets in plain text ({', '.join(names)}), and so does the new repository: DO NOT "
        "COMMIT IT YET\n"
        "  `secretBackend: plaintext` makes the build equal to the source. To go on, in each of these environments:\n"
        "  1. put references (`ref+env://NAME`, `ref+vault://…`) in the place of the values, see `envc guide secrets`\n"
        f"  2. envc secrets fetch-cert {names[0]} && envc secrets seal {names[0]}\n"
        "  3. take `secretBackend: plaintext` out of its environment.yaml, and rotate what was ever committed"
    )


def _next_steps(target: Path, first: str, last: str) -> list[str]:
    folder = target.as_posix()
    steps = [
        (f"cd {folder}", ""),
        ("envc build", "compile every environment into environments/"),
        (f"envc show {last}", f"print what {last} consists of"),
        (f"envc compare {first} {last}", "see how two environments differ"),
        ("envc guide start", "the next ten minutes"),
    ]
    if folder == ".":
        steps = steps[1:]
    if first == last:
        steps = [step for step in steps if "compare" not in step[0]]
    # One column between them is wider than in tables, as in the help.
    return ["", "next:", *with_last_below([(f"{command} ", what) for command, what in steps], "  ")]
