"""References in place of secret values, in the URI syntax of vals: `ref+SCHEME://PATH?PARAMETERS#/FRAGMENT`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from envcompile.errors import PicklableError, did_you_mean

_SYNTAX = re.compile(
    r"(?:secret)?ref\+(?P<scheme>[a-z][a-z0-9.+-]*)://(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*?))?\+?"
)
_INSIDE = re.compile(r"(?:secret)?ref\+[a-z][a-z0-9.+-]*://")

COMMON_PARAMETERS = ("encoding", "strip")
PARAMETERS: dict[str, tuple[str, ...]] = {
    "env": (),
    "file": (),
    "sops": (),
    "prompt": (),
    "vault": ("address", "namespace", "version"),
}
"""What each built-in scheme takes besides the common parameters; other schemes judge their own."""


class BadReferenceError(PicklableError, ValueError):
    """A reference that cannot be read; the message says what is wrong, `fix` what to write."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret value is to be taken from when it is sealed."""

    scheme: str
    path: str
    fragment: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of one parameter; None when it is not given."""
        return dict(self.parameters).get(name)

    @property
    def uri(self) -> str:
        """The reference without parameters: what names the value at its source."""
        return f"ref+{self.scheme}://{self.path}" + (f"#/{'/'.join(self.fragment)}" if self.fragment else "")

    def __str__(self) -> str:
        return self.uri


def holds_reference(text: str) -> bool:
    """Whether a text has a reference anywhere in it."""
    return _INSIDE.search(text) is not None


def parse_reference(text: str) -> Reference | None:
    """Read a reference; None for a text that does not begin like one.

    Raises:
        BadReferenceError: for a reference that is incomplete or takes a parameter it does not know.
    """
    if not text.startswith(("ref+", "secretref+")):
        return None
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise BadReferenceError(
            "is not a reference", "write `ref+env://NAME`, `ref+file://PATH`, `ref+sops://FILE#/key` or the like"
        )
    scheme, path = match["scheme"], unquote(match["path"])
    _refuse_query_at_the_end(match)
    fragment = tuple(unquote(part) for part in (match["fragment"] or "").strip("/").split("/") if part)
    parameters = tuple(sorted(parse_qsl(match["query"] or "", keep_blank_values=True)))
    if not path and scheme != "prompt":
        raise BadReferenceError(f"names nothing after `ref+{scheme}://`", "say what to read: a name, a file or a path")
    if scheme in {"sops", "vault"} and not fragment:
        raise BadReferenceError(f"does not say which value of `{path}`", f"add the key: `ref+{scheme}://{path}#/KEY`")
    if scheme in PARAMETERS:
        known = (*COMMON_PARAMETERS, *PARAMETERS[scheme])
        for name, _ in parameters:
            if name not in known:
                raise BadReferenceError(
                    f"has an unknown parameter `{name}`", did_you_mean(name, known, f"known: {', '.join(known)}")
                )
    for name, allowed in (("encoding", "base64"), ("strip", "newline")):
        if (given := dict(parameters).get(name, allowed)) != allowed:
            raise BadReferenceError(f"has `{name}={given}`", f"the only value of `{name}` is `{allowed}`")
    if scheme == "vault" and not (version := dict(parameters).get("version", "1")).isdecimal():
        raise BadReferenceError(f"has `version={version}`", "a version is a number")
    return Reference(scheme, path, fragment, parameters)


def _refuse_query_at_the_end(match: re.Match[str]) -> None:
    """Refuse parameters behind the `#`: they would be a part of the key (RFC 3986: the query stands before it)."""
    known = (*COMMON_PARAMETERS, *PARAMETERS.get(match["scheme"], ()))
    key, sign, query = (match["fragment"] or "").partition("?")
    name = query.partition("=")[0]
    if sign and "=" in query and name in known:
        head = f"ref+{match['scheme']}://{match['path']}"
        raise BadReferenceError(
            f"has its parameter `{name}` behind the `#`",
            f"write it before: `{head}?{query}#{key}` (a `?` in a key is written %3F)",
        )
