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
from envcompile.charts.asking import about_asking
from envcompile.charts.helm import Helm
from envcompile.charts.installs import Install, installs_of, surroundings
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
    api_versions: Sequence[str] = ()
    """What the cluster has besides Kubernetes' own, for charts that ask."""

    def namespace(self, environment: str) -> str:
        """That of the release in an environment; empty where nothing was said."""
        return self.namespaces.get(environment, self.namespaces.get("", ""))


def read_helm_wishes(
    source: Path,
    environments: Sequence[str] = (),
    *,
    release: str | None = None,
    namespaces: Sequence[str] = (),
    api_versions: Sequence[str] = (),
) -> HelmWishes:
    """The wishes that `--env NAME=FILE`, `--release NAME` and `--namespace [ENV=]NAME` stand for.

    Args:
        source: the chart; files are relative to the working folder, or else to it.
        environments: as `--env` takes them.
        release: as `--release` takes it.
        namespaces: as `--namespace` takes them.
        api_versions: as `--api-versions` takes them.

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
    return HelmWishes(named, release or "", spaces, tuple(api_versions))


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
        return adopt(_read(Helm.find(Path(scratch)), source, chart, wishes, helm_wishes, Path(scratch)), target)


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
            "name the folder with the Chart.yaml; a chart of somebody else is `oci://HOST/PATH/NAME`, "
            "`https://HOST/PATH/NAME`, or `@ALIAS/NAME` of `helm repo add`"
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


def _read(helm: Helm, source: Path, chart: Path, wishes: Wishes, helm_wishes: HelmWishes, scratch: Path) -> Sources:
    """The environments that helm renders."""
    notes: list[str] = []
    called = helm.chart_name(chart)
    environments = _environments(source, chart, wishes, helm_wishes, scratch, notes)
    installs = {name: [_named(each, name, called, helm_wishes) for each in told] for name, told in environments.items()}
    notes.append(_told(installs))
    rendering = _Renderings(helm, chart)
    first: dict[str, list[bytes]] = {}
    problems = Problems()
    for number, (name, told) in enumerate(installs.items(), 1):
        progress("values", number, len(installs))
        try:
            first[name] = [rendering.of(name, each) for each in told]
        except EnvcError as error:
            if error.exit_code != EnvcError.exit_code or _lacks_dependencies(error):
                raise
            problems.extend(error)
    problems.raise_any()
    rendering.wait()
    found = []
    for name, texts in first.items():
        objects = _objects(texts, name, installs[name], wishes, notes)
        again = [rendering.of(name, each) for each in installs[name]]
        if again != texts:
            notes += _about_unstable(name, objects, _objects(again, name, installs[name], wishes, []))
        written = tuple(existing.written for existing in objects if existing.written is not None)
        origin = "; ".join(each.origin for each in installs[name])
        found.append(ExistingEnvironment(name, origin, without_repeats(name, objects, problems), written))
    problems.raise_any()
    if empty := [environment.name for environment in found if not environment.objects]:
        raise fail(f"{', '.join(empty)}: the chart makes no objects", "give values that switch something on")
    notes += about_asking(chart, [option for told in installs.values() for each in told for option in each.options])
    notes += about_releases(found)
    return Sources(in_promotion_order(found), tuple(notes))


def _environments(
    source: Path, chart: Path, wishes: Wishes, helm_wishes: HelmWishes, scratch: Path, notes: list[str]
) -> dict[str, list[Install]]:
    """The releases of each environment: as a person says them, as objects of the repository tell, or by names."""
    said = helm_wishes.environments
    told = {} if said else installs_of(surroundings(source), chart, scratch / "values", notes)
    if told:
        listed = "; ".join(
            f"{name} is {', '.join(each.origin for each in installs)}" for name, installs in told.items()
        )
        notes.append(f"objects of the repository tell the environments: {listed}; `--env NAME=FILE` says others")
        return told
    files = said or environments_of(source, chart, wishes, notes)
    return {
        name: [Install(", ".join(shown(path, source) for path in paths) or "values.yaml", tuple(paths))]
        for name, paths in files.items()
    }


def _named(install: Install, environment: str, called: str, wishes: HelmWishes) -> Install:
    """A release with its name and namespace, as a person says them, else as they were found."""
    namespace = wishes.namespace(environment) or install.namespace
    options = install.options
    if wishes.api_versions:
        options = (*options, *(word for name in wishes.api_versions for word in ("--api-versions", name)))
    release = wishes.release or install.release or called
    return install._replace(release=release, namespace=namespace, options=options)


def _told(installs: Mapping[str, Sequence[Install]]) -> str:
    """How the chart is installed, since names and namespaces follow from it."""
    places: dict[tuple[str, str], list[str]] = {}
    for name, told in installs.items():
        for each in told:
            places.setdefault((each.release, each.namespace or "default"), []).append(name)
    releases = list(dict.fromkeys(release for release, _ in places))
    spaces = list(dict.fromkeys(space for _, space in places))
    if len(releases) == 1 and len(spaces) == 1:
        where = f"release `{releases[0]}` in namespace {spaces[0]}"
    elif len(releases) == 1:
        listed = ", ".join(f"{space} ({', '.join(names)})" for (_, space), names in places.items())
        where = f"release `{releases[0]}` in namespaces {listed}"
    else:
        listed = ", ".join(f"`{release}` in {space} ({', '.join(names)})" for (release, space), names in places.items())
        where = f"releases {listed}"
    return f"rendered by helm as {where}; `--release` and `--namespace [ENV=]NAME` say otherwise"


class _Renderings:
    """What helm prints of a chart.

    Args:
        helm: the program.
        chart: the folder or archive of the chart.
    """

    def __init__(self, helm: Helm, chart: Path) -> None:
        self._helm = helm
        self._chart = chart
        self._started = time.monotonic()

    def wait(self) -> None:
        """Wait until another rendering has another time."""
        time.sleep(max(0.0, _APART - (time.monotonic() - self._started)))

    def of(self, environment: str, install: Install) -> bytes:
        """What it prints of one release."""
        chart = self._chart
        command = [install.release, str(chart.resolve()), "--include-crds"]
        command += ["--kube-version", f"{DEFAULT_KUBERNETES_VERSION}.0", *install.options]
        if install.namespace:
            command += ["--namespace", install.namespace]
        hidden: list[str] = []
        for path in install.files:
            hidden += secret_texts(read_values(path))
            command += ["--values", str(path.resolve())]
        where = file_start((chart / _CHART).as_posix() if chart.is_dir() else chart.as_posix())
        try:
            return self._helm.template(command, f"{chart.as_posix()} for {environment}", (where,), hidden)
        except EnvcError as error:
            if _lacks_dependencies(error):
                fix = (
                    f"fetch what it depends on with `helm dependency build {chart.as_posix()}`, or `helm dependency "
                    "update` where helm does not know their repositories"
                )
                raise EnvcError(problem._replace(fix=fix) for problem in error.problems) from error
            if not install.files:
                fix = "this is what helm says of the chart's own values; `--env NAME=FILE` gives further ones"
                raise EnvcError(problem._replace(fix=fix) for problem in error.problems) from error
            raise


def _lacks_dependencies(error: EnvcError) -> bool:
    """Whether a chart has not got the charts that it depends on, which is so in every environment."""
    return any("charts/ directory" in line for problem in error.problems for line in problem.trace)


def _objects(
    texts: Sequence[bytes], environment: str, installs: Sequence[Install], wishes: Wishes, notes: list[str]
) -> list[Existing]:
    """The objects that helm printed as they are applied, each with its lines, without templates that are skipped."""
    found: list[Existing] = []
    for text, install in zip(texts, installs, strict=True):
        own: list[Existing] = []
        for template, body in bodies_by_template(text).items():
            if wishes.skips(template):
                continue
            words = [part for part in template.split("/") if part not in {"templates", "charts"}]
            if len(installs) > 1:
                words[0] = install.release
            written = read_written("/".join([environment, *words]), body)
            own += with_lines(objects_in([b"\n# Source: " + template.encode() + b"\n" + body]), written)
        if install.namespace:
            api = load(DEFAULT_KUBERNETES_VERSION).with_crds(existing.value for existing in own)
            own = [each._replace(value=in_namespace(each.value, install.namespace, api)) for each in own]
        found += own
    if len(installs) > 1:
        # Releases of one chart bring the same definitions.
        found = list({_brought(each): each for each in reversed(found)}.values())[::-1]
    return as_applied(found, notes, environment, wishes)


def _brought(existing: Existing) -> object:
    """What two releases of one chart have in common: the definitions of `crds/`, which helm takes once."""
    value = existing.value
    if value["kind"] != "CustomResourceDefinition":
        return id(existing)
    return literal_identity(value)


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
