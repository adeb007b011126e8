"""`secretBackend: external` gives the value that sealing gives, or is refused: mounts, parameters, nested fields."""

# ruff: file-ignore[line-too-long] - messages are written whole

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile import yamlio
from envcompile.errors import EnvcError
from envcompile.secrets.external import property_of
from envcompile.secrets.externalstore import store_facts
from envcompile.secrets.references import BadReferenceError, parse_reference
from envcompile.secrets.resolve import resolve_secret
from envcompile.secrets.store import Store
from envcompile.settings import ExternalSecrets
from tests.harness.command import run_envc
from tests.secrets.repository import Repository, settings, where_in

if TYPE_CHECKING:
    from pathlib import Path

EXTERNAL = "external"
HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: app, namespace: shop}\n"
STORE = """\
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: vault-backend, namespace: shop}
spec:
  provider:
    vault: {server: "https://vault.example.com", VAULT}
"""


def made(values: str, vault: str | None = None, head: str = HEAD) -> Any:
    """The spec of the ExternalSecret for `stringData`, with a store whose Vault settings are given."""
    data = f"{head}stringData: {{{values}}}\n".encode()
    secret = yamlio.load_all(data, "a.yaml")[0]
    chosen = settings(secret_backend=EXTERNAL, external_secrets=ExternalSecrets(store="vault-backend"))
    store = yamlio.load_all(STORE.replace("VAULT", vault).encode(), "s.yaml") if vault is not None else []
    return resolve_secret(
        secret,
        environment="prod",
        settings=chosen,
        store=Store("sealed.yaml"),
        where=where_in(data, "a.yaml"),
        facts=store_facts([secret, *store], chosen),
    )["spec"]


def refused(values: str, vault: str | None = None) -> str:
    """What is said instead."""
    with pytest.raises(EnvcError) as error:
        made(values, vault)
    return str(error.value)


@pytest.mark.parametrize(
    ("vault", "reference", "key"),
    [
        ("path: secret", "secret/data/app", "app"),
        ("path: secret", "secret/data/team/data/app", "team/data/app"),
        ("path: team/kv", "team/kv/data/app", "app"),
        ("path: data", "data/data/app", "app"),
        ("path: kv1, version: v1", "kv1/app", "app"),
        ("path: kv1, version: v1", "kv1/data/app", "data/app"),
        ("version: v2", "secret/data/app", "secret/app"),
        ("version: v2", "team/kv/data/app", "team/kv/app"),
        ("version: v1", "kv1/app", "kv1/app"),
        (None, "secret/data/app", "app"),
    ],
)
def test_a_key_is_what_the_store_reads(vault: str | None, reference: str, key: str) -> None:
    """Below its mount; with the mount for a store that has none."""
    (entry,) = made(f"a: 'ref+vault://{reference}#/k'", vault)["data"]
    assert entry["remoteRef"]["key"] == key


@pytest.mark.parametrize(
    ("vault", "reference"),
    [
        ("path: secret", "other/data/app"),
        ("path: secret", "secrets/data/app"),
        ("path: secret", "secret/app"),
        ("path: team/kv", "team/data/app"),
        ("path: kv1, version: v1", "kv2/app"),
    ],
)
def test_external_other_mount_wrong_value(vault: str, reference: str) -> None:
    """Case external-other-mount-wrong-value: the operator would give another path's value, silently."""
    said = refused(f"plain: 'ref+vault://{reference}#/plain'", vault)
    assert f"`plain` is at `{reference}`, and SecretStore `vault-backend` reads below `" in said


def test_mounts_of_a_store_that_is_not_here_cannot_differ() -> None:
    """Which of them it reads the repository does not say."""
    values = "a: 'ref+vault://secret/data/app#/a', b: 'ref+vault://other/data/app#/b'"
    said = refused(values)
    assert "`a` is in the mount `secret`, others in `other`; a store reads one" in said
    assert "add SecretStore `vault-backend` to base/" in said
    assert "is no Vault's" not in said


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("strip=newline", "asks for `?strip=newline`; vault-backend cannot strip"),
        ("address=https://other.example", "names `?address=`, and SecretStore `vault-backend` has its own"),
        ("namespace=team-a", "names `?namespace=`, and SecretStore `vault-backend` has its own"),
    ],
)
@pytest.mark.parametrize("vault", [None, "path: secret"], ids=["unknown store", "known store"])
def test_external_parameters_dropped(parameter: str, words: str, vault: str | None) -> None:
    """Cases external-parameters-dropped and reference-parameters-lost: a parameter is kept or refused."""
    assert words in refused(f"token: 'ref+vault://secret/data/app?{parameter}#/newline'", vault)


def test_parameters_that_say_what_the_store_says_are_fine() -> None:
    """The same address in other words, the same namespace."""
    text = "a: 'ref+vault://secret/data/app?address=HTTPS://vault.example.com:443/&namespace=team-a&version=3#/k'"
    (entry,) = made(text, "path: secret, namespace: team-a")["data"]
    assert entry["remoteRef"] == {"key": "app", "property": "k", "version": "3"}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ref+vault://secret/data/app#/bin?encoding=base64", "ref+vault://secret/data/app?encoding=base64#/bin"),
        ("ref+vault://secret/data/app#/k?version=3", "ref+vault://secret/data/app?version=3#/k"),
        ("ref+sops://f.yaml#/a?strip=newline", "ref+sops://f.yaml?strip=newline#/a"),
        ("ref+awssecrets://a/b#/k?encoding=base64", "ref+awssecrets://a/b?encoding=base64#/k"),
    ],
)
def test_reference_parameters_lost(text: str, right: str) -> None:
    """Case reference-parameters-lost: the query stands before the fragment (RFC 3986)."""
    with pytest.raises(BadReferenceError) as error:
        parse_reference(text)
    assert "behind the `#`" in str(error.value)
    assert f"`{right}`" in error.value.fix


@pytest.mark.parametrize("text", ["ref+vault://secret/data/app#/what?", "ref+vault://a/data/b#/a%3Fencoding=base64"])
def test_a_question_mark_in_a_key_stays_a_key(text: str) -> None:
    """Only a parameter's name behind it is a slip."""
    reference = parse_reference(text)
    assert reference is not None
    assert reference.parameters == ()


def test_a_way_into_nested_fields_is_one_for_gjson() -> None:
    """A single part is an exact name; in a way, signs of gjson lose their meaning."""
    assert property_of(("tls.crt",)) == "tls.crt"
    assert property_of(("db", "password")) == "db.password"
    assert property_of(("db", "tls.crt")) == "db.tls\\.crt"
    assert property_of(("a", "x*|#y", "größe")) == "a.x\\*\\|\\#y.größe"


def test_annotations_reach_the_secret_in_both_ways() -> None:
    """The operator copies them without a template; a template has to name them. Argo CD's never go into the Secret."""
    annotated = HEAD.replace("namespace: shop", "namespace: shop, annotations: {team: payments}")
    values = "a: 'ref+vault://secret/data/app#/a'"
    assert "template" not in made(values, head=annotated)["target"]
    typed = f"{annotated}type: example.com/x\n"
    assert made(values, head=typed)["target"]["template"]["metadata"] == {"annotations": {"team": "payments"}}
    waved = annotated.replace("team: payments", "team: payments, argocd.argoproj.io/sync-wave: '1'")
    assert made(values, head=waved)["target"]["template"]["metadata"] == {"annotations": {"team": "payments"}}


def test_a_build_knows_the_store_in_base(tmp_path: Path) -> None:
    """Across folders and layers, whatever application the store belongs to."""
    repository = Repository(tmp_path)
    repository.write("base/app/secret.yaml", HEAD.replace(", namespace: shop", "") + "stringData: {plain: 'ref+vault://other/data/app#/plain'}\n")  # fmt: skip
    repository.write("base/stores/store.yaml", STORE.replace(", namespace: shop", "").replace("VAULT", "path: secret"))
    repository.write("overlays/prod/environment.yaml", "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: shop\nsecretBackend: external\nexternalSecrets: {store: vault-backend}\n")  # fmt: skip
    done = run_envc(tmp_path, "build")
    assert done.code == 1
    assert "`plain` is at `other/data/app`, and SecretStore `vault-backend` reads below `secret/data/` only" in done.err
    assert "base/app/secret.yaml:4:21" in done.err
    # An overlay that gives the store another mount is seen by the unit of the Secret, remembered or not.
    repository.write("overlays/prod/store.yaml", "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: vault-backend}\nspec: {provider: {vault: {path: other}}}\n")  # fmt: skip
    done = run_envc(tmp_path, "build")
    assert done.code == 0, done.err
    built = (tmp_path / "environments/prod/app/externalsecret-app.yaml").read_text()
    assert "key: app\n" in built
    (tmp_path / "overlays/prod/store.yaml").unlink()
    assert run_envc(tmp_path, "build").code == 1


@pytest.mark.parametrize(
    "patch",
    [
        "merge: {spec: {provider: {vault: {path: other}}}}",
        "json6902: [{op: replace, path: /spec/provider/vault/path, value: other}]",
    ],
)
@pytest.mark.parametrize("target", ["{kind: SecretStore}", "{name: vault-*}", "{group: external-secrets.io}"])
def test_a_patch_of_the_store_counts(tmp_path: Path, patch: str, target: str) -> None:
    """A store is what its documents and every `kind: Patch` make of it, as any other resource."""
    from tests.harness.repository import environment, write_files

    said = "namespace: shop\nsecretBackend: external\nexternalSecrets: {store: vault-backend}\n"
    root = write_files(
        tmp_path,
        {
            "base/app/s.yaml": f"{HEAD}stringData: {{a: 'ref+vault://other/data/app#/a'}}\n",
            "base/stores/s.yaml": STORE.replace("VAULT", "path: kv, version: v2"),
            "overlays/prod/environment.yaml": environment(said),
        },
    )
    before = run_envc(root, "show", "prod", "externalsecret/app")
    head = f"apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {target}\n"
    write_files(root, {"overlays/prod/patch.yaml": f"{head}{patch}\n"})
    after = run_envc(root, "show", "prod", "externalsecret/app")
    assert after.code == 0, after.err
    assert "key: app" in after.out
    assert (before.code, before.out) != (after.code, after.out)
