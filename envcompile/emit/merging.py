"""Merges what two branches made of one file that envc wrote, by keys instead of lines.

Git merges lines, and two applications that are added between the same two others meet there, as do two fields in
neighbouring lines. Here both the values and the text are merged key by key, and a merged text counts only when it
reads as the merged values: what one side alone changed is taken, what both changed differently is a conflict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.emit.layout import said_by
from envcompile.emit.mergedtext import UnlikeError, joined_order, merged_text
from envcompile.errors import EnvcError
from envcompile.values import ABSENT, same
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES: Final = ("name", "key", "id")
"""Fields that tell the items of a list apart, where all of its items have one."""
_MARK: Final = "---\n"


def merge(base: bytes, ours: bytes, theirs: bytes, path: str) -> bytes | None:
    """What a file is when both sides' changes are made; None when both changed one thing, or nobody can tell.

    Args:
        base: the file in the commit that both sides come from.
        ours: the file of this side.
        theirs: the file of the other side.
        path: of the file; its ending says how it is written.
    """
    try:
        texts = [data.decode() for data in (base, ours, theirs)]
        if path.endswith(".json"):
            return _merged_json(texts)
        return _merged_yaml(texts)
    except (EnvcError, UnlikeError, UnicodeDecodeError, ValueError, RecursionError):
        return None


def _merged_json(texts: Sequence[str]) -> bytes:
    import msgspec

    values = [msgspec.json.decode(text) for text in texts]
    # The order of keys is merged, too: their own texts know it.
    if any(_json_text(value) != text for value, text in zip(values, texts, strict=True)):
        raise UnlikeError
    return _json_text(_merged(*values)).encode()


def _json_text(value: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def _merged_yaml(texts: Sequence[str]) -> bytes:
    if any(text.startswith(_MARK) for text in texts):
        return _merged_streams(texts)
    return _merged_document(texts).encode()


def _merged_document(texts: Sequence[str]) -> str:
    text = merged_text(*texts)
    if not same(_only(text), _merged(*map(_only, texts))):
        raise UnlikeError
    return text


def _only(text: str) -> Any:
    documents = load_all(text.encode(), "")
    if len(documents) != 1:
        raise UnlikeError
    return documents[0]


def _merged_streams(texts: Sequence[str]) -> bytes:
    """A file of several resources, each of which is one thing that a side has, changed or took away."""
    streams = [_resources(text) for text in texts]
    found: dict[Any, str] = {}
    for key in joined_order(*map(list, streams)):
        base, ours, theirs = (stream.get(key) for stream in streams)
        if theirs in {ours, base}:
            text = ours
        elif ours == base:
            text = theirs
        elif base is None or ours is None or theirs is None:
            raise UnlikeError
        else:
            text = _merged_document((base, ours, theirs))
        if text is not None:
            found[key] = text
    return "".join(_MARK + text for text in found.values()).encode()


def _resources(text: str) -> dict[Any, str]:
    found = {}
    pieces = text.removeprefix(_MARK).split("\n" + _MARK) if text else []
    for number, piece in enumerate(pieces):
        own = piece if number == len(pieces) - 1 else piece + "\n"
        value = _only(own)
        key = said_by(value) if isinstance(value, dict) else None
        if key is None or key in found:
            raise UnlikeError
        found[key] = own
    return found


def _merged(base: Any, ours: Any, theirs: Any) -> Any:
    """The value with both sides' changes; ABSENT stands for none.

    Raises:
        UnlikeError: both sides changed it, and differently.
    """
    if ours is theirs or same(ours, theirs) or same(base, theirs):
        return ours
    if same(base, ours):
        return theirs
    if isinstance(ours, dict) and isinstance(theirs, dict) and (isinstance(base, dict) or base is ABSENT):
        return _merged_map({} if base is ABSENT else base, ours, theirs)
    if isinstance(base, list) and isinstance(ours, list) and isinstance(theirs, list):
        maps = [_by_name(items) for items in (base, ours, theirs)]
        if None not in maps:
            return list(_merged_map(*maps).values())  # type: ignore[arg-type]  # none is None
    raise UnlikeError


def _merged_map(base: dict[Any, Any], ours: dict[Any, Any], theirs: dict[Any, Any]) -> dict[Any, Any]:
    found = {}
    for key in joined_order(list(base), list(ours), list(theirs)):
        value = _merged(base.get(key, ABSENT), ours.get(key, ABSENT), theirs.get(key, ABSENT))
        if value is not ABSENT:
            found[key] = value
    return found


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    for field in _NAMES:
        names = [item.get(field) if isinstance(item, dict) else None for item in items]
        texts = [name for name in names if isinstance(name, str)]
        if len({*texts}) == len(items):
            return dict(zip(texts, items, strict=True))
    return None
