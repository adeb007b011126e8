"""Promises of `envc secrets seal` and `set`, and of what a build makes of the result."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest

from envcompile import yamlio
from envcompile.errors import EnvcError, UsageError
from envcompile.secrets.ciphertext import label
from envcompile.secrets.identity import IdentityKey
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.resolve import resolve_secret
from envcompile.secrets.seal import Result, generate, seal_environments, set_value, text_value
from envcompile.secrets.sealing import open_sealed
from envcompile.secrets.secret_set import SecretSet
from envcompile.secrets.store import ValueId
from tests.secrets.repository import (
    NOW,
    SECRET,
    USER_SERVICE,
    Repository,
    certificate_pem,
    fingerprint,
    identity,
    private_key,
    settings,
    unseal_object,
    where_in,
)


def seal(
    repository: Repository, *secret_sets: SecretSet, names: tuple[str, ...] = (), key: IdentityKey | None = None
) -> Result:
    """Seal with a ready identity key and nobody to ask."""
    given = key or identity()
    return seal_environments(secret_sets, names, surroundings=repository.surroundings(), identity=given, now=NOW)


def build(repository: Repository, text: str = USER_SERVICE, secret_set: SecretSet | None = None) -> str:
    """What a build puts into the manifests."""
    secret_set = secret_set or repository.secret_set(text)
    value = yamlio.load_all(text.encode(), "f")[0]
    where = where_in(text.encode(), "overlays/prod/secrets.yaml")
    return yamlio.dump(
        resolve_secret(value, environment="prod", settings=secret_set.settings, store=secret_set.store(), where=where)
    )


def test_sealed_values_open_with_the_clusters_key(repository: Repository) -> None:
    """Seal, build, and unseal what was built as the controller does."""
    result = seal(repository, repository.secret_set())
    assert [(row.id.key, row.action) for row in result.rows] == [("api_key", "sealed"), ("jwt_secret", "sealed")]
    assert result.changed == ("overlays/prod/sealed.yaml",)
    built = yamlio.load_all(build(repository).encode(), "built")[0]
    opened = unseal_object(built, [private_key()])
    assert {key: value.reveal() for key, value in opened.values.items()} == {
        "api_key": SECRET,
        "jwt_secret": b"jwt in clear",
    }


def test_the_store_holds_one_sorted_record_a_value(repository: Repository) -> None:
    """The format of `sealed.yaml`, whole, but for what is random."""
    seal(repository, repository.secret_set())
    content = yamlio.load_all(repository.store_text().encode(), "sealed.yaml")[0]
    assert list(content) == ["production/user-service-secret/api_key", "production/user-service-secret/jwt_secret"]
    record = content["production/user-service-secret/api_key"]
    assert list(record) == ["sealed_for", "certificate", "identity", "sealed"]
    assert record["sealed_for"] == {"scope": "strict", "namespace": "production", "name": "user-service-secret"}
    assert record["certificate"] == fingerprint()
    assert repository.store_text().startswith("# Sealed values, written by `envc secrets`: ciphertext only")


def test_no_change_writes_nothing(repository: Repository) -> None:
    """A second seal keeps every byte, and does not touch the file."""
    seal(repository, repository.secret_set())
    store = repository.root / "overlays/prod/sealed.yaml"
    before = (store.read_bytes(), store.stat().st_mtime_ns, store.stat().st_ino)
    result = seal(repository, repository.secret_set())
    assert [row.action for row in result.rows] == ["kept", "kept"]
    assert result.changed == ()
    assert (store.read_bytes(), store.stat().st_mtime_ns, store.stat().st_ino) == before


def test_one_changed_value_changes_one_record_and_one_line_of_output(repository: Repository) -> None:
    """Everything else stays byte for byte."""
    seal(repository, repository.secret_set())
    store_before, built_before = repository.store_text().splitlines(), build(repository).splitlines()
    repository.environ["API_KEY"] = "a new value"
    result = seal(repository, repository.secret_set())
    assert [(row.id.key, row.action, row.note) for row in result.rows] == [
        ("api_key", "sealed", "changed"),
        ("jwt_secret", "kept", ""),
    ]
    changed = [line for line in repository.store_text().splitlines() if line not in store_before]
    assert [line.split(":")[0].strip() for line in changed] == ["identity", "sealed"]
    built = build(repository).splitlines()
    assert len(built) == len(built_before)
    assert [new.split(":")[0].strip() for new, old in zip(built, built_before, strict=True) if new != old] == [
        "api_key"
    ]


def test_two_builds_are_byte_identical_without_any_key_or_source(repository: Repository) -> None:
    """Somebody without access builds the same bytes."""
    seal(repository, repository.secret_set())
    first = build(repository)
    repository.environ.clear()
    (repository.root / "overlays/prod/sealed-secrets.pem").unlink()
    assert build(repository) == first


def test_the_sealed_object_is_what_the_controller_expects(repository: Repository) -> None:
    """Shape of the object: allow-listed metadata, template, no creationTimestamp, no status, scope twice."""
    text = """\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: prod
  uid: 0000
  creationTimestamp: null
  managedFields: []
  ownerReferences: []
  labels: {app: db}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"stringData": {"password": "leaked"}}'
    argocd.argoproj.io/sync-wave: "-1"
    sealedsecrets.bitnami.com/managed: "true"
    note: kept
    envcompile.dev/plaintext: user
type: Opaque
immutable: true
stringData:
  user: '{{ admin }}'
  password: ref+env://API_KEY
"""
    secret_set = repository.secret_set(text, given=settings(scope="namespace-wide"))
    seal(repository, secret_set)
    built = yamlio.load_all(build(repository, text, secret_set).encode(), "built")[0]
    sealed = built["spec"]["encryptedData"].pop("password")
    assert open_sealed([private_key()], sealed, label("namespace-wide", "prod", "db")).reveal() == SECRET
    assert built == {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {
            "name": "db",
            "namespace": "prod",
            "labels": {"app": "db"},
            "annotations": {
                "argocd.argoproj.io/sync-wave": "-1",
                "note": "kept",
                "sealedsecrets.bitnami.com/namespace-wide": "true",
            },
        },
        "spec": {
            "encryptedData": {},
            "template": {
                "metadata": {
                    "name": "db",
                    "namespace": "prod",
                    "labels": {"app": "db"},
                    "annotations": {
                        "note": "kept",
                        "sealedsecrets.bitnami.com/managed": "true",
                        "sealedsecrets.bitnami.com/namespace-wide": "true",
                    },
                },
                "type": "Opaque",
                "immutable": True,
                "data": {"user": '{{ "{{" }} admin }}'},
            },
        },
    }


def test_a_renewed_certificate_keeps_every_value(repository: Repository) -> None:
    """Old keys stay valid, so a renewal makes no noise; new values take the new certificate."""
    seal(repository, repository.secret_set())
    before = repository.store_text()
    repository.certificate(key=private_key(2048, 1))
    given = settings(pin=fingerprint(private_key(2048, 1)))
    assert seal(repository, repository.secret_set(given=given)).changed == ()
    assert repository.store_text() == before
    repository.environ["API_KEY"] = "new"
    seal(repository, repository.secret_set(given=given))
    store = repository.secret_set(given=given).store()
    used = {id_.key: record.certificate for id_, record in store.records.items()}
    assert used == {"api_key": fingerprint(private_key(2048, 1)), "jwt_secret": fingerprint()}


def test_without_an_identity_key_sealed_values_are_kept_and_said_to_be_unverified(repository: Repository) -> None:
    """Never silently resealed."""
    surroundings = repository.surroundings()
    seal_environments([repository.secret_set()], surroundings=surroundings, identity=None, now=NOW)
    repository.environ["API_KEY"] = "changed"
    result = seal_environments([repository.secret_set()], surroundings=surroundings, identity=None, now=NOW)
    assert [(row.action, row.note) for row in result.rows] == [
        ("unverified", "it was sealed without an identity key"),
        ("unverified", "it was sealed without an identity key"),
    ]
    assert "identity" not in repository.store_text()


def test_somebody_elses_identity_key_is_not_a_change(repository: Repository) -> None:
    """A record made with another key cannot be verified, which is not the same as changed."""
    seal(repository, repository.secret_set())
    result = seal(repository, repository.secret_set(), key=identity("1" * 64))
    assert {(row.action, row.note) for row in result.rows} == {
        ("unverified", "it was sealed with another identity key")
    }
    assert result.changed == ()


def test_an_unset_env_var_keeps_what_is_sealed(repository: Repository) -> None:
    """A value that was sealed once needs its source only to change."""
    seal(repository, repository.secret_set())
    repository.environ.clear()
    result = seal(repository, repository.secret_set())
    assert [(row.action, row.note) for row in result.rows] == [
        ("unverified", "the env var `API_KEY` is not set"),
        ("unverified", "the env var `JWT_SECRET` is not set"),
    ]


def test_values_that_cannot_be_read_are_all_reported_and_nothing_is_written(repository: Repository) -> None:
    """Every missing source at once, with its place."""
    repository.environ.pop("API_KEY")
    repository.environ["JWT_SECRET"] = ""
    text = USER_SERVICE + "  cert: ref+file://missing.pem\n  odd: ref+valt://x#/y\n"
    with pytest.raises(EnvcError) as error:
        seal(repository, repository.secret_set(text))
    assert (
        str(error.value)
        == """\
error: environment prod: Secret/user-service-secret: the value of `api_key` cannot be read: the env var `API_KEY` is not set
  --> overlays/prod/secrets.yaml:8:12
hint: export it for this one command: `API_KEY=… envc secrets seal …`

error: environment prod: Secret/user-service-secret: the value of `cert` cannot be read: the file `missing.pem` does not exist
  --> overlays/prod/secrets.yaml:10:9
hint: create it, or correct the reference

error: environment prod: Secret/user-service-secret: the value of `odd` cannot be read: nothing reads references of the scheme `valt`
  --> overlays/prod/secrets.yaml:11:8
hint: did you mean `vault`?"""
    )
    assert not (repository.root / "overlays/prod/sealed.yaml").exists()


def test_one_command_seals_for_every_environment_with_its_own_certificate(repository: Repository) -> None:
    """Each environment's values open with its own key only."""
    other = private_key(2048, 1)
    repository.certificate("dev", other)
    secret_sets = [
        repository.secret_set(),
        repository.secret_set(environment="dev", given=settings(pin=fingerprint(other))),
    ]
    result = seal(repository, *secret_sets)
    assert result.changed == ("overlays/prod/sealed.yaml", "overlays/dev/sealed.yaml")
    for secret_set, key in zip(secret_sets, (private_key(), other), strict=True):
        record = secret_set.store().records[ValueId("production", "user-service-secret", "api_key")]
        assert open_sealed([key], record.sealed, b"production/user-service-secret").reveal() == SECRET


def test_a_fault_in_one_environment_writes_none(repository: Repository) -> None:
    """All or nothing."""
    secret_sets = [repository.secret_set(), repository.secret_set(environment="dev")]
    with pytest.raises(EnvcError, match="environment dev has no sealing certificate"):
        seal(repository, *secret_sets)
    assert not (repository.root / "overlays/prod/sealed.yaml").exists()


def test_removed_keys_are_pruned(repository: Repository) -> None:
    """A key that is declared no more loses its record."""
    seal(repository, repository.secret_set())
    result = seal(repository, repository.secret_set(USER_SERVICE.replace("  jwt_secret: ref+env://JWT_SECRET\n", "")))
    assert [(row.id.key, row.action) for row in result.rows] == [("api_key", "kept"), ("jwt_secret", "removed")]
    assert "jwt_secret" not in repository.store_text()


def test_sealing_one_secret_leaves_the_others_alone(repository: Repository) -> None:
    """Names limit what is looked at."""
    text = USER_SERVICE + "---\n" + USER_SERVICE.replace("user-service-secret", "other")
    result = seal(repository, repository.secret_set(text), names=("other",))
    assert {row.id.name for row in result.rows} == {"other"}


def test_an_unknown_name_is_wrong_usage_with_the_nearest_names(repository: Repository) -> None:
    """Did you mean."""
    with pytest.raises(UsageError) as error:
        seal(repository, repository.secret_set(), names=("user-service-secrets",))
    assert str(error.value) == (
        "error: environment prod has no Secret `user-service-secrets`\nhint: did you mean `user-service-secret`?"
    )


def test_set_takes_a_value_whatever_the_source_says(repository: Repository) -> None:
    """Intent is a change; the note says what the next seal will do."""
    result = set_value(
        repository.secret_set(), "user-service-secret", "api_key", Plaintext(b"typed"), identity=identity(), now=NOW
    )
    assert result.rows[0].note == (
        "declared as ref+env://API_KEY: the next `envc secrets seal` takes the value from there when it differs"
    )
    store = repository.secret_set().store()
    record = store.records[ValueId("production", "user-service-secret", "api_key")]
    assert open_sealed([private_key()], record.sealed, b"production/user-service-secret").reveal() == b"typed"


def test_set_of_an_undeclared_key_is_wrong_usage(repository: Repository) -> None:
    """A typo must not make a record."""
    with pytest.raises(UsageError) as error:
        set_value(repository.secret_set(), "user-service-secret", "apikey", Plaintext(b"x"), identity=None, now=NOW)
    assert (
        str(error.value)
        == """\
error: environment prod: Secret/user-service-secret has no key `apikey` to seal
  --> overlays/prod/secrets.yaml:1:1
hint: did you mean `api_key`?"""
    )


def test_a_prompted_value_is_asked_for_once(repository: Repository) -> None:
    """The question names environment, Secret and key; the next seal does not ask again."""
    text = USER_SERVICE.replace("ref+env://API_KEY", "ref+prompt://")
    surroundings = repository.surroundings({"prod user-service-secret api_key": "typed"})
    seal_environments([repository.secret_set(text)], surroundings=surroundings, identity=identity(), now=NOW)
    again = seal_environments([repository.secret_set(text)], surroundings=surroundings, identity=identity(), now=NOW)
    assert repository.asked == ["prod user-service-secret api_key"]
    assert (again.rows[0].action, again.rows[0].note) == ("unverified", "it was typed in and is kept nowhere")


def test_a_prompted_value_without_anybody_names_the_command(repository: Repository) -> None:
    """In CI nobody answers."""
    with pytest.raises(EnvcError) as error:
        seal(repository, repository.secret_set(USER_SERVICE.replace("ref+env://API_KEY", "ref+prompt://")))
    assert (
        str(error.value)
        == """\
error: environment prod: Secret/user-service-secret: the value of `api_key` cannot be read: it is asked for, and nobody is here to answer
  --> overlays/prod/secrets.yaml:8:12
hint: run `envc secrets set prod user-service-secret api_key` with the value on stdin"""
    )


def test_generated_values_are_long_and_new() -> None:
    """Random letters and digits; short ones are refused."""
    first, second = generate(32), generate(32)
    assert first.size == 32
    assert first != second
    with pytest.raises(UsageError, match="8 characters can be guessed"):
        generate(8)


def test_a_newline_on_stdin_is_part_of_the_value_unless_asked_otherwise() -> None:
    """The classic trap is a warning with its switch."""
    value, warnings = text_value(b"secret\n", strip_newline=False)
    assert value.reveal() == b"secret\n"
    assert warnings == (
        "the value ends with a newline, which becomes part of the secret; --strip-newline takes it off",
    )
    assert text_value(b"secret\r\n", strip_newline=True)[0].reveal() == b"secret"
    with pytest.raises(UsageError, match="UTF-16"):
        text_value("secret".encode("utf-16"), strip_newline=False)


def test_a_certificate_must_be_pinned(repository: Repository) -> None:
    """Whoever can change the file must not receive secrets."""
    with pytest.raises(EnvcError) as error:
        seal(repository, repository.secret_set(given=settings(pin=None)))
    assert (
        str(error.value)
        == f"""\
error: environment prod: the certificate is not pinned, so whoever can change the file would receive the next secrets
  --> overlays/prod/sealed-secrets.pem:1:1
hint: compare it with the cluster's, then write `sealing: {{fingerprint: {fingerprint()}}}` in \
overlays/prod/environment.yaml, or let `envc secrets fetch-cert prod` do it"""
    )


def test_a_build_without_a_fault_looks_up_no_place(repository: Repository) -> None:
    """Places cost a second look at the source, so only errors ask for them."""
    seal(repository, repository.secret_set())
    value = yamlio.load_all(USER_SERVICE.encode(), "f")[0]

    def where(_: object) -> NoReturn:
        raise AssertionError("nobody needs a place")

    resolve_secret(value, environment="prod", settings=settings(), store=repository.secret_set().store(), where=where)


def test_no_representation_of_what_is_worked_on_shows_a_value(repository: Repository) -> None:
    """Debuggers, logs and crash reports that print a secret_set or a declaration stay clean."""
    repository.git("init")
    repository.write(".gitignore", "*.local.yaml\n")
    text = USER_SERVICE.replace("ref+env://API_KEY", SECRET.decode()).replace(
        "type:", f"  annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{SECRET.decode()}'}}\ntype:"
    )
    secret_set = repository.secret_set(text, file="overlays/prod/secrets.local.yaml")
    for shown in (secret_set, secret_set.declarations, secret_set.resources, repository.surroundings()):
        assert SECRET.decode() not in repr(shown)


def test_plaintext_is_nowhere_after_sealing(repository: Repository) -> None:
    """Neither in the store nor in any other file."""
    seal(repository, repository.secret_set())
    build(repository)
    assert repository.leaks() == []


_ENDLESS = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from typing import NoReturn
from tests.secrets.repository import *
from envcompile.secrets.seal import seal_environments
repository = Repository(Path({folder!r}), {{"API_KEY": "", "JWT_SECRET": "correct horse battery staple"}})
number = 0
while True:
    number += 1
    repository.environ["API_KEY"] = "correct horse battery staple " + str(number)
    secret_set = repository.secret_set()
    seal_environments([secret_set], surroundings=repository.surroundings(), identity=identity(), now=NOW)
    if number == 1:
        print("ready", flush=True)
"""


@pytest.mark.slow
def test_a_kill_during_seal_leaves_a_whole_store_and_no_plaintext(repository: Repository) -> None:
    """SIGKILL at many moments: the store is the old one or the new one, and nothing in clear lies about."""
    root = str(Path(__file__).parents[2])
    script = _ENDLESS.format(root=root, folder=str(repository.root))
    # The child must seal with this process's key, whose certificate is pinned: hand it over in a file of its own.
    (repository.root / "overlays/prod/sealed-secrets.pem").write_bytes(certificate_pem())
    script = script.replace(
        "secret_set = repository.secret_set()",
        f"secret_set = repository.secret_set(given=settings(pin={fingerprint()!r}))",
    )
    for moment in (0.0, 0.003, 0.007, 0.013, 0.021):
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(moment)
            os.kill(child.pid, signal.SIGKILL)
        store = repository.secret_set().store()
        assert set(store.records) == {
            ValueId("production", "user-service-secret", "api_key"),
            ValueId("production", "user-service-secret", "jwt_secret"),
        }
        for record in store.records.values():
            opened = open_sealed([private_key()], record.sealed, b"production/user-service-secret")
            assert opened.reveal().startswith(SECRET)
        assert repository.leaks() == []
