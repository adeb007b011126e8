"""Promises of status, reseal, verify, unseal and audit."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

import base64
import json
import subprocess
from pathlib import Path

import pytest

from envcompile import yamlio
from envcompile.errors import EnvcError
from envcompile.secrets.audit import audit
from envcompile.secrets.privatekeys import read_private_keys
from envcompile.secrets.readers import Consumer, readers
from envcompile.secrets.reseal import reseal
from envcompile.secrets.seal import Result, seal_environments
from envcompile.secrets.sealing import open_sealed
from envcompile.secrets.secret_set import SecretSet, gather
from envcompile.secrets.status import StatusRow, status
from envcompile.secrets.store import ValueId, parse_store, read_store
from envcompile.secrets.verify import as_manifests, unseal, verify
from tests.secrets.repository import (
    NOW,
    SECRET,
    USER_SERVICE,
    Repository,
    fingerprint,
    identity,
    key_pem,
    private_key,
    settings,
)
from tests.secrets.test_backends import sops_file


def seal(repository: Repository, secret_set: SecretSet | None = None) -> Result:
    """Seal what the repository declares."""
    secret_sets = [secret_set or repository.secret_set()]
    return seal_environments(secret_sets, surroundings=repository.surroundings(), identity=identity(), now=NOW)


def look(repository: Repository, secret_set: SecretSet | None = None) -> list[StatusRow]:
    """The status of one environment."""
    return status(
        secret_set or repository.secret_set(), surroundings=repository.surroundings(), identity=identity(), now=NOW
    )


def test_status_says_what_is_sealed_and_whether_the_source_changed(repository: Repository) -> None:
    """Missing, unchanged, changed, unverified, moved, undeclared."""
    assert [(row.state, row.note) for row in look(repository)] == [("missing", "is not sealed yet")] * 2
    seal(repository)
    assert [(row.state, row.source, row.is_current) for row in look(repository)] == [
        ("unchanged", "ref+env://API_KEY", True),
        ("unchanged", "ref+env://JWT_SECRET", True),
    ]
    repository.environ["API_KEY"] = "changed"
    repository.environ.pop("JWT_SECRET")
    assert [(row.state, row.note) for row in look(repository)] == [
        ("changed", ""),
        ("unverified", "the env var `JWT_SECRET` is not set"),
    ]
    wide = repository.secret_set(given=settings(scope="namespace-wide"))
    assert {(row.state, row.note) for row in look(repository, wide)} == {
        ("moved", "was sealed for production/user-service-secret (strict)")
    }
    only = repository.secret_set(USER_SERVICE.replace("  jwt_secret: ref+env://JWT_SECRET\n", ""))
    assert look(repository, only)[1][:4] == (
        "prod",
        ("production", "user-service-secret", "jwt_secret"),
        "undeclared",
        "no Secret declares it: `envc secrets seal` removes it",
    )


def test_ages_come_from_git_because_the_store_has_no_times(repository: Repository) -> None:
    """Days since the line was committed; 0 while it is not."""
    seal(repository)
    assert [row.age_days for row in look(repository)] == [None, None]
    repository.git("init")
    repository.git("add", "-A")
    repository.git("commit", "-m", "sealed", date="2026-05-01T12:00:00Z")
    assert [row.age_days for row in look(repository)] == [31, 31]
    repository.environ["API_KEY"] = "changed"
    seal(repository)
    assert [row.age_days for row in look(repository)] == [0, 31]


def test_reseal_changes_ciphertext_and_certificate_only(repository: Repository) -> None:
    """By default what is under another certificate; identities that are provenance stay, keyed ones get a new salt."""
    seal(repository)
    before = repository.store_text().splitlines()
    new = private_key(2048, 1)
    repository.certificate(key=new)
    secret_set = repository.secret_set(given=settings(pin=fingerprint(new)))
    surroundings = repository.surroundings()
    result = reseal(secret_set, surroundings=surroundings, identity=identity(), now=NOW)
    assert [row.action for row in result.rows] == ["sealed", "sealed"]
    after = repository.store_text().splitlines()
    changed = {new.split(":")[0].strip() for new, old in zip(after, before, strict=True) if new != old}
    assert changed == {"certificate", "identity", "sealed"}
    again = reseal(secret_set, surroundings=surroundings, identity=identity(), now=NOW)
    assert [row.action for row in again.rows] == ["kept", "kept"]
    assert again.changed == ()
    everything = reseal(secret_set, everything=True, surroundings=surroundings, identity=identity(), now=NOW)
    assert [row.action for row in everything.rows] == ["sealed", "sealed"]


def test_reseal_takes_values_from_a_private_key_when_sources_are_gone(repository: Repository) -> None:
    """Offline migration to another cluster: typed-in values too."""
    text = USER_SERVICE.replace("ref+env://API_KEY", "ref+prompt://")
    answers = repository.surroundings({"prod user-service-secret api_key": SECRET.decode()})
    seal_environments([repository.secret_set(text)], surroundings=answers, identity=identity(), now=NOW)
    new = private_key(2048, 1)
    repository.certificate(key=new)
    repository.environ.clear()
    secret_set = repository.secret_set(text, given=settings(pin=fingerprint(new)))
    surroundings = repository.surroundings()
    without = reseal(secret_set, surroundings=surroundings, identity=identity(), now=NOW)
    assert [(row.action, row.note) for row in without.rows] == [
        ("unverified", "it was typed in and is kept nowhere; give --private-key, or seal it with `envc secrets set`"),
        ("unverified", "the env var `JWT_SECRET` is not set; give --private-key, or seal it with `envc secrets set`"),
    ]
    result = reseal(secret_set, keys=[private_key()], surroundings=surroundings, identity=identity(), now=NOW)
    assert [row.action for row in result.rows] == ["sealed", "sealed"]
    record = next(iter(secret_set.store().records.values()))
    assert open_sealed([new], record.sealed, b"production/user-service-secret").reveal() == SECRET


def test_reseal_never_slips_a_changed_value_in(repository: Repository) -> None:
    """A change is sealed by `seal`, on purpose."""
    seal(repository)
    repository.environ["API_KEY"] = "changed"
    surroundings = repository.surroundings()
    result = reseal(repository.secret_set(), everything=True, surroundings=surroundings, identity=identity(), now=NOW)
    assert [(row.action, row.note) for row in result.rows] == [
        ("unverified", "changed at its source: run `envc secrets seal`"),
        ("sealed", ""),
    ]


def test_reseal_older_than_counts_from_the_commit(repository: Repository) -> None:
    """By git's dates."""
    seal(repository)
    repository.git("init")
    repository.git("add", "-A")
    repository.git("commit", "-m", "sealed", date="2026-03-01T12:00:00Z")
    surroundings = repository.surroundings()

    def actions(days: int) -> list[str]:
        rows = reseal(
            repository.secret_set(), older_than_days=days, surroundings=surroundings, identity=identity(), now=NOW
        ).rows
        return [row.action for row in rows]

    assert actions(120) == ["kept", "kept"]
    assert actions(90) == ["sealed", "sealed"]
    assert actions(90) == ["kept", "kept"]


def test_verify_finds_offline_what_can_be_known(repository: Repository) -> None:
    """Missing, foreign by length, fine; and with a private key whether it opens."""
    assert [check.note for check in verify(repository.secret_set())] == ["is declared but not sealed"] * 2
    seal(repository)
    assert [(check.is_good, check.note) for check in verify(repository.secret_set())] == [(True, "")] * 2
    assert [check.note for check in verify(repository.secret_set(), keys=[private_key()], identity=identity())] == [
        "opens"
    ] * 2
    foreign = verify(repository.secret_set(), keys=[private_key(2048, 1)])
    assert {(check.is_good, check.note) for check in foreign} == {
        (False, "none of the private keys opens it: another cluster's, or it was sealed for another name")
    }
    other = private_key(3072)
    text = repository.store_text().replace(fingerprint(), fingerprint(other))
    repository.write("overlays/prod/sealed.yaml", text)
    repository.certificate(key=other)
    assert {
        (check.is_good, check.note) for check in verify(repository.secret_set(given=settings(pin=fingerprint(other))))
    } == {
        (
            False,
            "cannot be opened by its cluster: its session key is wrapped for RSA-2048, the certificate is RSA-3072",
        )
    }


def test_verify_with_keys_finds_swapped_values(repository: Repository) -> None:
    """Nothing in a ciphertext names its key; the identity does."""
    seal(repository)
    store = repository.secret_set().store()
    first, second = store.records.values()
    text = (
        repository
        .store_text()
        .replace(first.sealed, "@")
        .replace(second.sealed, first.sealed)
        .replace("@", second.sealed)
    )
    repository.write("overlays/prod/sealed.yaml", text)
    checks = verify(repository.secret_set(), keys=[private_key()], identity=identity())
    assert {(check.is_good, check.note) for check in checks} == {
        (False, "opens, but is not the value its identity was made of")
    }


@pytest.mark.parametrize("form", ["PKCS#1", "PKCS#8", "Secret", "List", "several"])
def test_unseal_takes_every_form_of_private_key(repository: Repository, form: str) -> None:
    """PEM, the controller's backup, several keys."""
    seal(repository)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {"tls.key": base64.b64encode(key_pem()).decode(), "tls.crt": ""},
    }
    data = {
        "PKCS#1": key_pem(),
        "PKCS#8": key_pem(pkcs8=True),
        "Secret": yamlio.dump(secret).encode(),
        "List": json.dumps({"apiVersion": "v1", "kind": "List", "items": [secret]}).encode(),
        "several": key_pem(private_key(2048, 1)) + key_pem(),
    }[form]
    keys = read_private_keys(data, "backup")
    (opened,) = unseal(read_store(repository.root, "overlays/prod/sealed.yaml"), keys=keys)
    assert {key: value.reveal() for key, value in opened.values.items()} == {
        "api_key": SECRET,
        "jwt_secret": b"jwt in clear",
    }
    listed = json.loads(as_manifests([opened]).reveal())["items"][0]
    assert base64.b64decode(listed["data"]["api_key"]) == SECRET
    assert "correct" not in repr(opened)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file holds no private key"),
        (b"kind: ConfigMap\n", "the file holds no private key"),
        (b"key: 'hunter2\n", "the file is neither PEM nor YAML"),
        (
            b"-----BEGIN RSA PRIVATE KEY-----\naHVudGVyMg==\n-----END RSA PRIVATE KEY-----\n",
            "the private key cannot be read",
        ),
    ],
    ids=["empty", "no key", "broken", "damaged"],
)
def test_bad_private_keys_are_refused_without_a_word_of_them(data: bytes, message: str) -> None:
    """The file is all secret."""
    with pytest.raises(EnvcError) as error:
        read_private_keys(data, "backup")
    assert message in str(error.value)
    assert "hunter2" not in str(error.value)


def test_unseal_names_what_stays_closed(repository: Repository) -> None:
    """Another cluster's key."""
    seal(repository)
    with pytest.raises(EnvcError) as error:
        unseal(
            read_store(repository.root, "overlays/prod/sealed.yaml"),
            keys=[private_key(2048, 1)],
            names=["user-service-secret"],
        )
    assert str(error.value).startswith(
        "error: none of the private keys opens `production/user-service-secret/api_key`\n  --> overlays/prod/sealed.yaml:1:1"
    )


def test_audit_finds_copied_ciphertexts_wide_scopes_and_missing_pins(repository: Repository) -> None:
    """What a reviewer overlooks."""
    seal(repository, repository.secret_set(given=settings(scope="cluster-wide")))
    store = repository.secret_set().store()
    first, second = store.records.values()
    repository.write("overlays/prod/sealed.yaml", repository.store_text().replace(second.sealed, first.sealed))
    found = audit([repository.secret_set(given=settings(pin=None, scope="cluster-wide"))])
    assert [(one.rule, one.severity, one.id and one.id.key) for one in found] == [
        ("unpinned-certificate", "error", None),
        ("cluster-wide", "warning", "api_key"),
        ("cluster-wide", "warning", "jwt_secret"),
        ("copied-ciphertext", "error", "jwt_secret"),
    ]
    assert (
        found[3].note == "has the same ciphertext as production/user-service-secret/api_key of prod: somebody copied it"
    )


def test_no_digest_of_a_plaintext_is_in_the_store(repository: Repository) -> None:
    """Neither plain nor salted with what is public; and two seals of one value share no identity."""
    import hashlib

    repository.environ["JWT_SECRET"] = SECRET.decode()
    seal(repository)
    text = repository.store_text().lower()
    for name in ("md5", "sha1", "sha256", "sha512", "blake2b"):
        for prefix in (b"", b"production/user-service-secret/api_key", b"prod"):
            digest = hashlib.new(name, prefix + SECRET)
            assert digest.hexdigest()[:12] not in text
            assert base64.b64encode(digest.digest()).decode().lower()[:12] not in text
    records = list(repository.secret_set().store().records.values())
    assert records[0].identity.split(":")[2:] != records[1].identity.split(":")[2:]


def test_parallel_edits_merge_line_by_line(repository: Repository) -> None:
    """Two people seal neighbouring values on two branches; git merges without asking."""
    seal(repository)
    repository.git("init")
    repository.git("add", "-A")
    repository.git("commit", "-m", "base")
    repository.git("checkout", "-b", "other")
    repository.environ["API_KEY"] = "theirs"
    seal(repository)
    repository.git("commit", "-am", "theirs")
    repository.git("checkout", "main")
    repository.environ |= {"API_KEY": SECRET.decode(), "JWT_SECRET": "ours"}
    seal(repository)
    repository.git("commit", "-am", "ours")
    repository.git("merge", "other")
    store = parse_store(repository.store_text().encode(), "sealed.yaml")
    values = [
        open_sealed([private_key()], record.sealed, b"production/user-service-secret").reveal()
        for record in store.records.values()
    ]
    assert values == [b"theirs", b"ours"]


def test_a_literal_in_an_ignored_file_is_sealed_and_others_build_the_same(repository: Repository) -> None:
    """The solo developer's file: never tracked, and the store tells everybody else its shape."""
    from envcompile.secrets.resolve import resolve_secret, undeclared_secrets
    from tests.secrets.repository import where_in

    repository.git("init")
    repository.write(".gitignore", "*.local.yaml\n")
    text = USER_SERVICE.replace("ref+env://API_KEY", SECRET.decode()).replace("ref+env://JWT_SECRET", "jwt")
    file = "overlays/prod/secrets.local.yaml"
    secret_set = repository.secret_set(text, file=file)
    seal(repository, secret_set)
    assert repository.leaks() == [file]
    mine = resolve_secret(
        yamlio.load_all(text.encode(), file)[0],
        environment="prod",
        settings=settings(),
        store=secret_set.store(),
        where=where_in(text.encode(), file),
        ignored=lambda name: name == file,
    )
    theirs = undeclared_secrets(secret_set.store(), [], environment="prod", settings=settings())
    assert theirs == [mine]
    assert (
        undeclared_secrets(
            secret_set.store(), [("production", "user-service-secret")], environment="prod", settings=settings()
        )
        == []
    )
    (repository.root / file).unlink()
    elsewhere = repository.secret_set("{}", file="overlays/prod/other.yaml")
    assert seal(repository, elsewhere).changed == ()
    assert [row.state for row in look(repository, elsewhere)] == ["private", "private"]


def test_sops_values_are_followed_by_their_public_version(repository: Repository) -> None:
    """Sealed with the key, checked without it, sealed again when the `ENC[…]` text changes; only that one record."""
    content = sops_file(repository)
    text = USER_SERVICE.replace("ref+env://JWT_SECRET", "ref+sops://s.yaml#/app/password")
    seal(repository, repository.secret_set(text))
    record = repository.secret_set(text).store().records[ValueId("production", "user-service-secret", "jwt_secret")]
    assert record.identity.startswith("provenance:")
    assert open_sealed([private_key()], record.sealed, b"production/user-service-secret").reveal() == b"hunter2"
    repository.environ.pop("SOPS_AGE_KEY")
    rows = status(repository.secret_set(text), surroundings=repository.surroundings(), identity=None, now=NOW)
    assert [(row.id.key, row.state) for row in rows] == [("api_key", "unverified"), ("jwt_secret", "unchanged")]
    assert sops_file(repository)["app"] != content["app"]
    result = seal(repository, repository.secret_set(text))
    assert [(row.id.key, row.action, row.note) for row in result.rows] == [
        ("api_key", "kept", ""),
        ("jwt_secret", "sealed", "changed"),
    ]


def test_harmless_values_of_an_ignored_file_reach_everybody(repository: Repository) -> None:
    """The store has them in clear, as the manifests will."""
    from envcompile.secrets.resolve import resolve_secret, undeclared_secrets
    from tests.secrets.repository import where_in

    repository.git("init")
    repository.write(".gitignore", "*.local.yaml\n")
    text = USER_SERVICE.replace("ref+env://JWT_SECRET", "'{{ x }}'").replace(
        "type:",
        '  annotations: {envcompile.dev/plaintext: jwt_secret, sealedsecrets.bitnami.com/managed: "true"}\ntype:',
    )
    file = "overlays/prod/secrets.local.yaml"
    data = text.encode()
    secret_set = repository.secret_set(text, file=file)
    composed = [secret_set.resources[0]._replace(sources=(file,))]
    secret_set = gather(repository.root, "prod", settings(), composed, lambda name: name == file)
    seal(repository, secret_set)
    mine = resolve_secret(
        yamlio.load_all(data, file)[0],
        environment="prod",
        settings=settings(),
        store=secret_set.store(),
        where=where_in(data, file),
        ignored=lambda name: name == file,
        sources=(file,),
    )
    assert mine["spec"]["template"]["data"] == {"jwt_secret": '{{ "{{" }} x }}'}
    assert undeclared_secrets(secret_set.store(), [], environment="prod", settings=settings()) == [mine]


def test_a_git_tracked_literal_is_refused_though_an_ignore_rule_matches(repository: Repository) -> None:
    """Tracked is tracked."""
    repository.git("init")
    repository.write(".gitignore", "*.local.yaml\n")
    text = USER_SERVICE.replace("ref+env://API_KEY", SECRET.decode())
    repository.write("overlays/prod/secrets.local.yaml", text)
    repository.git("add", "-f", "overlays/prod/secrets.local.yaml")
    with pytest.raises(EnvcError, match="`api_key` is written in clear"):
        repository.secret_set(text, file="overlays/prod/secrets.local.yaml")


def test_readers_of_a_secret_are_found_wherever_kubernetes_names_one() -> None:
    """Env, envFrom, volumes, projected volumes, pull secrets, TLS of an Ingress."""
    spec = yamlio.load_all(
        b"""
imagePullSecrets: [{name: pull}]
containers:
- name: a
  envFrom: [{secretRef: {name: all}}]
  env: [{name: X, valueFrom: {secretKeyRef: {name: db, key: password}}}]
volumes:
- secret: {secretName: vol, items: [{key: k, path: p}]}
- projected: {sources: [{secret: {name: proj}}]}
""",
        "f",
    )[0]
    pods = {"kind": "Deployment", "metadata": {"name": "d", "namespace": "prod"}, "spec": {"template": {"spec": spec}}}
    ingress = {
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "prod"},
        "spec": {"tls": [{"secretName": "tls"}]},
    }
    resources = [pods, ingress]
    assert readers(resources, "prod", "db") == [Consumer("Deployment", "d", ("password",))]
    assert readers(resources, "prod", "db", "other") == []
    assert readers(resources, "prod", "vol") == [Consumer("Deployment", "d", ("k",))]
    for name in ("all", "proj", "pull"):
        assert readers(resources, "prod", name) == [Consumer("Deployment", "d", ())]
    assert readers(resources, "prod", "tls") == [Consumer("Ingress", "i", ())]
    assert readers(resources, "other", "db") == []


def test_a_build_imports_no_cryptography() -> None:
    """Start-up: resolving, references and the store need no heavy library."""
    program = (
        "import sys; import envcompile.secrets, envcompile.secrets.committed_sealed, envcompile.secrets.store; "
        "print([name for name in ('cryptography', 'typer', 'rich', 'ssl', 'pyrage', 'subprocess') if name in sys.modules])"
    )
    import sys

    root = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert answer.stdout == "[]\n"


def test_identity_keys_are_kept_from_others(tmp_path: Path) -> None:
    """Made with 0600, refused when others can read it, refused when short."""
    from envcompile.secrets.identity import create_identity, load_identity

    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert load_identity(environ) is None
    made = create_identity(environ)
    assert made is not None
    assert made[1].stat().st_mode & 0o777 == 0o600
    loaded = load_identity(environ)
    assert loaded is not None
    assert loaded.name == made[0].name
    assert repr(loaded) == "IdentityKey()"
    made[1].chmod(0o644)
    with pytest.raises(EnvcError, match="others can read the identity key"):
        load_identity(environ)
    with pytest.raises(EnvcError) as error:
        load_identity({"ENVC_IDENTITY_KEY": "short"})
    assert str(error.value) == (
        "error: the identity key in $ENVC_IDENTITY_KEY has fewer than 32 characters\n"
        "hint: make one with `openssl rand -hex 32`; a short key lets others guess short secrets"
    )
    assert create_identity({}) is None
