"""Proves with the real helm that a chart renders exactly the resources it was made from."""

from __future__ import annotations

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.chart.alignment import numbered
from envcompile.chart.strictness import difference
from envcompile.errors import Problem, UnavailableError, UsageError, did_you_mean, fail
from envcompile.log import progress
from envcompile.values import dotted, equal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.chart.facts import Key

_NAMES = ("helm", "helm3", "helm4")
_MANIFESTS = frozenset({".yaml", ".yml", ".json"})
_SOURCE = re.compile(rb"\n# Source: [^/\n]+/(?P<path>[^\r\n]+)")
_TIME_LIMIT = 600
_RENDERERS = 2


class Helm(NamedTuple):
    """One helm on this machine."""

    path: str
    version: str


class Verdict(NamedTuple):
    """What came of rendering one environment with one helm."""

    environment: str
    helm: str
    objects: int
    equal: int
    first_difference: str
    """The first field that differs, in words; empty when all is equal."""

    @property
    def holds(self) -> bool:
        """Whether the chart gives exactly the objects of the environment."""
        return not self.first_difference


def find_helms(path: str | None = None, binaries: Sequence[str] = ()) -> list[Helm]:
    """The helms to ask: the given binaries, else one of each version among `helm`, `helm3` and `helm4` on PATH.

    Raises:
        UnavailableError: there is none.
    """
    import shutil

    found: dict[str, Helm] = {}
    wanted = binaries or [place for name in _NAMES if (place := shutil.which(name, path=path)) is not None]
    for binary in wanted:
        version = _version(binary)
        if version is not None:
            found.setdefault(version, Helm(binary, version))
    if not found:
        raise UnavailableError([
            Problem(
                "no helm was found: it is asked to render the chart",
                "install it from https://helm.sh/docs/intro/install/, or name one with `--helm PATH`",
            ),
        ])
    return [found[version] for version in sorted(found)]


def _version(binary: str) -> str | None:
    try:
        done = subprocess.run(
            [binary, "version", "--template", "{{.Version}}"], capture_output=True, timeout=60, check=False
        )
    except OSError:
        return None
    answer = done.stdout.decode(errors="replace").strip()
    return answer.partition("+")[0] if done.returncode == 0 and answer else None


def environments_of(chart: Path) -> tuple[str, ...]:
    """The environments a chart has values for.

    Raises:
        UsageError: the folder holds no chart, or a chart without values for environments.
    """
    if not (chart / "Chart.yaml").is_file():
        raise UsageError([
            Problem(f"{chart} is not a chart: it has no Chart.yaml", "build one with `envc build` or `envc convert`"),
        ])
    names = sorted(file.name for file in chart.glob("values-*.yaml"))
    if not names:
        raise UsageError([
            Problem(
                f"{chart} has no values-<environment>.yaml, so there is nothing to compare with",
                "verify a chart that envc made",
            ),
        ])
    return tuple(name.removeprefix("values-").removesuffix(".yaml") for name in names)


def choose(chart: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    """The environments of a chart that the user names; all when none is named.

    Raises:
        UsageError: the chart has no values for one of them.
    """
    known = environments_of(chart)
    names = tuple(wanted)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError([
            Problem(
                f"{chart} has no values for the environment `{name}`",
                did_you_mean(name, known, f"it has {', '.join(known)}"),
            )
            for name in unknown
        ])
    return names or known


def read_manifests(folder: Path) -> list[Any]:
    """Every document below a folder of plain manifests.

    Raises:
        UsageError: there is no such folder.
        EnvcError: a file cannot be read.
    """
    from envcompile import yamlio

    if not folder.is_dir():
        raise UsageError([
            Problem(
                f"{folder} is not a folder of manifests", "run `envc build`, or name the folders: `--against ENV=DIR`"
            ),
        ])
    found: list[Any] = []
    for file in sorted(folder.rglob("*")):
        if file.suffix in _MANIFESTS and file.is_file():
            found += yamlio.load_all(file.read_bytes(), str(file), last_wins=True)
    return found


def render(helm: str, chart: Path, environment: str, own: Collection[str] = ()) -> list[Any]:
    """The documents that a helm prints for one environment.

    Args:
        helm: the program.
        chart: the chart's folder.
        environment: whose values are taken.
        own: the files of envc's own below the folder; what helm prints of others, such as tests, extra templates and
            charts that it depends on, is left out. Empty for all.

    Raises:
        EnvcError: helm refuses the chart; its own words are part of the message.
    """
    from envcompile import yamlio

    values = chart / f"values-{environment}.yaml"
    command = [helm, "template", "envc", str(chart), "--include-crds", "--values", str(values)]
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("HELM_")}
    done = subprocess.run(command, capture_output=True, timeout=_TIME_LIMIT, check=False, env=surroundings)
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise fail(f"helm cannot render {chart} for {environment}", "this is what helm says", trace=words[:10])
    shown = f"{chart} rendered for {environment}"
    return [
        document
        for text in (_printed_of(chart, done.stdout, own) if own else (done.stdout,))
        for document in yamlio.load_all(text, shown, last_wins=True)
    ]


def _printed_of(chart: Path, printed: bytes, own: Collection[str]) -> list[bytes]:
    """The parts of what helm prints that come from some of the chart's files."""
    folders = _folders_of_aliases(chart)
    kept = []
    for part in re.split(rb"(?m)^---[ ]*\r?$(?=\n# Source: )", printed):
        source = _SOURCE.match(part)
        if source is None:
            kept.append(part)
            continue
        path = source["path"].decode("utf-8", "surrogateescape")
        alias = re.match(r"charts/([^/]+)/", path)
        if alias is not None and alias[1] in folders:
            path = f"charts/{folders[alias[1]]}/{path[alias.end() :]}"
        if path in own:
            kept.append(part)
    return kept


def _folders_of_aliases(chart: Path) -> dict[str, str]:
    """Helm calls the files of a chart inside the chart by its alias, not by its folder."""
    from envcompile import yamlio

    (said,) = yamlio.load_all((chart / "Chart.yaml").read_bytes(), "Chart.yaml", last_wins=True)
    return {one["alias"]: one["name"] for one in said.get("dependencies") or () if one.get("alias")}


def compare(wanted: Iterable[Any], found: Iterable[Any]) -> tuple[int, int, str]:
    """How many objects there should be, how many are equal, and the first difference in words."""
    ours: Mapping[Key, Any] = {key: value for key, (_, value) in numbered(("", item) for item in wanted).items()}
    theirs: Mapping[Key, Any] = {key: value for key, (_, value) in numbered(("", item) for item in found).items()}
    same, first = 0, ""
    for key, value in ours.items():
        other = theirs.get(key)
        if other is not None and equal(value, other):
            same += 1
        elif not first:
            first = f"{_title(key)} is missing"
            if other is not None and (differs := difference(value, other)):
                first = f"{_title(key)}: {dotted(differs.pointer) or 'the whole object'} {differs.what}"
    extra = [key for key in theirs if key not in ours]
    if extra and not first:
        first = f"{_title(extra[0])} should not be there"
    return len(ours), same, first


def verify(
    charts: Sequence[Path],
    expected: Mapping[str, Iterable[Any] | None],
    helms: Sequence[Helm],
    own: Mapping[Path, Collection[str]] | None = None,
) -> list[Verdict]:
    """Render every environment with every helm and compare, type for type, as a set.

    Args:
        charts: the chart, and the chart of its CRDs where there is one; what they render counts together.
        expected: the plain resources of each environment; None for values of somebody's own, which helm only has to
            take: it holds them against the chart's schema.
        helms: what `find_helms` found.
        own: the files of envc's own below each chart; what others render does not count.

    Raises:
        EnvcError: a helm prints what is not YAML.
    """
    from envcompile.errors import EnvcError

    wanted = {name: None if resources is None else list(resources) for name, resources in expected.items()}

    def one(environment: str, helm: Helm) -> Verdict:
        try:
            found = [
                document
                for chart in charts
                for document in render(helm.path, chart, environment, (own or {}).get(chart, ()))
            ]
        except EnvcError as error:
            problem = error.problems[0]
            said = "; ".join(problem.trace[:4])
            total = len(numbered(("", item) for item in wanted[environment] or ()))
            return Verdict(environment, helm.version, total, 0, f"{problem.what}: {said}" if said else problem.what)
        there = wanted[environment]
        return Verdict(environment, helm.version, *(compare(there, found) if there is not None else (0, 0, "")))

    pairs = [(environment, helm) for environment in wanted for helm in helms]
    with ThreadPoolExecutor(_RENDERERS) as pool:
        verdicts = []
        for verdict in pool.map(lambda pair: one(*pair), pairs):
            verdicts.append(verdict)
            progress("renders", len(verdicts), len(pairs))
        return verdicts


def _title(key: Key) -> str:
    _, kind, namespace, name = key
    return f"{kind}/{name}" + (f" (namespace {namespace})" if namespace else "")
