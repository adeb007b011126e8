"""Archives of charts: which version a range means, and that one version is always the same bytes."""

from __future__ import annotations

import hashlib
import re
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile import yamlio
from envcompile.errors import EnvcError, fail
from envcompile.files import inside, write_below
from envcompile.git.own_folder import require_own
from envcompile.sources.chartlock import LockedArchive

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.charts.helm import Helm, Source
    from envcompile.charts.wanted import Wanted
    from envcompile.model import Location
    from envcompile.sources.chartlock import ChartLock

_CACHE: Final = ".envc/charts"
_LARGEST: Final = 100 << 20
"""Bytes of one file in an archive; Helm's own limit of a whole archive (pkg/chart/loader/archive)."""


class Archive(NamedTuple):
    """One archive on this machine."""

    locked: LockedArchive
    path: Path

    @property
    def version(self) -> str:
        """Its version."""
        return self.locked.version

    def file(self, name: str) -> bytes:
        """A file of the chart itself, such as `values.yaml`; nothing when it has none."""
        return next((data for path, data in self._files() if path == name), b"")

    def calls(self, function: str) -> bool:
        """Whether a template, of the chart or of one inside of it, calls a function."""
        call = re.compile(rb"\{\{[^}]*\b" + function.encode() + rb"\s+[\"(]")
        return any("templates/" in path and call.search(data) for path, data in self._files())

    def _files(self) -> Iterator[tuple[str, bytes]]:
        """The files of the archive by their paths in the chart's folder; as far as it can be read."""
        try:
            with tarfile.open(self.path, "r:gz") as archive:
                for member in archive:
                    found = archive.extractfile(member) if member.isfile() and member.size <= _LARGEST else None
                    if found is not None:
                        yield member.name.removeprefix("./").partition("/")[2], found.read()
        except (tarfile.TarError, OSError, EOFError):
            return


class Archives:
    """Fetches archives, each once.

    Args:
        helm: the program.
        root: the project's folder; archives are kept below `.envc`, which may be lost.
        lock: what was fetched before.
        moves: whether a range may come to mean a newer version than the lock has.

    Raises:
        UsageError: `.envc` is none of envc's.
    """

    def __init__(self, helm: Helm, root: Path, lock: ChartLock, *, moves: bool) -> None:
        require_own(root / ".envc")
        self._helm = helm
        self._root = root
        self._lock = lock
        self._moves = moves
        self._fetched: dict[tuple[Source, str | None], Archive] = {}

    def of(self, wanted: Wanted, where: Sequence[Location] = ()) -> Archive:
        """The archive that an environment wants.

        Raises:
            EnvcError: there is none, or its bytes are not those that the lock or the settings name.
            UnavailableError: the repository does not answer.
        """
        version = self._version(wanted)
        key = (wanted.source, version)
        found = self._fetched.get(key)
        if found is None:
            found = self._fetched[key] = self._kept(wanted.source, version) or self._fetch(wanted, version, where)
        if wanted.digest is not None and wanted.digest != found.locked.digest:
            what = f"the archive {wanted.source} {found.version} is not the one that `digest` names"
            fix = f"its digest is {found.locked.digest}: find out who changed the archive before you write that down"
            raise fail(what, fix, *where)
        return found

    def _version(self, wanted: Wanted) -> str | None:
        """What is fetched: what the lock has where that need not move."""
        locked = self._lock.charts.get(wanted.chart.name)
        had = locked.environments.get(wanted.environment) if locked is not None else None
        return had if had is not None and not self._moves else wanted.version

    def _kept(self, source: Source, version: str | None) -> Archive | None:
        digest = self._lock.digest_of(source.repository, source.chart, version) if version is not None else None
        if digest is None or version is None:
            return None
        path = inside(self._root, f"{_CACHE}/{digest.removeprefix('sha256:')}.tgz")
        if not path.is_file() or _digest(path.read_bytes()) != digest:
            return None
        locked = LockedArchive(repository=source.repository, chart=source.chart, version=version, digest=digest)
        return Archive(locked, path)

    def _fetch(self, wanted: Wanted, version: str | None, where: Sequence[Location]) -> Archive:
        source = wanted.source
        with tempfile.TemporaryDirectory(prefix="envc-chart-") as folder:
            data = self._helm.pull(source, version, Path(folder), where).read_bytes()
            probe = Path(folder) / "archive.tgz"
            probe.write_bytes(data)
            locked = LockedArchive(repository=source.repository, chart=source.chart, version="", digest=_digest(data))
            exact = _version_in(Archive(locked, probe), source, where)
        before = self._lock.digest_of(source.repository, source.chart, exact)
        if before is not None and before != locked.digest:
            what = f"{source} {exact} is another archive than before: its bytes changed under the same version"
            fix = (
                f"it was {before} and is {locked.digest} now: ask who publishes it; to take it anyway, remove "
                "its entry from `archives` of charts.lock.yaml"
            )
            raise fail(what, fix, *where)
        name = f"{_CACHE}/{locked.digest.removeprefix('sha256:')}.tgz"
        write_below(self._root, name, data)
        exact_lock = LockedArchive(
            repository=source.repository, chart=source.chart, version=exact, digest=locked.digest
        )
        return Archive(exact_lock, inside(self._root, name))


def forget_others(root: Path, lock: ChartLock) -> None:
    """Remove the kept archives that a lock does not name; whatever cannot be removed stays."""
    wanted = {f"{one.digest.removeprefix('sha256:')}.tgz" for one in lock.archives}
    folder = inside(root, f"{_CACHE}/any").parent
    for file in folder.glob("*.tgz") if folder.is_dir() else ():
        if file.name not in wanted:
            with suppress(OSError):
                file.unlink()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _version_in(archive: Archive, source: Source, where: Sequence[Location]) -> str:
    try:
        said = yamlio.load_all(archive.file("Chart.yaml"), "Chart.yaml", last_wins=True)
    except EnvcError:
        said = []
    chart = said[0] if said and isinstance(said[0], dict) else {}
    if not isinstance(chart.get("version"), str):
        raise fail(f"the archive of {source} holds no chart", "correct `repository` or `chart`", *where)
    return str(chart["version"])
