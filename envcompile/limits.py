"""What a tree may take of the machine: limits that are named in the error, and who may raise them.

A tree that its readers trust raises them itself, by `limits:` of its envc.yaml. In a tree that anybody may have written
(`--untrusted`) that setting only lowers them: the tree that it is compared with raises them, or `ENVC_LIMITS`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problem, UsageError, did_you_mean, fail
from envcompile.model import Location
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from envcompile.errors import EnvcError
    from envcompile.settings import Limits as Stated

VARIABLE = "ENVC_LIMITS"
"""The env var by which whoever runs envc sets limits: `files=30000 seconds=60`."""


_LOOK_EVERY = 0.1
"""Seconds between two looks at the clock and at the memory."""


class Limits(Record, frozen=True):
    """How much of each is too much."""

    files: int = 100_000
    """Files that one layer may hold."""
    folders: int = 20_000
    """Folders of one layer, a folder as often as symlinks lead to it."""
    file_size: int = 64
    """Mebibytes of one file."""
    size: int = 4_096
    """Mebibytes of all files that are read."""
    documents: int = 5_000_000
    """Documents of all layers, each as often as an environment has it."""
    imports: int = 10_000
    """Files that one jsonnet file may import."""
    seconds: int = 300
    """Of the processor, for one jsonnet file."""
    memory: int = 8_192
    """Mebibytes for jsonnet; for all of envc where the tree is not trusted."""
    time: int = 3_600
    """Seconds for everything, where the tree is not trusted."""
    is_trusted: bool = True
    """Whether the tree's own settings may raise them."""


DEFAULT_LIMITS = Limits()
"""Far beyond what people write, and soon reached by what would never end."""
UNTRUSTED_LIMITS = Limits(
    files=20_000,
    folders=5_000,
    file_size=16,
    size=256,
    documents=200_000,
    imports=2_000,
    seconds=30,
    memory=2_048,
    time=600,
    is_trusted=False,
)
"""For a tree that anybody may have written: what it says of limits only lowers them."""
NAMES = Limits.__struct_fields__[:-1]
SETTINGS = {name: "fileSize" if name == "file_size" else name for name in NAMES}
"""What each limit is called in envc.yaml, and in `ENVC_LIMITS`."""
UNITS = {
    "files": "files",
    "folders": "folders",
    "file_size": "MiB",
    "size": "MiB",
    "documents": "documents",
    "imports": "imports",
    "seconds": "seconds",
    "memory": "MiB of memory",
    "time": "seconds",
}
"""What each limit counts."""


def limits_of(stated: Stated | None, start: Limits = DEFAULT_LIMITS) -> Limits:
    """The limits that hold for a tree that says something of limits itself.

    Args:
        stated: `limits` of its envc.yaml.
        start: those that hold before; they tell whether the tree may raise them.
    """
    said = _said(stated)
    if not start.is_trusted:
        said = {name: min(value, getattr(start, name)) for name, value in said.items()}
    return start._replace(**said)


def raised(limits: Limits, stated: Stated | None) -> Limits:
    """Limits for a tree that is not trusted, raised by what a tree that is trusted says of its own."""
    return limits._replace(**{name: max(value, getattr(limits, name)) for name, value in _said(stated).items()})


def limits_for(environ: Mapping[str, str], *, is_trusted: bool) -> Limits:
    """The limits that a run begins with.

    Args:
        environ: env vars, of which `ENVC_LIMITS` counts.
        is_trusted: whether the tree may raise them.

    Raises:
        UsageError: `ENVC_LIMITS` holds something else than limits.
    """
    limits = DEFAULT_LIMITS if is_trusted else UNTRUSTED_LIMITS
    said: dict[str, Any] = {}
    fields = {setting: name for name, setting in SETTINGS.items()}
    for word in environ.get(VARIABLE, "").replace(",", " ").split():
        setting, _, value = word.partition("=")
        if setting not in fields or not value.isdecimal() or not int(value[:10]):
            fix = "write such as `files=30000 seconds=60`"
            if setting not in fields:
                fix = did_you_mean(setting, fields, f"limits are {', '.join(fields)}")
            raise UsageError([Problem(f"{VARIABLE} holds `{word}`, which is no limit", fix)])
        said[fields[setting]] = int(value[:10])
    return limits._replace(**said)


def _said(stated: Stated | None) -> dict[str, Any]:
    return {name: value for name in NAMES if (value := getattr(stated, name, None)) is not None}


def too_much(name: str, limits: Limits, what: str, path: str) -> EnvcError:
    """The error of a limit that is reached.

    Args:
        name: the limit's field.
        limits: the limits that hold.
        what: what there is too much of, such as `base/ holds more than`.
        path: the file or folder; empty for the whole tree.
    """
    setting = SETTINGS[name]
    fix = f"take some away, or raise `limits.{setting}` in envc.yaml"
    if not limits.is_trusted:
        fix = f"take some away; who trusts this tree raises it: {VARIABLE}={setting}=NUMBER"
    return fail(f"{what} {getattr(limits, name):,} {UNITS[name]}", fix, *([Location(path, 1, 1)] if path else []))


class _ReachedError(BaseException):
    """A limit of the whole process is reached: nothing on the way may take it for an error of a file."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@contextmanager
def bounded(limits: Limits, what: str = "compiling takes") -> Generator[None]:
    """Bound the time and the memory that something takes; nothing is bounded where the tree is trusted.

    Both are looked at by a timer of the main thread. In another thread, or where the system has no such timer, only the
    other limits hold.

    Args:
        limits: those that hold.
        what: what is bounded, for the error, such as `compiling takes`.

    Raises:
        EnvcError: it takes more.
    """
    if limits.is_trusted:
        yield
        return
    import signal
    from threading import current_thread, main_thread
    from time import monotonic

    if current_thread() is not main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    until, most = monotonic() + limits.time, _memory() + (limits.memory << 20)
    is_watching = True

    def look(*_: object) -> None:
        if is_watching and (monotonic() > until or _memory() > most):
            raise _ReachedError("time" if monotonic() > until else "memory")

    before = signal.signal(signal.SIGALRM, look)
    try:
        signal.setitimer(signal.ITIMER_REAL, _LOOK_EVERY, _LOOK_EVERY)
        yield
    except _ReachedError as reached:
        is_watching = False
        raise too_much(reached.name, limits, f"{what} more than", "") from None
    except MemoryError:
        is_watching = False
        raise too_much("memory", limits, f"{what} more than", "") from None
    finally:
        is_watching = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _memory() -> int:
    """Bytes that this process has in memory now; the most it ever had where the system tells only that."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        import resource
        import sys

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
