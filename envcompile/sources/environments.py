"""From a project to what one environment is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import EnvcError, Problems, did_you_mean
from envcompile.limits import limits_of
from envcompile.record import Record
from envcompile.sources.facts import EnvironmentFacts
from envcompile.sources.layers import EffectiveSettings, order_layers, report_forgotten, resolve_extends
from envcompile.sources.params import MARK, parameters_in, resolved_params
from envcompile.sources.parsed import ParsedFiles
from envcompile.sources.project import (
    BASE,
    ENVIRONMENT_FILE,
    OVERLAYS,
    PROJECT_FILE,
    SEALED_FILE,
    VENDORED,
    order_environments,
    read_overlays,
    read_project_file,
    select_environments,
)
from envcompile.sources.scans import combined_digest
from envcompile.sources.tree import join
from envcompile.sources.visibility import report_ignored, require_not_ignored, require_visible
from envcompile.sources.yamlfiles import KUSTOMIZATIONS, YAML_ENDINGS, report_kustomization
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from envcompile.model import Document, Layer, Location, Pointer
    from envcompile.settings import Environment, Project
    from envcompile.sources.facts import LayerContents
    from envcompile.sources.params import ParameterUse
    from envcompile.sources.project import Overlay
    from envcompile.sources.scans import FileScan
    from envcompile.sources.tree import File, FileEntry, Tree
    from envcompile.sources.yamlfiles import FileDocuments


class StoreFile(Record, frozen=True):
    """The sealed values of one layer of an environment, with those of its records that count there."""

    path: str
    data: bytes
    accepted: frozenset[str] | None = None
    """Fingerprints of the certificates whose records count; None when all of them do."""

    def __repr__(self) -> str:
        return f"StoreFile({self.path})"

    def read(self) -> bytes:
        """The bytes the build read."""
        return self.data


class ProjectSources(Record, frozen=True):
    """A project's settings and its environments, with the layers that each consists of.

    `layers` holds for each environment its overlays' names, lowest first and its own last; base is under all of them.
    """

    tree: Tree
    settings: Project
    document: Document | None
    """`envc.yaml`, where there is one."""
    environments: tuple[str, ...]
    layers: Mapping[str, tuple[str, ...]]
    overlays: Mapping[str, Overlay]
    base: tuple[FileEntry, ...]
    """Every file below `base/`."""

    @property
    def has_text_names(self) -> bool:
        """Tell whether the names of all files are UTF-8."""
        layers = (self.base, *(overlay.files for overlay in self.overlays.values()))
        return not any(
            "\udc80" <= letter <= "\udcff"
            for entries in layers
            for entry in entries
            if not entry.path.isascii()
            for letter in entry.path
        )

    def choose(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """The environments a command line names, in the project's order; all of them when it names none.

        Raises:
            UsageError: a name that is no environment, or a project without any.
        """
        return select_environments(wanted, self.environments)

    def layers_of(self, environments: Iterable[str]) -> dict[str, tuple[FileEntry, ...]]:
        """Every file of each layer that some environments have, base first."""
        found: dict[str, tuple[FileEntry, ...]] = {}
        for environment in environments:
            found.update(self.folders_of(environment))
        return {BASE: self.base, **found}

    def folders_of(self, environment: str) -> tuple[tuple[str, tuple[FileEntry, ...]], ...]:
        """The folders of an environment's layers with their files, as they are laid: base first.

        What its charts brought is laid directly above the base, so that every layer that people write can change it;
        environments that extend this one have charts of their own.
        """
        overlays = [self.overlays[layer] for layer in self.layers[environment]]
        if not self.settings.charts:
            return ((BASE, self.base), *((overlay.folder, overlay.files) for overlay in overlays))
        own = overlays[-1]
        brought, _ = own.split()
        charts = ((own.vendored_folder, brought),) if brought else ()
        return ((BASE, self.base), *charts, *((overlay.folder, overlay.split()[1]) for overlay in overlays))

    def sealed_files(self, environment: str) -> tuple[StoreFile, ...]:
        """The secret stores of an environment's layers, lowest first; layers without one are left out.

        Raises:
            EnvcError: settings of the environment that cannot be read.
        """
        layers = self.layers[environment]
        paths = [f"{OVERLAYS}/{layer}/{SEALED_FILE}" for layer in layers]
        if not any(map(self.tree.exists, paths)):
            return ()
        overlays = tuple(self.overlays[layer] for layer in layers)
        places = _stores(overlays, EffectiveSettings(overlays))
        return tuple(StoreFile(path, self.tree.read(path), ok) for path, ok in places.items() if self.tree.exists(path))

    def crd_documents(self, parsed: ParsedFiles) -> tuple[Any, ...]:
        """The values of all documents in the files and folders that `crds` of envc.yaml names.

        Raises:
            EnvcError: a path that does not exist, or a file that cannot be parsed.
        """
        problems = Problems()
        found: list[Any] = []
        for position, name in enumerate(self.settings.crds):
            try:
                paths = self._crd_paths(name)
                require_not_ignored(self.tree, paths)
            except EnvcError as error:
                problems.extend(error)
                continue
            if not paths and self.document is not None:
                known = [entry.path for entry in self.tree.files("") if entry.path.endswith(YAML_ENDINGS)]
                fix = did_you_mean(name, known, "paths start at the project's root")
                what = f"`crds` names `{name}`, where there is no YAML or JSON file"
                problems.add(what, fix, place(self.document, ("crds", position)))
            for path in paths:
                try:
                    found += parsed.values(self.tree, path)
                except EnvcError as error:
                    problems.extend(error)
        problems.raise_any()
        return tuple(value for value in found if value is not None)

    def _crd_paths(self, name: str) -> list[str]:
        path = join("", name)
        if path is None or not self.tree.exists(path):
            return []
        require_visible(path)
        below = [entry.path for entry in self.tree.files(path) if entry.path.endswith(YAML_ENDINGS)]
        return below or ([path] if path.endswith(YAML_ENDINGS) else [])


class Laid(Record, frozen=True):
    """The layers of an environment and the files that hold no resources, as its settings have them."""

    where: Callable[[Pointer], Location | None]
    """The place of a setting."""
    folders: tuple[tuple[str, tuple[FileEntry, ...]], ...]
    """Each layer with every file below it, base first."""
    certificate: str
    stores: Mapping[str, frozenset[str] | None]
    own_files: tuple[str, ...]


class EnvironmentSources:
    """What one environment is made from; its files are read when somebody asks for what they say.

    Args:
        environment: the environment's name.
        settings: what holds for it when its layers are put together.
        tree: where its files are.
        parsed: what was read so far.
        lay: gives the layers when they are asked for.
        layer_names: of its layers, base first.

    Raises:
        EnvcError: a parameter that does not exist or does not fit.
    """

    __slots__ = (
        "_facts",
        "_laid",
        "_lay",
        "_layers",
        "_parsed",
        "_scans",
        "_tree",
        "environment",
        "layer_names",
        "settings",
    )

    def __init__(
        self,
        environment: str,
        settings: Environment,
        tree: Tree,
        parsed: ParsedFiles,
        lay: Callable[[], Laid],
        layer_names: tuple[str, ...],
    ) -> None:
        import msgspec

        self.environment = environment
        self.settings = settings
        self.layer_names = layer_names
        """The names of its layers, base first."""
        self._tree = tree
        self._parsed = parsed
        self._lay = lay
        self._laid: Laid | None = None
        self._layers: tuple[LayerContents, ...] | None = None
        self._scans: tuple[LayerScan, ...] | None = None
        given = {
            "name": environment,
            "namespace": settings.namespace,
            "labels": settings.labels,
            "params": resolved_params(settings.params, self.where),
        }
        digest = combined_digest([msgspec.json.encode(given).decode(), msgspec.json.encode(settings.params).decode()])
        self._facts = EnvironmentFacts(settings.params, given, digest, tree.limits)

    @property
    def laid(self) -> Laid:
        """The layers as the settings have them."""
        if self._laid is None:
            self._laid = self._lay()
        return self._laid

    @property
    def certificate(self) -> str:
        """Path of the sealing certificate, whether it exists or not."""
        return self.laid.certificate

    @property
    def stores(self) -> Mapping[str, frozenset[str] | None]:
        """Path of each layer's secret store, existing or not, lowest first; what counts of it (`StoreFile`)."""
        return self.laid.stores

    @property
    def own_files(self) -> tuple[str, ...]:
        """The environment's files that hold no resources."""
        return self.laid.own_files

    def where(self, pointer: Pointer) -> Location | None:
        """The place of a setting by its pointer in the effective settings; None when no file says it."""
        return self.laid.where(pointer)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The base, then each overlay, with all that their files say.

        Raises:
            EnvcError: everything that is wrong with the files.
        """
        return tuple(contents.layer for contents in self._contents())

    @property
    def dependencies(self) -> Mapping[str, frozenset[str]]:
        """Every file the environment is made from, and for each the further files it was computed from.

        Those of a jsonnet file are its imports, and the places where an import was looked for first: a file that
        appears there changes the result.
        """
        found: dict[str, frozenset[str]] = dict.fromkeys(self.own_files, frozenset())
        for contents in self._contents():
            found.update(contents.dependencies)
        return dict(sorted(found.items()))

    @property
    def scans(self) -> tuple[LayerScan, ...]:
        """What the files of each layer speak of, base first.

        Raises:
            EnvcError: everything that is wrong with the files.
        """
        if self._scans is None:
            problems = Problems()
            found = []
            for folder, entries in self.laid.folders:
                try:
                    found.append(LayerScan(folder, self._parsed.scan(self._tree, folder, entries, self._facts)))
                except EnvcError as error:
                    problems.extend(error)
            problems.raise_any()
            self._scans = tuple(found)
        return self._scans

    def release_scans(self) -> None:
        """Give up what its files speak of; it is looked up again when somebody asks."""
        self._scans = None

    def scan_of(self, layer: str, path: str) -> FileScan:
        """What one file of a layer speaks of; no other one is looked at for it.

        Raises:
            EnvcError: everything that is wrong with the file.
        """
        return self._parsed.scan_alone(self._tree, layer, path, self._facts)

    def documents(self, layer: str, path: str) -> FileDocuments:
        """What one file of a layer says.

        Raises:
            EnvcError: everything that is wrong with the file.
        """
        return self._parsed.documents(self._tree, layer, path, self._facts)

    def reads(self, paths: Iterable[str]) -> Iterator[tuple[str, Mapping[str, str]]]:
        """For each file that does not stand for itself alone what it was computed from: path -> digest.

        Args:
            paths: files that hold resources.
        """
        computed, digest = self._parsed.computed, self._facts.digest
        for path in paths if computed else ():
            found = computed.get((path, "")) or computed.get((path, digest))
            if found is not None:
                yield path, found

    def parameters(self, document: Document) -> list[ParameterUse]:
        """The strings of a document that parameters were put into."""
        return parameters_in(_raw_value(self._parsed, self._tree, document))

    def source(self, path: str) -> File:
        """One of its files.

        Raises:
            EnvcError: it cannot be read.
        """
        return self._parsed.file(self._tree, path)

    def _contents(self) -> tuple[LayerContents, ...]:
        if self._layers is None:
            problems = Problems()
            found = []
            for folder, entries in self.laid.folders:
                try:
                    found.append(self._parsed.layer(self._tree, folder, entries, self._facts))
                except EnvcError as error:
                    problems.extend(error)
            problems.raise_any()
            self._layers = tuple(found)
        return self._layers


class LayerScan(Record, frozen=True):
    """What the files of one layer speak of in one environment, in their order."""

    name: str
    files: tuple[FileScan, ...]


def read_project(tree: Tree) -> ProjectSources:
    """Read `envc.yaml` and every `environment.yaml`.

    Raises:
        EnvcError: everything that is wrong with them, and with how overlays extend each other.
    """
    problems = Problems()
    settings, document = read_project_file(tree, problems)
    tree.bound(limits_of(settings.limits, tree.limits))
    overlays = read_overlays(tree, problems)
    extends = resolve_extends(overlays, problems)
    ordered = order_layers(extends, overlays, problems)
    report_forgotten(overlays, extends, problems)
    names = order_environments(settings, document, overlays, problems)
    base = tuple(tree.files(BASE))
    listed = (base, *(overlay.files for overlay in overlays.values()))
    report_ignored(tree, [entry.path for entries in listed for entry in entries], problems)
    if not names:
        for entry in base:
            if entry.path.rpartition("/")[2] in KUSTOMIZATIONS:
                report_kustomization(entry.path, problems)
    problems.raise_any()
    layers = {name: ordered[name] for name in names}
    return ProjectSources(tree, settings, document, names, layers, overlays, base)


def new_parsed_files() -> ParsedFiles:
    """A store for what `read_environment` reads: pass the same one for all environments of one tree."""
    return ParsedFiles()


def read_environment(sources: ProjectSources, name: str, parsed: ParsedFiles) -> EnvironmentSources:
    """Find everything that one environment is made from.

    Raises:
        EnvcError: everything that is wrong with its settings.
        UsageError: there is no such environment.
    """
    sources.choose([name])
    overlays = tuple(sources.overlays[layer] for layer in sources.layers[name])
    effective = EffectiveSettings(overlays)
    settings = effective.settings
    problems = Problems()
    certificate = _certificate(settings, effective, overlays, problems)
    _check_charts(settings, sources.settings, effective, problems)
    own = {f"{overlay.folder}/{file}" for overlay in overlays for file in (ENVIRONMENT_FILE, SEALED_FILE)}
    present = tuple(entry.path for overlay in overlays for entry in overlay.files)
    own_files = tuple(path for path in present if path in own or path == certificate)
    laid = Laid(
        effective.where,
        sources.folders_of(name),
        certificate,
        _stores(overlays, effective),
        own_files if sources.document is None else (PROJECT_FILE, *own_files),
    )
    names = tuple(folder for folder, _ in laid.folders)
    found = EnvironmentSources(name, settings, sources.tree, parsed, lambda: laid, names)
    problems.raise_any()
    return found


def _check_charts(own: Environment, project: Project, effective: EffectiveSettings, problems: Problems) -> None:
    """Note the charts of an environment that envc.yaml does not have."""
    known = [chart.name for chart in project.charts]
    for name in own.charts:
        if name not in known:
            where = effective.where(("charts", name))
            fix = did_you_mean(name, known, f"add it to `charts` of {PROJECT_FILE}, or take it out here")
            what = f"`charts` names `{name}`, which is no chart of {PROJECT_FILE}"
            problems.add(what, fix, *([where] if where else []))


def _stores(overlays: tuple[Overlay, ...], effective: EffectiveSettings) -> dict[str, frozenset[str] | None]:
    """The layers' stores and the certificates whose records count.

    The environment's own records always count, and so do those of a layer that is sealed for the same cluster: the pin
    is set there or further below. Where the environment, or a layer above that one, pins another certificate, what was
    sealed below is another cluster's, unless it was sealed with exactly this one.
    """
    pin = effective.settings.sealing.fingerprint if effective.settings.sealing else None
    pinned_in = effective.folder_of(("sealing", "fingerprint"))
    folders = [overlay.folder for overlay in overlays]
    least = folders.index(pinned_in) if pinned_in in folders else 0
    return {
        f"{folder}/{SEALED_FILE}": frozenset({pin}) if pin and position < least else None
        for position, folder in enumerate(folders)
    }


def _certificate(
    settings: Environment, effective: EffectiveSettings, overlays: tuple[Overlay, ...], problems: Problems
) -> str:
    """The certificate that the settings name, relative to where they are written; else the nearest layer's own."""
    pointer: Pointer = ("sealing", "certificate")
    named = settings.sealing.certificate if settings.sealing else "sealed-secrets.pem"
    folder = effective.folder_of(pointer)
    if folder is None:
        paths = [f"{overlay.folder}/{named}" for overlay in reversed(overlays)]
        present = {entry.path for overlay in overlays for entry in overlay.files}
        return next((path for path in paths if path in present), paths[0])
    path = join(folder, named)
    if path is None:
        where: Location | None = effective.where(pointer)
        what = f"`sealing.certificate` is `{named}`, which leaves the project"
        fix = "copy the certificate into the overlay's folder: it is public and made to be committed"
        problems.add(what, fix, *([where] if where else []))
    return path or f"{overlays[-1].folder}/{named}"


def layer_of(path: str) -> str:
    """The layer to which a file would belong by its place; empty for one outside of all layers."""
    parts = path.split("/")
    if parts[0] == OVERLAYS and len(parts) > 2:
        # Where it is a layer: only environments whose project has charts. Elsewhere no scan is known by this name.
        vendored = f"/{VENDORED}" if len(parts) > 3 and parts[2] == VENDORED else ""
        return f"{OVERLAYS}/{parts[1]}{vendored}"
    return BASE if parts[0] == BASE and len(parts) > 1 else ""


def _raw_value(parsed: ParsedFiles, tree: Tree, document: Document) -> Any:
    """The value of a document as its file has it, with parameters not yet put in; the value itself of jsonnet's."""
    if document.generated or MARK not in document.source.read():
        return document.value
    value = parsed.values(tree, document.source.path)[document.index]
    for step in document.within:
        value = value[step]
    return value
