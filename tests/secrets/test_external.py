"""`secretBackend: external`: what stands in place of a Secret there, and what stays a Secret everywhere."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

from typing import Any

import pytest

from envcompile import yamlio
from envcompile.errors import EnvcError
from envcompile.secrets.resolve import find_plaintext, resolve_secret
from envcompile.secrets.store import Store
from envcompile.settings import ExternalSecrets
from tests.secrets.repository import settings, where_in

EXTERNAL = "external"

APP = """\
apiVersion: v1
kind: Secret
metadata:
  name: app-secret
  namespace: production
type: Opaque
stringData:
  database_url: ref+vault://secret/data/app#/database_url
  api_key: ref+vault://secret/data/app#/api_key
"""


def resolved(text: str, **given: Any) -> Any:
    """What a build makes of one Secret."""
    data = text.encode()
    return resolve_secret(
        yamlio.load_all(data, "a.yaml")[0],
        environment="prod",
        settings=settings(**given),
        store=Store("sealed.yaml"),
        where=where_in(data, "a.yaml"),
    )


def external(text: str = APP, version: str = "2.9") -> Any:
    """The ExternalSecret for an operator version."""
    store = ExternalSecrets(store="vault-backend", operator_version=version)
    return resolved(text, secret_backend=EXTERNAL, external_secrets=store)


def test_the_seeds_vault_example_comes_out_right() -> None:
    """`external-secrets.io/v1`, and the key does not repeat the mount that the SecretStore has."""
    assert external() == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "app-secret", "namespace": "production"},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"name": "vault-backend", "kind": "SecretStore"},
            "target": {"name": "app-secret", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
            "data": [
                {"secretKey": "api_key", "remoteRef": {"key": "app", "property": "api_key"}},
                {"secretKey": "database_url", "remoteRef": {"key": "app", "property": "database_url"}},
            ],
        },
    }


@pytest.mark.parametrize(
    ("version", "defaults"),
    [
        ("0.17", {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}),
        ("2.2.0", {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}),
        (
            "v2.8.1",
            {
                "conversionStrategy": "Default",
                "decodingStrategy": "None",
                "metadataPolicy": "None",
                "nullBytePolicy": "Ignore",
            },
        ),
        ("2.9", {}),
        ("3", {}),
    ],
)
def test_defaults_of_the_operator_version_are_written_out(version: str, defaults: dict[str, str]) -> None:
    """So that Argo CD sees no drift."""
    assert external(version=version)["spec"]["data"][0]["remoteRef"] == {"key": "app", "property": "api_key"} | defaults


def test_labels_type_and_harmless_values_go_into_the_template() -> None:
    """Fetched keys stay beside harmless ones: mergePolicy Merge."""
    text = APP.replace("namespace: production", "namespace: production\n  labels: {app: a}\n  annotations: {envcompile.dev/plaintext: user, keep: this}").replace("Opaque", "example.com/x") + "  user: 'a{{b'\n"  # fmt: skip
    made = external(text)
    assert made["metadata"]["annotations"] == {"keep": "this"}
    assert made["spec"]["target"]["template"] == {
        "engineVersion": "v2",
        "mergePolicy": "Merge",
        "type": "example.com/x",
        "metadata": {"labels": {"app": "a"}, "annotations": {"keep": "this"}},
        "data": {"user": 'a{{ "{{" }}b'},
    }


@pytest.mark.parametrize(
    ("reference", "remote"),
    [
        ("ref+vault://kv/team/data/app#/a", {"key": "app", "property": "a"}),
        ("ref+vault://secret/app#/a", {"key": "app", "property": "a"}),
        ("ref+vault://secret/data/team/app?version=3#/a", {"key": "team/app", "property": "a", "version": "3"}),
        (
            "ref+vault://secret/data/app?encoding=base64#/a",
            {"key": "app", "property": "a", "decodingStrategy": "Base64"},
        ),
        ("ref+awssecrets://prod/db#/user/name", {"key": "prod/db", "property": "user.name"}),
        ("ref+gcpsecrets://db", {"key": "db"}),
    ],
)
def test_references_become_remote_references(reference: str, remote: dict[str, str]) -> None:
    """Mounts and `data/` are the store's business."""
    text = APP[: APP.index("stringData")] + f"stringData:\n  x: {reference}\n"
    assert external(text)["spec"]["data"] == [{"secretKey": "x", "remoteRef": remote}]


def test_what_the_operator_cannot_read_is_refused() -> None:
    """Local sources exist only where values are sealed."""
    with pytest.raises(EnvcError) as error:
        external(APP.replace("ref+vault://secret/data/app#/api_key", "ref+env://API_KEY"))
    assert (
        str(error.value)
        == """\
error: environment prod: Secret/app-secret: `api_key` is `ref+env://API_KEY`, which vault-backend cannot read
  --> a.yaml:9:12
hint: in this environment write where it is kept, such as `ref+vault://secret/data/app#/api_key`"""
    )
    with pytest.raises(EnvcError) as error:
        resolved(APP, secret_backend=EXTERNAL)
    assert (
        str(error.value)
        == """\
error: environment prod has `secretBackend: external` but no store
  --> a.yaml:1:1
hint: name it in overlays/prod/environment.yaml: `externalSecrets: {store: NAME}`"""
    )


def test_a_secret_without_secrets_stays_a_secret() -> None:
    """When every key is declared harmless."""
    text = APP[: APP.index("type")].replace("production", "production\n  annotations: {envcompile.dev/plaintext: '*'}")
    text += "stringData: {a: b}\n"
    assert resolved(text) == yamlio.load_all(text.encode(), "a.yaml")[0]


@pytest.mark.parametrize("backend", [None, EXTERNAL])
def test_a_secret_without_secrets_needs_no_namespace(backend: str | None) -> None:
    """Nothing is bound to it: whoever applies the manifest chooses the namespace."""
    head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations: {envcompile.dev/plaintext: 'a, b'}\n"
    text = f"{head}stringData: {{a: b}}\ndata: {{b: Yg==}}\n"
    assert resolved(text, secret_backend=backend) == yamlio.load_all(text.encode(), "a.yaml")[0]
    with pytest.raises(EnvcError, match="Secret/a has no namespace"):
        resolved(f"{head}stringData: {{a: b, c: ref+env://C}}\ndata: {{b: Yg==}}\n", secret_backend=backend)


def test_the_wall_sees_every_plaintext_field() -> None:
    """Data, stringData, and Secrets inside of a List."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"annotations": {"envcompile.dev/plaintext": "ok"}},
        "data": {"a": "eA=="},
        "stringData": {"ok": "x", "b": "y"},
    }
    assert find_plaintext(secret) == [("data", "a"), ("stringData", "b")]
    assert find_plaintext({"kind": "List", "items": [{}, secret]}) == [
        ("items", 1, "data", "a"),
        ("items", 1, "stringData", "b"),
    ]
    assert find_plaintext({"kind": "ConfigMap", "data": {"a": "b"}}) == []
