"""The program that renders kustomizations: kustomize itself, or kubectl."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from envcompile import yamlio
from envcompile.adopt.manifests import to_objects
from envcompile.errors import Problem, UnavailableError, fail
from envcompile.model import Document, Location
from envcompile.sources.tree import File, file_start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.adopt.existing import Existing
    from envcompile.errors import Problems

FILENAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_LOGGED: Final = re.compile(
    r'E\d{4} [\d:.]+ +\d+ [\w.]+:\d+\] "command failed" err=(?:"(?P<quoted>.*)"|<\n(?P<block>.*)\n >)', re.DOTALL
)
"""How kubectl tells an error: klog's header, then the error as a quoted text or an indented block."""
_SECONDS: Final = 300
"""A remote base may have to be cloned."""


def find_command() -> list[str]:
    """The program that renders kustomizations, as the words before the folder.

    Raises:
        UnavailableError: neither kustomize nor kubectl is on PATH.
    """
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    if shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    raise UnavailableError([
        Problem(
            "neither `kustomize` nor `kubectl` is on PATH, and kustomizations can only be read by rendering them",
            "install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize/), or render each overlay "
            "elsewhere into DIR/<environment>.yaml and use --from-manifests DIR",
        )
    ])


def render(
    command: Sequence[str], source: Path, folder: str, problems: Problems, *, place: Path | None = None
) -> list[Existing]:
    """The objects that one kustomization makes.

    Args:
        command: the program, as `find_command` gives it.
        source: the folder of the project.
        folder: that of the kustomization, relative to it.
        problems: gets what is no object.
        place: the copy of the project in which it is built; what is told is told of the project.

    Raises:
        EnvcError: it cannot be built, with kustomize's own words.
        UnavailableError: the program cannot be run, or does not end.
    """
    path = (source / folder).as_posix()
    at = path if place is None else (place / folder).as_posix()
    shown = " ".join([*command, path])
    try:
        done = subprocess.run(
            [*command, at],
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        fix = "a remote base may be out of reach; vendor it, or render the overlay elsewhere"
        raise UnavailableError([Problem(f"`{shown}` did not end within {_SECONDS} seconds", fix)]) from error
    except OSError as error:
        what = f"`{command[0]}` cannot be run: {(error.strerror or 'unknown reason').lower()}"
        raise UnavailableError([Problem(what, "check its permissions")]) from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace")
        if place is not None:
            said = said.replace(place.resolve().as_posix(), source.as_posix()).replace(
                place.as_posix(), source.as_posix()
            )
        words = own_words(said)
        named = next((name for name in FILENAMES if Path(path, name).is_file()), FILENAMES[0])
        fix = f"mend the kustomization until `{shown}` succeeds; `--skip-broken` or `--skip GLOB` leaves it out"
        raise fail(f"`{shown}` fails", fix, file_start(f"{path}/{named}"), trace=words)
    file = File(f"{shown}", done.stdout)
    values = yamlio.load_all(file.data, file.path)
    documents = [Document(value, file, index, "base") for index, value in enumerate(values) if value is not None]
    rendered = to_objects(documents, problems)
    return [existing._replace(where=Location(path, 1, 1)) for existing in rendered]


def own_words(text: str) -> list[str]:
    """What the program says is wrong, without the stamp that kubectl's log puts around it."""
    text = text.strip()
    if (logged := _LOGGED.fullmatch(text)) is not None:
        quoted, block = logged["quoted"], logged["block"]
        text = block if block is not None else re.sub(r"\\(.)", _unescaped, quoted)
    return [line.strip() for line in text.splitlines() if line.strip()]


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": " "}.get(match[1], match[1])
