"""Laws of the merge, for texts that nobody thought of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from envcompile import yamlio
from envcompile.compose.configtext import ConfigTextError, derive_text, keys, merge_text

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = st.sampled_from(["a", "b.c", "key", "k-1", "中"])
VALUE = st.sampled_from([
    "",
    "1",
    "x y",
    "a=b",
    "http://h:80/?q=1",
    "值",
    "#x",
    "c:\\\\x",
    "'q'",
    '"d"',
    "${A}",
    "x # y",
])
BREAK = st.sampled_from(["\n", "\r\n"])


def lines(entry: st.SearchStrategy[str], comment: str) -> st.SearchStrategy[str]:
    """Texts of entries, comments and blank lines, with either line break, with or without a final one."""
    line = st.one_of(entry, entry, st.sampled_from(["", f"{comment} note", f"  {comment} 注释", f"{comment}k=v"]))
    return st.builds(
        lambda parts, breaks, final: breaks.join(parts) + (breaks if final else ""),
        st.lists(line, max_size=8),
        BREAK,
        st.booleans(),
    )


PROPERTIES = lines(
    st.one_of(
        st.builds("{}{}{}".format, KEY, st.sampled_from(["=", ": ", " ", " = "]), VALUE),
        st.builds("{}=x,\\\n   {}".format, KEY, VALUE),
        KEY,
    ),
    "!",
)
DOTENV = lines(st.builds("{}{}={}".format, st.sampled_from(["", "export "]), st.sampled_from("AB_"), VALUE), "#")
INI = lines(
    st.one_of(
        st.builds("{} = {}".format, KEY, VALUE),
        st.sampled_from(["[a]", "[b.c]", " [d]"]),
        st.builds("\t{}={}".format, KEY, VALUE),
        st.builds("{} =\n    {}\n    x".format, KEY, VALUE),
    ),
    ";",
)

TREE: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["a", "b", "c.d", "on", "中"]),
    st.recursive(
        st.one_of(st.integers(), st.booleans(), st.text(max_size=5), st.sampled_from(["x\ny\n", "no", "1e3", " "])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "b", "e"]), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)
REMOVALS = st.lists(st.sampled_from(["a", "b", "on"]), max_size=2)


def attempt(name: str, base: str, overlay: str) -> str | None:
    """The merge; None where it is refused."""
    try:
        return merge_text(name, base, overlay)
    except ConfigTextError:
        return None


def check_lines(name: str, comment: str, base: str, overlay: str) -> None:
    """The laws of line-oriented texts."""
    merged = attempt(name, base, overlay)
    assume(merged is not None)
    assert merged is not None
    assert merge_text(name, base, "") == base
    assert merge_text(name, base, base) == base
    assert merge_text(name, merged, overlay) == merged
    below, above, found = keys(name, base), keys(name, overlay), keys(name, merged)
    assert found.keys() == below.keys() | above.keys()
    assert {key: span.value for key, span in found.items()} == {
        key: above.get(key, span).value for key, span in found.items()
    }
    assert all(line.strip() in merged for line in base.split("\n") if line.lstrip().startswith(comment))
    if "\r\n" in base and "\n" not in base.replace("\r\n", ""):
        assert "\n" not in merged.replace("\r\n", "")
    derived = derive_text(name, base, merged)
    assert derived is None or merge_text(name, base, derived) == merged


@given(PROPERTIES, PROPERTIES)
def test_properties(base: str, overlay: str) -> None:
    """Idle overlays change nothing; merging twice is merging once; the keys are those of both; comments stay."""
    check_lines("a.properties", "!", base, overlay)


@given(DOTENV, DOTENV)
def test_dotenv(base: str, overlay: str) -> None:
    """As for properties."""
    check_lines("a.env", "#", base, overlay)


@given(INI, INI)
def test_ini(base: str, overlay: str) -> None:
    """As for properties."""
    check_lines("a.ini", ";", base, overlay)


@given(PROPERTIES, st.lists(KEY, unique=True, max_size=3))
def test_removed_keys_are_gone(base: str, removed: list[str]) -> None:
    """Exactly the marked keys are missing."""
    overlay = "".join(f"# envc:remove\n{key}=\n" for key in removed)
    merged = attempt("a.properties", base, overlay)
    assume(merged is not None)
    assert merged is not None
    assert keys("a.properties", merged).keys() == keys("a.properties", base).keys() - set(removed)


def deep_merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """The merge of plain values: maps key by key, null removes, everything else wins."""
    result = dict(below)
    for key, new in above.items():
        old = result.pop(key, None) if new is None else result.get(key)
        if new is None:
            continue
        if isinstance(new, dict):
            result[key] = deep_merge(old if isinstance(old, dict) else {}, new)
        else:
            result[key] = new
    return result


def clashes(below: dict[str, Any], above: dict[str, Any]) -> bool:
    """Whether a map meets something else."""
    return any(
        key in below
        and new is not None
        and (
            isinstance(new, dict) != isinstance(below[key], dict)
            or (isinstance(new, dict) and clashes(below[key], new))
        )
        for key, new in above.items()
    )


def check_nested(
    name: str, below: dict[str, Any], above: dict[str, Any], write: Callable[[Any], str], read: Callable[[str], Any]
) -> None:
    """The laws of nested texts."""
    base, overlay = write(below), write(above)
    if clashes(below, above):
        assert attempt(name, base, overlay) is None
        return
    merged = merge_text(name, base, overlay)
    assert read(merged) == deep_merge(below, above)
    assert merge_text(name, base, base) == base
    assert not overlay.strip() or merge_text(name, base, " \n") == base
    assert merge_text(name, merged, overlay) == merged
    derived = derive_text(name, base, merged)
    assert derived is not None
    assert merge_text(name, base, derived) == merged


@given(TREE, TREE, REMOVALS, st.sampled_from([None, 1, 4, "\t"]))
def test_json(below: dict[str, Any], above: dict[str, Any], removed: list[str], indent: int | str | None) -> None:
    """The values of the text are those of the merge of the values."""
    overlay = above | dict.fromkeys(removed)
    check_nested("a.json", below, overlay, lambda value: json.dumps(value, indent=indent), json.loads)


@settings(deadline=None)
@given(TREE, TREE, REMOVALS)
def test_yaml(below: dict[str, Any], above: dict[str, Any], removed: list[str]) -> None:
    """The values of the text are those of the merge of the values."""
    overlay = above | dict.fromkeys(removed)
    check_nested("a.yaml", below, overlay, yamlio.dump, lambda text: (yamlio.load_all(text.encode(), "") or [{}])[0])
