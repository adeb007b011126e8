"""`charts.lock.yaml`: which archives the charts of others came from, what they were rendered with, and what it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from envcompile import yamlio
from envcompile.errors import fail
from envcompile.settings import API_VERSION, Model
from envcompile.sources.tree import file_start

if TYPE_CHECKING:
    from envcompile.sources.tree import Tree

LOCK_FILE: Final = "charts.lock.yaml"
MARK: Final = "by `envc charts`: change it by a patch in overlays/, not here."
"""What the first line of each file that was rendered ends in."""
_HEAD: Final = "# Written by `envc charts`: which archives the files named here were rendered from. Commit it.\n"


class LockedArchive(Model, frozen=True, kw_only=True):
    """One archive of a chart."""

    repository: str
    """Address of its repository."""
    chart: str
    """The chart's name there."""
    version: str
    """Its version."""
    digest: str
    """SHA-256 of the archive's bytes, as `sha256:<hex>`."""


class LockedChart(Model, frozen=True, kw_only=True):
    """One release as it was rendered last."""

    inputs: str
    """Digest of everything it was rendered with."""
    environments: dict[str, str]
    """Environment -> version."""
    values: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Place of a value that somebody wrote -> the fields that change with it, as `KIND.GROUP/NAME FIELD`."""
    untraced: tuple[str, ...] = ()
    """Places of values whose effect is not known: the chart refused each other value that was tried."""


class ChartLock(Model, frozen=True, kw_only=True):
    """The whole file."""

    api_version: Literal["envcompile.dev/v1"] = msgspec.field(name="apiVersion", default="envcompile.dev/v1")
    """Version of this format."""
    kind: Literal["ChartLock"] = "ChartLock"
    """Always `ChartLock`."""
    charts: dict[str, LockedChart] = msgspec.field(default_factory=dict)
    """Release -> how it was rendered."""
    archives: tuple[LockedArchive, ...] = ()
    """What they were rendered from."""
    files: dict[str, str] = msgspec.field(default_factory=dict)
    """Path of each file that was written -> SHA-256 of its bytes."""

    def digest_of(self, repository: str, chart: str, version: str) -> str | None:
        """The digest that the archive of a version had; None for one that was never fetched."""
        wanted = (repository, chart, version)
        return next((one.digest for one in self.archives if (one.repository, one.chart, one.version) == wanted), None)

    def chart_of(self, path: str) -> str | None:
        """The release that a file was rendered from; None for a file of people."""
        if path not in self.files:
            return None
        parts = path.split("/")
        return parts[1] if parts[0] == "base" else parts[3]


def read_lock(tree: Tree) -> ChartLock:
    """The lock of a project; an empty one when there is none.

    Raises:
        EnvcError: the file is no lock.
    """
    if not tree.is_file(LOCK_FILE):
        return ChartLock()
    data = tree.read(LOCK_FILE)
    documents = yamlio.load_all(data, LOCK_FILE)
    try:
        return msgspec.convert(documents[0] if documents else None, ChartLock)
    except msgspec.ValidationError as error:
        fix = "take it from git, or remove it: `envc charts update` writes it anew"
        raise fail(f"`{LOCK_FILE}` is no lock of charts: {error}", fix, file_start(LOCK_FILE)) from error


def is_rendered(data: bytes) -> bool:
    """Whether the bytes of a file are those of a chart's document, by its first line."""
    return data.partition(b"\n")[0].endswith(MARK.encode())


def lock_text(lock: ChartLock) -> bytes:
    """The bytes of the file: everything sorted, so that branches merge."""
    value = {
        "apiVersion": API_VERSION,
        "kind": lock.kind,
        "charts": {name: _plain(chart) for name, chart in sorted(lock.charts.items())},
        "archives": [
            _plain(one) for one in sorted(lock.archives, key=lambda one: (one.repository, one.chart, one.version))
        ],
        "files": dict(sorted(lock.files.items())),
    }
    return (_HEAD + yamlio.dump(value)).encode()


def _plain(model: Model) -> Any:
    """A model as maps and lists."""
    return msgspec.json.decode(msgspec.json.encode(model))
