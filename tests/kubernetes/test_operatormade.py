"""What operators make of other objects is known by the names they give it."""

from __future__ import annotations

from typing import Any

import pytest

from envcompile.kubernetes.operatormade import EVERYWHERE, MAKERS, Made, is_filled, made_by_command, made_of


def thing(key: str, spec: dict[str, Any] | None = None, **metadata: Any) -> tuple[str, str, str, dict[str, Any]]:
    """An object called `db` in namespace `shop`, as `made_of` takes it."""
    kind, _, group = key.partition(".")
    return group, kind, "shop", {"metadata": {"name": "db", **metadata}, "spec": spec or {}}


@pytest.mark.parametrize(
    ("key", "spec", "kind", "name"),
    [
        ("Certificate.cert-manager.io", {"secretName": "web-tls"}, "Secret", "web-tls"),
        ("Cluster.postgresql.cnpg.io", {}, "Secret", "db-app"),
        ("Cluster.postgresql.cnpg.io", {}, "Service", "db-rw"),
        ("postgresql.acid.zalan.do", {}, "Secret", "zalando.db.credentials.postgresql.acid.zalan.do"),
        ("Kafka.kafka.strimzi.io", {}, "Service", "db-kafka-bootstrap"),
        ("Kafka.kafka.strimzi.io", {}, "Secret", "db-cluster-ca-cert"),
        ("Vault.vault.banzaicloud.com", {}, "Secret", "db-unseal-keys"),
        (
            "SecretProviderClass.secrets-store.csi.x-k8s.io",
            {"secretObjects": [{"secretName": "a"}, {"secretName": "b"}]},
            "Secret",
            "b",
        ),
        ("Bucket.s3.aws.crossplane.io", {"writeConnectionSecretToRef": {"name": "conn"}}, "Secret", "conn"),
        ("TektonConfig.operator.tekton.dev", {}, "ServiceAccount", "tekton-pipelines-controller"),
    ],
)
def test_what_a_custom_resource_makes(key: str, spec: dict[str, Any], kind: str, name: str) -> None:
    """In its own namespace, and nothing of another name."""
    made = [one for one in made_of(*thing(key, spec)) if one.kind == kind]
    assert any(one.matches("shop", name) for one in made)
    assert not any(one.matches("other", name) for one in made)
    assert not any(one.matches("shop", "unheard-of") for one in made)


def test_annotations_make_secrets() -> None:
    """OpenShift's serving certificates, and copies into all namespaces."""
    note = {"service.beta.openshift.io/serving-cert-secret-name": "web-tls"}
    assert list(made_of(*thing("Service", annotations=note))) == [Made("Secret", "shop", "web-tls")]
    copied = {"reflector.v1.k8s.emberstack.com/reflection-auto-enabled": "true"}
    assert list(made_of(*thing("Secret", annotations=copied))) == [Made("Secret", EVERYWHERE, "db")]
    assert not list(made_of(*thing("Service")))


def test_containers_make_secrets() -> None:
    """The certificates of ingress-nginx' webhook, the password of Argo CD's Redis."""
    assert list(made_by_command(["create", "--host=a", "--secret-name=ingress-nginx-admission"])) == [
        "ingress-nginx-admission"
    ]
    assert not list(made_by_command(["patch", "--secret-name=ingress-nginx-admission"]))
    assert list(made_by_command(["argocd", "admin", "redis-initial-password"])) == ["argocd-redis"]


def test_a_config_map_that_is_filled_has_any_keys() -> None:
    """By an annotation or a label."""
    assert is_filled({"metadata": {"annotations": {"service.beta.openshift.io/inject-cabundle": "true"}}})
    assert is_filled({"metadata": {"labels": {"config.openshift.io/inject-trusted-cabundle": "true"}}})
    assert not is_filled({"metadata": {"labels": {"app": "web"}}})


def test_every_entry_has_a_source_and_makes_something() -> None:
    """And stands once."""
    assert len({maker.key for maker in MAKERS}) == len(MAKERS)
    assert all(maker.source and maker.made and all(maker.made.values()) for maker in MAKERS)
