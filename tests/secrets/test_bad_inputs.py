"""The table of bad inputs: each row gives the answer that is due, whole, and writes nothing."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from envcompile import yamlio
from envcompile.errors import EnvcError, UsageError
from envcompile.secrets.audit import audit
from envcompile.secrets.committed_sealed import check_sealed_secret
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.resolve import refused_changes, resolve_secret
from envcompile.secrets.seal import seal_environments, set_value
from tests.secrets.repository import (
    NOW,
    SECRET,
    USER_SERVICE,
    Repository,
    certificate_pem,
    fingerprint,
    identity,
    key_pem,
    private_key,
    settings,
    where_in,
)

FILE = "overlays/prod/secrets.yaml"


def sealing(repository: Repository, text: str = USER_SERVICE, **given: Any) -> str:
    """The whole message that sealing ends with; nothing may have been written."""
    before = repository.files()
    with pytest.raises(EnvcError) as error:
        sealed(repository, text, **given)
    after = repository.files()
    assert {name: data for name, data in after.items() if name != FILE} == {
        name: data for name, data in before.items() if name != FILE
    }
    message = str(error.value)
    assert SECRET.decode() not in message
    return message


def sealed(repository: Repository, text: str = USER_SERVICE, **given: Any) -> tuple[str, ...]:
    """Seal and give the warnings."""
    secret_set = repository.secret_set(text, given=settings(**given))
    return seal_environments(
        [secret_set], surroundings=repository.surroundings(), identity=identity(), now=NOW
    ).warnings


def building(repository: Repository, text: str = USER_SERVICE, **given: Any) -> str:
    """The whole message that a build ends with."""
    with pytest.raises(EnvcError) as error:
        built(repository, text, **given)
    assert SECRET.decode() not in str(error.value)
    return str(error.value)


def built(repository: Repository, text: str = USER_SERVICE, **given: Any) -> object:
    """What a build makes."""
    from envcompile.secrets.store import read_store

    data = text.encode()
    store = read_store(repository.root, "overlays/prod/sealed.yaml")
    return resolve_secret(
        yamlio.load_all(data, FILE)[0],
        environment="prod",
        settings=settings(**given),
        store=store,
        where=where_in(data, FILE),
    )


def secret(*lines: str, kind: str = "Opaque", annotations: str = "") -> str:
    """A Secret with these lines under `stringData`."""
    extra = f"  annotations: {annotations}\n" if annotations else ""
    values = "".join(f"  {line}\n" for line in lines)
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: prod\n{extra}type: {kind}\n"
        f"stringData:\n{values}"
    )


PEM = "overlays/prod/sealed-secrets.pem"


def test_row_1_an_expired_certificate_is_refused(repository: Repository) -> None:
    """Date, fingerprint and how to refresh."""
    repository.write(PEM, certificate_pem(start=NOW - timedelta(days=10), days=9))
    assert (
        sealing(repository)
        == f"""\
error: the certificate expired on 2026-05-31 ({fingerprint()})
  --> {PEM}:1:1
hint: fetch the cluster's present one with `envc secrets fetch-cert ENV --accept`"""
    )


def test_row_2_a_certificate_of_the_future_is_refused(repository: Repository) -> None:
    """Kubeseal would take it."""
    repository.write(PEM, certificate_pem(start=NOW + timedelta(days=2)))
    assert (
        sealing(repository)
        == f"""\
error: the certificate is not valid before 2026-06-03 ({fingerprint()})
  --> {PEM}:1:1
hint: check this machine's clock, or fetch the one in use with `envc secrets fetch-cert ENV --accept`"""
    )


def test_row_3_an_old_certificate_is_a_warning(repository: Repository) -> None:
    """The controller renews every 30 days."""
    repository.write(PEM, certificate_pem(private_key(3072), start=NOW - timedelta(days=200)))
    assert sealed(repository, pin=fingerprint(private_key(3072))) == (
        (
            f"{PEM}: the certificate is 200 days old and the controller renews its key every 30 days: a newer one probably "
            "exists (`envc secrets fetch-cert ENV`)"
        ),
    )


@pytest.mark.parametrize(
    ("key", "name"),
    [(ec.generate_private_key(ec.SECP256R1()), "EC P-256"), (ed25519.Ed25519PrivateKey.generate(), "Ed25519")],
    ids=["EC", "Ed25519"],
)
def test_row_4_a_key_that_is_not_rsa_is_refused(repository: Repository, key: object, name: str) -> None:
    """Named, without its numbers."""
    pem = key.public_key().public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    repository.write(PEM, pem)
    assert (
        sealing(repository)
        == f"""\
error: a sealing certificate needs an RSA key, this one has {name}
  --> {PEM}:1:1
hint: take the certificate of the sealed-secrets controller: `envc secrets fetch-cert ENV`"""
    )


def test_row_5_a_short_key_is_refused_and_a_modest_one_a_warning(repository: Repository) -> None:
    """Below 2048 bits an error, below 3072 a warning."""
    repository.write(PEM, certificate_pem(private_key(1024)))
    assert (
        sealing(repository, pin=fingerprint(private_key(1024)))
        == f"""\
error: the certificate's key has 1024 bits; at least 2048 are needed
  --> {PEM}:1:1
hint: start the controller with --key-size=4096, let it renew its key, then run `envc secrets fetch-cert ENV --accept`"""
    )
    repository.certificate()
    assert sealed(repository) == (f"{PEM}: the certificate's key has 2048 bits; 3072 or more are advised",)


def test_row_6_several_certificates_are_listed_and_the_pin_chooses(repository: Repository) -> None:
    """Never the first one silently."""
    other = private_key(3072)
    repository.write(PEM, certificate_pem(private_key()) + certificate_pem(other))
    lines = certificate_pem(private_key()).count(b"\n") + 1
    assert (
        sealing(repository, pin=None)
        == f"""\
error: the file holds 2 certificates
  --> {PEM}:1:1
  --> {PEM}:{lines}:1
      found {fingerprint()} (RSA-2048, valid 2026-05-31 to 2036-05-28)
      found {fingerprint(other)} (RSA-3072, valid 2026-05-31 to 2036-05-28)
hint: keep one, or choose it by `sealing: {{fingerprint: sha256:…}}` in environment.yaml"""
    )
    assert sealed(repository, pin=fingerprint(other)) == ()
    record = next(iter(repository.secret_set().store().records.values()))
    assert record.certificate == fingerprint(other)


def test_row_6_another_certificate_than_the_pinned_is_refused(repository: Repository) -> None:
    """Somebody may have changed the file."""
    pin = "sha256:" + "0" * 64
    assert (
        sealing(repository, pin=pin)
        == f"""\
error: the certificate is not the pinned one: pinned is {pin}
  --> {PEM}:1:1
      found {fingerprint()} (RSA-2048, valid 2026-05-31 to 2036-05-28)
hint: if the cluster's key was renewed, take the new one with `envc secrets fetch-cert ENV --accept`; if not, somebody \
changed the file"""
    )


def test_row_7_a_private_key_in_the_certificate_file_is_refused_loudly(repository: Repository) -> None:
    """Its place, and what to do when it was ever committed; never the key."""
    repository.write(PEM, certificate_pem() + key_pem())
    lines = certificate_pem().count(b"\n") + 1
    message = sealing(repository)
    assert (
        message
        == f"""\
error: a private key is in the certificate file
  --> {PEM}:{lines}:1
hint: whoever has this file can read every secret sealed for it: remove the key, and if it was ever committed, renew it on \
the cluster and list what to rotate with `envc secrets audit --compromised FINGERPRINT`"""
    )


def test_row_7_a_bare_public_key_needs_a_pin(repository: Repository) -> None:
    """Then it is taken."""
    pem = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    repository.write(PEM, pem)
    assert (
        sealing(repository, pin=None)
        == f"""\
error: a bare public key says nothing of who made it
  --> {PEM}:1:1
hint: if you trust it, pin it: `sealing: {{fingerprint: {fingerprint()}}}` in environment.yaml"""
    )
    sealed(repository)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_row_7_utf_16_is_told_apart(repository: Repository, encoding: str) -> None:
    """PowerShell's habit."""
    repository.write(PEM, certificate_pem().decode().encode(encoding))
    assert (
        sealing(repository)
        == f"""\
error: the certificate is saved as UTF-16
  --> {PEM}:1:1
hint: save it as plain ASCII; in PowerShell: `… | Out-File -Encoding ascii`"""
    )


def test_row_7_windows_line_ends_are_fine(repository: Repository) -> None:
    """CRLF is no fault."""
    repository.write(PEM, certificate_pem().replace(b"\n", b"\r\n"))
    sealed(repository)


def test_row_7_no_certificate_at_all(repository: Repository) -> None:
    """An empty file and a missing one name the command."""
    repository.write(PEM, "nothing")
    assert (
        sealing(repository)
        == f"""\
error: the file holds no PEM certificate
  --> {PEM}:1:1
hint: fetch the cluster's certificate with `envc secrets fetch-cert ENV`"""
    )
    (repository.root / PEM).unlink()
    assert (
        sealing(repository)
        == f"""\
error: environment prod has no sealing certificate
  --> {PEM}:1:1
hint: fetch it: `envc secrets fetch-cert prod`"""
    )


def test_row_8_a_secret_without_namespace_is_refused(repository: Repository) -> None:
    """Never `default` silently."""
    text = USER_SERVICE.replace("  namespace: production\n", "")
    expected = f"""\
error: environment prod: Secret/user-service-secret has no namespace
  --> {FILE}:1:1
hint: set `namespace:` in overlays/prod/environment.yaml; a sealed value is bound to it"""
    assert sealing(repository, text) == expected
    assert building(repository, text) == expected


def test_row_8_a_secret_without_a_fixed_name_is_refused(repository: Repository) -> None:
    """Nobody knows the name before the API server has chosen it."""
    text = USER_SERVICE.replace("  name: user-service-secret\n", "  generateName: user-service-\n")
    expected = f"""\
error: environment prod: Secret/user-service- has no name but a generateName
  --> {FILE}:4:17
hint: write `name:`; a sealed value is bound to it"""
    assert sealing(repository, text) == expected
    assert building(repository, text) == expected


def test_row_8_a_value_that_is_not_sealed_names_the_command(repository: Repository) -> None:
    """One for each source."""
    text = USER_SERVICE.replace("ref+env://JWT_SECRET", "ref+prompt://")
    assert (
        building(repository, text)
        == f"""\
error: environment prod: Secret/user-service-secret: `api_key` has no sealed value in overlays/prod/sealed.yaml
  --> {FILE}:8:12
hint: run `envc secrets seal prod user-service-secret`

error: environment prod: Secret/user-service-secret: `jwt_secret` has no sealed value in overlays/prod/sealed.yaml
  --> {FILE}:9:15
hint: run `envc secrets set prod user-service-secret jwt_secret`"""
    )


def test_row_8_a_namespace_changed_after_sealing_is_an_error_at_build(repository: Repository) -> None:
    """Naming what it was sealed for."""
    sealed(repository)
    text = USER_SERVICE.replace("namespace: production", "namespace: staging").replace(
        "  jwt_secret: ref+env://JWT_SECRET\n", ""
    )
    assert (
        building(repository, text)
        == f"""\
error: environment prod: Secret/user-service-secret: `api_key` has no sealed value, but production/user-service-secret \
has one; a sealed value does not follow when name or namespace change
  --> {FILE}:8:12
hint: run `envc secrets seal prod user-service-secret`"""
    )


def test_row_8_a_record_edited_to_another_name_is_an_error_at_build(repository: Repository) -> None:
    """The title of a record proves nothing; what it was sealed for does."""
    sealed(repository)
    text = repository.store_text().replace("production/user-service-secret/", "production/renamed/")
    repository.write("overlays/prod/sealed.yaml", text)
    declared = USER_SERVICE.replace("user-service-secret", "renamed").replace(
        "  jwt_secret: ref+env://JWT_SECRET\n", ""
    )
    assert (
        building(repository, declared)
        == f"""\
error: environment prod: Secret/renamed: `api_key` in overlays/prod/sealed.yaml was sealed for \
production/user-service-secret (strict), but ends up as production/renamed (strict); the controller could not open it
  --> {FILE}:8:12
hint: run `envc secrets seal prod renamed`"""
    )


def test_row_9_a_scope_changed_after_sealing_is_an_error_at_build(repository: Repository) -> None:
    """The scope is part of what a value is sealed for."""
    sealed(repository)
    text = USER_SERVICE.replace("  jwt_secret: ref+env://JWT_SECRET\n", "")
    assert (
        building(repository, text, scope="namespace-wide")
        == f"""\
error: environment prod: Secret/user-service-secret: `api_key` in overlays/prod/sealed.yaml was sealed for \
production/user-service-secret (strict), but ends up as production/user-service-secret (namespace-wide); the controller \
could not open it
  --> {FILE}:8:12
hint: run `envc secrets seal prod user-service-secret`"""
    )


def test_row_9_scope_annotations_that_disagree_are_refused(repository: Repository) -> None:
    """One typed field."""
    text = secret("a: ref+env://API_KEY", annotations='{sealedsecrets.bitnami.com/cluster-wide: "True"}')
    mend = "the scope is one setting: `sealing: {scope: …}` in overlays/prod/environment.yaml; drop the annotation"
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db: `sealedsecrets.bitnami.com/cluster-wide` is not exactly "true"
  --> {FILE}:6:57
hint: {mend}"""
    )
    text = text.replace('"True"', '"true"')
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db is annotated cluster-wide, the environment seals strict
  --> {FILE}:6:57
hint: {mend}"""
    )


def test_row_9_cluster_wide_is_a_warning(repository: Repository) -> None:
    """Allowed, and said."""
    warnings = sealed(repository, scope="cluster-wide")
    assert warnings[-1] == "environment prod seals cluster-wide: who may create SealedSecrets anywhere can read them"


def test_row_10_empty_and_null_values_and_secrets_without_keys_are_refused(repository: Repository) -> None:
    """Empty only when it is declared."""
    repository.environ["API_KEY"] = ""
    assert (
        sealing(repository, secret("a: ref+env://API_KEY"))
        == f"""\
error: environment prod: Secret/db: the value of `a` is empty
  --> {FILE}:8:6
hint: if that is meant, say so: `envcompile.dev/allow-empty: "a"` in its annotations"""
    )
    sealed(repository, secret("a: ref+env://API_KEY", annotations="{envcompile.dev/allow-empty: a}"))
    assert (
        sealing(repository, secret("b: null"))
        == f"""\
error: environment prod: Secret/db: `b` is null
  --> {FILE}:8:6
hint: give it a reference, or leave the key out"""
    )
    assert (
        sealing(repository, secret("{}"))
        == f"""\
error: environment prod: Secret/db has no keys
  --> {FILE}:1:1
hint: declare them: `stringData: {{KEY: ref+prompt://}}`, or leave the Secret out"""
    )


def test_row_11_bad_base64_names_secret_and_key_but_never_the_value(repository: Repository) -> None:
    """In `data`, and at the source."""
    text = secret("a: correct horse battery staple", annotations="{envcompile.dev/plaintext: a}").replace(
        "stringData", "data"
    )
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db: `a` in `data` is not base64
  --> {FILE}:9:6
hint: encode it, or move it to `stringData` as plain text"""
    )
    assert (
        sealing(repository, secret("a: ref+env://API_KEY?encoding=base64"))
        == f"""\
error: environment prod: Secret/db: the value of `a` cannot be read: the value of `ref+env://API_KEY` is not base64
  --> {FILE}:8:6
hint: correct it at its source, or drop `encoding=base64`"""
    )


def test_row_11_bytes_come_in_base64_and_utf_16_is_refused(repository: Repository) -> None:
    """Bytes in, bytes out; text in UTF-16 is a mistake."""
    repository.environ["API_KEY"] = "/wAB"
    sealed(repository, secret("a: ref+env://API_KEY?encoding=base64"))
    repository.write("note.txt", "secret".encode("utf-16"))
    assert (
        sealing(repository, secret("c: ref+file://note.txt"))
        == f"""\
error: environment prod: Secret/db: the value of `c` cannot be read: the value of `ref+file://note.txt` is text in UTF-16
  --> {FILE}:8:6
hint: save it as UTF-8; if it is binary on purpose, keep it base64-coded and add `?encoding=base64`"""
    )


@pytest.mark.parametrize(
    ("text", "kind"), [("0123", "a number"), ("yes", "true or false"), ("1.5", "a number"), ("[x]", "not a text")]
)
def test_row_12_scalars_that_yaml_mangles_are_refused(repository: Repository, text: str, kind: str) -> None:
    """Quotes are the mend."""
    assert (
        sealing(repository, secret(f"pin: {text}"))
        == f"""\
error: environment prod: Secret/db: `pin` is {kind} to YAML, not a text
  --> {FILE}:8:8
hint: put it in quotes, so that it means the same to every reader"""
    )


def test_row_12_duplicate_keys_are_refused(repository: Repository) -> None:
    """With both lines; the reader of YAML does it."""
    message = sealing(repository, secret("a: ref+env://API_KEY", "a: ref+env://JWT_SECRET"))
    assert "duplicate" in message or "twice" in message
    assert f"{FILE}:9" in message
    assert f"{FILE}:8" in message


def test_row_13_a_key_in_data_and_string_data_is_refused(repository: Repository) -> None:
    """Both places."""
    text = secret("a: ref+env://API_KEY") + "data:\n  a: ref+env://JWT_SECRET\n"
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db: `a` is in `data` and in `stringData`
  --> {FILE}:8:6
  --> {FILE}:10:6
hint: keep one; the API server would silently take the one in `stringData`"""
    )


def test_row_14_too_large_a_secret_is_refused_and_a_large_one_a_warning(repository: Repository) -> None:
    """1 MiB of decoded values; a warning where a client-side apply fails."""
    repository.write("big", b"x" * 1_048_577)
    assert (
        sealing(repository, secret("a: ref+file://big"))
        == f"""\
error: environment prod: Secret/db has 1048577 bytes of values; the API server takes 1048576 at most
  --> {FILE}:1:1
hint: split it, or keep large content out of Secrets"""
    )
    repository.write("big", b"x" * 1_048_576)
    sealed(repository, secret("a: ref+file://big"))
    warnings: list[str] = []
    text = secret("a: ref+file://big")
    secret_set = repository.secret_set(text)
    where = where_in(text.encode(), FILE)
    value = yamlio.load_all(text.encode(), FILE)[0]
    resolve_secret(
        value, environment="prod", settings=settings(), store=secret_set.store(), where=where, warn=warnings.append
    )
    assert warnings == [
        (
            "environment prod: Secret/db has 1398468 bytes when sealed: `kubectl apply` without --server-side cannot store it "
            "in its annotation of 262144 bytes (Secrets themselves end at 1048576)"
        )
    ]


@pytest.mark.parametrize("key", ["a/b", "a b", "x" * 254], ids=["slash", "space", "long"])
def test_row_15_impossible_keys_are_refused(repository: Repository, key: str) -> None:
    """With the rule."""
    message = sealing(repository, secret(f'"{key}": ref+env://API_KEY'))
    assert message.startswith(f"error: environment prod: Secret/db: `{key}` cannot be a key\n  --> {FILE}:8:")
    assert message.endswith("hint: a key matches [-._a-zA-Z0-9]+ and has 253 characters at most")


def test_row_15_keys_that_climb_are_refused(repository: Repository) -> None:
    """As file names they would leave the volume."""
    assert sealing(repository, secret("..data: ref+env://API_KEY")).endswith("hint: a key does not begin with `..`")


def test_row_16_tls_needs_both_keys_and_a_pair(repository: Repository) -> None:
    """Presence at build, the pair when it is sealed, an expired leaf as a warning."""
    kind = "kubernetes.io/tls"
    assert (
        building(repository, secret("tls.crt: ref+file://crt", kind=kind))
        == f"""\
error: environment prod: Secret/db is of type kubernetes.io/tls but has no `tls.key`
  --> {FILE}:6:7
hint: the API server refuses it: add the key, or change the type"""
    )
    text = secret("tls.crt: ref+file://crt", "tls.key: ref+file://key", kind=kind)
    repository.write("crt", "nonsense")
    repository.write("key", "nonsense")
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db: `tls.crt` is not a PEM certificate
  --> {FILE}:8:12
hint: give the certificate and its chain in PEM

error: environment prod: Secret/db: `tls.key` is not an unencrypted PEM private key
  --> {FILE}:9:12
hint: give the key in PEM, without a password"""
    )
    repository.write("crt", certificate_pem())
    repository.write("key", key_pem(private_key(2048, 1)))
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db: `tls.key` does not belong to `tls.crt`
  --> {FILE}:9:12
  --> {FILE}:8:12
hint: give the pair"""
    )
    repository.write("crt", certificate_pem(start=NOW - timedelta(days=10), days=9))
    repository.write("key", key_pem())
    assert "environment prod: Secret/db: the certificate in `tls.crt` expired on 2026-05-31" in sealed(repository, text)


def test_row_17_docker_configurations_are_json_objects(repository: Repository) -> None:
    """The key at build, the shape when it is sealed, missing `auths` as a warning."""
    kind = "kubernetes.io/dockerconfigjson"
    assert (
        building(repository, secret("a: ref+env://API_KEY", kind=kind))
        == f"""\
error: environment prod: Secret/db is of type {kind} but has no `.dockerconfigjson`
  --> {FILE}:6:7
hint: the API server refuses it: add the key, or change the type"""
    )
    text = secret(".dockerconfigjson: ref+env://API_KEY", kind=kind)
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db: the value of `.dockerconfigjson` is not a JSON object
  --> {FILE}:8:22
hint: take the content of ~/.docker/config.json"""
    )
    repository.environ["API_KEY"] = "{}"
    assert (
        "environment prod: Secret/db: the value of `.dockerconfigjson` has no `auths`, so no image is pulled with it"
        in sealed(repository, text)
    )


@pytest.mark.parametrize(
    ("kind", "what", "fix"),
    [
        (
            "kubernetes.io/basic-auth",
            "but has neither `username` nor `password`",
            "add one of them, or change the type",
        ),
        (
            "kubernetes.io/ssh-auth",
            "but has no `ssh-privatekey`",
            "the API server refuses it: add the key, or change the type",
        ),
        (
            "kubernetes.io/service-account-token",
            "but names no ServiceAccount",
            "add the annotation `kubernetes.io/service-account.name`",
        ),
    ],
    ids=["basic-auth", "ssh-auth", "service account"],
)
def test_row_18_other_types_have_their_keys(repository: Repository, kind: str, what: str, fix: str) -> None:
    """As the API server validates them."""
    assert (
        building(repository, secret("a: ref+env://API_KEY", kind=kind))
        == f"""\
error: environment prod: Secret/db is of type {kind} {what}
  --> {FILE}:6:7
hint: {fix}"""
    )


def test_row_19_an_immutable_secret_does_not_change(repository: Repository) -> None:
    """Neither its values when they are sealed, nor its keys or type at the next build."""
    text = secret("a: ref+env://API_KEY") + "immutable: true\n"
    sealed(repository, text)
    previous = built(repository, text)
    mend = "give the Secret a new name and point the workloads at it, or delete it in the cluster first"
    repository.environ["API_KEY"] = "changed"
    assert (
        sealing(repository, text)
        == f"""\
error: environment prod: Secret/db is immutable, but the value of `a` changed
  --> {FILE}:8:6
hint: {mend}"""
    )
    with pytest.raises(EnvcError, match="is immutable, but the value of `a` changed"):
        set_value(repository.secret_set(text), "db", "a", Plaintext(b"x"), identity=identity(), now=NOW)
    more = text.replace("stringData:\n", "stringData:\n  b: ref+env://JWT_SECRET\n")
    repository.environ["API_KEY"] = SECRET.decode()
    sealed(repository, more)
    assert refused_changes(previous, built(repository, more)) == [("is immutable, but `b` changed", mend)]
    other = built(repository, text.replace("Opaque", "example.com/other"))
    assert refused_changes(previous, other) == [
        (
            "changes its type from Opaque to example.com/other, which the API server refuses",
            "give the Secret a new name, or delete it in the cluster first",
        )
    ]
    assert refused_changes(previous, built(repository, text)) == []
    assert refused_changes(None, built(repository, text)) == []


@pytest.mark.parametrize("kind", ["ConfigMap", "SealedSecret"])
def test_row_20_only_secrets_are_sealed(repository: Repository, kind: str) -> None:
    """A ConfigMap is not silently encrypted."""
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: settings, namespace: prod}}\ndata: {{a: b}}\n"
    with pytest.raises(UsageError) as error:
        seal_environments(
            [repository.secret_set(text)], ["settings"], surroundings=repository.surroundings(), identity=None, now=NOW
        )
    assert (
        str(error.value)
        == f"""\
error: environment prod: `settings` is a {kind}; only a `kind: Secret` is sealed
  --> {FILE}:1:1
hint: declare a Secret whose values are references"""
    )


def sealed_object(template: str = "") -> str:
    """A hand-written SealedSecret."""
    return (
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: app-secret, namespace: production}\n"
        f"spec:\n  encryptedData:\n    api_key: AgBx3i4OJSWK+PiTySYZZA9rO43cGDEQAx...\n    number: 17\n{template}"
    )


def handwritten(text: str) -> str:
    """The message for a hand-written object."""
    with pytest.raises(EnvcError) as error:
        check_sealed_secret(
            yamlio.load_all(text.encode(), FILE)[0], environment="prod", where=where_in(text.encode(), FILE)
        )
    return str(error.value)


def test_row_21_templates_read_known_keys_and_call_known_functions() -> None:
    """`<no value>` never reaches a cluster."""
    template = (
        "  template:\n    data:\n      conf: 'pw={{ .api_kei }} {{ env \"HOME\" }}'\n      ok: '{{ .api_key }}'\n"
        "      open: '{{ if .number }}x'\n"
    )
    message = handwritten(sealed_object(template))
    assert (
        """\
error: environment prod: SealedSecret/app-secret: the template `conf` reads `api_kei`, which is not sealed: it would render \
as `<no value>`
  --> overlays/prod/secrets.yaml:10:13
hint: did you mean `api_key`?"""
        in message
    )
    assert (
        """\
error: environment prod: SealedSecret/app-secret: the template `conf` calls `env`, which the controller does not have
  --> overlays/prod/secrets.yaml:10:13
hint: leave it out"""
        in message
    )
    assert (
        """\
error: environment prod: SealedSecret/app-secret: the template `open` has an action that is not closed
  --> overlays/prod/secrets.yaml:12:13
hint: close every `{{` and every block"""
        in message
    )
    assert "`ok`" not in message


def test_row_22_what_is_no_ciphertext_is_named_with_the_test_that_failed() -> None:
    """In hand-written objects: the specification's own example."""
    hint = "seal it again; better still, declare a `kind: Secret` with a reference and run `envc secrets seal`"
    assert (
        handwritten(sealed_object())
        == f"""\
error: environment prod: SealedSecret/app-secret: the sealed value of `api_key` is not base64
  --> {FILE}:6:14
hint: {hint}

error: environment prod: SealedSecret/app-secret: the sealed value of `number` is not a text
  --> {FILE}:7:13
hint: {hint}"""
    )


def test_row_22_a_damaged_store_is_named_by_line(repository: Repository) -> None:
    """In the store."""
    sealed(repository, secret("a: ref+env://API_KEY"))
    text = repository.store_text()
    start = text.index("sealed: ") + 8
    repository.write("overlays/prod/sealed.yaml", text[: start + 40] + "\n")
    line = repository.store_text().count("\n")
    assert (
        building(repository, secret("a: ref+env://API_KEY"))
        == f"""\
error: the sealed value of `prod/db/a` is cut off: 30 bytes, at least 274 expected
  --> overlays/prod/sealed.yaml:{line}:11
hint: seal it again: `envc secrets set ENV db a`"""
    )


def test_row_23_metadata_is_allow_listed(repository: Repository) -> None:
    """last-applied-configuration, managedFields and ownerReferences stay behind."""
    text = secret(
        "a: ref+env://API_KEY",
        annotations="{kubectl.kubernetes.io/last-applied-configuration: leaked, keep: this}",
    ).replace("  namespace: prod\n", "  namespace: prod\n  managedFields: [x]\n  ownerReferences: [y]\n")
    sealed(repository, text)
    value = built(repository, text)
    assert isinstance(value, dict)
    assert value["metadata"] == value["spec"]["template"]["metadata"]
    assert value["metadata"] == {"name": "db", "namespace": "prod", "annotations": {"keep": "this"}}


def test_row_24_a_leaked_key_lists_every_value_it_ever_protected(repository: Repository) -> None:
    """From git's history too: sealing again is not enough."""
    repository.git("init")
    sealed(repository)
    repository.git("add", "-A")
    repository.git("commit", "-m", "sealed")
    commit = repository.git("rev-parse", "HEAD").strip()
    new = private_key(2048, 1)
    repository.certificate(key=new)
    repository.environ["API_KEY"] = "changed"
    secret_set = repository.secret_set(given=settings(pin=fingerprint(new)))
    seal_environments([secret_set], surroundings=repository.surroundings(), identity=identity(), now=NOW)
    found = audit([secret_set], compromised=fingerprint())
    assert [(str(one.id), one.note) for one in found] == [
        (
            "production/user-service-secret/api_key",
            f"sealed with it in commit {commit[:10]}, which stays readable: change it unless it changed since",
        ),
        (
            "production/user-service-secret/jwt_secret",
            "sealed with it: change the value at its source (ref+env://JWT_SECRET), then seal it; sealing again is not enough",
        ),
    ]


def test_a_bare_literal_is_refused_with_its_place_and_the_command(repository: Repository) -> None:
    """The seed's own Secret: nothing in clear gets through, and the message does not repeat it."""
    text = USER_SERVICE.replace("ref+env://API_KEY", SECRET.decode())
    expected = f"""\
error: environment prod: Secret/user-service-secret: `api_key` is written in clear
  --> {FILE}:8:12
hint: write `api_key: ref+prompt://` and run `envc secrets set prod user-service-secret api_key`; if git has ever seen the \
value, rotate it. A harmless value is declared by `envcompile.dev/plaintext: "api_key"` in the annotations"""
    assert building(repository, text) == expected
    assert sealing(repository, text) == expected


def test_a_reference_inside_of_text_is_refused(repository: Repository) -> None:
    """It would be sealed as it stands."""
    assert (
        sealing(repository, secret("url: postgres://u:ref+env://PW+@host/db"))
        == f"""\
error: environment prod: Secret/db: `url` has a reference inside of other text
  --> {FILE}:8:8
hint: a reference is the whole value; keep the full text at its source, or split it into keys"""
    )


def test_a_sealing_key_in_the_configuration_is_refused(repository: Repository) -> None:
    """The master key of a cluster."""
    text = secret("a: ref+env://API_KEY").replace(
        "type:", "  labels: {sealedsecrets.bitnami.com/sealed-secrets-key: active}\ntype:"
    )
    message = sealing(repository, text)
    assert message.startswith("error: environment prod: Secret/db is a private key of the sealed-secrets controller\n")


def test_skipping_owner_references_needs_managed(repository: Repository) -> None:
    """Alone it works once and fails at the next reconcile."""
    text = secret("a: ref+env://API_KEY", annotations='{sealedsecrets.bitnami.com/skip-set-owner-references: "true"}')
    assert (
        building(repository, text)
        == f"""\
error: environment prod: Secret/db skips owner references but is not managed: the controller fails at its second look
  --> {FILE}:6:70
hint: add the annotation `sealedsecrets.bitnami.com/managed: "true"`"""
    )
