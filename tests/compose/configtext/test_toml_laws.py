"""Laws of merging TOML, for tables in every mixture of spellings."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envcompile.compose.configtext import derive_text, keys, merge_text

if TYPE_CHECKING:
    from random import Random

NAME = "a.toml"
LEAF = st.sampled_from([1, 2.5, "s", 'q"uo#te', "[x]", True, [1, 2], ["a", "b"], [], "two\nlines"])
TABLE = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d e", "f.g"]),
    st.recursive(
        LEAF,
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from(["a", "b", "d e"]), inner, max_size=3),
            st.lists(st.dictionaries(st.sampled_from("ab"), LEAF, max_size=2), min_size=1, max_size=2),
        ),
        max_leaves=6,
    ),
    min_size=1,
    max_size=4,
)


def name(path: tuple[str, ...]) -> str:
    """A dotted key."""
    return ".".join(part if part.isalnum() else json.dumps(part) for part in path)


def inline(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name((key,))} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)


def spelt(value: Any, choice: Random) -> str:
    """A value, perhaps over several lines."""
    if isinstance(value, str) and "\n" in value and choice.random() < 0.7:
        return f'"""\n{value}"""'
    if isinstance(value, list) and value and not isinstance(value[0], dict) and choice.random() < 0.3:
        return "[\n" + "".join(f"  {inline(item)}, # item\n" for item in value) + "]"
    return inline(value)


def written(table: dict[str, Any], choice: Random, path: tuple[str, ...] = ()) -> list[str]:
    """The lines of a table: pairs, dotted keys, inline tables, headers."""
    lines: list[str] = []
    headers: list[tuple[tuple[str, ...], Any]] = []

    def pair(steps: tuple[str, ...], value: Any) -> None:
        if isinstance(value, dict) and value and choice.random() < 0.4:
            for key, item in value.items():
                pair((*steps, key), item)
            return
        lines.extend(choice.choice([[], [], ["# note"], [""]]))
        lines.append(f"{name(steps)} = {spelt(value, choice)}{choice.choice(['', ' # here'])}")

    for key, value in table.items():
        tables = isinstance(value, list) and value and isinstance(value[0], dict)
        if (isinstance(value, dict) or tables) and choice.random() < 0.7:
            headers.append(((*path, key), value))
        else:
            pair((key,), value)
    for inner, value in headers:
        for each in value if isinstance(value, list) else [value]:
            lines += choice.choice([[], [""], ["", "# about it"]])
            lines.append(f"[[{name(inner)}]]" if isinstance(value, list) else f"[{name(inner)}]")
            lines += written(each, choice, inner)
    return lines


def deep_merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any] | None:
    """The merge of plain values; None where a table meets something else."""
    result = dict(below)
    for key, new in above.items():
        if key in below and isinstance(new, dict) != isinstance(below[key], dict):
            return None
        merged = deep_merge(below.get(key, {}), new) if isinstance(new, dict) else new
        if merged is None:
            return None
        result[key] = merged
    return result


@settings(deadline=None)
@given(
    below=TABLE,
    above=TABLE,
    choice=st.randoms(use_true_random=False),
    breaks=st.sampled_from(["\n", "\r\n"]),
    final=st.booleans(),
)
def test_values_of_the_text_are_the_merge_of_the_values(
    below: dict[str, Any], above: dict[str, Any], choice: Random, breaks: str, *, final: bool
) -> None:
    """Whatever the spelling; merging twice is merging once; line ends stay; every merge can be derived again."""
    base = breaks.join(written(below, choice)).replace("\r\n", "\n").replace("\n", breaks) + (breaks if final else "")
    overlay = "\n".join(written(above, choice)) + "\n"
    expected = deep_merge(below, above)
    assume(expected is not None)
    merged = merge_text(NAME, base, overlay)
    assert tomllib.loads(merged) == expected
    assert merge_text(NAME, base, "") == base
    assert merge_text(NAME, base, base) == base
    assert merge_text(NAME, merged, overlay) == merged
    assert merged.endswith("\n") == final
    assert "\r\n" not in base or "\n" not in merged.replace("\r\n", "")
    assert keys(NAME, merged).keys() >= keys(NAME, base).keys() & keys(NAME, overlay).keys()
    derived = derive_text(NAME, base, merged)
    assert derived is None or merge_text(NAME, base, derived) == merged
