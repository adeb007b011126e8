"""One door for text that somebody else wrote, on its way to a terminal, a log, a comment or a message.

Names, messages and addresses come from repositories, git, clusters and servers. A terminal obeys escape sequences, the
runner of a pipeline obeys lines that begin with `::`, people are deceived by text that runs from right to left, and a
password belongs to an address. What passes here is shown, and does nothing.

Sources: ECMA-48 (control functions), Unicode TR #36 and CVE-2021-42574 (bidirectional text), GitHub's documentation of
workflow commands, docs.gitlab.com on collapsible sections, RFC 3986 section 3.2.1 (a password in an address).
"""

from __future__ import annotations

TYPE_CHECKING = False
"""Type checkers take it for true; errors are made before `typing` is needed."""

if TYPE_CHECKING:
    from typing import Final

_JOINERS: Final = "\u200c\u200d"
"""Persian and emojis need them, and they move nothing."""
_INERT_CATEGORIES: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control, format (bidirectional marks are), lone surrogate, line and paragraph separator."""
_RUNNER_COMMANDS: Final = ("##[", "##vso[")
"""GitHub's older form and that of Azure Pipelines: obeyed anywhere in a line."""


def escaped(text: str) -> str:
    """Text with an escape for every character that moves a cursor, changes colours or turns the direction of reading.

    Line breaks and tabulators stay.
    """
    if text.isprintable():
        return text
    return "".join([character if character.isprintable() else _shown(character) for character in text])


def visible(text: str) -> str:
    """Text of several lines for a terminal or a log: escaped, and without commands to a pipeline's runner.

    A line that begins with such a command gets a backslash before it.
    """
    if _is_plain(text.replace("\n", "")):
        return text
    return "\n".join([_visible_line(line) for line in text.split("\n")])


def one_line(text: str) -> str:
    r"""Text that has to stay on one line, such as a name in a message: a line break is shown as `\n`."""
    if _is_plain(text):
        return text
    return _visible_line(text.replace("\n", r"\n"))


def _is_plain(text: str) -> bool:
    """Tell whether a text is shown as it is, wherever it is cut into lines."""
    return text.isprintable() and "::" not in text and "##" not in text


def _visible_line(line: str) -> str:
    line = escaped(line)
    if "::" in line and line.lstrip().startswith("::"):
        line = line.replace("::", r"\::", 1)
    if "##" in line:
        for command in _RUNNER_COMMANDS:
            line = line.replace(command, rf"#\{command[1:]}")
    return line


def _shown(character: str) -> str:
    """A character that `str.isprintable` refuses: as it is when it only takes place, else its escape as in Python."""
    import unicodedata

    if character in "\n\t" or character in _JOINERS or unicodedata.category(character) not in _INERT_CATEGORIES:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name that is no UTF-8
        return rf"\x{code - 0xDC00:02x}"
    return rf"\x{code:02x}" if code < 0x100 else rf"\u{code:04x}" if code < 0x10000 else rf"\U{code:08x}"


def in_json(text: str) -> str:
    """JSON whose strings hold nothing that would act on a terminal or a runner; a reader gets the same values."""
    if "##" in text:
        for command in _RUNNER_COMMANDS:
            text = text.replace(command, rf"#\u0023{command[2:]}")
    if text.isascii() and "\x7f" not in text:  # the other control characters are escaped already
        return text
    return "".join([character if character.isprintable() else _in_json(character) for character in text])


def in_xml(text: str) -> str:
    """XML in whose texts and attributes nothing acts on a terminal or a runner; a reader gets the same values."""
    text = text.replace("##", "#&#35;")
    return text if text.isascii() else "".join([f"&#{ord(one)};" if _shown(one) != one else one for one in text])


def _in_json(character: str) -> str:
    import json

    return character if _shown(character) == character else json.dumps(character)[1:-1]


def markdown(text: str) -> str:
    """One line of plain text in a comment: no markup, no HTML, no link, and nobody is notified by it.

    The hosts make references and mentions of what they find in the finished HTML: a comment in the middle of a word
    keeps them from finding any.
    """
    import html
    import re

    plain = re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", escaped(" ".join(text.split())))
    return re.sub(r"([@#!~]|:(?=//)|www(?=\.))", r"\1<!-- -->", html.escape(plain, quote=False))


def address(url: str) -> str:
    """An address without user, password, parameters and fragment: what a message may show of it."""
    import re

    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    authority, path, further = re.match(r"([^/?#]*)([^?#]*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]  # matches anything
    if "@" in path + further:  # `/`, `?` or `#` may be a part of a password that should have been encoded
        return f"{one_line(scheme)}{separator}…"
    return one_line(f"{scheme}{separator}{authority.rpartition('@')[2]}{path}")


def _without_password(word: str) -> str:
    """A word without what stands between a scheme and the last `@`."""
    import re

    before, at, after = word.rpartition("@")
    # Looked at from the start of a run of letters only: the text of others may be long.
    scheme = re.search(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*:/{0,2}", before, re.IGNORECASE) if at else None
    return before[: scheme.end()] + after if scheme is not None else word


def without_passwords(text: str) -> str:
    """Words of a library or a server, which may quote an address or a connection string, without the passwords."""
    import re

    if "@" in text:
        text = re.sub(r"\S+", lambda word: _without_password(word[0]), text)
    return re.sub(r"(?i)\b(pass(?:word|wd|file)?|pwd|secret|token)(\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\S+)", r"\1\2…", text)
