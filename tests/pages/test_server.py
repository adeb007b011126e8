"""Who gets an answer of `envc ui`, with which headers; what is behind `.json`; and that pages follow the files."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

from envcompile.pages.headers import POLICY, name_of
from envcompile.pages.links import PAGES
from envcompile.pages.server import make_app
from envcompile.pages.site import Site
from tests.harness.command import PATIENCE, run_envc
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.pages.asking import ask, document
from tests.pages.conftest import now, serving, serving_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envcompile.pages.site import Served
    from tests.pages.shop import Shop

TOKEN = "a-token-of-some-length"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project without history, and without git."""
    return write_files(
        tmp_path / "small",
        {
            "base/web.yaml": deployment(image="nginx:1.27"),
            "base/settings.yaml": config_map("settings", color="blue"),
            "overlays/dev/environment.yaml": environment(),
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
        },
    )


def test_every_answer_lets_no_script_style_or_frame_in(address: str) -> None:
    """Pages, documents, files and refusals alike; nothing is kept by a browser."""
    for path in ("/", "/index.json", "/state.json", "/static/envc.css", "/nowhere"):
        headers = ask(address + path).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["cross-origin-resource-policy"] == "same-origin", path
        assert "access-control-allow-origin" not in headers, path
        assert "set-cookie" not in headers, path
    assert ask(f"{address}/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:80", "127.0.0.1.evil.example.com", ""])
def test_a_name_that_leads_here_from_elsewhere_gets_nothing(address: str, host: str) -> None:
    """DNS rebinding: the page of a stranger has another name, wherever that leads."""
    answer = ask(f"{address}/", Host=host)
    assert answer.status == 400
    assert "shop" not in answer.text


def test_names_of_hosts_lose_their_port_only() -> None:
    """In lower case; brackets belong to addresses."""
    assert [name_of(host) for host in ("LocalHost:80", "[::1]:8311", "::1", "a.b")] == [
        "localhost",
        "::1",
        "::1",
        "a.b",
    ]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_pages_can_only_be_read(address: str, method: str) -> None:
    """No other method is answered."""
    assert ask(f"{address}/", method=method).status == 405


def test_without_the_token_nothing_is_told(site: Site) -> None:
    """As a password with any name, or as a bearer; not in the address, and not a part of it."""
    with serving_app(make_app(site, hosts=None, token=TOKEN, look=0)) as address:
        basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
        part = base64.b64encode(f"anybody:{TOKEN[:-1]}".encode()).decode()
        for given in ({"Authorization": f"Basic {basic}"}, {"Authorization": f"Bearer {TOKEN}"}):
            assert ask(f"{address}/", **given).status == 200
        for given in ({}, {"Authorization": f"Basic {part}"}, {"Authorization": "Basic %%%"}, {"Authorization": TOKEN}):
            for path in ("/", f"/?token={TOKEN}", "/state.json", "/static/envc.css", "/index.json"):
                answer = ask(address + path, **given)
                assert (answer.status, "shop" in answer.text) == (401, False)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/index.json", ("list",)),
        ("/env/staging.json", ("list", "staging")),
        ("/checks.json", ("check", "--fail-on", "never")),
        ("/compare/staging/prod.json", ("compare", "staging", "prod")),
        ("/compare/HEAD~1/HEAD.json", ("diff", "--from=HEAD~1", "--to=HEAD")),
        ("/matrix.json", ("matrix",)),
        ("/matrix.json?field=image&app=user-service", ("matrix", "--field=image", "--app=user-service")),
        ("/graph/prod.json", ("graph", "prod")),
        ("/graph/prod.json?from=deployment/app", ("graph", "prod", "--from=deployment/app")),
        ("/cost.json?env=prod", ("cost", "prod")),
        ("/timeline.json?env=prod", ("history", "timeline", "prod")),
        ("/r/prod/deployment/user-service.json", ("explain", "prod", "deployment/user-service")),
        ("/search.json?q=image:user-service:v1.4*", ("history", "find", "image=user-service:v1.4*")),
    ],
)
def test_json_behind_a_path_is_what_the_command_prints(
    address: str, shop: Shop, path: str, command: tuple[str, ...]
) -> None:
    """To the byte, but for the time of day."""
    answer = ask(address + path)
    assert answer.headers["content-type"] == "application/json"
    told, printed = answer.text, run_envc(shop.root, *command, "--format", "json").out
    assert settled(told) == settled(printed)
    assert json.loads(told)["formatVersion"] == 1


def settled(text: str) -> str:
    """A document without the moment at which it was asked for."""
    return re.sub(r'"(until|waitingDays)": ("[^"]*"|[0-9.]+)', r'"\1": …', text)


@pytest.mark.parametrize(
    "path",
    [
        "/env/--help.json",
        "/compare/--help/HEAD.json",
        "/compare/HEAD/--output=x.json",
        "/env/nowhere.json",
        "/r/prod/-o/--format.json",
        "/search.json?q=user",
        "/env/a%00.json",
    ],
)
def test_what_others_write_is_no_option(address: str, path: str) -> None:
    """It is told as a mistake, and nothing is done."""
    assert ask(address + path).status == 404


@pytest.mark.parametrize(
    "path", ["/env/nowhere", "/r/prod/deployment/nobody", "/compare/staging/nowhere", "/timeline?since=soon", "/x/../y"]
)
def test_a_page_that_is_not_there_says_so(address: str, path: str) -> None:
    """In the words of the command, not as a traceback."""
    answer = ask(address + path)
    assert answer.status == 404
    assert "<h1>" in answer.text
    assert "Traceback" not in answer.text


def test_without_history_pages_say_what_brings_it(small: Path) -> None:
    """What is compiled is shown all the same."""
    site = Site(small, now)
    site.refresh()
    with serving(site) as address:
        for path in ("/", "/timeline", "/checks", "/env/prod", "/r/prod/deployment/web"):
            answer = ask(address + path)
            assert answer.status == 200, path
            assert "<code>envc history import</code>" in answer.text, path


def test_what_is_saved_appears_and_what_does_not_compile_leaves_the_former(small: Path) -> None:
    """With the reason, until it compiles again."""
    site = Site(small, now)
    site.refresh()
    with serving(site, look=0.2) as address:
        page = f"{address}/r/prod/configmap/settings"
        write_files(small, {"base/settings.yaml": config_map("settings", color="green")})
        _wait_for(page, ">green<")
        before = document(f"{address}/state.json")["id"]
        write_files(small, {"envc.yaml": "environments: [nowhere]\n"})
        _wait_for(f"{address}/", "do not compile")
        assert ">green<" in ask(page).text
        assert document(f"{address}/state.json")["id"] != before
        (small / "envc.yaml").unlink()
        _wait_for(f"{address}/", "do not compile", there=False)


def test_an_environment_that_does_not_compile_is_beside_those_that_do(small: Path) -> None:
    """Its page has the problem, with the place."""
    write_files(small, {"overlays/dev/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nspec: {}\n"})
    site = Site(small, now)
    site.refresh()
    with serving(site) as address:
        assert "does not compile" in ask(f"{address}/").text
        assert "overlays/dev/web.yaml:1" in ask(f"{address}/env/dev").text
        assert ask(f"{address}/r/prod/deployment/web").status == 200


def test_a_port_that_is_taken_is_told(small: Path) -> None:
    """With a way out, as something outside that is unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = run_envc(small, "ui", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert outcome.code == 4
    assert "--listen 127.0.0.1:0" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--listen", "0.0.0.0:1"), "give a token"),
        (("--listen", "shop.example.com:1"), "give a token"),
        (("--listen", "nonsense"), "no place to listen"),
        (("--token", "short"), "at least 16 characters"),
    ],
)
def test_nobody_else_can_look_by_mistake(small: Path, words: tuple[str, ...], said: str) -> None:
    """Listening elsewhere takes a token that cannot be tried out."""
    outcome = run_envc(small, "ui", *words)
    assert (outcome.code, said in outcome.err) == (2, True)


def _wait_for(address: str, text: str, *, there: bool = True) -> None:
    end = time.monotonic() + PATIENCE
    while (text in ask(address).text) is not there:
        assert time.monotonic() < end, f"{text}: nothing changed"
        time.sleep(0.1)


def test_pages_of_the_bar_are_made_before_somebody_asks(small: Path) -> None:
    """Once the newest state is drawn, so that the first to open one does not wait: once, but for the trend."""
    site = Site(small, now)
    site.refresh()
    made: list[str] = []
    kept = site.kept

    def counted(address: str, make: Callable[[], Served]) -> Served:
        def making() -> Served:
            made.append(address)
            return make()

        return kept(address, making)

    site.kept = counted  # type: ignore[method-assign]
    with serving(site, look=0.2) as address:
        end = time.monotonic() + PATIENCE
        while len(made) < len(PAGES):
            assert time.monotonic() < end, made
            time.sleep(0.1)
        for path, _ in PAGES:
            assert ask(address + path).status == 200, path
    # The trend of checks is worked out meanwhile, and its page is drawn anew with it.
    twice = [path for path in {*made} if made.count(path) > 1]
    assert sorted({*made}) == sorted(f"{path}?" for path, _ in PAGES)
    assert twice in ([], ["/checks?"])
