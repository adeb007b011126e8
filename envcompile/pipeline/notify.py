"""Telling people that compiled environments changed, and keeping what could not be told."""

from __future__ import annotations

import json
import os
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.ask.lines import title
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError
from envcompile.forge.messages import Message, deliver
from envcompile.pipeline.compare import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.pipeline.project import Project
    from envcompile.settings import Notification

SPOOL = ".envc/notify"
MOST_NAMES = 20
"""Resources that a message names; of more it says how many there are."""


class Notified(NamedTuple):
    """What became of the messages."""

    sent: int
    waiting: tuple[Problem, ...]
    """Why messages wait in the spool."""


class Letter(NamedTuple):
    """A message on its way to one receiver; it names the env var that holds the address, never the address."""

    kind: str
    address: str
    message: Message


def letters(project: Project, wanted: Sequence[str], *, source: str, target: str | None) -> list[Letter]:
    """The messages for what changed between two revisions, one for each environment and receiver that asks for it.

    Raises:
        EnvcError: an unknown revision or environment, or a side that does not compile.
    """
    if not project.settings.notify:
        return []
    found = difference(project.root, wanted, source=source, target=target)
    return [
        Letter(receiver.kind, receiver.address, _message(diff, found.target or found.source))
        for diff in found.changed
        for receiver in project.settings.notify
        if _wants(receiver, diff.environment)
    ]


def notify(
    root: Path,
    found: Sequence[Letter],
    environ: Mapping[str, str],
    *,
    wait: Callable[[float], None] = time.sleep,
) -> Notified:
    """Send what waits in the spool, oldest first, and then the new messages; keep what cannot be delivered.

    A receiver that fails once is not asked again in this run, so that its messages stay in their order.

    Raises:
        UnavailableError: a message can be neither sent nor kept.
    """
    spool = root / SPOOL
    failed: set[str] = set()
    problems = Problems()
    sent = 0
    for path in sorted(spool.glob("*.json")):
        letter = _read(path)
        if letter is None:
            path.rename(path.with_suffix(".broken"))
            problems.add(f"{path.name} in {SPOOL} cannot be read", "it was set aside with the ending .broken")
        elif _is_sent(letter, environ, failed, problems, wait):
            sent += 1
            path.unlink(missing_ok=True)
    for number, letter in enumerate(found):
        if _is_sent(letter, environ, failed, problems, wait):
            sent += 1
        else:
            _keep(spool, number, letter)
    try:
        problems.raise_any()
    except EnvcError as error:
        return Notified(sent, error.problems)
    return Notified(sent, ())


def _is_sent(
    letter: Letter,
    environ: Mapping[str, str],
    failed: set[str],
    problems: Problems,
    wait: Callable[[float], None],
) -> bool:
    if letter.address in failed:
        return False
    address = environ.get(letter.address, "")
    try:
        if not address:
            fix = "set it to the receiver's URL"
            raise UnavailableError([Problem(f"the env var {letter.address} is not set", fix)])
        deliver(letter.kind, address, letter.address, letter.message, wait=wait)
    except EnvcError as error:
        failed.add(letter.address)
        problems.extend(error)
        return False
    return True


def _wants(receiver: Notification, environment: str) -> bool:
    return not receiver.environments or any(fnmatchcase(environment, glob) for glob in receiver.environments)


def _message(diff: EnvironmentDiff, commit: str) -> Message:
    counts = {
        "added": diff.count("added"),
        "changed": diff.count("changed", "renamed"),
        "removed": diff.count("removed"),
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    names = [f"{resource.kind} {title(resource)}" for resource in diff.resources[:MOST_NAMES]]
    if len(diff.resources) > MOST_NAMES:
        names.append(f"and {len(diff.resources) - MOST_NAMES} more")
    data: dict[str, Any] = {
        "environment": diff.environment,
        "commit": commit,
        **counts,
        "classes": list(diff.facets),
        "owners": list(diff.owners),
        "resources": names,
    }
    heading = f"{diff.environment}: {said} ({', '.join(diff.facets)}) at {commit[:12]}"
    return Message(heading, "\n".join(names), data)


def _keep(spool: Path, number: int, letter: Letter) -> None:
    """Write a message down, whole or not at all; names sort by time."""
    path = spool / f"{time.time_ns():020d}-{os.getpid()}-{number:04d}.json"
    beside = path.with_suffix(".tmp")
    try:
        spool.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps([letter.kind, letter.address, *letter.message]), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        what = f"a message can be neither sent nor kept in {SPOOL}: {error.strerror}"
        raise UnavailableError([Problem(what, "make room, or make the folder writable")]) from error


def _read(path: Path) -> Letter | None:
    try:
        kind, address, heading, text, data = json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return None
    return Letter(kind, address, Message(heading, text, data)) if isinstance(data, dict) else None
