"""The scan of texts that are no YAML yet: templates line by line, jsonnet object by object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.secrets.leak import FIX, IN_CLEAR, Leak, is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_KIND = re.compile(r"""^\s*["']?kind["']?:\s*["']?Secret["']?\s*,?\s*$""", re.MULTILINE)
_BLOCK = re.compile(r"""^(\s*)["']?(?:data|stringData)["']?:\s*(?:\{\s*)?$""")
_FLOW = re.compile(r"""^\s*["']?(?:data|stringData)["']?:\s*\{(?P<inner>.+)\}\s*,?\s*$""")
_VALUE = re.compile(r"""^(\s+)["']?[-._a-zA-Z0-9]+["']?:\s*(?P<value>\S.*?)\s*,?\s*$""")
_PAIR = re.compile(r"""["']?[-._a-zA-Z0-9]+["']?:\s*(?P<value>"[^"]*"|'[^']*'|[^,{}]+)""")
_IMPORTS = frozenset({"import", "importstr", "importbin"})
_JSONNET_KIND = re.compile(r"""["']?kind["']?\s*:{1,3}\s*["']Secret["']""")
_JSONNET_MAP = re.compile(r"""(?<!\w)["']?(?P<name>data|stringData)["']?\s*\+?:{1,3}\s*\{""")
_JSONNET_PIECE = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*|\#[^\n]*)|(?P<string>@?"(?:\\.|[^"\\])*"|@?'(?:\\.|[^'\\])*')"""
    r"""|(?P<block>\|\|\|-?[ \t]*\n.*?\n[ \t]*\|\|\|)|(?P<sign>[{}\[\](),:+])|(?P<word>[\w.$]+)""",
    re.DOTALL,
)


def scan_lines(file: str, text: str) -> list[Leak]:
    """The literals under `data` and `stringData` of the Secrets in a template."""
    found = []
    first = 1
    for document in re.split(r"^---.*$", text, flags=re.MULTILINE):
        if _KIND.search(document):
            depth: int | None = None
            for number, line in enumerate(document.splitlines(), first):
                indent = len(line) - len(line.lstrip())
                if flow := _FLOW.match(line):
                    pairs = _PAIR.finditer(flow["inner"])
                    literal = "{{" not in flow["inner"] and any(_is_literal(pair["value"].strip()) for pair in pairs)
                elif block := _BLOCK.match(line):
                    depth, literal = len(block[1]), False
                elif depth is not None and line.strip() and indent <= depth and not line.strip().startswith("{{"):
                    depth, literal = None, False
                else:
                    value = _VALUE.match(line) if depth is not None else None
                    literal = value is not None and _is_literal(value["value"])
                if literal:
                    what, fix = "a Secret in a template holds a value in clear", "take the value out of the template"
                    found.append(Leak(file, number, IN_CLEAR, what, fix))
        first += document.count("\n")
    return found


def _is_literal(text: str) -> bool:
    bare = text.strip("\"'")
    return (
        bool(bare)
        and "{{" not in bare
        and not bare.startswith(("ENC[", "${", "$("))
        and not is_reference(bare)
        and bare not in {"|", "|-", ">", ">-", "{}", "null", "~"}
    )


def scan_jsonnet(file: str, text: str) -> list[Leak]:
    """The string literals under `stringData`, and under `data` where the file makes a Secret.

    Nothing is evaluated: a scan may look at a file that nobody trusts yet.
    """
    makes_secret = _JSONNET_KIND.search(text) is not None
    found = []
    for opening in _JSONNET_MAP.finditer(text):
        if opening["name"] == "stringData" or makes_secret:
            for key, place in _literals(text, opening.end()):
                line = text.count("\n", 0, place) + 1
                found.append(Leak(file, line, IN_CLEAR, f"a Secret in jsonnet: `{key}` is written in clear", FIX))
    return found


def _literals(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Key and place of each field of one object whose value is a string and nothing else but strings."""
    depth, key, waiting, literal, word, encoded = 0, "", False, -1, "", False
    for piece in _JSONNET_PIECE.finditer(text, start):
        sign = piece["sign"]
        if piece["comment"]:
            continue
        if piece["string"] or piece["block"]:
            value = piece["block"] or piece["string"].lstrip("@")[1:-1]
            if not waiting and not depth:
                key = value
            elif literal < 0 and (not depth or encoded) and word not in _IMPORTS and _is_jsonnet_literal(value):
                literal = piece.start()
            word = ""
        elif sign in {"{", "[", "("}:
            encoded = not depth and sign == "(" and word.endswith("base64")
            depth += 1
        elif depth and sign in {"}", "]", ")"}:
            depth -= 1
        elif piece["word"]:
            word = piece["word"]
            key = key if waiting or depth else word
        elif not depth and sign in {",", "}"}:
            if waiting and literal >= 0:
                yield key, literal
            if sign == "}":
                return
            key, waiting, literal = "", False, -1
        elif not depth and sign == ":":
            waiting = True


def _is_jsonnet_literal(text: str) -> bool:
    return bool(text) and not is_reference(text) and re.fullmatch(r"%[\w()]+|\$\{\{.*", text) is None
