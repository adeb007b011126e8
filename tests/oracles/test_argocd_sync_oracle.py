"""Argo CD's controllers bring compiled environments into a cluster: in waves, again after a change, as permitted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment, write_files
from tests.oracles.argo_cd import NAMESPACE
from tests.oracles.argo_shop import TRACKING, follow, unseal, wave

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.oracles.argo_cd import ArgoCd
    from tests.oracles.argo_shop import Followed, Identity, Manifest

    Change = Callable[[Manifest], Any]

APPLICATION: Final = "shop-prod"
# Production has them, too, and both environments are in one cluster here.
SHARED: Final = (
    "configmap-adapter-config.kube-system.yaml",
    "customresourcedefinition-trafficpolicies.shop.example.com.yaml",
)
HEALED: Final = "/api/v1/namespaces/staging/configmaps/redis-config"
ROLE: Final = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: outside}\nrules: []\n"
REFUSED: Final = {
    "refused/kind/role.yaml": ROLE,
    "refused/name/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: outside}\n",
    "refused/namespace/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n",
}


def live(argocd: ArgoCd, kind: str, name: str, namespace: str) -> Manifest | None:
    """An object of the cluster; None when it is not there."""
    read = argocd.cluster.kubectl("get", kind, name, "--namespace", namespace, "-o", "json")
    return json.loads(read.stdout) if read.ok else None


def unsynced(application: Manifest) -> list[tuple[str, str]]:
    """The kinds and names of what differs from git."""
    return [(each["kind"], each["name"]) for each in application["status"]["resources"] if each["status"] != "Synced"]


def message(application: Manifest) -> str:
    """What an Application's sync says of itself."""
    operation = application.get("status", {}).get("operationState", {})
    text: str = operation.get("message") or ""
    return text


def has_phase(phase: str) -> Callable[[Manifest], bool]:
    """Whether an Application's last sync is in a phase."""
    return lambda each: each.get("status", {}).get("operationState", {}).get("phase") == phase


@dataclass(frozen=True, slots=True)
class FirstSync:
    """What was seen of the first sync of production."""

    compiled: dict[Identity, Manifest]
    applied_before_secrets: Counter[int]
    """How many resources of each wave were applied while no SealedSecret had been unsealed."""
    named_before_secrets: frozenset[tuple[str, str]]
    """Kind and name of each of them."""
    deployments_before_secrets: str
    unsealed: int
    application: Manifest


@pytest.fixture(scope="module")
def first_sync(argo_shop: Followed) -> FirstSync:
    """Production in an empty cluster, where the sealed-secrets controller takes its time."""
    argocd = argo_shop.argocd
    argocd.cli("app", "sync", APPLICATION, "--async").expect_success()
    waiting = argocd.wait_for(
        APPLICATION,
        lambda each: message(each).startswith("waiting for healthy state of bitnami.com/SealedSecret/"),
        what="waiting for the SealedSecrets",
    )
    compiled = argo_shop.compiled("prod")
    waves = {(kind, name): wave(value) for (_, kind, _, name), value in compiled.items()}
    applied = waiting["status"]["operationState"]["syncResult"]["resources"]
    deployments = argocd.cluster.kubectl("get", "deployments", "--namespace", "production", "-o", "name").stdout
    unsealed = unseal(argocd, "production")
    argocd.wait_for(APPLICATION, has_phase("Succeeded"), what="synced")
    return FirstSync(
        compiled=compiled,
        applied_before_secrets=Counter(waves[each["kind"], each["name"]] for each in applied),
        named_before_secrets=frozenset((each["kind"], each["name"]) for each in applied),
        deployments_before_secrets=deployments,
        unsealed=unsealed,
        application=argocd.refreshed(APPLICATION),
    )


def test_workloads_wait_for_the_secrets_they_read(first_sync: FirstSync) -> None:
    """`syncWaves: true`: Argo CD applies all of a wave and waits for its health before it begins the next."""
    waves = Counter(map(wave, first_sync.compiled.values()))
    assert len(waves) > 3
    assert first_sync.applied_before_secrets == Counter({0: waves[0], 1: waves[1]})
    assert first_sync.deployments_before_secrets == ""
    assert first_sync.unsealed == 5


def test_the_graphs_start_order_is_that_of_the_sync(argo_shop: Followed, first_sync: FirstSync) -> None:
    """`envc graph`: the waves up to the SealedSecrets were applied when Argo CD waited for these, no other was."""
    done = run_envc(argo_shop.root, "graph", "prod", "-o", "json")
    assert done.code == 0, done.err
    graph = json.loads(done.out)
    assert graph["order"] == "annotations"
    named = {node["id"]: (node["resource"]["kind"], node["resource"]["name"]) for node in graph["nodes"]}
    order = [{named[identity] for identity in each["resources"]} for each in graph["start"]]
    sealed = next(place for place, each in enumerate(order) if any(kind == "SealedSecret" for kind, _ in each))
    assert first_sync.named_before_secrets == set().union(*order[: sealed + 1])
    assert sum(map(len, order)) == len(first_sync.compiled)


def test_every_object_is_in_the_cluster_and_none_differs(argo_shop: Followed, first_sync: FirstSync) -> None:
    """What the API server adds to the objects is not taken for a difference."""
    status = first_sync.application["status"]
    assert unsynced(first_sync.application) == []
    assert status["sync"]["status"] == "Synced"
    assert status["health"]["status"] == "Healthy"
    assert "conditions" not in status
    synced = {(each["kind"], each["name"]) for each in status["resources"]}
    assert synced == {(kind, name) for _, kind, _, name in first_sync.compiled}
    for (_, kind, namespace, name), value in first_sync.compiled.items():
        if kind == "SealedSecret":
            found = live(argo_shop.argocd, kind, name, namespace)
            assert found is not None
            assert found["spec"]["encryptedData"] == value["spec"]["encryptedData"]


@pytest.mark.usefixtures("first_sync")
def test_what_was_synced_does_not_drift_and_a_hand_is_told(
    argo_shop: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`envc drift` agrees with Argo CD; of an edit it names the manager, and of what was left Argo CD's Application."""
    cluster = argo_shop.argocd.cluster
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    ask = ("drift", "prod", "--context", "oracle")
    for method in ("read", "dry-run"):
        done = run_envc(argo_shop.root, *ask, "--method", method)
        assert done.code == 0, done.out
        assert done.out.startswith("prod: no drift")
    label = ("label", "service", "redis", "--namespace", "production")
    cluster.kubectl(*label, "hand=made").expect_success()
    mark = {TRACKING: f"{APPLICATION}:/ConfigMap:production/left"}
    left = {"name": "left", "namespace": "production", "annotations": mark}
    cluster.apply(json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": left}), namespace="production")
    done = run_envc(argo_shop.root, *ask, "-o", "json")
    (found,) = json.loads(done.out)["environments"]
    extra, changed = found["objects"]
    assert (extra["resource"]["name"], extra["note"]) == ("left", f"Argo CD's Application {APPLICATION} tracks it")
    (field,) = changed["fields"]
    assert (field["field"], field["writer"]["manager"]) == ("metadata.labels.hand", "kubectl-label")
    key = "resource.customizations.ignoreDifferences.Service"
    for setting, count in (("jsonPointers: [/metadata/labels/hand]", 1), (None, 2)):
        change = json.dumps({"data": {key: setting}})
        settings = ("patch", "configmap", "argocd-cm", "--namespace", NAMESPACE, "--type", "merge", "-p", change)
        cluster.kubectl(*settings).expect_success()
        (found,) = json.loads(run_envc(argo_shop.root, *ask, "-o", "json").out)["environments"]
        assert len(found["objects"]) == count
    cluster.kubectl(*label, "hand-").expect_success()
    cluster.kubectl("delete", "configmap", "left", "--namespace", "production").expect_success()


@pytest.mark.usefixtures("first_sync")
def test_a_commit_that_changes_a_resource_is_synced(argo_shop: Followed) -> None:
    """The one Deployment that a build changed is out of sync, and gets its new number of pods."""
    argocd = argo_shop.argocd
    argo_shop.edit("overlays/prod/environment.yaml", "\n  app: 5\n", "\n  app: 6\n")
    argo_shop.build("prod")
    assert unsynced(argocd.refreshed(APPLICATION)) == [("Deployment", "app")]
    assert has_phase("Succeeded")(argocd.sync(APPLICATION, "--apply-out-of-sync-only"))
    assert unsynced(argocd.refreshed(APPLICATION)) == []
    deployment = live(argocd, "deployment", "app", "production")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 6


@pytest.mark.usefixtures("first_sync")
def test_what_left_the_environment_is_pruned_when_asked(argo_shop: Followed) -> None:
    """A sync alone leaves it; `--prune` deletes it."""
    argocd = argo_shop.argocd
    (argo_shop.root / "overlays/prod/platform/resourcequota.yaml").unlink()
    argo_shop.build("prod")
    assert unsynced(argocd.refreshed(APPLICATION)) == [("ResourceQuota", "shop")]
    argocd.sync(APPLICATION, "--apply-out-of-sync-only")
    assert live(argocd, "resourcequota", "shop", "production") is not None
    argocd.sync(APPLICATION, "--apply-out-of-sync-only", "--prune")
    assert live(argocd, "resourcequota", "shop", "production") is None
    assert unsynced(argocd.refreshed(APPLICATION)) == []


@pytest.mark.usefixtures("first_sync")
def test_what_an_autoscaler_decides_is_no_difference(argo_shop: Followed) -> None:
    """A Deployment with a scaler is compiled without a number of pods, so that Argo CD never sets it back."""
    argocd = argo_shop.argocd
    scale = ("scale", "deployment/user-service", "--replicas=7", "--namespace", "production")
    argocd.cluster.kubectl(*scale).expect_success()
    assert ("Deployment", "user-service") not in unsynced(argocd.refreshed(APPLICATION))
    deployment = live(argocd, "deployment", "user-service", "production")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 7


@pytest.fixture(scope="module")
def outsiders(argo_shop: Followed) -> Followed:
    """The shop with folders of things that its environments do not hold."""
    write_files(argo_shop.root, REFUSED)
    commit(argo_shop.root)
    return argo_shop


def variant(followed: Followed, name: str, change: Change) -> None:
    """Apply the Application of production under another name and changed."""
    application = followed.written("app", "prod")
    application["metadata"]["name"] = name
    change(application["spec"])
    followed.argocd.apply(json.dumps(application))


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("kind", "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project shop"),
        ("name", "resource :Namespace is not permitted in project shop"),
        ("namespace", "namespace default is not permitted in project 'shop'"),
    ],
)
def test_the_project_permits_no_other_resource(outsiders: Followed, folder: str, said: str) -> None:
    """A cluster-wide kind, a cluster-wide resource and a namespace that do not occur in any environment."""
    name = f"refused-{folder}"
    variant(outsiders, name, lambda spec: spec["source"].update(path=f"refused/{folder}"))
    refused = outsiders.argocd.sync(name)
    assert has_phase("Failed")(refused)
    assert said in message(refused)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "other-repository",
            lambda spec: spec["source"].update(repoURL="file:///elsewhere"),
            "application repo file:///elsewhere is not permitted in project 'shop'",
        ),
        (
            "other-namespace",
            lambda spec: spec["destination"].update(namespace="default"),
            (
                "application destination server 'shop-prod' and namespace 'default' do not match any of the allowed "
                "destinations in project 'shop'"
            ),
        ),
        (
            "other-cluster",
            lambda spec: spec["destination"].update(name="shop-staging"),
            (
                "application destination server 'shop-staging' and namespace 'production' do not match any of the "
                "allowed destinations in project 'shop'"
            ),
        ),
    ],
)
def test_the_project_permits_no_other_place(argo_shop: Followed, name: str, change: Change, said: str) -> None:
    """Another repository, a namespace without resources, and another environment's cluster."""
    variant(argo_shop, name, change)
    (condition,) = argo_shop.argocd.refreshed(name)["status"]["conditions"]
    assert (condition["type"], condition["message"]) == ("InvalidSpecError", said)


def place(application: Mapping[str, Any]) -> tuple[str, str]:
    """Where an Application reads and where it writes."""
    spec = application["spec"]
    return spec["source"]["path"], spec["destination"]["namespace"]


def test_the_set_makes_an_application_of_every_folder(argo_shop: Followed, tmp_path: Any) -> None:
    """By Argo CD's own generators, from the commit: names, paths and namespaces of all environments."""
    namespaces = {"dev": "development", "test": "testing", "staging": "staging", "prod": "production"}
    folders = [
        (name, folder.name)
        for name in namespaces
        for folder in (argo_shop.root / "environments" / name).iterdir()
        if folder.is_dir()
    ]
    file = tmp_path / "set.json"
    file.write_text(json.dumps(argo_shop.written("appset")), encoding="utf-8")
    said = argo_shop.argocd.cli("appset", "generate", file, "-o", "json").expect_success()
    made = {each["metadata"]["name"]: place(each) for each in json.loads(said.stdout)}
    assert made == {
        f"shop-{name}-{folder}": (f"environments/{name}/{folder}", namespaces[name]) for name, folder in folders
    }
    assert len(made) > 30


@pytest.mark.usefixtures("first_sync")
def test_the_set_follows_its_environments_by_itself(argo_shop: Followed) -> None:
    """Automated, all Applications sync, heal and prune; not automated, taking the set away deletes nothing."""
    argocd = argo_shop.argocd
    for shared in SHARED:
        (argo_shop.root / "environments/staging/platform" / shared).unlink()
    commit(argo_shop.root)
    argo_shop.apply("appset", "staging", "--automated")
    folders = [each for each in (argo_shop.root / "environments/staging").iterdir() if each.is_dir()]

    def all_synced(_: Manifest) -> bool:
        unseal(argocd, "staging")
        made = argocd.made_by_sets()
        return made.keys() == {f"shop-staging-{each.name}" for each in folders} and all(
            has_phase("Succeeded")(each) and each["status"]["sync"]["status"] == "Synced" for each in made.values()
        )

    argocd.wait_for(APPLICATION, all_synced, what="followed by all of staging")
    argocd.cluster.kubectl("delete", "configmap", "redis-config", "--namespace", "staging").expect_success()
    argocd.wait_for(APPLICATION, lambda _: argocd.cluster.answers(HEALED), what="followed by a redis that was healed")
    argo_shop.apply("appset", "staging")
    argocd.wait_for(
        APPLICATION,
        lambda _: not any("finalizers" in each["metadata"] for each in argocd.made_by_sets().values()),
        what="followed by Applications that leave what runs",
    )
    argocd.cluster.kubectl("--namespace", NAMESPACE, "delete", "applicationset", "shop").expect_success()
    argocd.wait_for(APPLICATION, lambda _: not argocd.made_by_sets(), what="alone")
    assert live(argocd, "deployment", "user-service", "staging") is not None


@pytest.fixture(scope="module")
def small(argo_shop: Followed, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Two environments: one names neither cluster nor namespace, the other a namespace that is not there yet."""
    files = {
        "envc.yaml": "environments: [here, there]\n",
        "base/web/settings.yaml": config_map("web-settings"),
        "overlays/here/environment.yaml": environment(),
        "overlays/here/web/role.yaml": ROLE.replace("outside", "'view*:web'"),
        "overlays/there/environment.yaml": environment("namespace: there\ncluster: {context: shop-prod}\n"),
    }
    followed = follow(argo_shop.argocd, tmp_path_factory.mktemp("git") / "small", files)
    followed.build("here")
    followed.build("there")
    return followed


@pytest.mark.parametrize(("name", "namespace"), [("here", "default"), ("there", "there")])
def test_no_namespace_and_no_cluster_mean_the_default_ones(small: Followed, name: str, namespace: str) -> None:
    """Argo CD's own cluster and `default` are permitted; so is a namespace that Argo CD has to make."""
    small.apply("project")
    application = small.argocd.sync(small.apply("app", name))
    assert has_phase("Succeeded")(application)
    assert live(small.argocd, "configmap", "web-settings", namespace) is not None


def test_a_set_of_clusters_known_by_server_and_by_name(small: Followed) -> None:
    """The empty one of both counts as not given."""
    small.apply("project")
    small.apply("appset")
    made = {"small-here-web", "small-there-web"}
    small.argocd.wait_for(APPLICATION, lambda _: made <= small.argocd.made_by_sets().keys(), what="beside its set")
    small.argocd.cluster.kubectl("--namespace", NAMESPACE, "delete", "applicationset", "small").expect_success()


def test_what_the_project_no_longer_permits_is_left_alone(
    argo_shop: Followed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Hence a project is applied again before a sync that adds, and after one that prunes."""
    files = {
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": environment("namespace: leaving\ncluster: {context: shop-prod}\n"),
        "overlays/prod/web/settings.yaml": config_map("staying"),
        "overlays/prod/web/role.yaml": ROLE.replace("outside", "'leaving*:web'"),
    }
    followed = follow(argo_shop.argocd, tmp_path_factory.mktemp("git") / "leaving", files)
    argocd = followed.argocd
    followed.build("prod")
    followed.apply("project")
    application = followed.apply("app", "prod")
    assert has_phase("Succeeded")(argocd.sync(application))
    assert live(argocd, "clusterrole", "leaving*:web", "") is not None
    permitting = followed.written("project")
    (followed.root / "overlays/prod/web/role.yaml").unlink()
    followed.build("prod")
    followed.apply("project")
    argocd.refreshed(application)
    assert has_phase("Succeeded")(argocd.sync(application, "--prune"))
    assert live(argocd, "clusterrole", "leaving*:web", "") is not None
    argocd.apply(json.dumps(permitting))
    assert unsynced(argocd.refreshed(application)) == [("ClusterRole", "leaving*:web")]
    assert has_phase("Succeeded")(argocd.sync(application, "--prune"))
    assert live(argocd, "clusterrole", "leaving*:web", "") is None
