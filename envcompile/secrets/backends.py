"""Where plaintext comes from: reads references through the resolver of their scheme, at sealing time only."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from envcompile.errors import did_you_mean
from envcompile.secrets.bounds import read_bounded
from envcompile.secrets.errors import OriginError
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.scheme import is_typed_in, schemes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

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
    elif data.endswith(b"\n") and b"\n" not in data[:-1] and not is_typed_in(reference):
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
    scheme = schemes().get(reference.scheme)
    if scheme is None or scheme.version is None:
        return None
    try:
        return scheme.version(reference, surroundings)
    except OriginError:
        return None


def resolver_of(scheme: str) -> Resolver:
    """The resolver of a scheme, built in or from an entry point.

    Raises:
        OriginError: for a scheme that nothing reads.
    """
    if (built_in := schemes().get(scheme)) is not None:
        return built_in.resolve
    from importlib.metadata import entry_points

    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if scheme not in found:
        known = (*schemes(), *found)
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


def read_file(reference: Reference, surroundings: Surroundings) -> bytes:
    """The bytes of the file that a reference names, within the bounds of `read_bounded`.

    Raises:
        OriginError: when it cannot be read, or may not be.
    """
    return read_bounded(surroundings.root, reference.path, surroundings.environ)[1]


def parse_documents(data: bytes, reference: Reference) -> list[object]:
    """The YAML or JSON documents of a secret file, None for an empty one; an error never quotes the file.

    Raises:
        OriginError: when the file is neither.
    """
    from envcompile import yamlio
    from envcompile.errors import EnvcError

    try:
        found = yamlio.load_all(data, reference.path)
    except EnvcError as error:
        raise broken_file(error, reference) from None
    if all(value is None for value in found):
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
