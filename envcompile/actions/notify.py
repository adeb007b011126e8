"""Telling people that compiled environments changed, and keeping what could not be told."""

from __future__ import annotations

import json
import os
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, Problem, Problems, UnavailableError
from envcompile.files import lock, write_atomically
from envcompile.forge.messages import Message, deliver
from envcompile.git.own_folder import make_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.settings import Notification
    from envcompile.units.project import Project

SPOOL = "notify"
"""The folder of messages that wait, below `.envc`."""
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
    from envcompile.actions.diff import difference

    if not project.settings.notify:
        return []
    found = difference(project.root, wanted, source=source, target=target)
    return letters_of(project.settings.notify, found.changed, found.target or found.source)


def letters_of(receivers: Sequence[Notification], changed: Iterable[EnvironmentDiff], commit: str) -> list[Letter]:
    """The messages for what a commit changed, one for each environment and receiver that asks for it."""
    return [letter for diff in changed for letter in letters_to(receivers, diff.environment, _message(diff, commit))]


def letters_to(receivers: Sequence[Notification], environment: str, message: Message) -> list[Letter]:
    """One message for everybody who wants to hear of an environment."""
    return [Letter(receiver.kind, receiver.address, message) for receiver in receivers if _wants(receiver, environment)]


def notify(
    home: Path, found: Sequence[Letter], environ: Mapping[str, str], *, wait: Callable[[float], None] = time.sleep
) -> Notified:
    """Send what waits in the spool, oldest first, and then the new messages; keep what cannot be delivered.

    A receiver that fails once is not asked again in this run, so that its messages stay in their order. Only one
    process sends at a time; another one waits for it.

    Args:
        home: the `.envc` folder, which holds the spool.
        found: the new messages.
        environ: the env vars with the receivers' addresses.
        wait: sleeps for seconds between tries.

    Raises:
        UnavailableError: a message can be neither sent nor kept.
    """
    spool = home / SPOOL
    failed: set[str] = set()
    problems = Problems()
    sent = 0
    with lock(spool / "lock"):
        seen: set[Path] = set()
        while waiting := sorted({*spool.glob("*.json")} - seen):
            for path in waiting:
                seen.add(path)
                sent += _send_file(path, environ, failed, problems, wait)
        left = [letter for letter in found if not _is_sent(letter, environ, failed, problems, wait)]
        sent += len(found) - len(left)
        if left:
            _keep(spool, left)
    try:
        problems.raise_any()
    except EnvcError as error:
        return Notified(sent, error.problems)
    return Notified(sent, ())


def _send_file(
    path: Path,
    environ: Mapping[str, str],
    failed: set[str],
    problems: Problems,
    wait: Callable[[float], None],
) -> int:
    """Send the messages of one file of the spool; what cannot be delivered stays in it."""
    try:
        letters = read_letters(path.read_bytes())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, TypeError):
        path.rename(path.with_suffix(".broken"))
        problems.add(f"{path.name} in .envc/{SPOOL} cannot be read", "it was set aside with the ending .broken")
        return 0
    left = list(letters)
    for letter in letters:
        if _is_sent(letter, environ, failed, problems, wait):
            left.remove(letter)
            if left:
                _write(path, left)
    if not left:
        path.unlink(missing_ok=True)
    return len(letters) - len(left)


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
    from envcompile.ask.lines import title

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


def _keep(spool: Path, letters: Sequence[Letter]) -> None:
    """Write messages down, whole or not at all; names sort by time."""
    try:
        make_own(spool.parent)
        spool.mkdir(exist_ok=True)
        _write(spool / f"{time.time_ns():020d}-{os.getpid()}.json", letters)
    except OSError as error:
        what = f"a message can be neither sent nor kept in .envc/{SPOOL}: {error.strerror}"
        raise UnavailableError([Problem(what, "make room, or make the folder writable")]) from error


def _write(path: Path, letters: Sequence[Letter]) -> None:
    write_atomically(path, written(letters))


def written(letters: Sequence[Letter]) -> bytes:
    """Messages as the spool keeps them."""
    return json.dumps([[letter.kind, letter.address, *letter.message] for letter in letters]).encode()


def read_letters(data: bytes) -> list[Letter]:
    """The messages of a file of the spool.

    Raises:
        ValueError, TypeError: the file is damaged.
    """
    found = []
    for kind, address, heading, text, facts in json.loads(data):
        if not isinstance(facts, dict):
            raise TypeError
        found.append(Letter(kind, address, Message(heading, text, facts)))
    return found
