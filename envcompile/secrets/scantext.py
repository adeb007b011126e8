"""The scan of texts that are no YAML yet: templates line by line, jsonnet object by object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from envcompile.kubernetes.credentials import is_named_secret, named_values, shape_of
from envcompile.secrets.leak import FIX, IN_CLEAR, Leak, is_no_literal, is_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_KIND = re.compile(r"""^\s*["']?kind["']?:\s*["']?Secret["']?\s*,?\s*$""", re.MULTILINE)
_BLOCK = re.compile(r"""^(\s*)["']?(?:data|stringData)["']?:\s*(?:\{\s*)?$""")
_FLOW = re.compile(r"""^\s*["']?(?:data|stringData)["']?:\s*\{(?P<inner>.+)\}\s*,?\s*$""")
_VALUE = re.compile(r"""^(\s+)["']?[-._a-zA-Z0-9]+["']?:\s*(?P<value>\S.*?)\s*,?\s*$""")
_PAIR = re.compile(r"""["']?[-._a-zA-Z0-9]+["']?:\s*(?P<value>"[^"]*"|'[^']*'|[^,{}]+)""")
_IN_ACTION = re.compile(r"""\{\{-?\s*(?:"[^"]+"|`[^`]+`)\s*(?:\||-?\}\})|\bdefault\s+(?:"[^"]+"|`[^`]+`)""")
"""A template's action that gives a text of its own, or has one for want of another."""
_CONFLICT = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?: |$)")
"""What a merge writes between the two sides of a conflict, of which both count."""
_IMPORTS = frozenset({"import", "importstr", "importbin"})
_JSONNET_KIND = re.compile(r"""["']?kind["']?\s*:{1,3}\s*["']Secret["']""")
_JSONNET_MAP = re.compile(r"""(?<!\w)["']?(?P<name>data|stringData)["']?\s*\+?:{1,3}\s*\{""")
_JSONNET_CALL = re.compile(
    r"""\bsecret\.(?:new|with(?:String)?Data(?:Mixin)?)\((?:[^(){}]{0,999}?,)?\s*(?:\w+\s*=\s*)?\{"""
)
"""What makes a Secret, or gives it values, in k8s-libsonnet (jsonnet-libs.github.io/k8s-libsonnet)."""
_JSONNET_LOCAL = re.compile(r"""(?<![\w.])local\s+(\w+)\s*=\s*@?(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)')\s*[;,]""")
_LET_GIT_IGNORE = "keep it in a Secret, or let git ignore the file"
_NAMES_A_SECRET = re.compile(
    r"(?i)(?:existing|pull|tls|certificate|cert|ca|root|registry|auth|admin|external)[-_.]?secret$|^existing|from[-_.]?secret$"
)
"""Values of charts that name a Secret and hold none."""
_NAME_OF_SECRET = re.compile(
    r"(?:[a-z0-9.]+-){0,20}(?:secrets?|tls|certs?|creds?|credentials?|tokens?|keys?)(?:-[a-z0-9.]+){0,9}"
)
_TEXTS_OF = re.compile(r"base64(?:encode)?|jsonencode|yamlencode|manifest\w*|toString|format|join|lines")
"""Functions of `std` that make a text of what they are given."""
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
                if _CONFLICT.match(line):
                    continue
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
    if _IN_ACTION.search(text):
        return True
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
    known = {found[1] for found in _JSONNET_LOCAL.finditer(text) if _is_jsonnet_literal(found[2] or found[3] or "")}
    openings = [*_JSONNET_CALL.finditer(text)]
    openings += [one for one in _JSONNET_MAP.finditer(text) if one["name"] == "stringData" or makes_secret]
    found = []
    for opening in openings:
        for key, place in _literals(text, opening.end(), known):
            line = text.count("\n", 0, place) + 1
            found.append(Leak(file, line, IN_CLEAR, f"a Secret in jsonnet: `{key}` is written in clear", FIX))
    return found


def scan_values(file: str, text: str) -> list[Leak]:
    """The lines of a file of settings that hold what looks like a credential."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        pairs = {} if line.lstrip().startswith(("#", ";", "!", "//")) else named_values(line.removeprefix("export "))
        name = next((name for name in pairs if looks_secret(name, pairs[name])), "")
        if name or shape_of(line):
            what = f"`{name}` looks like a secret in clear" if name else f"{shape_of(line)} in clear"
            found.append(Leak(file, number, "plaintext-value", what, _LET_GIT_IGNORE))
    return found


def scan_netrc(file: str, text: str) -> list[Leak]:
    """The passwords of a `.netrc` (the format of ftp(1), which curl, git and pip read)."""
    found = []
    what = "a password of `.netrc` in clear"
    is_next = False
    for number, line in enumerate(text.split("\n"), 1):
        for word in () if line.lstrip().startswith("#") else line.split():
            if is_next and not is_no_literal(word) and "{{" not in word and not word.startswith("$"):
                found.append(Leak(file, number, "plaintext-value", what, _LET_GIT_IGNORE))
            is_next = word == "password" and not is_next
    return found


def names_a_secret(name: str, value: str) -> bool:
    """Tell whether a value of a chart or a program is the name of a Secret, and holds none."""
    if _NAMES_A_SECRET.search(name) is not None:
        return True
    return name.lower().endswith("secret") and _NAME_OF_SECRET.fullmatch(value) is not None


def looks_secret(name: str, literal: str) -> bool:
    """Tell whether a value is a credential, by its own form or by its name."""
    if not literal or is_no_literal(literal) or literal.startswith("ENC["):
        return False
    return bool(shape_of(literal) or is_named_secret(name, literal))


def literals_below(text: str) -> Iterator[tuple[str, int]]:
    """Key and place of the fields of one object that are made of literal strings, of the text behind its brace."""
    return _literals(text, 0, frozenset())


def _literals(text: str, start: int, known: Collection[str]) -> Iterator[tuple[str, int]]:
    """Key and place of each field of one object whose value is made of literal strings.

    Args:
        text: the jsonnet.
        start: behind the brace that opens the object.
        known: names of locals that are such strings.
    """
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
                is_name = depth and re.match(r"\s*\+?:", text[piece.end() : piece.end() + 9])
                literal = literal if is_name else piece.start()
            word = ""
        elif sign in {"{", "[", "("}:
            encoded = encoded if depth else sign == "(" and _TEXTS_OF.fullmatch(word.rpartition(".")[2]) is not None
            depth += 1
        elif depth and sign in {"}", "]", ")"}:
            depth -= 1
        elif piece["word"]:
            word = piece["word"]
            key = key if waiting or depth else word
            literal = piece.start() if waiting and not depth and literal < 0 and word in known else literal
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
