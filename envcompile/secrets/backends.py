"""Where plaintext comes from: reads references through the resolver of their scheme, at sealing time only."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from envcompile.errors import did_you_mean
from envcompile.git.ignore import in_repository, is_ignored
from envcompile.secrets.bounds import read_bounded, refuse_env
from envcompile.secrets.errors import OriginError
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.references import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from envcompile.errors import EnvcError
    from envcompile.secrets.references import Reference

__all__ = [
    "ENTRY_POINTS",
    "OriginError",
    "Resolved",
    "Resolver",
    "Surroundings",
    "broken_file",
    "parse_documents",
    "public_version",
    "read_file",
    "read_value",
    "resolver_of",
    "walk",
]

ENTRY_POINTS = "envcompile.secret_sources"
"""Entry points of this group add schemes: the name is the scheme, the object a `Resolver`."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A value read from its source, the source's own version of it where it has one, and what to warn of."""

    value: Plaintext
    version: str | None = None
    warnings: tuple[str, ...] = ()
    is_shared_version: bool = False
    """Whether the version is one of several values together: another one does not mean that this value is another."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What resolvers may look at: the repository, the env vars, and a hidden prompt when a person is there."""

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    prompt: Callable[[str], str] | None = None
    shared: dict[object, object] = field(default_factory=dict, repr=False)
    """Opened files and connections, for the length of one command."""


class Resolver(Protocol):
    """Reads the values of one scheme."""

    def __call__(self, reference: Reference, surroundings: Surroundings, /) -> Resolved:
        """Read a value; raises OriginError when that is not possible."""
        ...


def read_value(reference: Reference, surroundings: Surroundings) -> Resolved:
    """Read a reference and apply its `encoding` and `strip` parameters.

    Raises:
        OriginError: when the value cannot be had, with what to do about it; never with a part of the value.
    """
    resolved = resolver_of(reference.scheme)(reference, surroundings)
    data, warnings = resolved.value.reveal(), list(resolved.warnings)
    if reference.parameter("strip") == "newline":
        data = data.removesuffix(b"\n").removesuffix(b"\r")
    elif data.endswith(b"\n") and b"\n" not in data[:-1] and reference.scheme != "prompt":
        warnings.append("ends with a newline, which becomes part of the secret; `?strip=newline` takes it off")
    if reference.parameter("encoding") == "base64":
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise OriginError(
                f"the value of `{reference}` is not base64", "correct it at its source, or drop `encoding=base64`"
            ) from None
    elif data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise OriginError(
            f"the value of `{reference}` is text in UTF-16",
            "save it as UTF-8; if it is binary on purpose, keep it base64-coded and add `?encoding=base64`",
        )
    elif data[:3] == b"\xef\xbb\xbf":
        warnings.append("begins with a byte order mark, which becomes part of the secret")
    return Resolved(Plaintext(data), resolved.version, tuple(warnings), resolved.is_shared_version)


def public_version(reference: Reference, surroundings: Surroundings) -> str | None:
    """The source's own version of a value, when it can be had without reading the value; None otherwise."""
    if reference.scheme != "sops":
        return None
    from envcompile.secrets.sopsfiles import encrypted_text

    try:
        return encrypted_text(reference, surroundings)
    except OriginError:
        return None


def resolver_of(scheme: str) -> Resolver:
    """The resolver of a scheme, built in or from an entry point.

    Raises:
        OriginError: for a scheme that nothing reads.
    """
    if scheme == "env":
        return _from_env
    if scheme == "file":
        return _from_file
    if scheme == "prompt":
        return _from_prompt
    if scheme == "sops":
        from envcompile.secrets.sopsfiles import from_sops

        return from_sops
    if scheme == "vault":
        from envcompile.secrets.vault import from_vault

        return from_vault
    from importlib.metadata import entry_points

    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if scheme not in found:
        known = (*PARAMETERS, *found)
        raise OriginError(
            f"nothing reads references of the scheme `{scheme}`",
            did_you_mean(
                scheme,
                known,
                f"known: {', '.join(known)}; packages add more by the entry point group `{ENTRY_POINTS}`",
            ),
        )
    resolver: Resolver = found[scheme].load()
    return resolver


def _from_env(reference: Reference, surroundings: Surroundings) -> Resolved:
    refuse_env(reference.path, surroundings.environ)
    value = surroundings.environ.get(reference.path)
    if value is None:
        raise OriginError(
            f"the env var `{reference.path}` is not set",
            f"export it for this one command: `{reference.path}=… envc secrets seal …`",
            absent=True,
        )
    return Resolved(Plaintext(os.fsencode(value)))


def _from_prompt(_reference: Reference, surroundings: Surroundings) -> Resolved:
    if surroundings.prompt is None:
        raise OriginError(
            "its value is asked for, and nobody is here to answer",
            "run `envc secrets set` with the value on stdin",
            absent=True,
        )
    return Resolved(Plaintext(surroundings.prompt("").encode()))


def _from_file(reference: Reference, surroundings: Surroundings) -> Resolved:
    path = surroundings.root / reference.path
    place, data = read_bounded(surroundings.root, reference.path, surroundings.environ)
    _refuse_committed(path, place, reference, surroundings.root)
    warnings = []
    if os.name == "posix" and stat.S_IMODE(place.stat().st_mode) & 0o077:
        warnings.append(f"{reference.path} can be read by others: `chmod 600 {reference.path}`")
    if reference.fragment:
        data = _field(data, reference)
    return Resolved(Plaintext(data), warnings=tuple(warnings))


def read_file(reference: Reference, surroundings: Surroundings) -> bytes:
    """The bytes of the file that a reference names, within the bounds of `read_bounded`.

    Raises:
        OriginError: when it cannot be read, or may not be.
    """
    return read_bounded(surroundings.root, reference.path, surroundings.environ)[1]


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
    return walk(parse_documents(data, reference)[0], reference)


def parse_documents(data: bytes, reference: Reference) -> list[object]:
    """The YAML or JSON documents of a secret file; an error never quotes the file.

    Raises:
        OriginError: when the file is neither.
    """
    from envcompile import yamlio
    from envcompile.errors import EnvcError

    try:
        found = [value for value in yamlio.load_all(data, reference.path) if value is not None]
    except EnvcError as error:
        raise broken_file(error, reference) from None
    if not found:
        raise OriginError(f"`{reference.path}` is empty", "fill it, or correct the reference", absent=True)
    return found


def broken_file(error: EnvcError, reference: Reference) -> OriginError:
    """The error of a secret file that cannot be parsed: its places, and nothing of its text."""
    places = ", ".join(str(place) for problem in error.problems for place in problem.where[:1])
    return OriginError(f"`{reference.path}` is not valid YAML or JSON ({places})", "correct the file")


def walk(document: object, reference: Reference) -> bytes:
    """The text at the reference's fragment.

    Raises:
        OriginError: when there is none, or it is no text.
    """
    value = document
    for part in reference.fragment:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            known = [str(key) for key in value] if isinstance(value, dict) else []
            raise OriginError(
                f"`{reference.path}` has no `{'/'.join(reference.fragment)}`",
                did_you_mean(part, known, "correct the key"),
                absent=True,
            )
    if not isinstance(value, str):
        raise OriginError(
            f"`{reference}` is not a text", "put the value in quotes, so that it means the same to every reader"
        )
    return value.encode()
