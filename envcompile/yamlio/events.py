"""The complete loader: builds values from libyaml's events with kubectl's reading of scalars, keys, tags and merges.

libyaml is what go-yaml v2 was ported from, so the grammar is the same; everything above the grammar is decided here.
"""

from __future__ import annotations

import re
from typing import Any, Final

from envcompile.errors import PicklableError
from envcompile.yamlio.engine import parser
from envcompile.yamlio.scalars import KEYS, LITERAL_KEYS, LITERAL_PLAIN, MERGE, PLAIN, NotJsonError, key_of
from envcompile.yamlio.tags import STANDARD, tagged

MAX_DEPTH: Final = 512
"""How deep maps and lists may nest. Nothing in Kubernetes comes near; every later stage can count on it."""

_FREE_EXPANSION: Final = 1_000_000
_EXPANSION_FACTOR: Final = 10
# libyaml skips it at the start of any line, go-yaml takes it for a part of the first key.
_LINE_WITH_MARK: Final = re.compile(r"[\n\r\x85\u2028\u2029]\ufeff")


class RefusedError(PicklableError):
    """Well-formed YAML that Kubernetes cannot read; `index` is the character it is about."""

    def __init__(self, what: str, fix: str, index: int) -> None:
        self.what = what
        self.fix = fix
        self.index = index
        super().__init__(what)


class RepeatedKeyError(Exception):
    """Some map has a key twice; the places are looked up afterwards."""


class ContainerKeyError(Exception):
    """A map or list stands where a key belongs; the argument is its first character."""

    def __init__(self, index: int) -> None:
        self.index = index
        super().__init__(index)


def load_events(text: str, *, last_wins: bool = False, literal: bool = False) -> list[Any]:
    """The documents of a stream in order, None for an empty one.

    Args:
        text: the stream without a byte order mark.
        last_wins: take the last value of a repeated key instead of refusing it.
        literal: leave `<<` a key like any other, and take infinity and not-a-number for the numbers they are.

    Raises:
        yaml.YAMLError: where the text is not YAML.
        RefusedError, RepeatedKeyError, ContainerKeyError: where it is YAML that Kubernetes cannot read.
    """
    if "\ufeff" in text and (mark := _LINE_WITH_MARK.search(text)):
        raise RefusedError("a byte order mark stands inside the file", "remove it: files were joined", mark.end() - 1)
    builder = _Builder(last_wins=last_wins, literal=literal)
    try:
        return builder.documents(text)
    except NotJsonError as error:
        raise RefusedError(str(error), error.fix, builder.latest.start_mark.index) from error


class _Builder:
    """One pass over the events of a stream."""

    __slots__ = ("_anchors", "_expanded", "_keys", "_last_wins", "_merged", "_own", "_plain", "_sizes", "latest")

    def __init__(self, *, last_wins: bool, literal: bool) -> None:
        self._last_wins = last_wins
        self._keys = LITERAL_KEYS if literal else KEYS
        self._plain = LITERAL_PLAIN if literal else PLAIN
        self._anchors: dict[str, Any] = {}
        self._sizes: dict[int, int] = {}  # expanded nodes of the anchored containers that are complete, by identity
        self._merged: dict[int, set[str]] = {}  # keys that came from `<<`, by the identity of their open map
        self._own = 0
        self.latest: Any = None  # the event that is being turned into a value or key
        self._expanded = 0

    def documents(self, text: str) -> list[Any]:
        """The values of all documents."""
        next_event, kinds = parser(text)
        scalar, alias, map_start, list_start, map_end, list_end, _, document_end, stream_end = kinds
        keys, plain = self._keys, self._plain
        documents: list[Any] = []
        stack: list[tuple[Any, Any, str | None, int]] = []  # container and key around the open one, its anchor, count
        current: Any = None
        key: Any = None
        while True:
            event = next_event()
            kind = type(event)
            if kind is scalar:
                self.latest = event
                if key is None and type(current) is dict:
                    if event.implicit[0] and not event.anchor and not event.tag:
                        key = keys[event.value]
                    else:
                        key = self._key(event)
                    continue
                if event.tag:
                    value = tagged(event.tag, event.value)
                else:
                    value = plain[event.value] if event.implicit[0] else event.value
                if event.anchor:
                    self._anchors[event.anchor] = value
            elif kind is map_start or kind is list_start:
                if key is None and type(current) is dict:
                    raise ContainerKeyError(event.start_mark.index)
                if len(stack) >= MAX_DEPTH:
                    raise RefusedError(
                        f"maps and lists are nested more than {MAX_DEPTH} levels deep",
                        "no Kubernetes resource is; look for a bracket that is never closed",
                        event.start_mark.index,
                    )
                stack.append((current, key, event.anchor, self._expanded))
                current, key = {} if kind is map_start else [], None
                if event.anchor:
                    self._anchors[event.anchor] = current
                    self._sizes.pop(id(current), None)
                continue
            elif kind is map_end or kind is list_end:
                value = current
                current, key, anchor, before = stack.pop()
                self._own += len(value) + 1
                self._expanded += len(value) + 1
                if anchor:
                    self._sizes[id(value)] = self._expanded - before
                if self._merged:
                    self._merged.pop(id(value), None)
            elif kind is alias:
                self.latest = event
                value = self._aliased(event)
                if key is None and type(current) is dict:
                    if type(value) in {dict, list}:
                        raise ContainerKeyError(event.start_mark.index)
                    key = key_of(value)
                    continue
            elif kind is document_end:
                self._anchors.clear()
                self._sizes.clear()
                continue
            elif kind is stream_end:
                return documents
            else:
                continue
            if type(current) is dict:
                if key in current:
                    self._check_repeated(current, key)
                if key is MERGE:
                    self._merge(current, value, event)
                else:
                    current[key] = value
                key = None
            elif current is None:
                documents.append(value)
            else:
                current.append(value)

    def _key(self, event: Any) -> Any:
        """The key of a scalar with a tag, an anchor or quotes."""
        plain = bool(event.implicit[0])
        if event.anchor:
            self._anchors[event.anchor] = (
                tagged(event.tag, event.value) if event.tag else self._plain[event.value] if plain else event.value
            )
        if event.value == "<<" and (plain or event.tag == f"{STANDARD}merge"):
            return self._keys["<<"]
        if event.tag:
            return key_of(tagged(event.tag, event.value))
        return self._keys[event.value] if plain else event.value

    def _aliased(self, event: Any) -> Any:
        """The value an alias stands for; counts what it expands to."""
        if event.anchor not in self._anchors:
            raise RefusedError(
                "an alias refers to no anchor above it",
                "put the text in quotes if it shall begin with a star",
                event.start_mark.index,
            )
        value = self._anchors[event.anchor]
        if type(value) in {dict, list}:
            size = self._sizes.get(id(value))
            if size is None:
                raise RefusedError(
                    "an alias stands inside of the value it refers to",
                    "a value cannot hold itself; remove the alias",
                    event.start_mark.index,
                )
            self._expanded += size
            if self._expanded > _FREE_EXPANSION + _EXPANSION_FACTOR * self._own:
                raise RefusedError(
                    f"aliases expand to more than {_FREE_EXPANSION:,} values",
                    "kubectl refuses such documents as well; write fewer aliases of aliases",
                    event.start_mark.index,
                )
        return value

    def _check_repeated(self, current: dict[str, Any], key: str) -> None:
        """A key may be met again only when it had come from `<<`; from now on it is the map's own."""
        merged = self._merged.get(id(current))
        if merged is not None and key in merged:
            merged.discard(key)
        elif not self._last_wins:
            raise RepeatedKeyError

    def _merge(self, current: dict[str, Any], value: Any, event: Any) -> None:
        """Lay the map or maps of `<<` over the current map where it stands, as go-yaml does: the last one met wins."""
        from yaml.events import AliasEvent

        maps = value if type(value) is list and not isinstance(event, AliasEvent) else [value]
        if any(type(each) is not dict for each in maps):
            raise RefusedError(
                "`<<` merges something that is not a map",
                "give it an alias of a map or a list of such aliases",
                event.start_mark.index,
            )
        merged = self._merged.setdefault(id(current), set())
        for each in reversed(maps):
            merged.update(name for name in each if name not in current)
            current.update(each)
