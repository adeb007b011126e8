"""What a project may take of the machine: limits that are named in the error and raised by `limits:` of envc.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import fail
from envcompile.model import Location

if TYPE_CHECKING:
    from envcompile.errors import EnvcError
    from envcompile.settings import Limits as Stated


class Limits(NamedTuple):
    """How much of each is too much."""

    files: int = 100_000
    """Files that one layer may hold."""
    folders: int = 20_000
    """Folders of one layer, a folder as often as symlinks lead to it."""
    file_size: int = 64
    """Mebibytes of one file."""
    imports: int = 10_000
    """Files that one jsonnet file may import."""
    seconds: int = 300
    """Of the processor, for one jsonnet file."""
    memory: int = 8_192
    """Mebibytes for jsonnet."""


DEFAULT_LIMITS = Limits()
"""Far beyond what people write, and soon reached by what would never end."""
UNTRUSTED_LIMITS = Limits(files=20_000, folders=5_000, file_size=16, imports=2_000, seconds=30, memory=2_048)
"""For a tree that anybody may have written: what it says of limits only lowers them."""


def limits_of(stated: Stated | None, *, is_trusted: bool = True) -> Limits:
    """The limits that hold for a project.

    Args:
        stated: `limits` of envc.yaml.
        is_trusted: whether the tree's authors may raise them.
    """
    limits = DEFAULT_LIMITS if is_trusted else UNTRUSTED_LIMITS
    if stated is None:
        return limits
    said = {name: value for name in Limits._fields if (value := getattr(stated, name)) is not None}
    if not is_trusted:
        said = {name: min(value, getattr(limits, name)) for name, value in said.items()}
    return limits._replace(**said)


def too_much(name: str, limits: Limits, what: str, path: str) -> EnvcError:
    """The error of a limit that is reached.

    Args:
        name: the limit's field.
        limits: the limits that hold.
        what: what there is too much of, such as `base/ holds more than`.
        path: the file or folder.
    """
    setting = SETTINGS[name]
    fix = f"take some away, or raise `limits.{setting}` in envc.yaml"
    return fail(f"{what} {getattr(limits, name):,} {UNITS[name]}", fix, Location(path or ".", 1, 1))


SETTINGS = {name: "fileSize" if name == "file_size" else name for name in Limits._fields}
"""What each limit is called in envc.yaml."""
UNITS = {
    "files": "files",
    "folders": "folders",
    "file_size": "MiB",
    "imports": "imports",
    "seconds": "seconds",
    "memory": "MiB of memory",
}
"""What each limit counts."""
