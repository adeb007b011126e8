"""Merging `.ini`, and `.conf` where it is one: sections, continued values, keys that repeat."""

from __future__ import annotations

import pytest

from envcompile.compose.configtext import ConfigTextError, KeySpan, keys, merge_text
from envcompile.compose.configtext.text import UnmergeableError

NAME = "app.ini"


@pytest.mark.parametrize(
    ("base", "overlay", "result"),
    [
        pytest.param("[a]\nx = 1\ny: 2\n", "[a]\ny=3\n", "[a]\nx = 1\ny: 3\n", id="override"),
        pytest.param(
            "[a]\nx=1\n\n[b]\ny=1\n", "[a]\nz=1\n", "[a]\nx=1\nz=1\n\n[b]\ny=1\n", id="new key in its section"
        ),
        pytest.param(
            "[a]\nx=1\n\n; of b\n[b]\ny=1\n",
            "[a]\n; new\nz=1\n",
            "[a]\nx=1\n; new\nz=1\n\n; of b\n[b]\ny=1\n",
            id="before the comment of the next section",
        ),
        pytest.param("[a]\nx=1\n", "; of b\n[b]\ny=1\n", "[a]\nx=1\n\n; of b\n[b]\ny=1\n", id="new section"),
        pytest.param(
            "[a]\nx=1\n[c]\nx=1\n", "[b]\ny=1\n", "[a]\nx=1\n[c]\nx=1\n[b]\ny=1\n", id="as close as the base's"
        ),
        pytest.param("g=1\n[a]\nx=1\n", "g=2\nh=3\n", "g=2\nh=3\n[a]\nx=1\n", id="keys before the first section"),
        pytest.param("[a]\nx=1\n", "h=3\n", "h=3\n[a]\nx=1\n", id="first key before the first section"),
        pytest.param(
            "[a]\nx=1\n[b]\nx=1\n[a]\ny=1\n",
            "[a]\nx=2\nz=3\n",
            "[a]\nx=2\n[b]\nx=1\n[a]\ny=1\nz=3\n",
            id="a section in two parts",
        ),
        pytest.param("[a]\nx=1\n", "[b]\n", "[a]\nx=1\n\n[b]\n", id="empty section"),
        pytest.param("[a.b]\nc=1\n[a]\nb.c=1\n", "[a]\nb.c=2\n", "[a.b]\nc=1\n[a]\nb.c=2\n", id="dots are no nesting"),
        pytest.param(
            '[remote "o]x"]\n\turl = a\n',
            '[remote "o]x"]\nurl = b\nfetch = c\n',
            '[remote "o]x"]\n\turl = b\n\tfetch = c\n',
            id="git: the base's indentation",
        ),
        pytest.param(
            "[r]\n\tfetch = a\n\tfetch = b\n",
            "[r]\nfetch = a\nfetch = c\nfetch = d\n",
            "[r]\n\tfetch = a\n\tfetch = c\n\tfetch = d\n",
            id="git: all values of a key that repeats",
        ),
        pytest.param("[s]\nPre=a\nPre=b\nx=1\n", "[s]\nPre=c\n", "[s]\nPre=c\nx=1\n", id="systemd: fewer values"),
        pytest.param(
            "[a]\nk =\n    one\n    two\nl=1\n", "[a]\nk =\n  three\n", "[a]\nk =\n  three\nl=1\n", id="continued"
        ),
        pytest.param(
            "[a]\nk = one\n\n  two\nl=1\n", "[a]\nk=3\n", "[a]\nk = 3\nl=1\n", id="continued over a blank line"
        ),
        pytest.param(
            "[a]\nk =\n  one\n  # why\n  two\nl=1\n",
            "[a]\nk=3\n",
            "[a]\nk =3\n  # why\nl=1\n",
            id="comment inside of a value",
        ),
        pytest.param(
            "[a]\nx = 1 ; why\n", "[a]\nx = 2\n", "[a]\nx = 2\n", id="configparser: no comment behind a value"
        ),
        pytest.param(
            "[a]\nskip-name-resolve\nx=1\n",
            "[a]\nx=2\nlocal\n",
            "[a]\nskip-name-resolve\nx=2\nlocal\n",
            id="my.cnf: keys alone",
        ),
        pytest.param("[a]\nx=1\ny=1\n", "[a]\n# envc:remove\nx=\n", "[a]\ny=1\n", id="mark above"),
        pytest.param("[a]\nx=1\ny=1\n", "[a]\nx= ; envc:remove\n", "[a]\ny=1\n", id="mark behind"),
        pytest.param(
            "[a]\nx=1\n\n[b]\n; in b\ny=1\n\n; of c\n[c]\nz=1\n",
            "[b] # envc:remove\n",
            "[a]\nx=1\n\n; of c\n[c]\nz=1\n",
            id="section removed whole",
        ),
        pytest.param(
            "[a]\r\nx=1", "[a]\ny=1\n[b]\nz=1\n", "[a]\r\nx=1\r\ny=1\r\n\r\n[b]\r\nz=1", id="CRLF, no final break"
        ),
        pytest.param("[a]\nx=1\n", "# c\n[a]\nx=1\n", "[a]\nx=1\n", id="nothing new"),
    ],
)
def test_merge(base: str, overlay: str, result: str) -> None:
    """Each key stays in its section, each section where it is."""
    assert merge_text(NAME, base, overlay) == result


@pytest.mark.parametrize(
    ("base", "overlay", "error"),
    [
        pytest.param("[a\n", "", ("base", 1, 1, "a section header is not `[name]`"), id="open header"),
        pytest.param(
            "[a]\nsome words\n",
            "",
            ("base", 2, 1, "a line is neither `[section]`, a comment nor `key = value`"),
            id="words",
        ),
        pytest.param(
            "[a]\nx = 1\n  y = 2\n",
            "[a]\nx = 3\n",
            ("base", 3, 3, "`x` is overridden, and this line may continue its value or be a key of its own"),
            id="continuation or key",
        ),
        pytest.param(
            "[a]\nx=1\n",
            "[a] # envc:remove\ny=1\n",
            ("overlay", 2, 1, "section `a` is marked `# envc:remove` but has keys"),
            id="mark on a section with keys",
        ),
    ],
)
def test_mistake_is_an_error_with_its_line(base: str, overlay: str, error: tuple[object, ...]) -> None:
    """What readers disagree about is not guessed at."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text(NAME, base, overlay)
    found = caught.value
    assert (found.side, found.line, found.column, found.what) == error


PEERS = "[Interface]\nPort = 1\n[Peer]\nKey = a\nIPs = 1\n[Peer]\nKey = b\nIPs = 2\n"


@pytest.mark.parametrize(
    ("base", "overlay", "line"),
    [
        (PEERS, "[Peer]\nKey = b\nIPs = 9\n", 1),
        ("[Interface]\nPort = 1\n", "[Interface]\nPort = 2\n[Peer]\nKey = a\n[Peer]\nKey = b\n", 5),
    ],
)
def test_sections_that_are_items_of_a_list_are_not_merged(base: str, overlay: str, line: int) -> None:
    """WireGuard's peers, Fluent Bit's inputs: they would come out as one; what speaks of other sections is merged."""
    with pytest.raises(UnmergeableError, match=r"nothing says which one is meant") as caught:
        merge_text("wg0.conf", base, overlay)
    assert (caught.value.side, caught.value.line) == ("overlay", line)
    assert merge_text("wg0.conf", PEERS, "[Interface]\nPort = 2\n") == PEERS.replace("Port = 1", "Port = 2")
    assert merge_text("wg0.conf", PEERS, "[Peer] # envc:remove\n") == "[Interface]\nPort = 1\n"


def test_sections_without_a_common_key_are_one_section() -> None:
    """Git and systemd read two parts of one section so."""
    assert merge_text("a.ini", "[a]\nx=1\n[b]\nx=2\n[a]\ny=1\n", "[a]\ny=2\n") == "[a]\nx=1\n[b]\nx=2\n[a]\ny=2\n"


def test_keys_name_section_and_lines() -> None:
    """Keys of a section carry its name; of a repeated key the last counts."""
    assert keys(NAME, "g=1\n[a.b]\nk =\n  x\n  y\nr=1\nr=2\nalone\n") == {
        "g": KeySpan("1", 1, 1),
        "a.b.k": KeySpan("\nx\ny", 3, 5),
        "a.b.r": KeySpan("2", 7, 7),
        "a.b.alone": KeySpan(None, 8, 8),
    }


NGINX = "worker_processes 4;\nhttp {\n  server { listen 80; }\n}\n"
UNBOUND = "server:\n  interface: 0.0.0.0\n"
SQUID = "acl localnet src 10.0.0.0/8\nhttp_access allow localnet\nhttp_access deny all\n"
HTTPD = "Listen 80\n<VirtualHost *:80>\n  ServerName a\n</VirtualHost>\n"
FLUENT_BIT = "[SERVICE]\n    Flush 1\n"
HOCON = "akka {\n  loglevel = INFO\n}\n"


@pytest.mark.parametrize("base", [NGINX, SQUID, UNBOUND, HTTPD, FLUENT_BIT, HOCON])
def test_conf_that_is_no_ini_is_replaced_whole(base: str) -> None:
    """A `.conf` of another language is an opaque text without keys."""
    assert merge_text("x.conf", base, "other text\n") == "other text\n"
    assert merge_text("x.conf", base, " \n") == base
    assert keys("x.conf", base) == {}


def test_conf_of_sections_and_keys_is_merged() -> None:
    """PostgreSQL, sysctl, supervisor: `key = value` lines merge as an ini does."""
    assert merge_text("postgresql.conf", "# c\nport = 5432\nwork_mem = '4MB' # d\n", "port = 5433\nx = on\n") == (
        "# c\nport = 5433\nwork_mem = '4MB' # d\nx = on\n"
    )
    assert merge_text("s.conf", "[program:x]\ncommand=a\n", "[program:x]\ncommand=b\n") == "[program:x]\ncommand=b\n"


def test_conf_overlay_that_does_not_parse_is_an_error() -> None:
    """A slip in the overlay of a `.conf` that merges does not replace the whole text."""
    with pytest.raises(ConfigTextError) as caught:
        merge_text("postgresql.conf", "port = 5432\n", "a = 1\nport 5433\n")
    assert (caught.value.side, caught.value.line, caught.value.what) == (
        "overlay",
        2,
        "a line is neither `[section]`, a comment nor `key = value`",
    )


def test_conf_without_any_line_takes_whatever_comes() -> None:
    """Comments alone say nothing about the language."""
    assert merge_text("x.conf", "# later\n", NGINX) == NGINX
