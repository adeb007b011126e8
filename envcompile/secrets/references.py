"""References in place of secret values, in the URI syntax of vals: `ref+SCHEME://PATH?PARAMETERS#/FRAGMENT`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from envcompile.errors import PicklableError, did_you_mean
from envcompile.secrets.scheme import schemes

_SYNTAX = re.compile(
    r"(?:secret)?ref\+(?P<scheme>[a-z][a-z0-9.+-]*)://(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*?))?\+?"
)
_INSIDE = re.compile(r"(?:secret)?ref\+[a-z][a-z0-9.+-]*://")

COMMON_PARAMETERS = ("encoding", "strip")
"""What each scheme takes; further ones are said by the scheme."""


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
    built_in = schemes().get(scheme)
    if not path and (built_in is None or built_in.needs_path):
        raise BadReferenceError(f"names nothing after `ref+{scheme}://`", "say what to read: a name, a file or a path")
    if built_in is not None and built_in.needs_fragment and not fragment:
        raise BadReferenceError(f"does not say which value of `{path}`", f"add the key: `ref+{scheme}://{path}#/KEY`")
    if built_in is not None:
        known = (*COMMON_PARAMETERS, *built_in.parameters)
        for name, _ in parameters:
            if name not in known:
                raise BadReferenceError(
                    f"has an unknown parameter `{name}`", did_you_mean(name, known, f"known: {', '.join(known)}")
                )
    for name, allowed in (("encoding", "base64"), ("strip", "newline")):
        if (given := dict(parameters).get(name, allowed)) != allowed:
            raise BadReferenceError(f"has `{name}={given}`", f"the only value of `{name}` is `{allowed}`")
    reference = Reference(scheme, path, fragment, parameters)
    if built_in is not None and built_in.judge is not None and (refusal := built_in.judge(reference)) is not None:
        raise BadReferenceError(*refusal)
    return reference


def _refuse_query_at_the_end(match: re.Match[str]) -> None:
    """Refuse parameters behind the `#`: they would be a part of the key (RFC 3986: the query stands before it)."""
    built_in = schemes().get(match["scheme"])
    known = (*COMMON_PARAMETERS, *(built_in.parameters if built_in is not None else ()))
    key, sign, query = (match["fragment"] or "").partition("?")
    name = query.partition("=")[0]
    if sign and "=" in query and name in known:
        head = f"ref+{match['scheme']}://{match['path']}"
        raise BadReferenceError(
            f"has its parameter `{name}` behind the `#`",
            f"write it before: `{head}?{query}#{key}` (a `?` in a key is written %3F)",
        )
