"""JSON Patch on resources: every operation, every failure."""

from copy import deepcopy
from typing import Any

import pytest

from envcompile.compose.json6902 import Json6902Error, apply, apply_operation, parse_pointer

BASE: dict[str, Any] = {
    "spec": {"containers": [{"name": "a"}, {"name": "b"}], "replicas": 1},
    "metadata": {"annotations": {"example.com/role": "x", "a~b": "y"}},
}


def change(path: str, **more: Any) -> Any:
    """The result of one operation on the base."""
    return apply_operation(BASE, {"path": path, **more})


def test_add_puts_a_field_or_replaces_it() -> None:
    """As the RFC says."""
    assert change("/spec/paused", op="add", value=True)["spec"]["paused"] is True
    assert change("/spec/replicas", op="add", value=3)["spec"]["replicas"] == 3


def test_add_puts_an_item_before_a_position_or_at_the_end() -> None:
    """`-` and the length of the list are its end."""
    for path, names in (("0", "xab"), ("1", "axb"), ("2", "abx"), ("-", "abx")):
        result = change(f"/spec/containers/{path}", op="add", value={"name": "x"})
        assert "".join(item["name"] for item in result["spec"]["containers"]) == names


def test_remove_takes_a_field_or_an_item_out() -> None:
    """The list closes up."""
    assert change("/spec/replicas", op="remove")["spec"] == {"containers": BASE["spec"]["containers"]}
    assert change("/spec/containers/0", op="remove")["spec"]["containers"] == [{"name": "b"}]


def test_replace_puts_a_value_in_the_place_of_another() -> None:
    """Of any type, also null, also the whole value."""
    assert change("/spec/containers/1/name", op="replace", value=None)["spec"]["containers"][1] == {"name": None}
    assert change("/spec/containers/1", op="replace", value=7)["spec"]["containers"] == [{"name": "a"}, 7]
    assert change("", op="replace", value={"a": 1}) == {"a": 1}


def test_move_and_copy_take_a_value_from_elsewhere() -> None:
    """Move leaves nothing behind."""
    moved = apply_operation(BASE, {"op": "move", "from": "/spec/containers/0", "path": "/spec/containers/1"})
    assert [item["name"] for item in moved["spec"]["containers"]] == ["b", "a"]
    copied = apply_operation(BASE, {"op": "copy", "from": "/spec/containers/0/name", "path": "/spec/first"})
    assert copied["spec"]["first"] == "a"
    assert apply_operation(BASE, {"op": "move", "from": "/spec", "path": "/spec"}) is BASE


def test_test_lets_pass_what_is_equal() -> None:
    """Numbers by their value, maps in any order; true is not 1."""
    assert change("/spec/replicas", op="test", value=1.0) is BASE
    assert change("/spec/containers", op="test", value=[{"name": "a"}, {"name": "b"}]) is BASE
    with pytest.raises(Json6902Error):
        change("/spec/replicas", op="test", value=True)


def test_slashes_and_tildes_in_keys_are_escaped() -> None:
    """`~1` and `~0`, in that order."""
    assert change("/metadata/annotations/example.com~1role", op="remove")["metadata"]["annotations"] == {"a~b": "y"}
    assert change("/metadata/annotations/a~0b", op="test", value="y") is BASE
    assert parse_pointer("/a~01/b") == ("a~1", "b")


def test_nothing_is_mutated_and_the_rest_is_shared() -> None:
    """Only the way to the change is new."""
    before = deepcopy(BASE)
    result = change("/spec/containers/0/name", op="replace", value="z")
    assert before == BASE
    assert result["metadata"] is BASE["metadata"]
    assert result["spec"]["containers"][1] is BASE["spec"]["containers"][1]


def test_operations_build_on_each_other() -> None:
    """A failure tells which one it was, and nothing counts."""
    operations = [
        {"op": "add", "path": "/spec/new", "value": {}},
        {"op": "add", "path": "/spec/new/deep", "value": 1},
        {"op": "test", "path": "/spec/new/deep", "value": 2},
    ]
    assert apply(BASE, operations[:2])["spec"]["new"] == {"deep": 1}
    with pytest.raises(Json6902Error) as raised:
        apply(BASE, operations)
    assert (raised.value.index, raised.value.pointer) == (2, "/spec/new/deep")
    assert str(raised.value) == "operation 3: `test` fails: `/spec/new/deep` has another value"


FAILURES: list[tuple[Any, str, str, str]] = [
    (
        "x",
        "an operation must be a map",
        "write it like `{op: replace, path: /spec/replicas, value: 3}`",
        "",
    ),
    ({"path": "/a"}, "`op` is missing", "write one of add, remove, replace, move, copy, test", ""),
    ({"op": "put", "path": "/a"}, "`op: put` is not known", "write one of add, remove, replace, move, copy, test", ""),
    ({"op": "remove"}, "`path` is missing", "write `path: /spec/…`, a JSON pointer", ""),
    ({"op": "move", "path": "/spec"}, "`from` is missing", "write `from: /spec/…`, a JSON pointer", ""),
    ({"op": "add", "path": "/spec"}, "`value` is missing", "write the value that belongs there", "/spec"),
    (
        {"op": "remove", "path": "spec"},
        "`spec` is not a JSON pointer: it does not begin with `/`",
        "write it like /spec/template/spec/containers/0/image",
        "spec",
    ),
    (
        {"op": "remove", "path": ""},
        "the whole resource cannot be removed",
        "write a patch with `$patch: delete` instead",
        "",
    ),
    (
        {"op": "remove", "path": "/spec/replica"},
        "`/spec/replica` does not exist",
        "correct the path, or `add` it first",
        "/spec/replica",
    ),
    (
        {"op": "add", "path": "/status/x/y", "value": 1},
        "`/status` does not exist",
        "correct the path, or `add` it first",
        "/status",
    ),
    (
        {"op": "replace", "path": "/spec/containers/2", "value": 1},
        "`/spec/containers/2` lies beyond the end of the list",
        "count the items from 0",
        "/spec/containers/2",
    ),
    (
        {"op": "add", "path": "/spec/containers/3", "value": 1},
        "`/spec/containers/3` lies beyond the end of the list",
        "count the items from 0",
        "/spec/containers/3",
    ),
    (
        {"op": "remove", "path": "/spec/containers/-"},
        "`-` in `/spec/containers/-` is no position of a list",
        "count the items from 0",
        "/spec/containers/-",
    ),
    (
        {"op": "remove", "path": "/spec/containers/01"},
        "`01` in `/spec/containers/01` is no position of a list",
        "count the items from 0",
        "/spec/containers/01",
    ),
    (
        {"op": "replace", "path": "/spec/replicas/x", "value": 1},
        "`/spec/replicas` is neither a map nor a list",
        "correct the path: nothing can be below a scalar",
        "/spec/replicas",
    ),
    (
        {"op": "test", "path": "/spec/replicas/x/y", "value": 1},
        "`/spec/replicas` is neither a map nor a list",
        "correct the path: nothing can be below a scalar",
        "/spec/replicas",
    ),
    (
        {"op": "move", "from": "/spec", "path": "/spec/x"},
        "`/spec` cannot move into itself",
        "`path` must not lie below `from`",
        "/spec/x",
    ),
    (
        {"op": "test", "path": "/spec/replicas", "value": 2},
        "`test` fails: `/spec/replicas` has another value",
        "correct the expected value, or drop the test",
        "/spec/replicas",
    ),
]


@pytest.mark.parametrize(("operation", "what", "fix", "pointer"), FAILURES)
def test_a_failure_says_what_where_and_how_to_mend_it(operation: Any, what: str, fix: str, pointer: str) -> None:
    """The whole message, and no value of the document in it."""
    with pytest.raises(Json6902Error) as raised:
        apply_operation(BASE, operation)
    assert (raised.value.what, raised.value.fix, raised.value.pointer) == (what, fix, pointer)
