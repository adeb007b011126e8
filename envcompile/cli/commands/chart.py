"""`envc chart verify` and `envc convert`: prove a chart, and make one of anyone's manifests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from envcompile.cli.arguments import Format, TextOrJson, make_group
from envcompile.cli.commands.chart_release import add_release
from envcompile.cli.output import answer, data, tell
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, EnvcError, Problem, UsageError, fail

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from envcompile.chart import ChartOptions, Conversion, Row

VERIFY_EPILOG = """Examples:

  envc chart verify                         every environment, with every helm on PATH

  envc chart verify environments/chart prod --helm ~/bin/helm4

  envc chart verify shop --against prod=rendered/prod      a converted chart
"""
CONVERT_EPILOG = """Examples:

  envc convert k8s/ -o chart                one environment

  envc convert dev=out/dev prod=out/prod -o chart

  kustomize build overlays/prod | envc convert - -o chart

  envc convert --batch apps -o charts       a chart for each folder below apps/
"""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = make_group("chart", "Prove the Helm chart, pack it, push it.")
    _register_verify(group)
    add_release(group)
    app.add_typer(group)
    _register_convert(app)


def _register_verify(group: typer.Typer) -> None:
    @group.command("verify", epilog=VERIFY_EPILOG)
    def verify(
        context: typer.Context,
        words: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="[CHART] [ENV]...", help="A chart; default: environments/chart, and all.", show_default=False
            ),
        ] = None,
        *,
        helm: Annotated[
            list[str] | None, typer.Option("--helm", metavar="PATH", help="A helm to ask; default: all on PATH.")
        ] = None,
        against: Annotated[
            list[str] | None,
            typer.Option(
                "--against", metavar="ENV=DIR", help="Manifests of an environment; default: environments/ENV."
            ),
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Render every environment with the real helm and compare with the plain manifests, type for type.

        Values that somebody put beside those of envc are held against the schema. Exits with 16 when an object
        differs.
        """
        from envcompile.chart import find_helms
        from envcompile.chart import verify as prove
        from envcompile.chart.verification import choose, read_manifests

        folder, names = _chart_and_names(context, words or [])
        folders = _folders(against or [])
        chosen = choose(folder, names or (folders if against else ()))
        charts = _with_crds(folder)
        own = _own(charts)
        places = {name: folders[name] if against else _compiled(context, name) for name in chosen}
        added = [name for name, place in places.items() if _is_added(name, place, own.get(folder))]
        expected = {name: None if name in added else read_manifests(place) for name, place in places.items()}
        rows = prove(charts, expected, find_helms(binaries=helm or ()), own)
        print_rows(rows, output_format)
        for name in added:
            tell(f"{name} is no environment of envc's: values-{name}.yaml was held against the chart's schema alone")
        raise typer.Exit(EXIT_OK if all(row.holds for row in rows) else EXIT_DIFFERENT)


def _is_added(name: str, place: Path, own: Collection[str] | None) -> bool:
    """Whether somebody added the values of an environment that is not compiled."""
    return own is not None and f"values-{name}.yaml" not in own and not place.is_dir()


def proven(chart: Path) -> Sequence[Row]:
    """What the helms on PATH make of a compiled chart, held against the environments beside it."""
    from envcompile.chart import find_helms, verify
    from envcompile.chart.verification import choose, read_manifests

    own = _own([chart])
    places = {name: chart.with_name(name) for name in choose(chart, ())}
    expected = {
        name: None if _is_added(name, place, own.get(chart)) else read_manifests(place)
        for name, place in places.items()
    }
    return verify([chart], expected, find_helms(), own)


def _chart_and_names(context: typer.Context, words: Sequence[str]) -> tuple[Path, tuple[str, ...]]:
    """The chart and the environments among the words; a word that is a folder is the chart."""
    if words and (Path(words[0]) / "Chart.yaml").is_file():
        return Path(words[0]), tuple(words[1:])
    if words and ("/" in words[0] or Path(words[0]).is_dir()):
        return Path(words[0]), tuple(words[1:])
    from envcompile.units.project import Project

    return Project.open(context.obj.project).root / "environments" / "chart", tuple(words)


def _folders(against: Iterable[str]) -> dict[str, Path]:
    found = {}
    for word in against:
        name, sign, folder = word.partition("=")
        if not sign or not folder:
            raise UsageError([
                Problem(f"`--against {word}` does not say which environment", "write `--against ENV=DIR`")
            ])
        found[name] = Path(folder)
    return found


def _compiled(context: typer.Context, environment: str) -> Path:
    from envcompile.units.project import Project

    return Project.open(context.obj.project).root / "environments" / environment


def _with_crds(folder: Path) -> list[Path]:
    """A chart, and the chart of its CRDs where `convert --crds separate` made one."""
    beside = folder.with_name(f"{folder.name}-crds")
    return [folder, beside] if (beside / "Chart.yaml").is_file() else [folder]


def _own(charts: Sequence[Path]) -> dict[Path, Collection[str]]:
    """The files in each chart that envc wrote, as its index says, but for those of `helm test`."""
    from envcompile.chart.helmtests import FOLDER
    from envcompile.emit.index import INDEX_NAME, parse_index

    indexes = [(chart, chart / INDEX_NAME) for chart in charts]
    listed = {chart: parse_index(index.read_bytes()) for chart, index in indexes if index.is_file()}
    return {chart: [path for path in paths if not path.startswith(FOLDER)] for chart, paths in listed.items()}


def print_rows(rows: Sequence[Row], output_format: TextOrJson, *, for_people: bool = False) -> None:
    """Print what each helm made of each environment."""
    from envcompile.cli.render.columns import columns

    if output_format == "json":
        answer(rows=_row_data(rows))
        return
    titles = ("environment", "helm", "objects", "equal", "first difference")
    for line in columns([titles, *((*map(str, row[:4]), row.first_difference or "-") for row in rows)]):
        (tell if for_people else data)(line)


def _row_data(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [{**row._asdict(), "holds": row.holds} for row in rows]


def _register_convert(app: typer.Typer) -> None:
    @app.command("convert", epilog=CONVERT_EPILOG)
    def convert(
        context: typer.Context,
        sources: Annotated[
            list[str] | None,
            typer.Argument(metavar="SRC|ENV=SRC...", help="Folders or files; `-` is stdin.", show_default=False),
        ] = None,
        *,
        output: Annotated[Path, typer.Option("--output", "-o", metavar="CHART", help="The chart's folder.")],
        batch: Annotated[
            Path | None, typer.Option("--batch", metavar="ROOT", help="A chart for each folder below ROOT.")
        ] = None,
        name: Annotated[
            str | None, typer.Option("--name", metavar="NAME", help="The chart's name; default: its folder's.")
        ] = None,
        default_environment: Annotated[
            str | None,
            typer.Option("--default-env", metavar="ENV", help="Whose values stand in values.yaml; default: the first."),
        ] = None,
        version: Annotated[
            str, typer.Option("--chart-version", metavar="VERSION", help="The chart's version.")
        ] = "0.1.0",
        split: Annotated[bool, typer.Option("--split", help="A subchart for each service.")] = False,
        secrets: Annotated[
            Literal["inline", "external", "skip"],
            typer.Option("--secrets", metavar="inline|external|skip", help="What becomes of Secrets."),
        ] = "inline",
        store: Annotated[
            str, typer.Option("--secret-store", metavar="NAME", help="The ClusterSecretStore for --secrets external.")
        ] = "secrets",
        crds: Annotated[
            Literal["crds", "templates", "separate", "skip"],
            typer.Option("--crds", metavar="crds|templates|separate|skip", help="Where CRDs go."),
        ] = "crds",
        skip_unknown: Annotated[
            bool, typer.Option("--skip-unknown", help="Leave out what is not a Kubernetes object.")
        ] = False,
        verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Prove it where helm is found.")] = True,
        force: Annotated[bool, typer.Option("--force", help="Overwrite what was edited by hand.")] = False,
        output_format: Annotated[
            TextOrJson, typer.Option("--format", metavar="text|json", help="How to print what was done.")
        ] = "text",
    ) -> None:
        """Make a Helm chart of manifests that never saw envc, and prove that it renders them.

        Exits with 16 when helm is found and renders something else.
        """
        from envcompile.chart import ChartOptions

        options = ChartOptions(version=version, crds=crds, split=split)
        job = _Job(context.obj.project, options, default_environment, secrets, store, skip_unknown, verify, force)
        if batch is not None:
            if sources:
                raise UsageError([Problem("--batch takes no further inputs", "give either --batch ROOT or the inputs")])
            made = job.run_batch(batch, output)
        elif not sources:
            raise UsageError([Problem("there is nothing to convert", "name a folder of manifests, or `-` for stdin")])
        else:
            made = [job.run(sources, output, name or output.absolute().name)]
        if output_format == "json":
            answer(charts=[chart.described() for chart in made])
        raise typer.Exit(max(chart.code for chart in made))


class _Made(NamedTuple):
    """A chart that was made."""

    folder: Path
    files: tuple[str, ...]
    objects: Mapping[str, int]
    warnings: tuple[str, ...]
    rows: Sequence[Row] | None
    """What helm renders; None where nobody asked it, or there is none."""

    @property
    def code(self) -> int:
        """Whether it renders what it was made of."""
        return EXIT_OK if all(row.holds for row in self.rows or ()) else EXIT_DIFFERENT

    def described(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "folder": self.folder.as_posix(),
            "files": list(self.files),
            "objects": dict(self.objects),
            "warnings": list(self.warnings),
            "verified": _row_data(self.rows) if self.rows is not None else None,
        }


@dataclass(frozen=True, slots=True)
class _Job:
    """One call of `envc convert`."""

    root: Path
    """The folder in whose repository a branch may have planted symlinks."""
    options: ChartOptions
    default: str | None
    secrets: Literal["inline", "external", "skip"]
    store: str
    skip_unknown: bool
    verify: bool
    force: bool

    def run_batch(self, root: Path, output: Path) -> list[_Made]:
        """A chart for each folder below a root; one that fails does not keep the others from being made."""
        if not root.is_dir():
            raise UsageError([Problem(f"{root} is not a folder", "name the folder whose folders become charts")])
        folders = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
        if not folders:
            raise UsageError([Problem(f"{root} has no folders", "name the folder whose folders become charts")])
        problems: list[Problem] = []
        made: list[_Made] = []
        for folder in folders:
            tell(f"{folder.name}:")
            try:
                made.append(self.run([str(folder)], output / folder.name, folder.name))
            except EnvcError as error:
                problems += error.problems
        if problems:
            raise EnvcError(problems)
        return made

    def run(self, words: Sequence[str], output: Path, name: str) -> _Made:
        """One chart."""
        import sys

        from envcompile.chart import convert, parse_sources, read

        sources = parse_sources(words)
        piped = any(source.path is None for inputs in sources.values() for source in inputs)
        intake = read(sources, sys.stdin.buffer.read() if piped else b"", skip_unknown=self.skip_unknown)
        if self.default is not None and self.default not in intake.resources:
            known = ", ".join(intake.resources)
            raise UsageError([Problem(f"there is no environment `{self.default}`", f"the inputs are {known}")])
        made = convert(
            name,
            intake.resources,
            options=self.options,
            default_environment=self.default,
            secrets=self.secrets,
            store=self.store,
        )
        warnings = (*intake.warnings, *made.warnings)
        for warning in warnings:
            tell(f"warning: {warning}")
        charts = [output]
        self._put(output, made.files)
        if made.crd_files:
            charts.append(output.with_name(f"{output.name}-crds"))
            self._put(charts[1], made.crd_files)
        objects = {environment: len(resources) for environment, resources in made.expected.items()}
        counts = ", ".join(f"{count} in {environment}" for environment, count in objects.items())
        tell(f"{output}: {len(made.files)} files, objects: {counts}")
        rows = self._prove(charts, made) if self.verify else None
        return _Made(output, tuple(sorted(made.files)), objects, warnings, rows)

    def _put(self, folder: Path, files: Mapping[str, str]) -> None:
        """Write a chart in one step, over nothing but what an earlier call wrote."""
        import tempfile

        from envcompile.emit.manifests import bundle_of
        from envcompile.emit.plan import plan
        from envcompile.emit.write import write
        from envcompile.files import refuse_planted

        folder = folder.absolute()
        refuse_planted(folder, self.root)
        if folder.is_file():
            raise UsageError([Problem(f"{folder} is a file", "name a folder for the chart")])
        planned = plan(folder, bundle_of("chart", {path: text.encode() for path, text in files.items()}))
        if not self.force and (touched := [*planned.edited, *planned.foreign]):
            raise fail(
                f"{folder / touched[0]} was changed by hand or is not envc's"
                + (f", and {len(touched) - 1} more files" if len(touched) > 1 else ""),
                "move it away, choose another folder, or overwrite with --force",
            )
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".envc-", dir=folder.parent) as scratch:
            write(planned, folder, Path(scratch))

    @staticmethod
    def _prove(charts: Sequence[Path], made: Conversion) -> Sequence[Row] | None:
        from envcompile.chart import find_helms, verify
        from envcompile.errors import UnavailableError

        try:
            helms = find_helms()
        except UnavailableError:
            tell("not verified: there is no helm on PATH")
            return None
        rows = verify(charts, made.expected, helms, _own(charts))
        print_rows(rows, "text", for_people=True)
        return rows
