"""Vault as it answers: fields as the operator and `vault kv get` read them, refusals in words, the token at home.

The server is one of our own that answers as Vault 1.21.4 was seen to.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from envcompile.secrets import httpget
from envcompile.secrets.backends import OriginError, Surroundings, read_value
from envcompile.secrets.httpget import get
from envcompile.secrets.origin import origin_of
from envcompile.secrets.outside import TooSlowError, run_program, within_time
from envcompile.secrets.references import BadReferenceError, parse_reference
from envcompile.secrets.seal import seal_environments
from envcompile.secrets.status import status
from tests.harness.command import PATIENCE
from tests.secrets.repository import NOW, Repository, identity
from tests.secrets.servers import server_certificate, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.secrets.servers import Reply, Server

APP: dict[str, Any] = {
    "plain": "hunter2",
    "port": 5432,
    "ratio": 0.25,
    "on": True,
    "off": False,
    "nothing": None,
    "db": {"password": "deep", "tls.crt": "dotted"},
    "list": ["x", "y"],
    "tls.crt": "exact",
    "a.b": "exact wins",
    "a": {"b": "nested loses"},
    "mixed": {"z": [1, True, "<&>"], "a": "ä"},
}
VERSIONED = ("team/kv/data/app", "data/data/data/app", "secret/data/has/data/inside")
PLAIN = ("team/one/a/b", "kv1/has/data/inside", "kv1/metadata")
GONE = {
    "deleted": {"data": None, "metadata": {"deletion_time": "2026-11-29T20:00:00Z", "destroyed": False, "version": 1}},
    "destroyed": {"data": None, "metadata": {"deletion_time": "", "destroyed": True, "version": 1}},
}
"""What Vault 1.21 says, with status 404, of versions that were taken away."""
BIG = '{"data": {"data": {"big": 12345678901234567890, "one": 1.0, "e": 1e3}, "metadata": {"version": 1}}}'


def vault_reply(path: str, headers: dict[str, str]) -> Reply:
    """What Vault says."""
    if headers.get("x-vault-token") != "root":
        return 403, {}, b'{"errors": ["permission denied"]}'
    versioned = {"data": {"data": APP, "metadata": {"version": 3, "created_time": "x"}}}
    answers = {
        "/v1/secret/data/app": json.dumps(versioned),
        "/v1/kv1/app": json.dumps({"data": APP}),
        "/v1/kv1/data": json.dumps({"data": {"data": {"k": "inner"}, "metadata": {"version": 1}}}),
        "/v1/secret/data/big": BIG,
        "/v1/secret/data/gr%C3%B6%C3%9Fe%20x": json.dumps({
            "data": {"data": {"k": "umlaut"}, "metadata": {"version": 1}}
        }),
        "/v1/html/data/app": "<html>",
        **{
            f"/v1/{place}": json.dumps({"data": {"data": {"k": place}, "metadata": {"version": 2}}})
            for place in VERSIONED
        },
        **{f"/v1/{place}": json.dumps({"data": {"k": place}}) for place in PLAIN},
    }
    special = {
        "/v1/sealed/data/app": (503, b'{"errors": ["Vault is sealed"]}'),
        "/v1/fresh/data/app": (501, b'{"errors": ["not initialized"]}'),
        "/v1/limit/data/app": (429, b'{"errors": ["rate limit"]}'),
        "/v1/error/data/app": (500, b"{}"),
        "/v1/tls/data/app": (400, b"Client sent an HTTP request to an HTTPS server.\n"),
        "/v1/bad/data/app": (400, b'{"errors": ["bad"]}'),
        **{f"/v1/secret/data/{name}": (404, json.dumps({"data": gone}).encode()) for name, gone in GONE.items()},
    }
    if path in special:
        return special[path][0], {}, special[path][1]
    return (200, {}, answers[path].encode()) if path in answers else (404, {}, b'{"errors": []}')


@pytest.fixture
def vault() -> Iterator[Server]:
    """A Vault on the loopback address."""
    with serving(vault_reply) as server:
        yield server


def value(root: Path, text: str, **environ: str) -> bytes:
    """The bytes behind a reference."""
    reference = parse_reference(text)
    assert reference is not None
    return read_value(reference, Surroundings(root, {"VAULT_TOKEN": "root", **environ})).value.reveal()


def refused(root: Path, text: str, **environ: str) -> OriginError:
    """The error that is raised instead."""
    with pytest.raises(OriginError) as error:
        value(root, text, **environ)
    assert "hunter2" not in f"{error.value}{error.value.fix}"
    return error.value


@pytest.mark.parametrize("path", ["secret/data/app", "kv1/app"], ids=["KV 2", "KV 1"])
@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ("plain", b"hunter2"),
        ("port", b"5432"),
        ("ratio", b"0.25"),
        ("on", b"true"),
        ("off", b"false"),
        ("db/password", b"deep"),
        ("db/tls.crt", b"dotted"),
        ("list/1", b"y"),
        ("tls.crt", b"exact"),
        ("a.b", b"exact wins"),
        ("a/b", b"exact wins"),
        ("db", b'{"password":"deep","tls.crt":"dotted"}'),
        ("mixed", '{"a":"ä","z":[1,true,"\\u003c\\u0026\\u003e"]}'.encode()),
    ],
)
def test_vault_nested_and_typed(vault: Server, tmp_path: Path, path: str, way: str, wanted: bytes) -> None:
    """Case vault-nested-and-typed: what the operator 2.9.0 puts into its Secret for the same reference."""
    assert value(tmp_path, f"ref+vault://{path}#/{way}", VAULT_ADDR=vault.url) == wanted


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("secret/data/app#/nothing", "is null in Vault"),
        ("secret/data/big#/big", "that not every reader writes in the same digits"),
        ("secret/data/big#/one", "that not every reader writes in the same digits"),
        ("secret/data/big#/e", "that not every reader writes in the same digits"),
        ("secret/data/app#/db/pasword", "has no field `db/pasword`"),
        ("secret/data/app#/list/2", "has no field `list/2`"),
    ],
)
def test_what_operator_and_vault_write_differently_is_refused(
    vault: Server, tmp_path: Path, way: str, words: str
) -> None:
    """12345678901234567890 would be 12345678901234567000 there, null an empty value."""
    assert words in str(refused(tmp_path, f"ref+vault://{way}", VAULT_ADDR=vault.url))


def test_a_field_called_data_is_no_version(vault: Server, tmp_path: Path) -> None:
    """KV 1 may have fields `data` and `metadata`."""
    environ = {"VAULT_ADDR": vault.url, "VAULT_TOKEN": "root"}
    assert value(tmp_path, "ref+vault://kv1/data#/data/k", **environ) == b"inner"
    assert value(tmp_path, "ref+vault://secret/data/gr%C3%B6%C3%9Fe%20x#/k", **environ) == b"umlaut"


@pytest.mark.parametrize("place", [*VERSIONED, *PLAIN])
def test_mounts_have_slashes_and_any_name(vault: Server, tmp_path: Path, place: str) -> None:
    """Which version of the store it is, its answer says; the path does not."""
    reference = parse_reference(f"ref+vault://{place}#/k")
    assert reference is not None
    read = read_value(reference, Surroundings(tmp_path, {"VAULT_TOKEN": "root", "VAULT_ADDR": vault.url}))
    assert (read.value.reveal(), read.version) == (place.encode(), "2" if place in VERSIONED else None)


@pytest.mark.parametrize("name", GONE)
def test_a_version_that_was_taken_away_is_not_there(vault: Server, tmp_path: Path, name: str) -> None:
    """Deleted or destroyed: trying again does not help."""
    error = refused(tmp_path, f"ref+vault://secret/data/{name}#/k", VAULT_ADDR=vault.url)
    assert f"Vault has nothing at `secret/data/{name}`" in str(error)
    assert not error.unavailable


@pytest.mark.parametrize(
    ("mount", "words", "unavailable"),
    [
        ("sealed", "is sealed", True),
        ("fresh", "is not initialised", True),
        ("limit", "is asked too often (429)", True),
        ("error", "answers 500", True),
        ("tls", "speaks TLS only", False),
        ("bad", "does not understand the request", False),
        ("html", "holds no data", False),
        ("none", "Vault has nothing at", False),
    ],
)
def test_vault_sealed(vault: Server, tmp_path: Path, mount: str, words: str, *, unavailable: bool) -> None:
    """Case vault-sealed: every refusal in its own words, and `unavailable` only where trying again may help."""
    error = refused(tmp_path, f"ref+vault://{mount}/data/app#/plain", VAULT_ADDR=vault.url)
    assert words in str(error)
    assert error.unavailable is unavailable


def test_a_version_that_is_no_number_is_no_reference() -> None:
    """Found before anybody is asked."""
    with pytest.raises(BadReferenceError, match="has `version=x`"):
        parse_reference("ref+vault://secret/data/app?version=x#/plain")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}", "HTTP://127.0.0.1:{port}/", "http://user:pw@127.0.0.1:{port}"]
)
def test_vault_token_to_any_address(vault: Server, tmp_path: Path, address: str) -> None:
    """Case vault-token-to-any-address: a reference cannot say to whom the token goes."""
    named = address.format(port=vault.url.rpartition(":")[2])
    text = f"ref+vault://secret/data/app?address={named}#/plain"
    error = refused(tmp_path, text, VAULT_ADDR="https://vault.example")
    assert f"would send the Vault token to {vault.url}, which is not VAULT_ADDR" in str(error)
    assert "pw" not in str(error)
    assert not error.unavailable
    assert "would send the Vault token to" in str(refused(tmp_path, text))
    assert vault.asked == []
    assert value(tmp_path, text, VAULT_ADDR=vault.url) == b"hunter2"
    allowed = f"https://other.example, {vault.url}"
    environ = {"VAULT_ADDR": "https://vault.example", "ENVC_VAULT_ADDRESSES": allowed, "VAULT_TOKEN": "root"}
    assert value(tmp_path, text, **environ) == b"hunter2"


def test_vault_token_follows_redirects(vault: Server, tmp_path: Path) -> None:
    """Case vault-token-follows-redirects: to the same host, or to one that a person names; nowhere else."""
    port = vault.url.rpartition(":")[2]

    def away(path: str, _headers: dict[str, str]) -> Reply:
        host = "localhost" if path.startswith("/v1/away") else "127.0.0.1"
        return 307, {"Location": f"http://{host}:{port}/v1/secret/data/app"}, b""

    with serving(away) as standby:
        environ = {"VAULT_ADDR": standby.url, "VAULT_TOKEN": "root"}
        assert value(tmp_path, "ref+vault://standby/data/app#/plain", **environ) == b"hunter2"
        seen = len(vault.asked)
        error = refused(tmp_path, "ref+vault://away/data/app#/plain", **environ)
        assert f"redirects to http://localhost:{port}; the token is not sent there" in str(error)
        assert len(vault.asked) == seen
        named = {**environ, "ENVC_VAULT_ADDRESSES": f"http://localhost:{port}"}
        assert value(tmp_path, "ref+vault://away/data/app#/plain", **named) == b"hunter2"


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[", "/v1/loop"])
def test_a_redirect_to_anything_else_ends(tmp_path: Path, location: str) -> None:
    """Other schemes, broken addresses, loops."""
    with serving(lambda *_: (307, {"Location": location}, b"")) as server:
        said = str(refused(tmp_path, "ref+vault://a/data/app#/x", VAULT_ADDR=server.url))
        assert len(server.asked) < 10
        assert not location.startswith("ftp") or "redirects to a `ftp` address; the token is not sent there" in said


@pytest.fixture
def pki(tmp_path: Path) -> tuple[Path, Path]:
    """A server's certificate that nobody trusts yet, and its key."""
    now = datetime.now(UTC)
    return server_certificate(tmp_path, now - timedelta(days=1), now + timedelta(days=1))


def test_a_token_never_goes_from_https_to_http(vault: Server, tmp_path: Path, pki: tuple[Path, Path]) -> None:
    """`vault` says "redirect would cause protocol downgrade" there, and asks nobody."""
    with serving(lambda *_: (307, {"Location": f"{vault.url}/v1/secret/data/app"}, b""), pki) as secure:
        environ = {"VAULT_ADDR": secure.url, "VAULT_TOKEN": "root", "VAULT_CACERT": str(pki[0])}
        named = {**environ, "ENVC_VAULT_ADDRESSES": vault.url}
        for given in (environ, named):
            assert "the token is not sent there" in str(refused(tmp_path, "ref+vault://a/data/b#/c", **given))
        assert len(secure.asked) == 2
    assert vault.asked == []


def test_vault_tls_unknown_authority(tmp_path: Path, pki: tuple[Path, Path]) -> None:
    """Case vault-tls-unknown-authority: said as it is, and each way that `vault` has of naming the authority works."""
    text = "ref+vault://secret/data/app#/plain"
    folder = tmp_path / "authorities"
    folder.mkdir()
    (folder / "one.pem").write_bytes(pki[0].read_bytes())
    with serving(vault_reply, pki) as server:
        environ = {"VAULT_ADDR": server.url, "VAULT_TOKEN": "root"}
        error = refused(tmp_path, text, **environ)
        assert f"the certificate of Vault at {server.url} is not trusted" in str(error)
        assert "VAULT_CACERT" in error.fix
        assert not error.unavailable
        assert server.asked == []
        for name, given in (
            ("VAULT_CACERT", str(pki[0])),
            ("VAULT_CAPATH", str(folder)),
            ("VAULT_CACERT_BYTES", pki[0].read_text()),
            ("VAULT_SKIP_VERIFY", "true"),
        ):
            assert value(tmp_path, text, **environ, **{name: given}) == b"hunter2", name
        other = {"VAULT_CACERT": str(pki[0]), "VAULT_TLS_SERVER_NAME": "elsewhere.test"}
        assert "is not trusted" in str(refused(tmp_path, text, **environ, **other))
        local = {**other, "VAULT_TLS_SERVER_NAME": "localhost"}
        assert value(tmp_path, text, **environ, **local) == b"hunter2"


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("VAULT_CACERT", "{folder}/none.pem", "VAULT_CACERT names a file that is not there"),
        ("VAULT_CACERT", "{folder}", "VAULT_CACERT names a folder"),
        ("VAULT_CACERT", "{folder}/no.pem", "VAULT_CACERT names a file that holds no PEM certificate"),
        ("VAULT_CAPATH", "{folder}/none", "VAULT_CAPATH names no folder"),
        ("VAULT_CAPATH", "{folder}/empty", "VAULT_CAPATH names a folder without files"),
        ("VAULT_CACERT_BYTES", "x", "VAULT_CACERT_BYTES holds no PEM certificate"),
        ("VAULT_CLIENT_CERT", "{folder}/no.pem", "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY are no pair"),
    ],
)
def test_vault_cacert_missing(tmp_path: Path, name: str, given: str, words: str) -> None:
    """Case vault-cacert-missing: a variable that names nothing useful is no bug in envc."""
    (tmp_path / "no.pem").write_text("no certificate")
    (tmp_path / "empty").mkdir()
    environ = {"VAULT_ADDR": "https://127.0.0.1:9", "VAULT_TOKEN": "root", name: given.format(folder=tmp_path)}
    assert words in str(refused(tmp_path, "ref+vault://a/data/b#/c", **environ))


def test_an_answer_that_drips_ends_with_the_limit() -> None:
    """One limit for the whole, not one of each read."""
    from threading import Event

    done = Event()

    def drip(_path: str, _headers: dict[str, str]) -> Reply:
        done.wait(PATIENCE)
        return 200, {}, b"{}"

    with serving(drip) as server:
        # Whichever of the two limits is looked at first on a busy machine.
        with pytest.raises((TooSlowError, TimeoutError)):
            get(f"{server.url}/", headers={}, context=None, follows=lambda *_: True, seconds=0.2)
        done.set()


def test_work_beside_the_caller_gives_its_result_or_its_error() -> None:
    """Whatever ends in time is as if it had run in place."""
    assert within_time(lambda: 7) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        within_time(lambda: int("x"))


def test_origins_compare_scheme_host_and_port() -> None:
    """What else an address has is no part of it, and never shown."""
    assert origin_of("HTTPS://Vault.example.:443/x?y") == origin_of("https://u:p@vault.example")
    assert str(origin_of("http://[::1]:8200/v1")) == "http://[::1]:8200"
    assert [origin_of(text) for text in ("", "vault.example", "ftp://x", "http://x:port", "http://[")] == [None] * 5


def test_vault_status_changes_with_neighbours(tmp_path: Path) -> None:
    """Case vault-status-changes-with-neighbours: another field of the path is no change of this value."""
    state: dict[str, Any] = {"version": 1, "fields": {"plain": "hunter2", "other": "a"}}

    def reply(_path: str, _headers: dict[str, str]) -> Reply:
        answer = {"data": {"data": state["fields"], "metadata": {"version": state["version"]}}}
        return 200, {}, json.dumps(answer).encode()

    with serving(reply) as server:
        repository = Repository(tmp_path, {"VAULT_ADDR": server.url, "VAULT_TOKEN": "root"})
        repository.certificate()
        text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: p}\nstringData: {a: 'ref+vault://secret/data/app#/plain'}\n"
        secret_set = repository.secret_set(text)

        def sealed(key: Any) -> list[str]:
            result = seal_environments([secret_set], surroundings=repository.surroundings(), identity=key, now=NOW)
            return [row.action for row in result.rows]

        def state_of(key: Any) -> list[str]:
            return [
                row.state for row in status(secret_set, surroundings=repository.surroundings(), identity=key, now=NOW)
            ]

        assert sealed(identity()) == ["sealed"]
        assert "identity: provenance:" in repository.store_text()
        assert "+hmac:" in repository.store_text()
        state.update(version=2, fields={"plain": "hunter2", "other": "b"})
        assert state_of(identity()) == ["unchanged"]
        assert sealed(identity()) == ["kept"]
        # Without the key nobody can tell: said so, and sealed again to be safe.
        assert state_of(None) == ["unverified"]
        state.update(version=3, fields={"plain": "hunter3", "other": "b"})
        assert state_of(identity()) == ["changed"]
        assert sealed(identity()) == ["sealed"]
        assert state_of(None) == ["unchanged"]
        state.update(version=4)
        assert sealed(None) == ["sealed"]
        assert repository.leaks(b"hunter3") == []


def test_an_answer_that_drips_for_ever_ends_with_the_limit() -> None:
    """A byte now and then keeps every read within its own limit."""
    listener = socket.create_server(("127.0.0.1", 0))
    given_up = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(9_999)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n")
            for _ in range(200):
                connection.sendall(b"x")
                if given_up.wait(0.05):
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    try:
        with pytest.raises(TooSlowError):
            get(url, headers={}, context=None, follows=lambda *_: True, seconds=1)
    finally:
        given_up.set()
        thread.join()
        listener.close()


def test_nobody_waits_longer_than_the_limit() -> None:
    """What ends later has not ended."""
    with pytest.raises(TooSlowError):
        within_time(lambda: threading.Event().wait(20), 0.3)


def test_a_program_gets_no_terminal_and_one_limit() -> None:
    """It cannot ask anybody, and is ended when it takes too long."""
    read, write = os.pipe()
    before = os.dup(0)
    os.dup2(read, 0)
    try:
        done = run_program([sys.executable, "-c", "print(len(__import__('sys').stdin.read()))"], {}, PATIENCE)
        assert done.stdout == b"0\n"
        with pytest.raises(TooSlowError):
            run_program([sys.executable, "-c", "__import__('time').sleep(30)"], {}, 0.3)
    finally:
        os.dup2(before, 0)
        for descriptor in (read, write, before):
            os.close(descriptor)


def test_the_size_of_answers_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a refusal as of a value."""
    monkeypatch.setattr(httpget, "LARGEST_ANSWER", 5)
    for code in (200, 404):
        with serving(lambda *_, code=code: (code, {}, b"0123456789")) as server:
            assert get(server.url, headers={}, context=None, follows=lambda *_: True) == (code, b"01234")


def test_redirects_to_ever_new_addresses_end(tmp_path: Path) -> None:
    """Three are enough for anybody."""

    def on(path: str, _headers: dict[str, str]) -> Reply:
        return 307, {"Location": f"{path}x"}, b""

    with serving(on) as server:
        refused(tmp_path, "ref+vault://a/data/app#/x", VAULT_ADDR=server.url)
        assert len(server.asked) == 4


def test_certificates_are_checked_unless_somebody_says_so(tmp_path: Path, pki: tuple[Path, Path]) -> None:
    """The words that `vault` takes for a yes, and no others (strconv.ParseBool)."""
    with serving(vault_reply, pki) as server:
        for word in ("false", "0", "no", "f"):
            error = refused(
                tmp_path, "ref+vault://secret/data/app#/plain", VAULT_ADDR=server.url, VAULT_SKIP_VERIFY=word
            )
            assert "is not trusted" in str(error)


@pytest.mark.parametrize("address", ["ftp://vault.example", "file:///etc/passwd", "vault.example", "http://["])
def test_what_is_no_address_gets_no_token(tmp_path: Path, address: str) -> None:
    """It is refused as what the repository names, whatever VAULT_ADDR is."""
    error = refused(
        tmp_path,
        f"ref+vault://secret/data/app?address={quote(address, safe='')}#/plain",
        VAULT_ADDR="https://v.example",
    )
    assert "would send the Vault token to something that is no http or https address" in str(error)
