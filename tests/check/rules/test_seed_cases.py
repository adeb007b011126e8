"""The mistakes in the YAML that the shop was made from: the rules find every one of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.check.rules.catalogue import RULES
from tests.check.rules.inputs import found_in, inputs, read

if TYPE_CHECKING:
    from tests.check.rules.inputs import Document

CASES = Path(__file__).parents[4] / "shared" / "seed-cases"

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CASES.is_dir(), reason="the original files are not beside the repository"),
]


def _documents(case: str, *, without: str = "") -> list[Document]:
    files = sorted((CASES / case).glob("*.yaml"))
    return [document for file in files if file.stem != without for document in read(file.read_text(encoding="utf-8"))]


def _found(documents: list[Document]) -> set[tuple[str, str, str]]:
    """Grade, rule and resource of everything that is found."""
    hits = found_in(inputs(documents), RULES)
    return {(hit.severity or rule.severity, rule.id, hit.resource.short) for rule, hit in hits}


def test_the_production_deployment() -> None:
    """Case 1: no pod starts, the wrong port is scraped, HPA and replicas fight, the Secret is readable by all."""
    due = {
        ("error", "serviceaccount-missing", "Deployment/user-service"),
        ("error", "hpa-and-replicas", "Deployment/user-service"),
        ("error", "secret-plaintext", "Secret/user-service-secret"),
        ("warning", "metrics-port", "Deployment/user-service"),
        ("warning", "deprecated-field", "Deployment/user-service"),
        ("warning", "deprecated-field", "Ingress/user-service-ingress"),
        ("warning", "ingress-annotation", "Ingress/user-service-ingress"),
    }
    assert due <= _found(_documents("1-user-service"))


def test_the_autoscaling() -> None:
    """Case 2: two autoscalers and a VPA pull at one workload by metrics that nobody serves."""
    due = {
        ("error", "hpa-duplicate", "HorizontalPodAutoscaler/video-service-hpa"),
        ("error", "hpa-vpa-conflict", "VerticalPodAutoscaler/video-service-vpa"),
        ("error", "hpa-target-missing", "HorizontalPodAutoscaler/video-service-hpa"),
        ("error", "hpa-target-missing", "HorizontalPodAutoscaler/video-service-hpa-custom"),
        ("error", "adapter-rules", "ConfigMap/adapter-config"),
        ("warning", "custom-metric-unserved", "HorizontalPodAutoscaler/video-service-hpa"),
        ("warning", "custom-metric-unserved", "HorizontalPodAutoscaler/video-service-hpa-custom"),
    }
    assert due <= _found(_documents("2-autoscaling"))


def test_the_autoscaling_of_pods_without_a_memory_request() -> None:
    """Case 2 names a Deployment that is not among its files; this one requests CPU only."""
    container = {"name": "video-service", "image": "video:v1", "resources": {"requests": {"cpu": "1"}}}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "video-service", "namespace": "production"},
        "spec": {
            "selector": {"matchLabels": {"app": "video"}},
            "template": {"metadata": {"labels": {"app": "video"}}, "spec": {"containers": [container]}},
        },
    }
    found = _found([*_documents("2-autoscaling"), workload])
    assert ("error", "hpa-no-requests", "HorizontalPodAutoscaler/video-service-hpa") in found
    assert ("error", "hpa-target-missing", "HorizontalPodAutoscaler/video-service-hpa") not in found


def test_the_configuration_of_many_environments() -> None:
    """Case 3: versions that are not served, ciphertexts that are none, one Secret of two makers, pods of nobody."""
    due = {
        ("warning", "api-removed", "ExternalSecret/app-external-secret"),
        ("warning", "api-removed", "SecretStore/vault-backend"),
        ("info", "external-secret-store", "ExternalSecret/app-external-secret"),
        ("error", "serviceaccount-missing", "SecretStore/vault-backend"),
        ("error", "sealed-value", "SealedSecret/app-secret"),
        ("error", "secret-makers", "ExternalSecret/app-external-secret"),
        ("error", "schema", "Deployment/app-deployment"),
        ("warning", "image-latest", "Deployment/app-deployment"),
        ("warning", "reloader-placement", "Deployment/app-deployment"),
    }
    assert due <= _found(_documents("3-multi-environment", without="deployment-hot-reload"))
    assert due <= _found(_documents("3-multi-environment", without="deployment-reloader"))
