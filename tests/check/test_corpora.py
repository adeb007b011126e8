"""Real environments, checked: no error beyond those that somebody has looked at and found right."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcompile.actions.check import check
from envcompile.adopt import from_manifests
from envcompile.units.project import Project

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora" / "environments"
CASES = sorted(path.name for path in CORPORA.iterdir()) if CORPORA.is_dir() else ["none"]
REFUSED = {"k8s-examples", "thanos"}
"""Sources that no cluster could hold; see tests/adopt."""

REVIEWED = {
    (
        "bank-of-anthos",
        "config-ref-missing",
        "Deployment/frontend",
    ): "demo-data-config and service-api-config are in no file: upstream applies them from elsewhere",
    (
        "bank-of-anthos",
        "config-ref-missing",
        "Deployment/ledgerwriter",
    ): "service-api-config is in no file: upstream applies it from elsewhere",
    (
        "bank-of-anthos",
        "secret-plaintext",
        "ConfigMap/accounts-db-config",
    ): "a URL of the database with user and password (accounts-admin)",
    (
        "id-konflux-kite",
        "hpa-and-replicas",
        "Deployment/konflux-kite",
    ): "`replicas: 2` beside a HorizontalPodAutoscaler with 2 to 5",
    (
        "infra-deployments",
        "hpa-and-replicas",
        "Deployment/konflux-kite",
    ): "`replicas: 2` beside a HorizontalPodAutoscaler with 2 to 5",
    (
        "infra-deployments",
        "config-ref-missing",
        "Deployment/dex",
    ): "the volume names ConfigMap `dex`; only names with a hash are there",
    (
        "sock-shop",
        "secret-plaintext",
        "Job/grafana-import-dashboards",
    ): "curl with http://admin:admin@grafana",
}
"""Corpus, rule and resource of every error, and why it is right."""


@pytest.mark.corpora
@pytest.mark.parametrize("case", CASES)
def test_no_error_but_those_that_are_right(case: str, tmp_path: Path) -> None:
    """In all environments of a real repository, brought over as `envc init --from-manifests` does."""
    if not CORPORA.is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}")
    if case in REFUSED:
        pytest.skip("no cluster could hold it")
    from_manifests(CORPORA / case, tmp_path / "new")
    report = check(Project.open(tmp_path / "new"), [])
    errors = {(case, found.rule, found.resource.short) for found in report.findings if found.severity == "error"}
    assert errors == {key for key in REVIEWED if key[0] == case}
