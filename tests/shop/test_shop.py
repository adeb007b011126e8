"""Every environment of the shop holds together by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.shop.cluster import containers, quantity, selects, template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.shop.cluster import Shop

SERVICES = ("user-service", "order-service", "product-service", "recommendation-service", "video-service")
CLUSTER_WIDE = ("Namespace", "CustomResourceDefinition")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_all_its_parts(shop: Shop, name: str) -> None:
    """A service is never compiled without what makes it run, be found, be scaled and be walled off."""
    for kind, suffix in (
        ("Deployment", ""),
        ("Service", ""),
        ("ServiceAccount", ""),
        ("ConfigMap", "-config"),
        ("SealedSecret", "-secret"),
        ("Ingress", "-ingress"),
        ("HorizontalPodAutoscaler", "-hpa"),
        ("Role", ""),
        ("RoleBinding", ""),
        ("NetworkPolicy", ""),
    ):
        assert f"{name}{suffix}" in shop.names(kind), kind
    assert shop.properties(f"{name}-config")["server.port"] == "8080"


def test_nothing_of_the_sources_is_left(shop: Shop) -> None:
    """No parameter, no reference to a secret and no plain Secret reaches the output; `${DATABASE_URL}` does."""
    assert not shop.of("Secret")
    left_over = [text for text in _strings(shop.resources) if "${{" in text or "ref+" in text]
    assert not left_over
    assert shop.properties("app-config")["spring.datasource.url"] == "${DATABASE_URL}"


def test_everything_lives_in_the_environments_namespace(shop: Shop) -> None:
    """Only the adapter's rules live elsewhere, and the namespace itself is part of the environment."""
    [namespace] = shop.names("Namespace")
    for resource in shop.resources:
        if resource["kind"] in CLUSTER_WIDE:
            assert "namespace" not in resource["metadata"]
        else:
            due = "kube-system" if resource["metadata"]["name"] == "adapter-config" else namespace
            assert resource["metadata"]["namespace"] == due
    for binding in shop.of("RoleBinding"):
        assert [subject["namespace"] for subject in binding["subjects"]] == [namespace]


def test_pods_run_as_accounts_that_exist(shop: Shop) -> None:
    """A pod whose ServiceAccount is missing never starts; roles are bound to accounts and roles that exist."""
    accounts = shop.names("ServiceAccount")
    for workload in shop.workloads:
        assert template(workload)["spec"]["serviceAccountName"] in accounts
    for binding in shop.of("RoleBinding"):
        assert binding["roleRef"]["name"] in shop.names("Role")
        assert {subject["name"] for subject in binding["subjects"]} <= accounts
    for store in shop.of("SecretStore"):
        assert store["spec"]["provider"]["vault"]["auth"]["kubernetes"]["serviceAccountRef"]["name"] in accounts


def test_selectors_reach_their_own_pods_only(shop: Shop) -> None:
    """Selectors of workloads match their templates and no other's; Services and budgets select one workload."""
    for workload in shop.workloads:
        selector = workload["spec"]["selector"]["matchLabels"]
        assert [other for other in shop.workloads if selects(selector, other)] == [workload]
    for service in shop.of("Service"):
        assert len([w for w in shop.workloads if selects(service["spec"]["selector"], w)]) == 1
    for budget in shop.of("PodDisruptionBudget"):
        assert len([w for w in shop.workloads if selects(budget["spec"]["selector"]["matchLabels"], w)]) == 1


def test_services_and_ingresses_lead_to_ports_that_exist(shop: Shop) -> None:
    """A Service's targetPort is a port of its pods, an Ingress' backend is a port of a Service."""
    for service in shop.of("Service"):
        [workload] = [w for w in shop.workloads if selects(service["spec"]["selector"], w)]
        ports = {port["name"] for container in containers(workload) for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    for ingress in shop.of("Ingress"):
        assert ingress["spec"]["ingressClassName"] == "nginx"
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = shop.get("Service", backend["name"])["spec"]["ports"]
                assert backend["port"]["name"] in {port["name"] for port in ports}


def test_metrics_are_scraped_where_they_listen(shop: Shop) -> None:
    """The port that Prometheus is told is the container port called `metrics`."""
    for workload in shop.of("Deployment"):
        annotations = template(workload)["metadata"].get("annotations", {})
        if annotations.get("prometheus.io/scrape") == "true":
            ports = {p["name"]: p["containerPort"] for c in containers(workload) for p in c["ports"]}
            assert annotations["prometheus.io/port"] == str(ports["metrics"])


def test_configuration_and_secrets_that_pods_use_exist(shop: Shop) -> None:
    """Every ConfigMap, Secret and key that a pod or an Ingress names is there, or made by an operator."""
    secrets = shop.secret_keys()
    config_maps = {resource["metadata"]["name"]: set(resource["data"]) for resource in shop.of("ConfigMap")}
    for workload in shop.workloads:
        for volume in template(workload)["spec"].get("volumes", []):
            if "configMap" in volume:
                assert volume["configMap"]["name"] in config_maps
        for container in containers(workload):
            for variable in container.get("env", []):
                source = variable.get("valueFrom", {})
                if reference := source.get("configMapKeyRef"):
                    assert reference["key"] in config_maps[reference["name"]]
                if reference := source.get("secretKeyRef"):
                    assert reference["key"] in (secrets[reference["name"]] or ())
    for ingress in shop.of("Ingress"):
        assert {tls["secretName"] for tls in ingress["spec"]["tls"]} <= secrets.keys()
    for external in shop.of("ExternalSecret"):
        assert external["spec"]["secretStoreRef"]["name"] in shop.names(external["spec"]["secretStoreRef"]["kind"])


def test_one_scaler_decides_the_number_of_pods(shop: Shop) -> None:
    """No workload has two scalers, and none has both a scaler and `replicas`; one of the two it has."""
    targets = [name for name, _ in shop.scalers()]
    assert len(targets) == len(set(targets))
    assert set(targets) <= shop.names("Deployment")
    for workload in shop.workloads:
        assert ("replicas" in workload["spec"]) != (workload["metadata"]["name"] in targets)


def test_metrics_that_scale_are_served(shop: Shop) -> None:
    """Each HPA's metrics exist: the adapter has a rule, or every container requests the resource."""
    custom, external = shop.served_metrics("rules"), shop.served_metrics("externalRules")
    ingresses = shop.names("Ingress")
    for scaler in shop.of("HorizontalPodAutoscaler"):
        workload = shop.get("Deployment", scaler["spec"]["scaleTargetRef"]["name"])
        for metric in scaler["spec"]["metrics"]:
            match metric["type"]:
                case "Resource":
                    for container in containers(workload):
                        assert metric["resource"]["name"] in container["resources"]["requests"]
                case "Pods":
                    assert metric["pods"]["metric"]["name"] in custom
                case "Object":
                    assert metric["object"]["metric"]["name"] in custom
                    assert metric["object"]["describedObject"]["name"] in ingresses
                case "External":
                    assert metric["external"]["metric"]["name"] in external
                case other:
                    pytest.fail(f"no rule for metrics of type {other}")


def test_external_metrics_have_one_server(shop: Shop) -> None:
    """KEDA and the adapter's external rules would register the same API service, so only one of them is there."""
    assert bool(shop.of("ScaledObject")) != bool(shop.served_metrics("externalRules"))


def test_budgets_let_nodes_drain(shop: Shop) -> None:
    """A PodDisruptionBudget leaves at least one pod that may go, at the scaler's lower bound too."""
    for budget in shop.of("PodDisruptionBudget"):
        spec = budget["spec"]
        [workload] = [w for w in shop.workloads if selects(spec["selector"]["matchLabels"], w)]
        fewest, _ = shop.pods_range(workload)
        assert spec.get("maxUnavailable", 0) >= 1 or spec["minAvailable"] < fewest


def test_pods_meet_the_restricted_standard(shop: Shop) -> None:
    """The namespaces enforce the restricted Pod Security Standard, and images are pinned to a version."""
    [namespace] = shop.of("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in shop.workloads:
        assert template(workload)["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(workload):
            security = container["securityContext"]
            assert security["runAsNonRoot"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            name, _, tag = container["image"].rpartition(":")
            assert name.startswith("registry.example.com/")
            assert tag.startswith("v") or name.endswith("/redis")


def test_pods_are_walled_off_but_can_resolve_names(shop: Shop) -> None:
    """Nothing is admitted by default; whatever may call somebody may ask the DNS first."""
    assert shop.get("NetworkPolicy", "default-deny")["spec"]["podSelector"] == {}
    for workload in shop.workloads:
        policy = shop.get("NetworkPolicy", workload["metadata"]["name"])
        assert selects(policy["spec"]["podSelector"]["matchLabels"], workload)
        egress = policy["spec"].get("egress", [])
        ports = {(port["protocol"], port["port"]) for rule in egress for port in rule.get("ports", [])}
        assert not egress or egress == [{}] or {("UDP", 53), ("TCP", 53)} <= ports


def test_callers_are_admitted_by_whom_they_call(shop: Shop) -> None:
    """For each service that a configuration names, its policy admits the caller, whose policy lets it out."""
    for service in SERVICES:
        for key, value in shop.properties(f"{service}-config").items():
            if not key.startswith("clients.") or not value.startswith("http://"):
                continue
            callee = value.removeprefix("http://")
            assert callee in shop.names("Service")
            assert service in _named_pods(shop.get("NetworkPolicy", callee)["spec"]["ingress"], "from")
            assert callee in _named_pods(shop.get("NetworkPolicy", service)["spec"]["egress"], "to")


def _named_pods(rules: list[dict[str, Any]], side: str) -> set[str]:
    return {
        value
        for rule in rules
        for peer in rule[side]
        for expression in peer.get("podSelector", {}).get("matchExpressions", [])
        for value in expression["values"]
    }


def test_the_quota_has_room_for_every_scaler_at_its_bound(shops: dict[str, Shop]) -> None:
    """In prod a scaler may reach its upper bound during a roll-out without meeting the ResourceQuota."""
    prod = shops["prod"]
    hard = prod.get("ResourceQuota", "shop")["spec"]["hard"]
    needed = dict.fromkeys(hard, 0.0)
    for workload in prod.workloads:
        pods = prod.pods_range(workload)[1] + (workload["kind"] == "Deployment")
        needed["pods"] += pods
        for container in containers(workload):
            for side in ("requests", "limits"):
                for name, amount in container["resources"][side].items():
                    needed[f"{side}.{name}"] += pods * quantity(amount)
    assert all(needed[name] <= quantity(amount) for name, amount in hard.items())


def test_the_external_secret_speaks_the_served_version(shop: Shop) -> None:
    """ExternalSecret and SecretStore are v1, and the key does not repeat what the store's path says."""
    external, store = shop.get("ExternalSecret", "app-external-secret"), shop.get("SecretStore", "vault-backend")
    assert {external["apiVersion"], store["apiVersion"]} == {"external-secrets.io/v1"}
    assert store["spec"]["provider"]["vault"]["path"] == "secret"
    assert {item["remoteRef"]["key"] for item in external["spec"]["data"]} == {"app"}


def test_reloader_is_told_on_the_workload(shop: Shop) -> None:
    """Reloader reads the metadata of the Deployment, not that of a container."""
    metadata = shop.get("Deployment", "app")["metadata"]
    assert metadata["annotations"]["reloader.stakater.com/auto"] == "true"
