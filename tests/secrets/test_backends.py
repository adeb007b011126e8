"""Where plaintext comes from: each scheme, its refusals, and that nothing of a value gets into a message."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

import base64
import hashlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envcompile.secrets.backends import OriginError, Surroundings, public_version, read_value, resolver_of
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.references import BadReferenceError, Reference, parse_reference
from tests.secrets.repository import Repository


def reference(text: str) -> Reference:
    """A reference that reads well."""
    found = parse_reference(text)
    assert found is not None
    return found


def value(repository: Repository, text: str) -> bytes:
    """The bytes behind a reference."""
    return read_value(reference(text), repository.surroundings()).value.reveal()


def refusal(repository: Repository, text: str) -> str:
    """What is said instead of the value."""
    with pytest.raises(OriginError) as error:
        read_value(reference(text), repository.surroundings())
    return f"{error.value}; {error.value.fix}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ref+env://NAME", Reference("env", "NAME")),
        ("secretref+env://NAME", Reference("env", "NAME")),
        ("ref+file://a/b.yaml#/c/d", Reference("file", "a/b.yaml", ("c", "d"))),
        ("ref+file:///abs/x", Reference("file", "/abs/x")),
        ("ref+sops://f.yaml#/a/b", Reference("sops", "f.yaml", ("a", "b"))),
        (
            "ref+vault://secret/data/app?version=3#/url",
            Reference("vault", "secret/data/app", ("url",), (("version", "3"),)),
        ),
        ("ref+prompt://", Reference("prompt", "")),
        ("ref+awssecrets://a/b?region=eu#/k", Reference("awssecrets", "a/b", ("k",), (("region", "eu"),))),
        ("ref+vault://secret/data/app#/a%2Fb+", Reference("vault", "secret/data/app", ("a/b",))),
    ],
    ids=lambda text: text if isinstance(text, str) else "",
)
def test_references_are_read_as_vals_writes_them(text: str, expected: Reference) -> None:
    """Scheme, path, fragment, parameters."""
    assert parse_reference(text) == expected


@pytest.mark.parametrize("text", ["hunter2", "", "reference", "x ref+env://A"])
def test_other_text_is_no_reference(text: str) -> None:
    """Only the beginning counts."""
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "ref+env:/X",
            "is not a reference; write `ref+env://NAME`, `ref+file://PATH`, `ref+sops://FILE#/key` or the like",
        ),
        ("ref+env://", "names nothing after `ref+env://`; say what to read: a name, a file or a path"),
        ("ref+sops://f.yaml", "does not say which value of `f.yaml`; add the key: `ref+sops://f.yaml#/KEY`"),
        ("ref+vault://a?verson=3#/k", "has an unknown parameter `verson`; did you mean `version`?"),
        ("ref+env://A?encoding=hex", "has `encoding=hex`; the only value of `encoding` is `base64`"),
        ("ref+env://A?strip=all", "has `strip=all`; the only value of `strip` is `newline`"),
    ],
    ids=["syntax", "empty", "no key", "parameter", "encoding", "strip"],
)
def test_bad_references_say_what_to_write(text: str, message: str) -> None:
    """What is wrong; what to write."""
    with pytest.raises(BadReferenceError) as error:
        parse_reference(text)
    assert f"{error.value}; {error.value.fix}" == message


def test_env_vars_keep_their_bytes(repository: Repository) -> None:
    """UTF-8 and undecodable bytes alike; an empty one is not an unset one."""
    repository.environ["A"] = os.fsdecode("zażółć".encode() + b"\xff")
    repository.environ["EMPTY"] = ""
    assert value(repository, "ref+env://A") == "zażółć".encode() + b"\xff"
    assert value(repository, "ref+env://EMPTY") == b""
    assert refusal(repository, "ref+env://UNSET") == (
        "the env var `UNSET` is not set; export it for this one command: `UNSET=… envc secrets seal …`"
    )


def test_a_newline_at_the_end_is_a_warning_with_its_switch(repository: Repository) -> None:
    """Bytes in, bytes out; `strip=newline` takes one off."""
    repository.write("v", b"secret\n")
    read = read_value(reference("ref+file://v"), repository.surroundings())
    assert read.value.reveal() == b"secret\n"
    assert "ends with a newline, which becomes part of the secret; `?strip=newline` takes it off" in read.warnings
    assert value(repository, "ref+file://v?strip=newline") == b"secret"


def test_fields_of_yaml_json_and_env_files(repository: Repository) -> None:
    """By fragment."""
    repository.write("v.yaml", "db: {password: hunter2, port: 5432}\nlist: [a, b]\n")
    repository.write("v.json", '{"db": {"password": "hunter2"}}')
    repository.write("prod.env", "# comment\nexport DB='hunter2'\nOTHER=x=y\n")
    assert value(repository, "ref+file://v.yaml#/db/password") == b"hunter2"
    assert value(repository, "ref+file://v.yaml#/list/1") == b"b"
    assert value(repository, "ref+file://v.json#/db/password") == b"hunter2"
    assert value(repository, "ref+file://prod.env#/DB") == b"hunter2"
    assert value(repository, "ref+file://prod.env#/OTHER") == b"x=y"
    assert (
        refusal(repository, "ref+file://v.yaml#/db/pasword") == "`v.yaml` has no `db/pasword`; did you mean `password`?"
    )
    assert refusal(repository, "ref+file://v.yaml#/db/port") == (
        "`ref+file://v.yaml#/db/port` is not a text; put the value in quotes, so that it means the same to every reader"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: x\n---\na: y\n", b"x"),
        ("---\na: x\n---\n", b"x"),
        ("a: x\n---\n- list\n", b"x"),
        ("a: x\n...\n---\nb: y\n", b"x"),
        ("# only a comment\n---\na: x\n", b"x"),
        ("b: x\n---\na: y\n", 2),
        ("---\n---\na: y\n", 2),
        ("null\n---\nb: x\n---\na: 5\n", 3),
        ("b: x\n---\nc: y\n", 0),
    ],
)
def test_of_several_documents_the_first_is_read(repository: Repository, text: str, found: bytes | int) -> None:
    """As vals does (`file.go`: one `Unmarshal` of yaml.v3, whose answers these are); a value elsewhere is named."""
    repository.write("v.yaml", text)
    if isinstance(found, bytes):
        assert value(repository, "ref+file://v.yaml#/a") == found
        return
    message = refusal(repository, "ref+file://v.yaml#/a")
    count = len(text.split("---\n")) - text.startswith("---")
    assert message == (
        f"`v.yaml` holds {count} documents, and a reference reads the first, as vals does: "
        f"`a` stands in document {found}; move it to the first one, or into a file of its own"
        if found
        else "`v.yaml` has no `a`; correct the key"
    )


def test_a_broken_secret_file_is_not_quoted(repository: Repository) -> None:
    """A parser's message may hold the line it stumbles over; ours does not."""
    repository.write("v.yaml", "password: 'hunter2\n")
    message = refusal(repository, "ref+file://v.yaml#/password")
    assert "hunter2" not in message
    assert message.startswith("`v.yaml` is not valid YAML or JSON (v.yaml:")


def test_only_files_that_git_ignores_hold_secrets(repository: Repository) -> None:
    """Neither tracked nor merely untracked ones; a link counts for what it leads to."""
    repository.write("values/v", "hunter2")
    assert value(repository, "ref+file://values/v") == b"hunter2"
    repository.git("init")
    message = (
        "git does not ignore the file `values/v`; add it to .gitignore, and `git rm --cached values/v` if it is tracked; "
        "rotate its values"
    )
    assert refusal(repository, "ref+file://values/v") == message
    repository.write(".gitignore", "values/\n")
    assert value(repository, "ref+file://values/v") == b"hunter2"
    repository.git("add", "-f", "values/v")
    assert refusal(repository, "ref+file://values/v") == message
    repository.git("rm", "--cached", "-f", "values/v")
    repository.write("open", "hunter2")
    (repository.root / "values/link").symlink_to(repository.root / "open")
    assert refusal(repository, "ref+file://values/link").startswith("git does not ignore the file `values/link`")
    (repository.root / "shown").symlink_to(repository.root / "values/v")
    assert refusal(repository, "ref+file://shown").startswith("git does not ignore the file `shown`")


def test_a_file_others_can_read_is_a_warning(repository: Repository) -> None:
    """0600 is the mend."""
    path = repository.write("v", "x")
    path.chmod(0o644)
    read = read_value(reference("ref+file://v"), repository.surroundings())
    assert read.warnings == ("v can be read by others: `chmod 600 v`",)
    path.chmod(0o600)
    assert read_value(reference("ref+file://v"), repository.surroundings()).warnings == ()


def test_an_entry_point_adds_a_scheme(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any package can read its own references."""
    import importlib.metadata

    from envcompile.secrets.backends import Resolved

    class Entry:
        name = "mine"

        @staticmethod
        def load() -> Any:
            return lambda reference, _: Resolved(Plaintext(reference.path.encode()), "7")

    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda *, group: [Entry] if "secret_sources" in group else []
    )
    read = resolver_of("mine")(reference("ref+mine://x"), repository.surroundings())
    assert (read.value.reveal(), read.version) == (b"x", "7")


class Sops:
    """Writes SOPS files as SOPS does: values, empty values in clear, MAC over all values in order."""

    def __init__(self, key: bytes, *, only_encrypted: bool = False) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.cipher = AESGCM(key)
        self.digest = hashlib.sha512(hashlib.sha256(b"sops").digest() if only_encrypted else b"")

    def encrypt(self, text: str, bound_to: str, kind: str = "str", *, count: bool = True) -> str:
        """One `ENC[…]` value."""
        if count:
            self.digest.update(text.encode())
        nonce = os.urandom(32)
        sealed = self.cipher.encrypt(nonce, text.encode(), bound_to.encode())
        parts = [base64.b64encode(part).decode() for part in (sealed[:-16], nonce, sealed[-16:])]
        return f"ENC[AES256_GCM,data:{parts[0]},iv:{parts[1]},tag:{parts[2]},type:{kind}]"

    def mac(self, moment: str) -> str:
        """The file's MAC so far."""
        return self.encrypt(self.digest.hexdigest().upper(), moment, count=False)


MOMENT = "2026-05-01T12:00:00Z"


def sops_file(repository: Repository, file: str = "s.yaml", *, wrong_mac: bool = False) -> dict[str, Any]:
    """A SOPS file for an age recipient whose key is in SOPS_AGE_KEY."""
    pyrage = pytest.importorskip("pyrage")
    identity = pyrage.x25519.Identity.generate()
    repository.environ["SOPS_AGE_KEY"] = str(identity)
    data_key = os.urandom(32)
    sops = Sops(data_key)
    content: dict[str, Any] = {
        "app": {
            "password": sops.encrypt("hunter2", "app:password:"),
            "port": sops.encrypt("5432", "app:port:", "int"),
            "on": sops.encrypt("True", "app:on:", "bool"),
        },
        "list": [sops.encrypt("first", "list:"), sops.encrypt("second", "list:")],
        "note_unencrypted": "in clear",
        "empty": "",
    }
    sops.digest.update(b"in clear")
    if wrong_mac:
        sops.digest.update(b"x")
    armoured = pyrage.encrypt(data_key, [identity.to_public()], armored=True).decode()
    content["sops"] = {
        "age": [{"recipient": str(identity.to_public()), "enc": armoured}],
        "lastmodified": MOMENT,
        "mac": sops.mac(MOMENT),
        "unencrypted_suffix": "_unencrypted",
        "version": "3.9.1",
    }
    repository.write(file, json.dumps(content))
    return content


def test_sops_values_are_decrypted_in_memory_and_the_mac_is_checked(repository: Repository) -> None:
    """With an age key, without the sops binary."""
    content = sops_file(repository)
    surroundings = repository.surroundings()
    read = read_value(reference("ref+sops://s.yaml#/app/password"), surroundings)
    assert read.value.reveal() == b"hunter2"
    assert read.version == content["app"]["password"]
    assert read_value(reference("ref+sops://s.yaml#/app/port"), surroundings).value.reveal() == b"5432"
    assert read_value(reference("ref+sops://s.yaml#/list/1"), surroundings).value.reveal() == b"second"
    assert repository.leaks(b"hunter2") == []


def test_the_version_of_a_sops_value_needs_no_key(repository: Repository) -> None:
    """So `status` works for people who may not read it."""
    content = sops_file(repository)
    repository.environ.clear()
    found = public_version(reference("ref+sops://s.yaml#/app/password"), repository.surroundings())
    assert found == content["app"]["password"]


def test_a_changed_sops_file_is_refused(repository: Repository) -> None:
    """The MAC, a value moved to another key, and a value in clear."""
    sops_file(repository, wrong_mac=True)
    assert refusal(repository, "ref+sops://s.yaml#/app/password") == (
        "the MAC of `s.yaml` does not fit: the file was changed without sops; take it from git as sops wrote it, or look at it "
        "with `sops s.yaml`"
    )
    content = sops_file(repository)
    content["app"]["password"], content["app"]["port"] = content["app"]["port"], content["app"]["password"]
    repository.write("s.yaml", json.dumps(content))
    assert refusal(repository, "ref+sops://s.yaml#/app/password").startswith("a value of `s.yaml` cannot be decrypted")
    assert refusal(repository, "ref+sops://s.yaml#/note_unencrypted") == (
        "`ref+sops://s.yaml#/note_unencrypted` is not encrypted in that file; encrypt it: `sops s.yaml`; then rotate the value"
    )


def test_without_a_key_sops_itself_is_asked(repository: Repository) -> None:
    """For KMS and PGP; the value comes through a pipe."""
    sops_file(repository)
    repository.environ.clear()
    assert refusal(repository, "ref+sops://s.yaml#/app/password") == (
        "no key of this machine opens `s.yaml`; set SOPS_AGE_KEY_FILE (and install `envcompile[age]`), or have `sops` on PATH "
        "for KMS and PGP"
    )
    fake = repository.write("bin/sops", _FAKE_SOPS)
    fake.chmod(0o755)
    repository.environ["PATH"] = f"{fake.parent}:/bin:/usr/bin"
    surroundings = repository.surroundings()
    for way, expected in (
        ("app/password", b"hunter2"),
        ("app/port", b"5432"),
        ("list/1", b"second"),
        ("app/on", b"true"),
    ):
        assert read_value(reference(f"ref+sops://s.yaml#/{way}"), surroundings).value.reveal() == expected
    assert (repository.root / "asked").read_text() == "decrypt --input-type json --output-type json\n"
    fake.write_text("#!/bin/sh\necho hunter2 >&2; exit 1\n")
    assert refusal(repository, "ref+sops://s.yaml#/app/port").startswith("sops cannot decrypt `s.yaml` (status 1)")
    assert "hunter2" not in refusal(repository, "ref+sops://s.yaml#/app/port")


_FAKE_SOPS = """\
#!/bin/sh
echo "$1 $2 $3 $4 $5" >> "${6%/*}/asked"
echo '{"app": {"password": "hunter2", "port": 5432, "on": true}, "list": ["first", "second"], "empty": ""}'
"""


class _Vault(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        fields = {"database_url": "hunter2", "port": 5432}
        answers: dict[str, Any] = {
            "/v1/secret/data/app": {"data": {"data": fields, "metadata": {"version": 3}}},
            "/v1/secret/data/app?version=2": {"data": {"data": {"database_url": "old"}, "metadata": {"version": 2}}},
            "/v1/kv1/app": {"data": {"database_url": "hunter2"}},
        }
        allowed = self.headers.get("X-Vault-Token") == "root"
        body = json.dumps(answers.get(self.path, {"errors": []}) if allowed else {"errors": ["denied"]}).encode()
        self.send_response(403 if not allowed else 200 if self.path in answers else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def vault(repository: Repository) -> Iterator[Repository]:
    """A repository beside a fake Vault on the loopback address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Vault) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        repository.environ |= {"VAULT_ADDR": f"http://127.0.0.1:{server.server_port}", "VAULT_TOKEN": "root"}
        yield repository
        server.shutdown()


def test_vault_gives_values_with_their_version(vault: Repository) -> None:
    """KV version 2 with its version number, an older version, and KV version 1."""
    read = read_value(reference("ref+vault://secret/data/app#/database_url"), vault.surroundings())
    assert (read.value.reveal(), read.version) == (b"hunter2", "3")
    read = read_value(reference("ref+vault://secret/data/app?version=2#/database_url"), vault.surroundings())
    assert (read.value.reveal(), read.version) == (b"old", "2")
    read = read_value(reference("ref+vault://kv1/app#/database_url"), vault.surroundings())
    assert (read.value.reveal(), read.version) == (b"hunter2", None)


def test_vaults_refusals_say_what_to_do(vault: Repository) -> None:
    """Missing path, missing field, no permission, no token, no answer."""
    assert refusal(vault, "ref+vault://secret/data/app#/databaseurl") == (
        "`secret/data/app` in Vault has no field `databaseurl`; did you mean `database_url`?"
    )
    assert refusal(vault, "ref+vault://secret/data/none#/x").startswith("Vault has nothing at `secret/data/none`")
    vault.environ |= {"VAULT_TOKEN": "other"}
    assert refusal(vault, "ref+vault://secret/data/app#/port").startswith("Vault refuses to read `secret/data/app`")
    vault.environ.pop("VAULT_TOKEN")
    assert refusal(vault, "ref+vault://secret/data/app#/x").startswith("there is no token for Vault")
    vault.environ |= {"VAULT_TOKEN": "root", "VAULT_ADDR": "http://127.0.0.1:9"}
    with pytest.raises(OriginError) as error:
        read_value(reference("ref+vault://secret/data/app#/x"), vault.surroundings())
    assert error.value.unavailable


def test_surroundings_do_not_show_what_was_read() -> None:
    """Opened files stay out of representations."""
    surroundings = Surroundings(Path("/x"), {"PASSWORD": "hunter2"}, shared={"a": Plaintext(b"hunter2")})
    assert "hunter2" not in repr(surroundings)
    assert "shared" not in repr(surroundings)
