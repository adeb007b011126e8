"""`ref+file://PATH`: a file that git ignores, whole or one field of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.git.ignore import in_repository, is_ignored
from envcompile.secrets.backends import OriginError, Resolved, parse_documents, walk
from envcompile.secrets.bounds import read_bounded
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.scheme import Scheme

if TYPE_CHECKING:
    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference


def _resolve(reference: Reference, surroundings: Surroundings) -> Resolved:
    path = surroundings.root / reference.path
    place, data = read_bounded(surroundings.root, reference.path, surroundings.environ)
    _refuse_committed(path, place, reference, surroundings.root)
    warnings = []
    if os.name == "posix" and stat.S_IMODE(place.stat().st_mode) & 0o077:
        warnings.append(f"{reference.path} can be read by others: `chmod 600 {reference.path}`")
    if reference.fragment:
        data = _field(data, reference)
    return Resolved(Plaintext(data), warnings=tuple(warnings))


def _refuse_committed(path: Path, place: Path, reference: Reference, root: Path) -> None:
    if not place.is_relative_to(root.resolve()) or not in_repository(root):
        return
    # The place itself and what a link leads to: neither may end up in a commit.
    for each in {str(path), str(place)}:
        if not is_ignored(root, each):
            raise OriginError(
                f"git does not ignore the file `{reference.path}`",
                f"add it to .gitignore, and `git rm --cached {reference.path}` if it is tracked; rotate its values",
            )


def _field(data: bytes, reference: Reference) -> bytes:
    """One value of a file: KEY=VALUE lines of an env file, or a field of YAML or JSON."""
    if len(reference.fragment) == 1 and Path(reference.path).name.endswith(".env"):
        for line in data.decode(errors="surrogateescape").splitlines():
            name, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and name.strip() == reference.fragment[0]:
                text = value.strip()
                if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
                    text = text[1:-1]
                return os.fsencode(text)
        raise OriginError(
            f"`{reference.path}` has no `{reference.fragment[0]}`", "correct the key, or add the line", absent=True
        )
    first, *others = parse_documents(data, reference)
    try:
        return walk(first, reference)
    except OriginError as error:
        number = next((number for number, value in enumerate(others, 2) if _has(value, reference)), 0)
        if not error.absent or not number:
            raise
        raise OriginError(
            f"`{reference.path}` holds {1 + len(others)} documents, and a reference reads the first, as vals does: "
            f"`{'/'.join(reference.fragment)}` stands in document {number}",
            "move it to the first one, or into a file of its own",
            absent=True,
        ) from None


def _has(document: object, reference: Reference) -> bool:
    """Tell whether a reference would find something in a document, be it a text or not."""
    try:
        walk(document, reference)
    except OriginError as error:
        return not error.absent
    return True


SCHEME = Scheme(_resolve)
