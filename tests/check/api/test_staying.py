"""A text says that nothing changed of what must stay only where the values say so, too."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from envcompile.check.api.immutable import can_refuse, refused_changes
from envcompile.check.api.staying import pieces_of, says
from envcompile.yamlio import dump
from tests.check.api.recorded import RECORDINGS, changed, mutants, seeds
from tests.check.api.samples import VALID, put
from tests.check.api.test_immutable import API, REFUSED

CLAIM = VALID["claim"]
SELECTS = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}},
}


def _says(old: Any, new: Any) -> bool:
    group = str(new["apiVersion"]).rpartition("/")[0]
    text = old if isinstance(old, str) else dump(old)
    pieces = pieces_of(group, new["kind"], new) if can_refuse(group, new["kind"]) else None
    return pieces is not None and says(text.encode(), pieces)


@pytest.mark.parametrize(("name", "path", "item", "at"), REFUSED)
def test_a_change_that_the_server_refuses_is_never_the_same(name: str, path: str, item: Any, at: str) -> None:
    """In either direction: what was there before and is gone is a change, too."""
    new = copy.deepcopy(VALID[name])
    put(new, path, item)
    assert not _says(VALID[name], new), at
    assert not _says(new, VALID[name]), at


def test_what_did_not_change_is_told_from_the_text() -> None:
    """Of nearly every kind with such fields: those of which the text cannot tell are few."""
    bound = [one for one in VALID.values() if can_refuse(str(one["apiVersion"]).rpartition("/")[0], one["kind"])]
    told = [one["kind"] for one in bound if _says(one, copy.deepcopy(one))]
    assert len(told) >= 0.8 * len(bound), sorted({one["kind"] for one in bound} - {*told})


def test_what_a_text_says_the_values_say_too() -> None:
    """Over the recorded changes of objects of all kinds."""
    told = 0
    for recording in RECORDINGS[:3:2]:
        bases = seeds(recording.objects)
        for mutant in mutants(recording):
            old = bases[mutant.base]
            new = changed(old, mutant.patch)
            alike = isinstance(new, dict) and all(new.get(key) == old[key] for key in ("apiVersion", "kind"))
            if alike and _says(old, new):
                told += 1
                assert list(refused_changes(API, old, new)) == [], mutant
    assert told > 300


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1, selector: {matchLabels: {a: b}}}\n",
        "apiVersion: apps/v1\nkind: Deployment\nspec:\n    selector:\n      matchLabels:\n        a: b\n",
        "kind: Deployment\nspec:\n other:\n  selector:\n    matchLabels:\n      a: b\n selector: {}\n",
        "kind: Deployment\nspec:\n  selector:\n    matchLabels:\n      a: b\n      c: d\n",
        "kind: Deployment\nspec:\n  selector:\n    matchLabels:\n      a: b\n\n      c: d\n",
        "kind: Deployment\nspec:\n  replicas: 1\nother:\n  selector:\n    matchLabels:\n      a: b\n",
        "kind: Deployment\nspec:\r\n  selector:\r\n    matchLabels:\r\n      a: b\r\n",
        "kind: Deployment\nspec:\n  replicas: 1\n",
        "",
    ],
)
def test_what_somebody_wrote_otherwise_is_left_to_the_values(text: str) -> None:
    """Nothing is concluded from a text that envc does not write."""
    assert not _says(text, SELECTS)


def test_the_same_text_is_recognized() -> None:
    """Wherever the field stands in it."""
    for text in (
        "kind: Deployment\nspec:\n  selector:\n    matchLabels:\n      a: b\n",
        "kind: Deployment\nspec:\n  selector:\n    matchLabels:\n      a: b\n  replicas: 3\nx: y\n",
        "spec:\n  replicas: 5\n  selector:\n    matchLabels:\n      a: b\nkind: Deployment\n",
    ):
        assert _says(text, SELECTS)


def test_what_is_immutable_by_its_own_word_is_left_to_the_values() -> None:
    """Its data must stay while it says so, and a text without the word is free."""
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "1"}}
    assert _says(held, {**held, "data": {"a": "2"}})
    assert not _says({**held, "immutable": True}, {**held, "data": {"a": "2"}})
    assert not _says(held, {**held, "immutable": True})
