"""Values to YAML: block style, unindented lists, keys in the order given, no anchors, no folded lines."""

from __future__ import annotations

import re
from typing import Any, Final

from envcompile.errors import fail
from envcompile.yamlio.quoting import KEY_WORDS, LONG_KEY, WORDS, block, quoted

_LONG_KEY_LINE: Final = rf"(?m)^([ -]*)(\? [^\n]*?){LONG_KEY}"


def dump(value: Any) -> str:
    """One document of YAML text with a final line break and without `---`.

    kubectl, Helm and readers of YAML 1.1 and 1.2 read it back as the same value and types.

    Raises:
        EnvcError: for what Kubernetes or YAML cannot hold: infinity, half of a surrogate pair, endless nesting.
    """
    out: list[str] = []
    kind = type(value)
    try:
        if kind is dict and value:
            _map(value, "\n", out)
        elif kind is list and value:
            _list(value, "\n", out)
        else:
            return _scalar(value, "\n") + "\n"
    except RecursionError:
        raise _too_deep() from None
    return _document(out)


class Renderer:
    """Writes what `dump` writes, and remembers the text of what many documents have from one original.

    What it remembers it also keeps alive, so that identities stay unique while it lives.
    """

    __slots__ = ("_items", "_texts")

    def __init__(self) -> None:
        self._texts: dict[int, tuple[Any, str, str]] = {}
        self._items: dict[int, tuple[list[Any], frozenset[int], dict[Any, Any]]] = {}

    def render(self, value: Any, original: Any) -> str:
        """The same text as `dump(value)`.

        Args:
            value: what to write.
            original: what it was made from, whose maps and lists stand in it as they are where nothing changed; the
                value itself when it was not made from anything. Nothing in it may change while this renderer is in use.
        """
        out: list[str] = []
        kind = type(value)
        try:
            if not value or (kind is not dict and kind is not list):
                return _scalar(value, "\n") + "\n"
            if value is original:
                out.append(self._text(value, "\n"))
            elif kind is dict:
                self._map(value, original, "\n", out)
            else:
                self._list(value, original, "\n", out)
        except RecursionError:
            raise _too_deep() from None
        return _document(out)

    def _text(self, value: Any, newline: str) -> str:
        """The lines of a map or list of the original, each after `newline`."""
        known = self._texts.get(id(value))
        if known is not None and known[1] == newline:
            return known[2]
        out: list[str] = []
        if type(value) is dict:
            _map(value, newline, out)
        else:
            _list(value, newline, out)
        text = "".join(out)
        self._texts[id(value)] = (value, newline, text)
        return text

    def _map(self, value: dict[str, Any], original: Any, newline: str, out: list[str]) -> None:
        if type(original) is not dict:
            _map(value, newline, out)
            return
        for key, item in value.items():
            kind = type(item)
            if kind is str:
                text = WORDS[item] or block(item, newline)
                out.append(f"{newline}{KEY_WORDS[key]} {text}")
            elif (kind is dict or kind is list) and item:
                old = original.get(key)
                out.append(newline + KEY_WORDS[key])
                if item is old:
                    out.append(self._text(item, newline + "  " if kind is dict else newline))
                elif kind is dict:
                    self._map(item, old, newline + "  ", out)
                else:
                    self._list(item, old, newline, out)
            else:
                out.append(f"{newline}{KEY_WORDS[key]} {_scalar(item, newline)}")

    def _list(self, value: list[Any], original: Any, newline: str, out: list[str]) -> None:
        if type(original) is not list:
            _list(value, newline, out)
            return
        known = self._items.get(id(original))
        if known is None:
            maps = [item for item in reversed(original) if type(item) is dict]
            named = {name: item for item in maps if type(name := item.get("name")) is str}
            known = self._items[id(original)] = (original, frozenset(map(id, original)), named)
        _, shared, named = known
        deeper = newline + "  "
        for item in value:
            kind = type(item)
            if (kind is dict or kind is list) and item:
                first = len(out)
                if id(item) in shared:
                    out.append(self._text(item, deeper))
                elif kind is list:
                    _list(item, deeper, out)
                else:
                    name = item.get("name")
                    self._map(item, named.get(name) if type(name) is str else None, deeper, out)
                out[first] = f"{newline}- {out[first][len(deeper) :]}"
            else:
                out.append(f"{newline}- {_scalar(item, newline)}")


def scalar_text(value: Any, column: int) -> str:
    """A scalar or an empty map or list, for a key or dash at a column counted from 0."""
    return _scalar(value, "\n" + " " * column)


def map_text(value: dict[str, Any], column: int, *, list_indent: int) -> str:
    """The lines of a map whose keys stand at a column counted from 0, each after a line break.

    Args:
        value: the map, not empty.
        column: where its keys stand.
        list_indent: how far lists that are values of this map are indented below their key.
    """
    newline = "\n" + " " * column
    out: list[str] = []
    for key, item in value.items():
        if type(item) is list and item:
            out.append(newline + KEY_WORDS[key])
            _list(item, newline + " " * list_indent, out)
        else:
            _map({key: item}, newline, out)
    return _long_keys("".join(out))


def list_text(value: list[Any], column: int) -> str:
    """The lines of a list, not empty, whose dashes stand at a column counted from 0, each after a line break."""
    out: list[str] = []
    _list(value, "\n" + " " * column, out)
    return _long_keys("".join(out))


def flow_text(value: Any) -> str:
    """A value on one line, to stand inside of brackets."""
    kind = type(value)
    if kind is dict:
        return "{" + ", ".join(f"{flow_text(key)}: {flow_text(item)}" for key, item in value.items()) + "}"
    if kind is list:
        return "[" + ", ".join(flow_text(item) for item in value) + "]"
    if kind is str:
        word = WORDS[value] or quoted(value)
        return word if word[0] == '"' or not set(word) & set("[]{},:") else quoted(value)
    return _scalar(value, "\n")


def _map(value: dict[str, Any], newline: str, out: list[str]) -> None:
    for key, item in value.items():
        kind = type(item)
        if kind is str:
            text = WORDS[item] or block(item, newline)
            out.append(f"{newline}{KEY_WORDS[key]} {text}")
        elif kind is dict and item:
            out.append(newline + KEY_WORDS[key])
            _map(item, newline + "  ", out)
        elif kind is list and item:
            out.append(newline + KEY_WORDS[key])
            _list(item, newline, out)
        else:
            out.append(f"{newline}{KEY_WORDS[key]} {_scalar(item, newline)}")


def _list(value: list[Any], newline: str, out: list[str]) -> None:
    deeper = newline + "  "
    for item in value:
        kind = type(item)
        if kind is str:
            text = WORDS[item] or block(item, newline)
            out.append(f"{newline}- {text}")
        elif kind is dict and item:
            first = len(out)
            _map(item, deeper, out)
            out[first] = f"{newline}- {out[first][len(deeper) :]}"
        elif kind is list and item:
            first = len(out)
            _list(item, deeper, out)
            out[first] = f"{newline}- {out[first][len(deeper) :]}"
        else:
            out.append(f"{newline}- {_scalar(item, newline)}")


def _scalar(value: Any, newline: str) -> str:
    kind = type(value)
    if kind is str:
        return WORDS[value] or block(value, newline)
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return _float(value)
    if kind is dict:
        return "{}"
    if kind is list:
        return "[]"
    raise TypeError(f"{kind.__name__} is not a value of YAML")


def _float(value: float) -> str:
    """Digits that every reader takes for the same float: YAML 1.1 wants a dot, and a sign in the exponent."""
    text = repr(value)
    if text in {"inf", "-inf", "nan"}:
        raise fail(f"{text} is not a number that Kubernetes can hold", "write a finite number, or a text in quotes")
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _document(out: list[str]) -> str:
    return _long_keys(f"{''.join(out)[1:]}\n")


def _long_keys(text: str) -> str:
    """Give every key that is too long for the usual notation the one with a question mark."""
    if LONG_KEY not in text:
        return text
    return re.sub(_LONG_KEY_LINE, lambda found: f"{found[1]}{found[2]}\n{' ' * len(found[1])}", text)


def _too_deep() -> Exception:
    return fail(
        "a value is nested too deeply to be written as YAML", "flatten it; no Kubernetes resource nests so deeply"
    )
