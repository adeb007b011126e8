"""Patches that are set back: what they set follows, what they do not set is left to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envcompile.compose.inverse_patch import is_bare, leaves_between, set_back, transferred
from envcompile.compose.merge import MergeConflict, merge
from envcompile.compose.merge_derive import NotExpressibleError, derive
from envcompile.kubernetes import load
from envcompile.values import ABSENT, same

if TYPE_CHECKING:
    from envcompile.kubernetes import Node

HEAD = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}


def node() -> Node:
    """The schema of a Deployment."""
    found = load("1.35").node("apps", "v1", "Deployment")
    assert found is not None
    return found


def pod(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Deployment, or a patch of one."""
    return {**HEAD, "spec": {**spec, "template": {"spec": {"containers": list(containers)}}}}


def test_what_base_gives_needs_no_patch_any_more() -> None:
    """A field that is as below again goes from the patch; the map around it, when nothing else is in it."""
    base, patch = {**HEAD, "spec": {"replicas": 1}}, {**HEAD, "spec": {"replicas": 3}}
    done = set_back(patch, base, {**HEAD, "spec": {"replicas": 3}}, base, node(), merge_texts=True)
    assert done == HEAD
    assert is_bare(done)
    assert not is_bare(patch)


def test_items_are_set_back_by_their_keys() -> None:
    """A container's image changes, another one is deleted, a third one is no business of the patch."""
    base = pod({"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}, {"name": "c", "image": "c:1"})
    patch = pod({"name": "a", "image": "a:2", "tty": True}, {"name": "b", "image": "b:2"}, {"name": "d", "image": "d"})
    after = merge(base, patch, node())
    wanted = pod({"name": "a", "image": "a:3", "tty": True}, {"name": "c", "image": "c:9"})
    done = set_back(patch, base, after, wanted, node(), merge_texts=True)
    assert done == pod({"name": "a", "image": "a:3", "tty": True}, {"name": "b", "$patch": "delete"})
    reached = merge(base, done, node())
    assert reached == pod({"name": "a", "image": "a:3", "tty": True}, {"name": "c", "image": "c:1"})


def test_a_removal_is_taken_back() -> None:
    """A null that took a field away goes; where the field has another value now, the value takes its place."""
    base = {**HEAD, "spec": {"replicas": 1, "paused": True}}
    patch = {**HEAD, "spec": {"replicas": None, "paused": None}}
    wanted = {**HEAD, "spec": {"replicas": 1, "paused": False}}
    done = set_back(patch, base, {**HEAD, "spec": {}}, wanted, node(), merge_texts=True)
    assert done == {**HEAD, "spec": {"paused": False}}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("a=1\nb=7\nc=3\n", "# why\nb=7\n"), ("a=1\nb=2\nc=3\n", None), ("a=1\nb=5\nc=4\n", "# why\nb=5\nc=4\n")],
)
def test_texts_are_set_back_key_by_key(wanted: str, said: str | None) -> None:
    """Comments of the patch's text stay; a text that says nothing new goes."""
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}

    def config(text: str) -> dict[str, Any]:
        return {**head, "data": {"x.properties": text}}

    patch = config("# why\nb=5\n")
    done = set_back(patch, config("a=1\nb=2\nc=3\n"), config("a=1\nb=5\nc=3\n"), config(wanted), None, merge_texts=True)
    assert done == (config(said) if said is not None else head)


VALUES = st.recursive(
    st.integers(0, 3) | st.sampled_from(["x", "y"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)
MAPS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@settings(max_examples=300, deadline=None)
@given(MAPS, MAPS, MAPS)
def test_what_the_patch_cannot_say_is_left_and_no_more(
    base: dict[str, Any], after: dict[str, Any], wanted: dict[str, Any]
) -> None:
    """Set back, and patched once more for the rest, the base becomes what is wanted; other fields are not touched."""
    try:
        patch = derive(base, after, None) or {}
        done = set_back(patch, base, after, wanted, None, merge_texts=False)
        reached = merge(base, done, None)
        rest = derive(reached, wanted, None) or {}
    except (MergeConflict, NotExpressibleError):
        return  # the change of a field's type, which the new patch has to say
    assert same(merge(reached, rest, None), wanted)
    for field in leaves_between(reached, wanted):
        assert any(field[: len(way)] == way or way[: len(field)] == field for way in leaves_between(after, wanted))


@given(MAPS, MAPS)
def test_an_earlier_stage_follows_a_later_one(have: dict[str, Any], want: dict[str, Any]) -> None:
    """Where both stages are the same, the earlier one becomes what is wanted; where nothing differs it stays."""
    assert same(transferred(have, have, want), want)
    laid: dict[str, Any] = {"only": "here"}
    assert transferred(laid, have, have) is laid
    assert transferred(ABSENT, ABSENT, want) == want
