"""Two jobs for one pull request: what the newer one says stays, whenever the older one writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.forge.sticky import publish
from tests.forge.samples import FAREWELL, part

if TYPE_CHECKING:
    from tests.forge.samples import Connect
    from tests.forge.server import State

OLD, NEW = "01d0" * 10, "4e3f" * 10


def test_an_older_job_leaves_the_newer_ones_comment_alone(connect: Connect, state: State) -> None:
    """A job that was overtaken, or that somebody runs again, says nothing any more."""
    state.head = NEW
    publish(connect(head=NEW), [part("new", commit=NEW)], key="envc", farewell=FAREWELL)
    done = publish(connect(head=OLD), [part("old", commit=OLD)], key="envc", farewell=FAREWELL)
    assert str(done) == f"left to the job of {NEW[:12]}, which is the newest commit by now"
    assert state.bodies() == [part("new", commit=NEW)]


def test_an_older_job_writes_nothing_where_the_newer_one_has_not_written_yet(connect: Connect, state: State) -> None:
    """What it would say is not true of the pull request any more."""
    state.head = NEW
    publish(connect(head=OLD), [part("old", commit=OLD)], key="envc", farewell=FAREWELL)
    assert state.comments == []


def test_a_push_between_the_look_and_the_change_is_seen(connect: Connect, state: State) -> None:
    """The pull request is asked for its newest commit after the comments were listed, right before writing."""
    state.head = OLD
    state.add(part("before", commit=OLD))

    def push(request: str) -> None:
        if request.startswith("GET") and ("/comments" in request or "/notes" in request):
            state.head = NEW
            state.comments[0]["body"] = part("new", commit=NEW)

    state.before = push
    publish(connect(head=OLD), [part("old", commit=OLD)], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("new", commit=NEW)]


def test_a_push_between_two_writes_is_seen(connect: Connect, state: State) -> None:
    """A rate limit may lie between them; what was written already is put right by the newer job."""
    state.head = OLD

    def push(request: str) -> None:
        if request.startswith("POST") and "graphql" not in request:
            state.head = NEW

    state.before = push
    parts = [part("a", 1, 2, commit=OLD), part("b", 2, 2, commit=OLD)]
    done = publish(connect(head=OLD), parts, key="envc", farewell=FAREWELL)
    assert (done.created, done.newer) == (1, NEW)
    publish(connect(head=NEW), [part("new", commit=NEW)], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("new", commit=NEW)]


@pytest.mark.parametrize("first", [OLD, NEW])
def test_two_jobs_that_write_at_once_leave_the_newer_ones_comment(connect: Connect, state: State, first: str) -> None:
    """Both see no comment and write one: each cleans up, and both keep the same."""
    second = NEW if first == OLD else OLD
    done: list[str] = []

    def interfere(request: str) -> None:
        if request.startswith("POST") and "graphql" not in request and not done:
            done.append(request)
            state.head = NEW
            state.add(part("other", commit=second))

    state.before = interfere
    state.head = first
    publish(connect(head=first), [part("own", commit=first)], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("other" if second == NEW else "own", commit=NEW)]


def test_two_jobs_of_one_commit_leave_one_comment(connect: Connect, state: State) -> None:
    """The older of both comments stays, whoever cleans up."""
    done: list[str] = []

    def interfere(request: str) -> None:
        if request.startswith("POST") and "graphql" not in request and not done:
            done.append(request)
            state.add(part("other", commit=NEW))

    state.before = interfere
    publish(connect(head=NEW), [part("own", commit=NEW)], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("other", commit=NEW)]


def test_a_token_that_may_not_read_the_pull_request_may_still_comment(connect: Connect, state: State) -> None:
    """With `issues: write` alone GitHub takes comments and refuses the pull request."""
    state.request_status = 403
    publish(connect(head=OLD), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("one")]
