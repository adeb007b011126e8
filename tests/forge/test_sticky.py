"""Comments on both hosts: ours are kept up to date, others' are never touched, trouble is waited out or explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.errors import EnvcError, UnavailableError
from envcompile.forge.hosts import GitHub, GitLab
from envcompile.forge.http import Client
from envcompile.forge.parts import marker
from envcompile.forge.sticky import publish
from tests.forge.server import ME, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.forge.hosts import Host
    from tests.forge.server import State

    Connect = Callable[..., Host]

FAREWELL = f"gone\n\n{marker('envc', 1, 1, 'ab')}\n"


@pytest.fixture
def waits() -> list[float]:
    """The seconds that a test's client would have slept."""
    return []


@pytest.fixture(params=["GitHub", "GitLab"])
def connect(request: pytest.FixtureRequest, state: State, waits: list[float]) -> Connect:
    """Connects to either host."""

    def make(token: str = TOKEN, repository: str = "shop/shop") -> Host:
        if request.param == "GitHub":
            headers = {"Authorization": f"Bearer {token}"}
            return GitHub(Client(state.address, headers, "GitHub", waits.append), repository, 7)
        return GitLab(Client(state.address, {"PRIVATE-TOKEN": token}, "GitLab", waits.append), repository, 7)

    return make


def part(text: str, number: int = 1, of: int = 1, key: str = "envc") -> str:
    """A comment of ours."""
    return f"{text}\n\n{marker(key, number, of, 'ab')}\n"


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
    original = state.failures
    host = connect()
    create = host.create

    def fail_first(body: str) -> int:
        original.append((-1, {}))
        return create(body)

    host.create = fail_first  # type: ignore[method-assign]
    publish(host, [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("one")]


@pytest.mark.parametrize(
    ("failures", "slept"),
    [
        ([(502, {}), (503, {})], [1.0, 2.0]),
        ([(429, {"Retry-After": "7"})], [7.0]),
        ([(403, {"Retry-After": "3"})], [3.0]),
        ([(403, {"X-RateLimit-Remaining": "0"})], [1.0]),
    ],
)
def test_what_passes_by_itself_is_waited_out(
    connect: Connect, state: State, waits: list[float], failures: list[tuple[int, dict[str, str]]], slept: list[float]
) -> None:
    """Server errors and rate limits are tried again after the time that the host asks for."""
    state.failures = list(failures)
    publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("one")]
    assert waits == slept


def test_a_host_that_keeps_failing_is_reported(connect: Connect, state: State) -> None:
    """Patience ends."""
    state.failures = [(500, {})] * 4
    with pytest.raises(UnavailableError, match=r"answered 500 4 times in a row\nhint: try again later"):
        publish(connect(), [part("one")], key="envc", farewell=FAREWELL)


def test_a_wait_of_an_hour_is_not_waited(connect: Connect, state: State, waits: list[float]) -> None:
    """A job that sleeps costs money."""
    state.failures = [(429, {"Retry-After": "3600"})]
    with pytest.raises(UnavailableError, match="asks to wait 3600 seconds before the next request"):
        publish(connect(), [part("one")], key="envc", farewell=FAREWELL)
    assert waits == []


@pytest.mark.parametrize(
    ("token", "repository", "write_status", "message"),
    [
        ("wrong-canary", "shop/shop", 200, r"refuses GET /user: 401 Bad credentials\nhint: the token is wrong"),
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
    with pytest.raises(EnvcError, match=r"422 Body is too long \(maximum is 100 characters\)"):
        publish(connect(), [part("x" * 200)], key="envc", farewell=FAREWELL)


def test_github_jobs_do_not_need_to_know_their_own_name(state: State) -> None:
    """The token of a job may not ask who it is; its comments are the bot's."""
    state.user_status = 403
    client = Client(state.address, {"Authorization": f"Bearer {TOKEN}"}, "GitHub")
    host = GitHub(client, "shop/shop", 7)
    state.add(part("one"), ME)
    publish(host, [part("two")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("two")]


def test_the_token_of_an_app_needs_its_author_named(state: State) -> None:
    """Such a token may not ask who it is, either, and its comments are not the bot's."""
    state.user_status = 403
    state.add(part("one"), "shop-app[bot]")
    state.add(part("the bot's"), ME)
    client = Client(state.address, {"Authorization": f"Bearer {TOKEN}"}, "GitHub")
    publish(GitHub(client, "shop/shop", 7, "shop-app[bot]"), [part("two")], key="envc", farewell=FAREWELL)
    assert (state.bodies("shop-app[bot]"), state.bodies()) == ([part("two")], [part("the bot's")])


def test_gitlabs_own_notes_are_never_ours(state: State) -> None:
    """Notes about events bear the name of whoever caused them."""
    state.add(part("system"), ME, system=True)
    client = Client(state.address, {"PRIVATE-TOKEN": TOKEN}, "GitLab")
    publish(GitLab(client, "shop/shop", 7), [part("one")], key="envc", farewell=FAREWELL)
    assert state.bodies() == [part("system"), part("one")]


def test_a_host_that_is_not_there_is_reported(waits: list[float]) -> None:
    """The message names the address."""
    client = Client("http://127.0.0.1:9", {}, "GitHub", waits.append)
    with pytest.raises(UnavailableError, match=r"GitHub at http://127.0.0.1:9 does not answer"):
        client.call("GET", "/user")
    assert waits == [1.0, 2.0, 4.0]


def test_other_addresses_than_web_addresses_are_refused() -> None:
    """A URL that comes from an environment variable must not read local files."""
    with pytest.raises(UnavailableError, match="GitHub has no web address"):
        Client("file:///etc", {}, "GitHub").call("GET", "/passwd")


def test_redirects_are_not_followed(state: State) -> None:
    """They would carry the token elsewhere."""
    state.failures = [(302, {"Location": "http://127.0.0.1:9/"})]
    with pytest.raises(EnvcError, match="302"):
        Client(state.address, {"PRIVATE-TOKEN": TOKEN}, "GitLab").call("GET", "/user")
