"""Whose comments are ours on GitHub, for every kind of token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UnavailableError
from envcompile.forge.sticky import publish
from tests.forge.samples import FAREWELL, github, part
from tests.forge.server import ME, Failure

if TYPE_CHECKING:
    from tests.forge.server import State


def test_an_apps_comments_are_found_by_the_name_that_graphql_knows(state: State) -> None:
    """The token of an app may not ask REST who it is; its comments are not those of the jobs' bot."""
    state.user_status = 403
    state.viewer = "shop-app[bot]"
    state.add(part("one"), "shop-app[bot]")
    state.add(part("the bot's"), ME)
    publish(github(state), [part("two")], key="envc", farewell=FAREWELL)
    assert (state.bodies("shop-app[bot]"), state.bodies()) == ([part("two")], [part("the bot's")])
    assert "GET /user" not in state.requests


def test_without_graphql_rest_is_asked(state: State) -> None:
    """A person's token may ask there."""
    state.viewer = ""
    state.add(part("one"), ME)
    publish(github(state), [part("two")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("two")]


def test_a_token_that_nobody_knows_is_taken_for_that_of_a_job(state: State) -> None:
    """Most are."""
    state.viewer, state.user_status = "", 403
    state.add(part("one"), ME)
    publish(github(state), [part("two")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("two")]


def test_a_rate_limit_is_not_taken_for_a_token_without_a_name(state: State) -> None:
    """Both are 403; guessing the name would write a second comment."""
    state.failures = [Failure(403, {}, "You have exceeded a secondary rate limit.")] * 2
    with pytest.raises(UnavailableError, match=r"asks to wait 12\d seconds"):
        publish(github(state), [part("one")], key="envc", farewell=FAREWELL)
    assert state.comments == []


def test_an_author_can_be_named(state: State) -> None:
    """Then nobody is asked."""
    state.add(part("one"), "shop-app[bot]")
    publish(github(state, "shop-app[bot]"), [part("two")], key="envc", farewell=FAREWELL)
    assert state.bodies("shop-app[bot]") == [part("two")]
    assert not [request for request in state.requests if "graphql" in request or "user" in request]


def test_the_comment_of_another_identity_is_left_alone(state: State) -> None:
    """Whoever gives the job another token keeps the old comment, and gets one that is kept up to date."""
    state.add(part("by the bot"), ME)
    state.viewer = "shop-app[bot]"
    publish(github(state), [part("by the app")], key="envc", farewell=FAREWELL)
    assert [comment["body"] for comment in state.comments] == [part("by the bot"), part("by the app")]
