"""A chart brought over: what helm makes of it with each environment's values becomes base and overlays."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.adopt.adoption import adopt
from envcompile.adopt.authors import read_written
from envcompile.adopt.existing import (
    ExistingEnvironment,
    Sources,
    in_promotion_order,
    literal_identity,
    shortly,
    title,
    without_repeats,
)
from envcompile.adopt.manifests import as_applied, with_lines
from envcompile.adopt.releases import about_releases
from envcompile.charts.helm import Helm
from envcompile.charts.rendering import bodies_by_template, in_namespace, objects_in, secret_texts
from envcompile.charts.valuefiles import environments_of, read_values, shown
from envcompile.errors import EnvcError, Problem, Problems, UsageError, fail
from envcompile.kubernetes import load
from envcompile.log import progress
from envcompile.settings import DEFAULT_KUBERNETES_VERSION
from envcompile.sources.tree import file_start
from envcompile.values import dotted, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.adopt.adoption import Adoption
    from envcompile.adopt.existing import Existing
    from envcompile.adopt.wishes import Wishes

_APART: Final = 1.1
"""Seconds between two renderings of the same, so that a chart that asks for the time is found out."""
_MOST_SHOWN: Final = 5
_CHART: Final = "Chart.yaml"


class HelmWishes(NamedTuple):
    """How helm installs the chart: the files of values of each environment, the release, and its namespaces."""

    environments: Mapping[str, Sequence[Path]] = {}
    """In the order in which helm lays them; empty: those whose names tell of environments."""
    release: str = ""
    """Empty: the chart's name."""
    namespaces: Mapping[str, str] = {}
    """By environment; that of the empty name holds for all others."""

    def namespace(self, environment: str) -> str:
        """That of the release in an environment; empty where nothing was said."""
        return self.namespaces.get(environment, self.namespaces.get("", ""))


def read_helm_wishes(
    source: Path, environments: Sequence[str] = (), *, release: str | None = None, namespaces: Sequence[str] = ()
) -> HelmWishes:
    """The wishes that `--env NAME=FILE`, `--release NAME` and `--namespace [ENV=]NAME` stand for.

    Args:
        source: the chart; files are relative to the working folder, or else to it.
        environments: as `--env` takes them.
        release: as `--release` takes it.
        namespaces: as `--namespace` takes them.

    Raises:
        UsageError: a text is none of these, or there is no such file.
    """
    from envcompile.adopt.existing import environment_name

    problems: list[Problem] = []
    named: dict[str, list[Path]] = {}
    for text in environments:
        name, sign, path = text.partition("=")
        found = next((each for each in (Path(path), source / path) if each.is_file()), None)
        if not sign or not name or not path:
            problems.append(Problem(f"`--env {text}` is not NAME=FILE", "write it as `--env prod=values-prod.yaml`"))
        elif environment_name(name) != name:
            what = f"`{name}` is no name of an environment"
            problems.append(Problem(what, f"use lower-case letters, digits and `-`: `{environment_name(name)}`"))
        elif found is None:
            problems.append(Problem(f"there is no file `{path}`", "name a file of values, as for `helm template -f`"))
        else:
            named.setdefault(name, []).append(found)
    spaces: dict[str, str] = {}
    for text in namespaces:
        before, sign, behind = text.partition("=")
        spaces[before if sign else ""] = behind if sign else before
        if sign and named and before not in named:
            problems.append(Problem(f"`--namespace {text}` names no environment of `--env`", f"use {', '.join(named)}"))
    if problems:
        raise UsageError(problems)
    return HelmWishes(named, release or "", spaces)


def from_helm(source: Path, target: Path, wishes: Wishes, helm_wishes: HelmWishes) -> Adoption:
    """Bring a chart into a new repository, as the real helm renders it for each environment.

    Args:
        source: the folder of the chart, one above it, or an archive.
        target: the folder of the new repository.
        wishes: what is left out; whether what only Helm reads is taken out.
        helm_wishes: how helm installs it.

    Raises:
        EnvcError: helm refuses the chart or its values, or the target has files in the way.
        UnavailableError: helm is not on PATH.
        UsageError: there is no such chart.
    """
    chart = find_chart(source)
    with tempfile.TemporaryDirectory(prefix="envc-chart-") as scratch:
        return adopt(_read(Helm.find(Path(scratch)), source, chart, wishes, helm_wishes), target)


def find_chart(source: Path) -> Path:
    """The chart that a path stands for: a folder, the only one below a folder, or an archive.

    Raises:
        UsageError: there is none, or several.
    """
    if source.is_file() and source.name.endswith((".tgz", ".tar.gz")):
        return source
    if (source / _CHART).is_file():
        return source
    if not source.is_dir():
        what = f"there is no folder of a chart and no archive at `{source}`"
        fix = (
            "a chart of somebody else stays one: name it under `charts:` of envc.yaml (`envc guide charts`); or fetch "
            "it with `helm pull` and give its archive"
        )
        raise UsageError([Problem(what, fix)])
    found = [path.parent for path in sorted(source.rglob(_CHART))]
    # What a chart holds itself are its dependencies.
    found = [path for path in found if not any(other in path.parents for other in found)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError([Problem(f"`{source}` holds no chart", f"name the folder with the {_CHART}")])
    named = ", ".join(str(path) for path in found[:_MOST_SHOWN])
    raise UsageError([
        Problem(
            f"`{source}` holds {len(found)} charts: {named}{' …' if len(found) > _MOST_SHOWN else ''}",
            "bring them over one by one, each into a folder of its own; or render all of an environment with `helm "
            "template` into one folder, and give those to --from-manifests",
        )
    ])


def _read(helm: Helm, source: Path, chart: Path, wishes: Wishes, helm_wishes: HelmWishes) -> Sources:
    """The environments that helm renders."""
    notes: list[str] = []
    called = helm.chart_name(chart)
    release = helm_wishes.release or called
    files = helm_wishes.environments or environments_of(source, chart, wishes, notes)
    notes.append(_told(release, list(files), helm_wishes))
    started = time.monotonic()
    first: dict[str, bytes] = {}
    problems = Problems()
    for number, (name, paths) in enumerate(files.items(), 1):
        progress("values", number, len(files))
        try:
            first[name] = _printed(helm, chart, release, name, paths, helm_wishes)
        except EnvcError as error:
            if error.exit_code != EnvcError.exit_code or _lacks_dependencies(error):
                raise
            problems.extend(error)
    problems.raise_any()
    time.sleep(max(0.0, _APART - (time.monotonic() - started)))
    environments = []
    for name, text in first.items():
        objects = _objects(text, name, wishes, helm_wishes, notes)
        again = _printed(helm, chart, release, name, files[name], helm_wishes)
        if again != text:
            notes += _about_unstable(name, objects, _objects(again, name, wishes, helm_wishes, []))
        written = tuple(existing.written for existing in objects if existing.written is not None)
        origin = ", ".join(shown(path, source) for path in files[name]) or "values.yaml"
        environments.append(ExistingEnvironment(name, origin, without_repeats(name, objects, problems), written))
    problems.raise_any()
    if empty := [environment.name for environment in environments if not environment.objects]:
        raise fail(f"{', '.join(empty)}: the chart makes no objects", "give values that switch something on")
    notes += about_releases(environments)
    return Sources(in_promotion_order(environments), tuple(notes))


def _told(release: str, environments: Sequence[str], wishes: HelmWishes) -> str:
    """How the chart is installed, since names and namespaces follow from it."""
    spaces = {name: wishes.namespace(name) or "default" for name in environments}
    if len(set(spaces.values())) == 1:
        where = f"namespace {next(iter(spaces.values()))}"
    else:
        where = "namespaces " + ", ".join(f"{space} ({name})" for name, space in spaces.items())
    return f"rendered by helm as release `{release}` in {where}; `--release` and `--namespace [ENV=]NAME` say otherwise"


def _printed(
    helm: Helm, chart: Path, release: str, environment: str, files: Sequence[Path], wishes: HelmWishes
) -> bytes:
    """What helm prints of one environment."""
    command = [release, str(chart.resolve()), "--include-crds", "--kube-version", f"{DEFAULT_KUBERNETES_VERSION}.0"]
    if namespace := wishes.namespace(environment):
        command += ["--namespace", namespace]
    hidden: list[str] = []
    for path in files:
        hidden += secret_texts(read_values(path))
        command += ["--values", str(path.resolve())]
    where = file_start((chart / _CHART).as_posix() if chart.is_dir() else chart.as_posix())
    try:
        return helm.template(command, f"{chart.as_posix()} for {environment}", (where,), hidden)
    except EnvcError as error:
        if _lacks_dependencies(error):
            fix = f"fetch what it depends on with `helm dependency build {chart.as_posix()}`"
            raise EnvcError(problem._replace(fix=fix) for problem in error.problems) from error
        raise


def _lacks_dependencies(error: EnvcError) -> bool:
    """Whether a chart has not got the charts that it depends on, which is so in every environment."""
    return any("charts/ directory" in line for problem in error.problems for line in problem.trace)


def _objects(
    text: bytes, environment: str, wishes: Wishes, helm_wishes: HelmWishes, notes: list[str]
) -> list[Existing]:
    """The objects that helm printed as they are applied, each with its lines, without templates that are skipped."""
    found: list[Existing] = []
    for template, body in bodies_by_template(text).items():
        if wishes.skips(template):
            continue
        words = [part for part in template.split("/") if part not in {"templates", "charts"}]
        written = read_written("/".join([environment, *words]), body)
        found += with_lines(objects_in([b"\n# Source: " + template.encode() + b"\n" + body]), written)
    if namespace := helm_wishes.namespace(environment):
        api = load(DEFAULT_KUBERNETES_VERSION).with_crds(existing.value for existing in found)
        found = [each._replace(value=in_namespace(each.value, namespace, api)) for each in found]
    return as_applied(found, notes, environment, wishes)


def _about_unstable(environment: str, one: Sequence[Existing], other: Sequence[Existing]) -> Iterator[str]:
    """What the chart makes up anew each time: objects, and fields of objects, by name."""
    theirs = {literal_identity(existing.value): existing.value for existing in other}
    differing: list[str] = []
    for value in (existing.value for existing in one):
        same_one = theirs.get(literal_identity(value))
        if same_one is None:
            differing.append(title(value))
            continue
        fields = dict(leaves(same_one))
        differing += [
            f"{title(value)} {dotted(pointer)}" for pointer, item in leaves(value) if fields.get(pointer) != item
        ]
    if differing:
        yield (
            f"{environment}: the chart makes this up each time it is rendered: {shortly(differing, _MOST_SHOWN)}; what "
            "came out stays from now on: set the values that it comes from, and bring it over once more, or put what "
            "runs in its place"
        )
