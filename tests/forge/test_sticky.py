"""Comments on both hosts: ours are kept up to date, others' are never touched, trouble is waited out or explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.errors import EnvcError, UnavailableError
from envcompile.forge.hosts.gitlab import GitLab
from envcompile.forge.http import Client
from envcompile.forge.parts import marker
from envcompile.forge.sticky import publish
from tests.forge.samples import FAREWELL, github, part
from tests.forge.server import ME, TOKEN, Failure

if TYPE_CHECKING:
    from tests.forge.samples import Connect
    from tests.forge.server import State


def test_the_comment_is_written_once_and_then_changed_in_place(connect: Connect, state: State) -> None:
    """A second run changes the comment; a third with the same words sends nothing."""
    assert str(publish(connect(), [part("one")], key="envc", farewell=FAREWELL)) == "1 written"
    assert str(publish(connect(), [part("two")], key="envc", farewell=FAREWELL)) == "1 updated"
    assert str(publish(connect(), [part("two")], key="envc", farewell=FAREWELL)) == "1 unchanged"
    assert state.bodies() == [part("two")]


def test_surplus_parts_are_deleted(connect: Connect, state: State) -> None:
    """A change that became smaller leaves nothing of its former size behind."""
    publish(connect(), [part("a", 1, 3), part("b", 2, 3), part("c", 3, 3)], key="envc", farewell=FAREWELL)
    assert str(publish(connect(), [part("a")], key="envc", farewell=FAREWELL)) == "1 updated, 2 deleted"
    assert state.bodies() == [part("a")]


def test_nothing_to_say_writes_nothing_and_takes_back_what_was_said(connect: Connect, state: State) -> None:
    """No comment without a difference; a comment that is there says that the difference is gone."""
    assert str(publish(connect(), [], key="envc", farewell=FAREWELL)) == "nothing to do"
    assert state.bodies() == []
    publish(connect(), [part("a", 1, 2), part("b", 2, 2)], key="envc", farewell=FAREWELL)
    publish(connect(), [], key="envc", farewell=FAREWELL)
    assert state.bodies() == [FAREWELL]


def test_only_own_comments_with_the_marker_at_their_end_are_touched(connect: Connect, state: State) -> None:
    """Quoting the marker, in another's comment or within an own one, does not make a comment ours."""
    state.add(part("theirs"), "mallory")
    state.add(f"> quoted\n> {marker('envc', 1, 1, 'ab')}")
    state.add(f"{part('quoted above').strip()}\nand answered below")
    state.add(f"said {marker('envc', 1, 1, 'ab')}")
    state.add(part("another project's", key="other"))
    before = [comment["body"] for comment in state.comments]
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    publish(connect(), [part("two")], key="envc", farewell=FAREWELL)
    assert [comment["body"] for comment in state.comments] == [*before, part("two")]


def test_the_comment_is_found_behind_three_hundred_others(connect: Connect, state: State) -> None:
    """Every page is read, also when the last one is full."""
    for number in range(299):
        state.add(f"comment {number}", "somebody")
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    state.add("last", "somebody")
    publish(connect(), [part("two")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("two")]


def test_duplicates_of_an_earlier_run_are_deleted(connect: Connect, state: State) -> None:
    """Two jobs at once may both have written."""
    state.add(part("a"))
    state.add(part("b"))
    publish(connect(), [part("c")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("c")]


def test_a_request_that_failed_after_it_was_carried_out_leaves_one_comment(connect: Connect, state: State) -> None:
    """A gateway that gives up does not tell whether the comment was written."""
    host = connect()
    create = host.create

    def fail_first(body: str) -> None:
        state.failures.append(Failure(-1))
        create(body)

    host.create = fail_first  # type: ignore[method-assign]
    publish(host, [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("one")]


@pytest.mark.parametrize(
    ("failures", "slept"),
    [
        ([Failure(502), Failure(503)], [1.0, 2.0]),
        ([Failure(429, {"Retry-After": "7"})], [7.0]),
        ([Failure(403, {"Retry-After": "3"})], [3.0]),
        ([Failure(403, {"X-RateLimit-Remaining": "0"})], [1.0]),
        ([Failure(403, {}, "You have exceeded a secondary rate limit.")], [60.0]),
    ],
)
def test_what_passes_by_itself_is_waited_out(
    connect: Connect, state: State, waits: list[float], failures: list[Failure], slept: list[float]
) -> None:
    """Server errors and rate limits are tried again after the time that the host asks for."""
    state.failures = list(failures)
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("one")]
    assert waits == slept


def test_a_host_that_keeps_failing_is_reported(connect: Connect, state: State) -> None:
    """Patience ends."""
    state.failures = [Failure(500)] * 4
    with pytest.raises(UnavailableError, match=r"answered 500 4 times in a row\nhint: try again later"):
        publish(connect(), [part("one")], key="envc", farewell=FAREWELL)


def test_a_wait_of_an_hour_is_not_waited(connect: Connect, state: State, waits: list[float]) -> None:
    """A job that sleeps costs money."""
    state.failures = [Failure(429, {"Retry-After": "3600"})]
    with pytest.raises(UnavailableError, match="asks to wait 3600 seconds before the next request"):
        publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert waits == []


@pytest.mark.parametrize(
    ("token", "repository", "write_status", "message"),
    [
        (
            "wrong-canary",
            "shop/shop",
            200,
            r"refuses (?:GET /user|POST /graphql): 401 Bad credentials\nhint: the token is wrong",
        ),
        (
            TOKEN,
            "shop/shop",
            403,
            r"403 Resource not accessible by integration\nhint: the token may not write comments",
        ),
        (TOKEN, "shop/gone", 200, r"404 Not Found\nhint: check the repository's name"),
    ],
)
def test_a_refusal_says_what_to_do_and_never_shows_the_token(
    connect: Connect, state: State, token: str, repository: str, write_status: int, message: str
) -> None:
    """The three mistakes that everybody makes once."""
    state.write_status = write_status
    with pytest.raises(EnvcError, match=message) as caught:
        publish(connect(token, repository), [part("one")], key="envc", farewell=FAREWELL)
    assert "canary" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_comment_that_the_host_finds_too_long_is_explained(connect: Connect, state: State) -> None:
    """The host's own words are the best explanation."""
    state.limit = 100
    with pytest.raises(EnvcError, match=r"422 Body is too long \(maximum is 100 characters\)\nhint: .* `--limit`"):
        publish(connect(), [part("x" * 200)], key="envc", farewell=FAREWELL)


def test_what_others_edit_is_put_right(connect: Connect, state: State) -> None:
    """Whoever may write in the repository may edit the comment; the next run says what is true again."""
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    state.comments[0]["body"] = part("edited").replace("\n", "\r\n")
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("one")]


def test_line_ends_of_a_browser_change_nothing(connect: Connect, state: State) -> None:
    """Saved in a browser without an edit, a comment has other line ends."""
    state.add(part("one").replace("\n", "\r\n"))
    assert str(publish(connect(), [part("one")], key="envc", farewell=FAREWELL)) == "1 unchanged"


def test_an_edit_that_takes_the_marker_away_takes_the_comment_away(connect: Connect, state: State) -> None:
    """A comment without the marker is a person's words: it stays, and a new one is written."""
    state.add("I have read this.")
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == ["I have read this.", part("one")]


def test_parts_stand_in_order_also_when_the_first_was_deleted(connect: Connect, state: State) -> None:
    """What stands is filled from the oldest on, so that part one is never behind part two."""
    wanted = [part("a", 1, 3), part("b", 2, 3), part("c", 3, 3)]
    publish(connect(), wanted, key="envc", farewell=FAREWELL)
    del state.comments[0]
    assert str(publish(connect(), wanted, key="envc", farewell=FAREWELL)) == "1 written, 2 updated"
    assert state.bodies() == wanted


def test_a_comment_that_vanishes_meanwhile_is_written_anew(connect: Connect, state: State) -> None:
    """Somebody deletes it between the look at the list and the change."""
    state.add(part("one"))

    def vanish(request: str) -> None:
        if request.startswith(("PATCH", "PUT")):
            state.comments.clear()

    state.before = vanish
    assert str(publish(connect(), [part("two")], key="envc", farewell=FAREWELL)) == "1 written"
    assert state.bodies() == [part("two")]


def test_nothing_is_asked_when_nothing_changes(connect: Connect, state: State) -> None:
    """Who we are, and what stands there: two requests."""
    publish(connect(head="4e3f"), [part("one")], key="envc", farewell=FAREWELL)
    state.requests.clear()
    publish(connect(head="4e3f"), [part("one")], key="envc", farewell=FAREWELL)
    assert len(state.requests) == 2


def test_a_locked_conversation_is_explained(connect: Connect, state: State) -> None:
    """The token is fine: who reads 403 would look there."""
    state.write_status, state.write_message = 403, "Unable to create comment because issue is locked."
    with pytest.raises(EnvcError) as caught:
        publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert str(caught.value).partition("403 ")[2] == (
        "Unable to create comment because issue is locked.\n"
        "hint: the conversation of this pull request is locked: unlock it, or read the file of `--output`"
    )


def test_a_renamed_repository_is_followed(state: State) -> None:
    """GitHub answers 301 to what reads and 307 to what writes; both are repeated with their bodies."""
    state.is_renamed = True
    publish(github(state), [part("one")], key="envc", farewell=FAREWELL)
    publish(github(state), [part("two")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("two")]
    assert any(request.startswith("POST /repositories/42/") for request in state.requests)


def test_gitlabs_own_notes_are_never_ours(state: State) -> None:
    """Notes about events bear the name of whoever caused them."""
    state.add(part("system"), ME, system=True)
    client = Client(state.address, {"PRIVATE-TOKEN": TOKEN}, "GitLab")
    publish(GitLab(client, "shop/shop", 7), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("system"), part("one")]
