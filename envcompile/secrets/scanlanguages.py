"""The scan of languages from which manifests and clusters are made: CUE, Dhall, KCL, and the HCL of Terraform.

Nothing is evaluated, so only texts in quotes count: what a name or a function stands for is no literal.

Sources: cuelang.org/docs/reference/spec (fields, defaults, interpolation), docs.dhall-lang.org (records, `toMap`),
kcl-lang.io/docs/reference/lang/tour (attributes, string interpolation), github.com/hashicorp/hcl hclsyntax/spec.md.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from envcompile.kubernetes.credentials import shape_of
from envcompile.secrets.leak import FIX, IN_CLEAR, Leak
from envcompile.secrets.scantext import literals_below, looks_secret, names_a_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES: Final = frozenset({"cue", "dhall", "k", "tf", "tfvars", "tofu", "hcl", "tfstate"})
"""Endings of their files."""
LOOKS: Final = "plaintext-value"
_TEXT: Final = r"""(?:"((?:\\.|[^"\\\n]){0,4999})"|'((?:\\.|[^'\\\n]){0,4999})')"""
_PAIR: Final = re.compile(
    r"""(?<![\w.-])["']?([A-Za-z_][\w.-]{0,199})["']?[?!]?[ \t]{0,40}(?::[ \t]{0,9}[\w.]{1,99}[ \t]{0,9}=|[:=](?!=))"""
    rf"""[ \t]{{0,40}}(?:\*|Some[ \t]{{1,9}})?{_TEXT}"""
)
"""A field and its text: with a type as KCL writes one, as CUE's default, as Dhall's optional."""
_ENTRY: Final = re.compile(
    rf"""\b(?:name|mapKey|key)["']?\s{{0,40}}[:=]\s{{0,40}}["']([\w.-]{{1,199}})["'][\s,]{{1,99}}"""
    rf"""["']?(?:value|mapValue)["']?\s{{0,40}}[:=]\s{{0,40}}(?:Some\s{{1,9}})?{_TEXT}"""
)
"""An entry of a list that has its name beside it: an env var, an entry of Dhall's `Map`."""
_VARIABLE: Final = re.compile(
    rf"""^variable[ \t]+"([\w-]{{1,199}})"[ \t]*\{{[^{{}}]{{0,999}}?\bdefault[ \t]{{0,40}}=[ \t]{{0,40}}{_TEXT}""",
    re.MULTILINE,
)
"""A variable of Terraform with what it is where nobody sets it."""
_HELD: Final = frozenset({"secret_string", "secret_data", "secret_value", "plaintext_value"})
"""What Terraform's providers call the value of a secret (AWS and Google secret managers, GitHub)."""
_COMMENT: Final = re.compile(r"^[ \t]*(?:#|//|--|\*).*$", re.MULTILINE)
_COMPUTED: Final = re.compile(r"\\\(|\$\{|%\{|\{\{|^\$\w+[:.]")
"""Marks of interpolation: what such a text comes to is said elsewhere."""
_KIND: Final = re.compile(r"""\bkind["']?\s*[:=]\s*["'](\w+)["']|^(?:resource|data)[ \t]+"(\w+)\"""", re.MULTILINE)
_SECRETS: Final = frozenset({"Secret", "kubernetes_secret", "kubernetes_secret_v1", "kubernetes_secret_v1_data"})
_HOLDER: Final = re.compile(
    r"""(?<![\w.-])["']?(?:stringData|string_data|data|binary_data)["']?[?!]?\s{0,9}[:=]\s{0,9}(?:Some\s{1,9})?\(?\s{0,9}(?:toMap\s{1,9})?\{"""
)
_CHAIN: Final = re.compile(
    rf"""(?<![\w.-])["']?stringData["']?[?!]?:[ \t]{{0,9}}["']?([\w.-]{{1,199}})["']?:[ \t]{{0,9}}{_TEXT}"""
)
"""CUE's short form of a struct of one field."""
_UNFINISHED: Final = re.compile(r"""(?<![{\[(,:=|&+\s])(?=[ \t]*\n)""")
_BLOCK: Final = re.compile(r'''("""|\'\'\')(.*?)\1''', re.DOTALL)
"""A text of several lines in CUE and KCL."""
_BREAK: Final = re.compile(r"\n")
_BRACE: Final = re.compile(r"[{}]")
_QUOTED: Final = re.compile(_TEXT)
_EQUALS: Final = re.compile(r"(?<![=!<>])=(?![=~>])")


def scan_language(file: str, text: str) -> list[Leak]:
    """The literals of a program that look like credentials, and those of its Secrets.

    Args:
        file: its path.
        text: the program.
    """
    text = _COMMENT.sub(lambda found: " " * len(found[0]), text)
    ends = [found.start() for found in _BREAK.finditer(text)]
    certain = {bisect_left(ends, place) + 1: name for name, place in _of_secrets(text)}
    looks: dict[int, str] = {}
    for name, literal, place in _pairs(text):
        if not _COMPUTED.search(literal) and _is_secret(name, literal):
            looks.setdefault(bisect_left(ends, place) + 1, f"`{name}` looks like a secret in clear")
    for number, line in enumerate(text.split("\n"), 1):
        if number not in looks and (shape := shape_of(line)):
            looks[number] = f"{shape} in clear"
    found = [
        Leak(file, line, IN_CLEAR, f"a Secret: `{name}` is written in clear", FIX) for line, name in certain.items()
    ]
    return found + [Leak(file, line, LOOKS, what, _KEEP) for line, what in looks.items() if line not in certain]


_KEEP: Final = "keep it in a Secret, or hand it over when the program runs"


def _pairs(text: str) -> Iterator[tuple[str, str, int]]:
    """Name, text and place of everything that is set to a text."""
    for pattern in (_PAIR, _ENTRY, _VARIABLE):
        for found in pattern.finditer(text):
            yield found[1], found[2] or found[3] or "", found.end() - 1


def _is_secret(name: str, literal: str) -> bool:
    if name in _HELD:
        return bool(literal)
    return looks_secret(name, literal) and not names_a_secret(name, literal)


def _of_secrets(text: str) -> Iterator[tuple[str, int]]:
    """Key and place of each literal below the data of a Secret."""
    kinds = [(found.start(), found[1] or found[2]) for found in _KIND.finditer(text)]
    if not any(kind in _SECRETS for _, kind in kinds):
        return
    for found in _CHAIN.finditer(text):
        if (found[2] or found[3]) and not _COMPUTED.search(found[2] or found[3]):
            yield found[1], found.end() - 1
    places = [place for place, _ in kinds]
    bare = _QUOTED.sub(lambda found: "x" * len(found[0]), text)
    until = 0
    for found in _HOLDER.finditer(text):
        after = bisect_left(places, found.start())
        if kinds[max(after - 1, 0)][1] not in _SECRETS or found.start() < until:
            continue
        until = _end_of_object(bare, found.end())
        below = text[found.end() : until]
        ends = [end.start() for end in _BREAK.finditer(below)]
        # As jsonnet would write it, in as many lines.
        signs = _QUOTED.sub(_without_computed, _BLOCK.sub(_in_one_text, below))
        signs = _EQUALS.sub(":", _UNFINISHED.sub(",", signs)).replace("#", "_")  # which CUE's definitions begin with
        for name, place in literals_below(signs):
            line = signs.count("\n", 0, place)
            yield name, found.end() + (ends[line - 1] + 1 if line else 0)


def _end_of_object(text: str, start: int) -> int:
    """The place behind the brace that closes an object; the end of the text where none does."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.end()
    return len(text)


def _in_one_text(found: re.Match[str]) -> str:
    """A text of several lines as one in quotes, in as many lines; a word where it is interpolated."""
    if _COMPUTED.search(found[2]):
        return "x" + "\n" * found[2].count("\n")
    return '"' + re.sub(r"[\"'\\]", " ", found[2]) + '"'


def _without_computed(found: re.Match[str]) -> str:
    """A text, or a word of its length where it is interpolated."""
    return "x" * len(found[0]) if _COMPUTED.search(found[0]) else found[0]
