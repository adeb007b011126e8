"""Argo CD's repo server renders exactly the compiled environment: from its folder, from the chart, by the plugin."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.values import equal
from tests.harness.repository import commit, config_map, environment
from tests.oracles.argo_shop import SHOP, compiled, follow, follow_shop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.oracles.argo_shop import Followed, Identity, Manifest

VANISHING: Final = "/api/v1/namespaces/vanishing/configmaps"
PLUGIN_SECONDS: Final = 5.0
"""The most that compiling the shop in the repo server may take, with all that Argo CD does around it."""


def busyness() -> float:
    """How many times longer than the processor works on it something takes on this machine now; 1 where it is idle."""
    begun, worked = time.monotonic(), time.process_time()
    while time.process_time() - worked < 0.2:
        pass
    return max(1.0, (time.monotonic() - begun) / 0.2)


def differences(rendered: Mapping[Identity, Manifest], expected: Mapping[Identity, Manifest]) -> list[Identity]:
    """The objects that only one side has, or that are not equal to the last value and its type."""
    assert expected
    return sorted(
        each
        for each in rendered.keys() | expected.keys()
        if each not in rendered or each not in expected or not equal(rendered[each], expected[each])
    )


def test_the_folder_renders_as_it_stands(argo_shop: Followed) -> None:
    """Every object of every application folder, no other, and the index is not taken for a manifest."""
    assert (argo_shop.root / "environments/prod/.envc-index").is_file()
    assert differences(argo_shop.rendered("shop-prod"), argo_shop.compiled("prod")) == []


def test_a_comparison_finds_what_differs(argo_shop: Followed) -> None:
    """Else the tests beside this one would prove nothing."""
    rendered = argo_shop.rendered("shop-prod")
    deployment = ("apps/v1", "Deployment", "production", "app")
    account = ("v1", "ServiceAccount", "production", "app")
    rendered[deployment]["spec"]["replicas"] = str(rendered[deployment]["spec"]["replicas"])
    del rendered[account]
    assert differences(rendered, argo_shop.compiled("prod")) == [deployment, account]


@pytest.mark.parametrize("environment_name", ["prod", "staging"])
def test_the_chart_renders_to_the_same_objects(argo_shop: Followed, environment_name: str) -> None:
    """The chart of all environments as a Helm source, with the values of one."""
    application = argo_shop.written("app", environment_name)
    application["metadata"]["name"] = f"chart-{environment_name}"
    source = application["spec"]["source"]
    del source["directory"]
    source["path"] = "environments/chart"
    source["targetRevision"] = argo_shop.first_commit
    source["helm"] = {"valueFiles": [f"values-{environment_name}.yaml"]}
    argo_shop.argocd.apply(json.dumps(application))
    rendered = argo_shop.rendered(application["metadata"]["name"])
    argo_shop.argocd.forget(application["metadata"]["name"])
    assert differences(rendered, compiled(SHOP, environment_name)) == []


@pytest.fixture(scope="module")
def sources(argo_shop: Followed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """The shop as those keep it who commit no compiled environments."""
    followed = follow_shop(argo_shop.argocd, tmp_path_factory.mktemp("git") / "sources", "base", "overlays")
    followed.apply("project")
    names = [followed.apply("app", each, "--plugin") for each in ("prod", "staging")]
    yield followed
    followed.argocd.forget(*names)


def test_the_plugin_renders_what_would_be_committed(sources: Followed) -> None:
    """By the real plugin server, from sources alone and without git's history: `envc` is handed none here."""
    assert differences(sources.rendered("sources-staging"), compiled(SHOP, "staging")) == []


def test_the_plugin_is_fast(sources: Followed) -> None:
    """A hard refresh compiles anew, and what Argo CD does around it is in the figure; the best of three counts."""
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        status = sources.argocd.refreshed("sources-prod", hard=True)["status"]
        seconds.append(time.monotonic() - started)
        assert len(status["resources"]) > 80
    assert min(seconds) < PLUGIN_SECONDS * busyness()


@pytest.fixture
def small(argo_shop: Followed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    """One ConfigMap, compiled by the plugin, synced and pruned without being asked."""
    files = {
        "envc.yaml": "environments: [prod]\n",
        "base/settings.yaml": config_map("settings"),
        "overlays/prod/environment.yaml": environment("namespace: vanishing\ncluster: {context: shop-prod}\n"),
    }
    followed = follow(argo_shop.argocd, tmp_path_factory.mktemp("git") / "vanishing", files)
    followed.apply("project")
    name = followed.apply("app", "prod", "--plugin", "--automated")
    yield followed
    followed.argocd.forget(name)


def test_the_plugin_refuses_to_render_nothing(small: Followed) -> None:
    """Argo CD says why, deletes nothing, and goes on once there is something again."""
    argocd = small.argocd
    synced = argocd.wait_for(
        "vanishing-prod", lambda each: each.get("status", {}).get("sync", {}).get("status") == "Synced", what="synced"
    )
    assert "conditions" not in synced["status"]
    (small.root / "base/settings.yaml").unlink()
    commit(small.root)
    status = argocd.refreshed("vanishing-prod")["status"]
    (condition,) = status["conditions"]
    assert condition["type"] == "ComparisonError"
    assert "prod compiles to nothing; Argo CD would delete everything that is there" in condition["message"]
    assert status["sync"]["status"] == "Unknown"
    assert argocd.cluster.answers(f"{VANISHING}/settings")
    (small.root / "base/other.yaml").write_text(config_map("other"), encoding="utf-8")
    commit(small.root)
    argocd.refreshed("vanishing-prod")
    argocd.wait_for(
        "vanishing-prod",
        lambda _: argocd.cluster.answers(f"{VANISHING}/other") and not argocd.cluster.answers(f"{VANISHING}/settings"),
        what="synced and pruned",
    )
