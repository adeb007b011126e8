"""YAML: nested maps merge key by key in the text, lists are replaced, null removes; comments stay where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.compose.configtext.text import (
    REPLACE_HINT,
    ConfigTextError,
    KeySpan,
    LineIndex,
    UnmergeableError,
    conflict,
    line_break,
    not_below,
    path_name,
    with_breaks,
)
from envcompile.compose.configtext.trees import ClashError, is_none, laid_over
from envcompile.values import same

if TYPE_CHECKING:
    from envcompile.compose.configtext.text import Side
    from envcompile.compose.configtext.trees import Path
    from envcompile.yamlio.nodes import Node


def documents_of(text: str, side: Side) -> list[Any]:
    """The documents of a YAML text as kubectl reads them.

    Raises:
        ConfigTextError: when the text is not YAML.
    """
    from envcompile import yamlio
    from envcompile.errors import EnvcError

    try:
        return yamlio.load_all(text.encode("utf-8", "surrogatepass"), "")
    except EnvcError as error:
        problem = error.problems[0]
        line, column = (problem.where[0].line, problem.where[0].column) if problem.where else (1, 1)
        fix = f"{problem.fix}; {REPLACE_HINT}" if problem.fix else REPLACE_HINT
        raise ConfigTextError(side, line, column, problem.what, fix) from None


def load(text: str, side: Side) -> Any:
    """The value of a YAML text; the list of its documents when these are not one.

    Raises:
        ConfigTextError: when the text is not YAML.
    """
    documents = documents_of(text, side)
    return documents[0] if len(documents) == 1 else documents


def _only(text: str, side: Side) -> Any:
    """The value of a text of one document; None for an empty text. A block at the end is read with its line break."""
    documents = documents_of(text if text.endswith("\n") else f"{text}\n", side)
    if len(documents) > 1:
        line = next((number for number, line in enumerate(text.split("\n"), 1) if number > 1 and line[:3] == "---"), 1)
        what = f"the text holds {len(documents)} YAML documents, which cannot be merged key by key"
        raise UnmergeableError(side, line, 1, what, REPLACE_HINT)
    return documents[0] if documents else None


def merge(base: str, overlay: str) -> str:
    """The base's text with the overlay's keys in it.

    Raises:
        ConfigTextError: when a text is not YAML of one document, a map meets something else, or anchors stand in the
            way of the edit.
    """
    above = _only(overlay, "overlay") if overlay.strip() else None
    if above is None:
        if base.strip():
            documents_of(base, "base")
        return base
    below = _only(base, "base") if base.strip() else None
    if same(below, above):
        return base
    if type(above) is not dict or type(below) not in {dict, type(None)}:
        if dict in {type(below), type(above)}:
            raise conflict("overlay", (1, 1), "", below, above)
        return with_breaks(overlay, line_break(base, overlay))
    try:
        expected = laid_over(below or {}, above, is_none)
    except ClashError as clash:
        where = place_of(overlay, clash.path)
        raise conflict("overlay", where, path_name(clash.path), clash.below, clash.above) from None
    if same(below, expected):
        return base
    from envcompile.compose.configtext.yamlweave import woven

    result = woven(base, below or {}, overlay, above)
    _confirm(result, expected, overlay)
    return _ended(base, result, expected) if base and not base.endswith("\n") else result


def _ended(base: str, result: str, expected: dict[str, Any]) -> str:
    """Without the final line break, as the base, unless a block scalar that was put at the end would lose its own."""
    short = result.removesuffix("\n").removesuffix("\r")
    last = base[base.rfind("\n") + 1 :]
    if short.endswith(f"\n{last}") or short == last or same(documents_of(short, "overlay"), [expected]):
        return short
    return result


def place_of(text: str, path: Path) -> tuple[int, int]:
    """Line and column of a key."""
    from envcompile import yamlio

    return yamlio.locate(text.encode(), 0, path, key=True) or (1, 1)


def _confirm(result: str, expected: dict[str, Any], overlay: str) -> None:
    """Make sure that the text says what the merge of the values is; anchors and merge keys may have been in the way."""
    try:
        documents = documents_of(result if result.endswith("\n") else f"{result}\n", "overlay")
    except ConfigTextError:
        documents = []
    if len(documents) == 1 and same(documents[0], expected):
        return
    found = documents[0] if len(documents) == 1 else {}
    path = _first_difference(found, expected)
    while path and not locates(overlay, path):
        path = path[:-1]
    what = "the base shares values by anchors or merge keys, which the overlay would change elsewhere too"
    if path:
        what = (
            f"`{path_name(path)}` cannot be changed in the text of the base, which shares it by anchors or merge keys"
        )
    raise UnmergeableError("overlay", *place_of(overlay, path), what, REPLACE_HINT)


def locates(text: str, path: Path) -> bool:
    """Whether a text says something about a path."""
    from envcompile import yamlio

    return yamlio.locate(text.encode(), 0, path) is not None


def _first_difference(found: Any, expected: Any) -> Path:
    if type(found) is dict and type(expected) is dict:
        for key in [*expected, *found]:
            if key not in found or key not in expected or not same(found[key], expected[key]):
                return (key, *_first_difference(found.get(key), expected.get(key)))
    return ()


def keys(text: str) -> dict[str, KeySpan]:
    """Every value that is no map or list with anything in it, by its path; several documents are numbered `[0]`.

    Raises:
        ConfigTextError: when the text is not YAML.
    """
    if not text.strip():
        return {}
    from envcompile.yamlio.nodes import compose

    documents = documents_of(text, "base")
    spans: dict[str, KeySpan] = {}
    lines = LineIndex(text)
    for number, (value, root) in enumerate(zip(documents, compose(text), strict=False)):
        path = (number,) if len(documents) > 1 else ()
        if type(value) in {dict, list}:
            _collect(text, root.value, root.value, value, path, lines, spans)
    return spans


def _collect(
    text: str, name: Node, node: Node, value: Any, path: Path, lines: LineIndex, spans: dict[str, KeySpan]
) -> None:
    if value and type(value) in {dict, list}:
        for step, inner in value.items() if type(value) is dict else enumerate(value):
            found = node.find(step)
            if found:
                written = found[0].text if type(step) is str and found[0].kind == "scalar" else step
                _collect(text, found[0], found[1], inner, (*path, written), lines, spans)
    elif path:
        from envcompile.compose.configtext.yamlcopy import content_end

        end = max(content_end(text, node.real), name.start + 1)
        spans[path_name(path)] = KeySpan(value, lines.line(name.start), lines.line(end - 1))


def overlay_between(base: str, target: str) -> str:
    """The text of an overlay that should lead from the base to the target.

    Raises:
        ConfigTextError: when a text is not YAML of one document.
    """
    from envcompile.yamlio.nodes import compose

    below, above = _only(base, "base"), _only(target, "overlay")
    if type(below) is not dict or type(above) is not dict:
        return target
    sides = [_Text(text, next(compose(text)).value) for text in (base, target)]
    return "".join(_difference(sides[0], below, sides[1], above, "")) or "{}\n"


class _Text(NamedTuple):
    """A map in its text."""

    text: str
    node: Node

    def inner(self, key: str) -> _Text:
        found = self.node.real.find(key)
        return self._replace(node=found[1]) if found else self

    def name(self, key: str) -> str:
        """The key as written, with its colon."""
        from envcompile import yamlio

        found = self.node.real.find(key)
        if found is None or self.node.real.flow:
            return yamlio.dump({key: {}}).rstrip().removesuffix("{}").rstrip()
        return f"{self.text[found[0].start : found[0].end]}:"


def _difference(base: _Text, old: dict[str, Any], target: _Text, new: dict[str, Any], indent: str) -> list[str]:
    from envcompile.compose.configtext.yamlcopy import entry_text

    texts = []
    for key, value in new.items():
        known = old.get(key)
        if key in old and same(known, value):
            continue
        if type(known) is dict and known and type(value) is dict:
            inner = _difference(base.inner(key), known, target.inner(key), value, f"{indent}  ")
            texts += [f"{indent}{target.name(key)}\n", *inner]
        else:
            text = entry_text(target.text, target.node.real, key, value, len(indent), lead=key not in old)
            texts.append(text if key in old else not_below(text, base.text))
    return texts + [f"{indent}{base.name(key)} null\n" for key in old if key not in new]
