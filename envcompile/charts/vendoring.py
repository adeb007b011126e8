"""Writing charts of others into the repository: rendered, proven, locked, and never over what is written by hand."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.adopt.existing import shortly
from envcompile.charts.archives import forget_others
from envcompile.charts.helm import Helm
from envcompile.charts.placing import place_release
from envcompile.charts.rounds import Round
from envcompile.charts.wanted import releases_of
from envcompile.errors import EnvcError, Problems
from envcompile.files import inside, read_below, write_below
from envcompile.sources.chartlock import LOCK_FILE, ChartLock, LockedChart, lock_text, read_lock
from envcompile.sources.overlaid import OverlaidTree
from envcompile.units.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.charts.rendering import Rendering
    from envcompile.charts.wanted import Release
    from envcompile.errors import Problem

_CRD: Final = "customresourcedefinition-"
_SHOWN: Final = 8


class Vendored(NamedTuple):
    """What became of one release."""

    name: str
    chart: str
    environments: Mapping[str, str]
    """Environment -> version."""
    before: Mapping[str, str]
    """The same, as it was."""
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    notes: tuple[str, ...]


class Vendoring(NamedTuple):
    """What a run made; nothing is written before `write`."""

    releases: tuple[Vendored, ...]
    files: Mapping[str, bytes | None]
    """Path -> new bytes, None for a file that goes; the lock is among them."""
    problems: tuple[Problem, ...]
    """Why environments do not build with them, such as a patch of an object that is gone."""

    @property
    def differs(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.files)

    def __repr__(self) -> str:
        return f"Vendoring({[release.name for release in self.releases]})"


def vendor(
    project: Project,
    names: Iterable[str] = (),
    *,
    moves: bool,
    force: bool = False,
) -> Vendoring:
    """Render charts into documents, and say what would be written.

    Args:
        project: the project, a working folder.
        names: only these charts; all of them when none is named.
        moves: whether ranges may come to mean newer versions than the lock has.
        force: whether files that were changed by hand are written anew.

    Raises:
        EnvcError: a chart that is not there, refuses its values, makes a Secret in clear, makes something else each
            time, or has another archive than the lock; a file that was changed by hand.
        UnavailableError: there is no helm, or a repository does not answer.
        UsageError: a name that is no chart.
    """
    lock = read_lock(project.tree)
    asked = tuple(names)
    releases = releases_of(project, asked)
    known = {chart.name for chart in project.settings.charts}
    # A chart that left envc.yaml takes its files with it, unless others were named.
    gone = [name for name in lock.charts if name not in known] if not asked else []
    charts = {name: one for name, one in lock.charts.items() if name not in gone}
    touched = {release.chart.name for release in releases}
    files = {path: digest for path, digest in lock.files.items() if lock.chart_of(path) not in {*touched, *gone}}
    archives = {(one.repository, one.chart, one.version): one for one in lock.archives}
    made: dict[str, bytes] = {}
    notes: dict[str, list[str]] = {}
    if releases:
        with tempfile.TemporaryDirectory(prefix="envc-charts-") as scratch:
            work = Round(project, Helm.find(Path(scratch)), lock, moves=moves)
            rendered = work.rendered(releases)
            taken = {path.rpartition("/")[2] for path in files if _is_crd(path)}
            for release in releases:
                name = release.chart.name
                found, notes[name] = _without_known_crds(rendered[name], taken)
                others = _definitions(project, files, [rendered[other] for other in rendered if other != name])
                own = place_release(release, found, project, others)
                made |= own
                taken |= {path.rpartition("/")[2] for path in own if _is_crd(path)}
                notes[name] += _noted(rendered[name])
                traced = work.traced(release)
                charts[name] = LockedChart(
                    inputs=release.inputs,
                    environments={env: one.archive.version for env, one in rendered[name].items()},
                    values=traced.values,
                    untraced=traced.untraced,
                )
                for one in rendered[name].values():
                    key = (one.archive.locked.repository, one.archive.locked.chart, one.archive.version)
                    archives[key] = one.archive.locked
    files |= {path: _digest(data) for path, data in made.items()}
    used = {
        (chart.repository, chart.chart or chart.name, version)
        for chart in project.settings.charts
        if chart.name in charts
        for version in charts[chart.name].environments.values()
    }
    new = ChartLock(charts=charts, archives=tuple(archives[key] for key in archives if key in used), files=files)
    edits = _edits(project, lock, made, new, force=force)
    told = [_told(release, lock, new, edits, notes[release.chart.name]) for release in releases]
    told += [
        Vendored(name, name, {}, lock.charts[name].environments, (), (), _of(name, lock, edits), ()) for name in gone
    ]
    return Vendoring(tuple(told), edits, tuple(_problems(project, edits)) if edits else ())


def write(project: Project, vendoring: Vendoring) -> None:
    """Write what a run made; the lock comes last, so that a run that is broken off is taken for what it is.

    Raises:
        EnvcError: a symlink leads out of the repository.
        UnavailableError: the disk refuses.
    """
    root = project.root
    for path, data in vendoring.files.items():
        if data is not None and path != LOCK_FILE:
            write_below(root, path, data)
    for path, data in vendoring.files.items():
        if data is None:
            file = inside(root, path)
            file.unlink(missing_ok=True)
            for folder in list(file.parents)[: path.count("/")]:
                with suppress(OSError):  # it holds more
                    folder.rmdir()
    lock = vendoring.files.get(LOCK_FILE)
    if lock is not None:
        write_below(root, LOCK_FILE, lock)
        forget_others(root, read_lock(project.tree))


def edited_files(project: Project, lock: ChartLock) -> list[str]:
    """The files of charts that are not as they were written: changed by hand, or gone."""
    root = project.root
    found = []
    for path, digest in lock.files.items():
        data = read_below(root, path)
        if data is None or _digest(data) != digest:
            found.append(path)
    return found


def _definitions(
    project: Project, files: Mapping[str, str], renderings: Sequence[Mapping[str, Rendering]]
) -> list[dict[str, Any]]:
    """The definitions of custom kinds that a release sees besides its own: lists of such kinds merge by them."""
    found = list(project.sources.crd_documents(project.parsed))
    for path in files:
        if _is_crd(path) and project.tree.is_file(path):
            found += project.parsed.values(project.tree, path)
    for each in renderings:
        for rendering in each.values():
            found += [one.value for one in rendering.objects if one.value["kind"] == "CustomResourceDefinition"]
    by_name = {crd["metadata"]["name"]: crd for crd in found if isinstance(crd, dict)}
    return list(by_name.values())


def _is_crd(path: str) -> bool:
    return "/vendored/" in path and path.rpartition("/")[2].startswith(_CRD)


def _without_known_crds(renderings: Mapping[str, Rendering], taken: set[str]) -> tuple[dict[str, Rendering], list[str]]:
    """The renderings without the definitions that another release has brought already, with notes about them."""
    found, names = {}, dict[str, None]()
    for environment, rendering in renderings.items():
        kept = []
        for existing in rendering.objects:
            value = existing.value
            if f"{value['kind'].lower()}-{value['metadata'].get('name')}.yaml" in taken:
                names[value["metadata"]["name"]] = None
            else:
                kept.append(existing)
        found[environment] = rendering._replace(objects=tuple(kept))
    if not names:
        return found, []
    return found, [f"another chart brings these definitions already: {shortly(list(names), _SHOWN)}"]


def _noted(renderings: Mapping[str, Rendering]) -> list[str]:
    """What is to be known of a release, each once; where it is not of all environments, of which."""
    said: dict[str, list[str]] = {}
    for environment, rendering in renderings.items():
        for note in rendering.notes:
            said.setdefault(note, []).append(environment)
    notes = [note if len(where) == len(renderings) else f"{', '.join(where)}: {note}" for note, where in said.items()]
    archives = {one.archive.version: one.archive for one in renderings.values()}
    if any(archive.calls("lookup") for archive in archives.values()):
        notes.append("its templates ask the cluster (`lookup`): here they find nothing, as on a first install")
    return notes


def _edits(
    project: Project, lock: ChartLock, made: Mapping[str, bytes], new: ChartLock, *, force: bool
) -> dict[str, bytes | None]:
    """What is to be written and removed.

    Raises:
        EnvcError: files that were changed by hand, or are none of a chart and in the way.
    """
    root = project.root
    edits: dict[str, bytes | None] = {}
    by_hand: list[str] = []
    in_the_way: list[str] = []
    for path, data in made.items():
        there = read_below(root, path)
        if there == data:
            continue
        if there is not None and path not in lock.files:
            in_the_way.append(path)
        elif there is not None and _digest(there) != lock.files[path]:
            by_hand.append(path)
        edits[path] = data
    for path in lock.files:
        if path not in new.files:
            there = read_below(root, path)
            if there is not None and _digest(there) != lock.files[path]:
                by_hand.append(path)
            if there is not None:
                edits[path] = None
    problems = Problems()
    if in_the_way:
        problems.add(
            f"these files are none that `envc charts` wrote, and stand where it writes: {shortly(in_the_way, _SHOWN)}",
            "move them: what people write belongs beside `vendored/`, and into overlays/",
        )
    if by_hand and not force:
        problems.add(
            f"these files of charts were changed by hand: {shortly(by_hand, _SHOWN)}",
            "say the change in a patch in overlays/ (`git diff` shows it), then `git checkout` them; `--force` "
            "gives the changes up",
        )
    problems.raise_any()
    text = lock_text(new)
    if read_below(root, LOCK_FILE) != text and (new.charts or new.files):
        edits[LOCK_FILE] = text
    elif not new.charts and read_below(root, LOCK_FILE) is not None:
        edits[LOCK_FILE] = None
    return edits


def _problems(project: Project, edits: Mapping[str, bytes | None]) -> list[Problem]:
    """Why environments would not build any more with what is written; nothing that is wrong now already."""
    before, after = _building(Project(project.tree)), _building(Project(OverlaidTree(project.tree, edits)))
    known = {problem.what for problem in before}
    return [problem for problem in after if problem.what not in known]


def _building(project: Project) -> list[Problem]:
    found: list[Problem] = []
    for environment in project.environments:
        try:
            project.compose(environment)
        except EnvcError as error:
            found += error.problems
    return list(dict.fromkeys(found))


def _told(
    release: Release, lock: ChartLock, new: ChartLock, edits: Mapping[str, bytes | None], notes: Sequence[str]
) -> Vendored:
    name = release.chart.name
    mine = [path for path in edits if name in {lock.chart_of(path), new.chart_of(path)}]
    before = lock.charts.get(name)
    return Vendored(
        name,
        release.chart.chart or name,
        new.charts[name].environments,
        before.environments if before is not None else {},
        tuple(path for path in mine if edits[path] is not None and path not in lock.files),
        tuple(path for path in mine if edits[path] is not None and path in lock.files),
        _of(name, lock, edits),
        tuple(notes),
    )


def _of(name: str, lock: ChartLock, edits: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """The files of a release that go."""
    return tuple(path for path, data in edits.items() if data is None and lock.chart_of(path) == name)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
