"""What tells how a chart of the repository is installed: Applications of Argo CD, HelmReleases of Flux, helmfile.

Sources: argoproj.io/v1alpha1 Application (`spec.source.helm`: values files, then `values` or `valuesObject`, then
parameters), helm.toolkit.fluxcd.io/v2 HelmRelease (`valuesFrom` in their order, then `values`), and helmfile's own
documentation (`environments`, `releases`, of which paths are relative to the file).
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.existing import environment_name
from envcompile.adopt.flux import FluxTree, read_objects
from envcompile.adopt.gitops import IN_CLUSTER, applications_of, cluster_of, host_of, maps_in, stage_in
from envcompile.charts.valuefiles import laid_over
from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.adopt.flux import Found

_HELMFILES: Final = re.compile(r"helmfile\.ya?ml(?:\.gotmpl)?")
_ENVIRONMENT: Final = re.compile(r"\{\{-?\s*\.Environment\.Name\s*(?:\|\s*quote\s*)?-?\}\}")
_PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_SETS: Final = {True: "--set-string", False: "--set"}


class Install(NamedTuple):
    """One release of the chart in one environment."""

    origin: str
    """Who says so."""
    files: tuple[Path, ...]
    """Files of values, in the order in which helm lays them."""
    release: str = ""
    namespace: str = ""
    options: tuple[str, ...] = ()
    """Further ones of `helm template`."""


class _Told(NamedTuple):
    environment: str
    install: Install


def surroundings(source: Path) -> Path:
    """The repository around a chart: the folder above it that git knows, else the folder that was named."""
    here = source.resolve()
    folder = here if here.is_dir() else here.parent
    found = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    return found or folder


def installs_of(root: Path, chart: Path, scratch: Path, notes: list[str]) -> dict[str, list[Install]]:
    """The releases of a chart by environment, as objects in the repository tell; empty where nothing tells.

    Args:
        root: the folder of the repository.
        chart: the folder of the chart in it.
        scratch: an empty folder; values that stand in objects are written into it.
        notes: gets what is left out.
    """
    here = chart.resolve()
    if not here.is_dir() or not here.is_relative_to(root):
        return {}
    reader = _Reader(root, here.relative_to(root).as_posix(), scratch, notes)
    told = list(reader.of_clusters()) or list(reader.of_helmfiles())
    found: dict[str, list[Install]] = {}
    for one in told:
        installs = found.setdefault(environment_name(one.environment), [])
        if all((each.release, each.namespace) != (one.install.release, one.install.namespace) for each in installs):
            installs.append(one.install)
    return found


class _Reader:
    """Reads what tells of one chart.

    Args:
        root: the folder of the repository.
        chart: the path of the chart in it.
        scratch: where values are written.
        notes: gets what is left out.
    """

    def __init__(self, root: Path, chart: str, scratch: Path, notes: list[str]) -> None:
        self._root = root
        self._chart = chart
        self._scratch = scratch
        self._notes = notes
        self._written = 0

    def of_clusters(self) -> Iterator[_Told]:
        """What objects of Argo CD and Flux tell."""
        objects = list(read_objects(self._root, (b"argoproj.io/", b"helm.toolkit.fluxcd.io/")))
        for each in objects:
            kind, group = each.value["kind"], each.value["apiVersion"].rpartition("/")[0]
            if (group, kind) == ("argoproj.io", "Application"):
                yield from self._of_application(each.file, each.value)
            elif (group, kind) == ("argoproj.io", "ApplicationSet"):
                for value in applications_of(each, self._root, []):
                    yield from self._of_application(each.file, value)
        releases = [each for each in objects if each.value["kind"] == "HelmRelease"]
        flux = FluxTree(self._root, objects)
        for each in releases:
            if posixpath.normpath(str(_chart_of(each).get("chart"))) == self._chart:
                yield from self._of_release(each, releases, flux)

    def _of_application(self, file: str, value: Mapping[str, Any]) -> Iterator[_Told]:
        spec = _map(value.get("spec"))
        name = str(_map(value.get("metadata")).get("name") or "")
        destination = _map(spec.get("destination"))
        for one in [*maps_in([spec.get("source")]), *maps_in(spec.get("sources"))]:
            if type(one.get("path")) is not str or posixpath.normpath(one["path"]) != self._chart:
                continue
            helm = _map(one.get("helm"))
            title = f"Application/{name} ({file})"
            named = [str(path) for path in helm.get("valueFiles") or ()]
            lenient = helm.get("ignoreMissingValueFiles") is True
            files = [found for path in named for found in self._value_files(path, title, lenient=lenient)]
            inline = helm.get("valuesObject") or helm.get("values")
            files += [self._write(inline)] if inline else []
            options: list[str] = []
            for said in maps_in(helm.get("parameters")):
                text = str(said.get("value", "")).replace(",", "\\,")
                options += [_SETS[said.get("forceString") is True], f"{said.get('name')}={text}"]
            for said in maps_in(helm.get("fileParameters")):
                path = self._root / self._chart / str(said.get("path"))
                options += ["--set-file", f"{said.get('name')}={path}"]
            options += [word for text in helm.get("apiVersions") or () for word in ("--api-versions", str(text))]
            namespace = str(helm.get("namespace") or destination.get("namespace") or "")
            cluster = str(destination.get("name") or "")
            environment = ("" if cluster in IN_CLUSTER else cluster) or cluster_of(file)
            environment = environment or stage_in(name, file, *named, namespace) or host_of(destination) or "default"
            release = str(helm.get("releaseName") or name)
            yield _Told(environment, Install(title, tuple(files), release, namespace, tuple(options)))

    def _value_files(self, path: str, title: str, *, lenient: bool = False) -> list[Path]:
        """The files that a path of `valueFiles` stands for: below the chart, the repository, or what `$NAME` is."""
        if "://" in path:
            self._notes.append(f"{title}: `{path}` is not fetched; name a copy with `--env`")
            return []
        above = self._root if path.startswith(("$", "/")) else self._root / self._chart
        below = path.partition("/")[2] if path.startswith(("$", "/")) else path
        found = Path(os.path.normpath(above / below))
        if not found.is_relative_to(self._root):
            self._notes.append(f"{title}: `{path}` is outside of the repository")
            return []
        if "*" in below:
            return sorted(each for each in above.glob(below) if each.is_file())
        if not found.is_file():
            self._notes += [] if lenient else [f"{title}: there is no file `{path}` here"]
            return []
        return [found]

    def _of_release(self, each: Found, releases: Sequence[Found], flux: FluxTree) -> Iterator[_Told]:
        patches = [one for one in releases if one.name == each.name and one is not each and not _chart_of(one)]
        own = _environment_of(each)
        staged = {name: one for one in patches if (name := _environment_of(one)) != "default"}
        for environment, patch in staged.items() or [(own, None)]:
            spec = each.spec if patch is None else laid_over(each.spec, patch.spec)
            file = each.file if patch is None else f"{each.file}, {patch.file}"
            title = f"HelmRelease/{each.name} ({file})"
            files, options = self._of_flux_values(spec, patch or each, environment, flux, title)
            if spec.get("postRenderers"):
                self._notes.append(f"{title}: its `postRenderers` are not carried out")
            if listed := _map(_map(spec.get("chart")).get("spec")).get("valuesFiles"):
                files = [found for path in listed for found in self._value_files(f"/{path}", title)] + files
                if not any(posixpath.normpath(str(path)) == f"{self._chart}/values.yaml" for path in listed):
                    self._notes.append(
                        f"{title}: Flux takes `valuesFiles` instead of values.yaml, here they lie over it"
                    )
            target = str(spec.get("targetNamespace") or "")
            namespace = target or str(each.value["metadata"].get("namespace") or "")
            release = str(spec.get("releaseName") or (f"{target}-{each.name}" if target else each.name))
            yield _Told(environment, Install(title, tuple(files), release, namespace, tuple(options)))

    def _of_flux_values(
        self, spec: Mapping[str, Any], asker: Found, environment: str, flux: FluxTree, title: str
    ) -> tuple[list[Path], list[str]]:
        files: list[Path] = []
        options: list[str] = []
        for reference in maps_in(spec.get("valuesFrom")):
            kind, name = str(reference.get("kind")), str(reference.get("name"))
            key = str(reference.get("valuesKey") or "values.yaml")
            text = (flux.held(kind, name, asker, environment) or {}).get(key)
            path = str(reference.get("targetPath") or "")
            if text is None:
                self._notes.append(f"{title}: {key} of {kind}/{name} only the cluster knows: give it with `--env`")
            elif not path:
                files.append(self._write(text))
            elif _PLAIN_PATH.fullmatch(path):
                files.append(self._write(_nested(path.split("."), _scalar(text))))
            else:
                options += ["--set", f"{path}={text}"]
        if spec.get("values"):
            files.append(self._write(spec["values"]))
        return files, options

    def of_helmfiles(self) -> Iterator[_Told]:
        """What helmfile's files tell, as far as they are no templates but for the environment's name."""
        for directory, folders, names in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            at = Path(directory)
            for name in sorted(names):
                if _HELMFILES.fullmatch(name) or (at.name == "helmfile.d" and name.endswith((".yaml", ".yml"))):
                    yield from self._of_helmfile(at / name)

    def _of_helmfile(self, path: Path) -> Iterator[_Told]:
        shown = path.relative_to(self._root).as_posix()
        first = _parsed(path, "default")
        if first is None:
            self._notes.append(
                f"{shown} is a template that only helmfile reads: `helmfile -e ENV template > rendered/ENV.yaml` for "
                "each environment, and `--from-manifests rendered`"
            )
            return
        known = [str(name) for name in _map(first.get("environments"))]
        for environment in [name for name in known if name != "default"] or ["default"]:
            for one in maps_in((_parsed(path, environment) or {}).get("releases")):
                where = os.path.normpath(path.parent / str(one.get("chart")))
                if one.get("installed") is False or Path(where) != self._root / self._chart:
                    continue
                title = f"{one.get('name')} of {shown}"
                files = [
                    found for item in one.get("values") or () for found in self._helmfile_values(path, item, title)
                ]
                if one.get("secrets"):
                    self._notes.append(f"{title}: its `secrets` are encrypted, and left out")
                options: list[str] = []
                for said in maps_in(one.get("set")):
                    options += ["--set", f"{said.get('name')}={str(said.get('value', '')).replace(',', chr(92) + ',')}"]
                release, namespace = str(one.get("name") or ""), str(one.get("namespace") or "")
                yield _Told(environment, Install(title, tuple(files), release, namespace, tuple(options)))

    def _helmfile_values(self, path: Path, item: Any, title: str) -> list[Path]:
        if type(item) is dict:
            return [self._write(item)]
        found = Path(os.path.normpath(path.parent / str(item)))
        if "{{" in str(item) or found.suffix == ".gotmpl" or not found.is_relative_to(self._root):
            self._notes.append(f"{title}: only helmfile reads `{item}`, which is left out")
            return []
        if not found.is_file():
            self._notes.append(f"{title}: there is no file `{item}` here")
            return []
        return [found]

    def _write(self, values: Any) -> Path:
        """A file of values that stand in an object, which nobody else may read."""
        self._scratch.mkdir(mode=0o700, exist_ok=True)
        self._written += 1
        path = self._scratch / f"values-{self._written}.yaml"
        path.touch(mode=0o600)
        path.write_text(values if type(values) is str else yamlio.dump(values), encoding="utf-8")
        return path


def _parsed(path: Path, environment: str) -> dict[str, Any] | None:
    """What a helmfile says to an environment; the documents of it together."""
    try:
        text = _ENVIRONMENT.sub(environment, path.read_text(encoding="utf-8"))
        documents = yamlio.load_all(text.encode(), path.as_posix(), last_wins=True)
    except (OSError, ValueError, EnvcError):
        return None
    said: dict[str, Any] = {}
    for document in documents:
        said = laid_over(said, _map(document))
    return said


def _environment_of(each: Found) -> str:
    namespace = str(each.value["metadata"].get("namespace") or "")
    return cluster_of(each.file) or stage_in(each.file, each.name, namespace) or "default"


def _chart_of(each: Found) -> Mapping[str, Any]:
    return _map(_map(each.spec.get("chart")).get("spec"))


def _map(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def _nested(path: Sequence[str], item: Any) -> dict[str, Any]:
    return {path[0]: item if len(path) == 1 else _nested(path[1:], item)}


def _scalar(text: str) -> Any:
    """A text as `--set` takes it: a number or a truth value is one."""
    try:
        (found,) = yamlio.load_all(text.strip().encode(), "value")
    except (ValueError, EnvcError):
        return text
    return found if type(found) in {int, bool} else text.strip()
