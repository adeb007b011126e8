"""The environments of the shop differ where they are meant to."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import yaml

from tests.shop.cluster import template

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.shop.cluster import Shop


def _each(shops: dict[str, Shop], look: Callable[[Shop], Any]) -> dict[str, Any]:
    return {name: look(shop) for name, shop in shops.items()}


def test_prod_properties_are_the_base_with_what_prod_changes(shops: dict[str, Shop]) -> None:
    """The overlay says only what prod changes; the compiled text holds the base's other keys as well."""
    assert shops["prod"].properties("app-config") == {
        "server.port": "8080",
        "spring.profiles.active": "production",
        "logging.level.root": "INFO",
        "spring.datasource.url": "${DATABASE_URL}",
        "spring.datasource.hikari.maximum-pool-size": "50",
        "spring.datasource.hikari.minimum-idle": "10",
        "spring.cache.type": "redis",
        "spring.cache.redis.host": "redis.production.svc.cluster.local",
        "spring.cache.redis.port": "6379",
        "spring.cache.redis.time-to-live": "7200000",
        "management.endpoints.web.exposure.include": "health,info,metrics,prometheus",
        "management.metrics.export.prometheus.enabled": "true",
    }


def test_namespaces_and_labels(shops: dict[str, Shop]) -> None:
    """Each environment has a namespace of its own and marks every resource with its name."""
    found = _each(shops, lambda shop: shop.get("Deployment", "user-service")["metadata"]["namespace"])
    assert found == {"dev": "development", "test": "testing", "staging": "staging", "prod": "production"}
    for name, shop in shops.items():
        assert {resource["metadata"]["labels"]["environment"] for resource in shop.resources} == {name}
        assert shop.container("user-service")["env"][0] == {"name": "ENVIRONMENT", "value": found[name]}


def test_image_tags(shops: dict[str, Shop]) -> None:
    """Each environment runs a version of its own, and all containers of that image change together."""
    found = _each(shops, lambda shop: shop.container("user-service")["image"].rpartition(":")[2])
    assert found == {"dev": "v1.5.0-rc.3", "test": "v1.5.0-rc.2", "staging": "v1.4.3", "prod": "v1.4.2"}
    assert len(set(_each(shops, lambda shop: shop.container("product-service")["image"]).values())) == len(shops)


def test_replicas(shops: dict[str, Shop]) -> None:
    """`replicas` of environment.yaml reaches the workload that no scaler owns."""
    found = _each(shops, lambda shop: shop.get("Deployment", "app")["spec"]["replicas"])
    assert found == {"dev": 1, "test": 2, "staging": 3, "prod": 5}


def test_resources(shops: dict[str, Shop]) -> None:
    """Dev and test are small, staging keeps the base, prod is large; jsonnet's service is patched like the others."""
    found = _each(shops, lambda shop: shop.container("user-service")["resources"]["requests"])
    small = {"cpu": "100m", "memory": "256Mi"}
    assert found == {
        "dev": small,
        "test": small,
        "staging": {"cpu": "200m", "memory": "512Mi"},
        "prod": {"cpu": "500m", "memory": "1Gi"},
    }
    product = _each(shops, lambda shop: shop.container("product-service")["resources"]["limits"]["memory"])
    assert product == {"dev": "512Mi", "test": "512Mi", "staging": "768Mi", "prod": "1536Mi"}


def test_hosts(shops: dict[str, Shop]) -> None:
    """Every host of an environment is its domain, in Ingresses, certificate and traffic policy alike."""
    domains = {
        "dev": "api.dev.example.com",
        "test": "api.test.example.com",
        "staging": "api.staging.example.com",
        "prod": "api.example.com",
    }
    for name, shop in shops.items():
        for ingress in shop.of("Ingress"):
            assert [rule["host"] for rule in ingress["spec"]["rules"]] == [domains[name]]
            assert [tls["hosts"] for tls in ingress["spec"]["tls"]] == [[domains[name]]]
        assert shop.get("Certificate", "api-tls")["spec"]["dnsNames"] == [domains[name]]
        assert shop.get("TrafficPolicy", "shop")["spec"]["host"] == domains[name]


def test_a_parameter_in_quotes_stays_text(shops: dict[str, Shop]) -> None:
    """An annotation that is one parameter takes the parameter's type, and that is a string."""
    annotation = "nginx.ingress.kubernetes.io/limit-rps"
    found = _each(shops, lambda shop: {i["metadata"]["annotations"][annotation] for i in shop.of("Ingress")})
    assert found == {"dev": {"1000"}, "test": {"1000"}, "staging": {"200"}, "prod": {"100"}}


def test_pool_sizes(shops: dict[str, Shop]) -> None:
    """The database pool grows from dev to prod, for services of YAML and of jsonnet."""
    key = "spring.datasource.hikari.maximum-pool-size"
    user = _each(shops, lambda shop: shop.properties("user-service-config")[key])
    assert user == {"dev": "5", "test": "10", "staging": "30", "prod": "50"}
    product = _each(shops, lambda shop: shop.properties("product-service-config")[key])
    assert product == {"dev": "5", "test": "10", "staging": "30", "prod": "40"}


def test_log_levels(shops: dict[str, Shop]) -> None:
    """Dev talks, prod whispers; the key of the ConfigMap and the properties agree."""
    due = {"dev": "DEBUG", "test": "INFO", "staging": "INFO", "prod": "WARN"}
    for config in ("user-service-config", "order-service-config", "product-service-config", "video-service-config"):
        assert {name: shop.properties(config)["logging.level.root"] for name, shop in shops.items()} == due
        levels = {name: shop.get("ConfigMap", config)["data"]["log_level"].upper() for name, shop in shops.items()}
        assert levels == due


def test_a_key_can_be_removed_from_the_properties(shops: dict[str, Shop]) -> None:
    """Dev removes the batch size that the base states; the others keep it."""
    key = "spring.jpa.properties.hibernate.jdbc.batch_size"
    found = _each(shops, lambda shop: shop.properties("user-service-config").get(key))
    assert found == {"dev": None, "test": "50", "staging": "50", "prod": "50"}


def test_configuration_in_yaml_json_and_toml_is_merged_too(shops: dict[str, Shop]) -> None:
    """Overlays of embedded YAML, JSON and TOML state only what they change."""
    ranking = _each(shops, lambda shop: yaml.safe_load(_data(shop, "recommendation-service", "ranking.yaml")))
    limits = {name: values["candidates"]["limit"] for name, values in ranking.items()}
    assert limits == {"dev": 20, "test": 200, "staging": 200, "prod": 500}
    assert all(values["weights"] == {"relevance": 0.7, "margin": 0.2, "novelty": 0.1} for values in ranking.values())
    transcode = _each(shops, lambda shop: json.loads(_data(shop, "video-service", "transcode.json"))["renditions"])
    assert sorted(transcode["prod"]) == ["1080p", "2160p", "480p", "720p"]
    assert transcode["dev"]["1080p"] == {"bitrate": "5000k", "enabled": False}
    assert transcode["staging"]["1080p"] == {"bitrate": "5000k", "enabled": True}
    encoder = _each(shops, lambda shop: tomllib.loads(_data(shop, "video-encoder", "encoder.toml")))
    presets = {name: values["encoder"]["preset"] for name, values in encoder.items()}
    assert presets == {"dev": "ultrafast", "test": "ultrafast", "staging": "medium", "prod": "slow"}
    assert all(values["kafka"]["topic"] == "video-processing" for values in encoder.values())


def _data(shop: Shop, service: str, key: str) -> str:
    text: str = shop.get("ConfigMap", f"{service}-config")["data"][key]
    return text


def test_autoscaler_bounds(shops: dict[str, Shop]) -> None:
    """One Patch over all autoscalers for dev, test and staging; prod states each service's bounds."""

    def bounds(shop: Shop) -> tuple[int, int]:
        spec = shop.get("HorizontalPodAutoscaler", "user-service-hpa")["spec"]
        return spec["minReplicas"], spec["maxReplicas"]

    assert _each(shops, bounds) == {"dev": (1, 2), "test": (1, 3), "staging": (2, 6), "prod": (5, 20)}


def test_a_trigger_without_definition_is_merged_by_the_projects_key(shops: dict[str, Shop]) -> None:
    """Staging changes one field of the ScaledObject's trigger; `mergeKeys` of envc.yaml says which trigger."""
    [trigger] = shops["staging"].get("ScaledObject", "video-encoder")["spec"]["triggers"]
    assert trigger["type"] == "kafka"
    assert trigger["metadata"]["lagThreshold"] == "500"
    assert trigger["metadata"]["bootstrapServers"] == "kafka.staging.example.com:9092"


def test_tolerations(shops: dict[str, Shop]) -> None:
    """Dev and test run on spot nodes, staging and prod on nodes of their own."""

    def keys(shop: Shop) -> list[tuple[str, str | None]]:
        spec = template(shop.get("Deployment", "order-service"))["spec"]
        return [(toleration["key"], toleration.get("value")) for toleration in spec["tolerations"]]

    spot = [("shop.example.com/spot", None)]
    assert _each(shops, keys) == {
        "dev": spot,
        "test": spot,
        "staging": [("shop.example.com/dedicated", "staging")],
        "prod": [("shop.example.com/dedicated", "production"), ("node.kubernetes.io/unreachable", None)],
    }


def test_prod_spreads_every_deployment_over_zones(shops: dict[str, Shop]) -> None:
    """One Patch reaches all Deployments of the shop, and no other environment has it."""
    for name, shop in shops.items():
        for deployment in shop.of("Deployment"):
            assert ("topologySpreadConstraints" in template(deployment)["spec"]) == (name == "prod")


def test_redis_gets_the_volume_its_environment_asks_for(shops: dict[str, Shop]) -> None:
    """A json6902 patch reaches into the list of claim templates, which has no merge key."""

    def size(shop: Shop) -> str:
        [claim] = shop.get("StatefulSet", "redis")["spec"]["volumeClaimTemplates"]
        found: str = claim["spec"]["resources"]["requests"]["storage"]
        return found

    assert _each(shops, size) == {"dev": "1Gi", "test": "1Gi", "staging": "10Gi", "prod": "50Gi"}


def test_what_only_some_environments_have(shops: dict[str, Shop]) -> None:
    """Exclusions, deletions and additional resources: each where it is meant to be."""

    def having(kind: str, name: str) -> set[str]:
        return {environment for environment, shop in shops.items() if name in shop.names(kind)}

    assert having("PodDisruptionBudget", "user-service-pdb") == {"staging", "prod"}
    assert having("ScaledObject", "video-encoder") == {"staging", "prod"}
    assert having("HorizontalPodAutoscaler", "video-encoder-hpa") == {"dev", "test"}
    assert having("VerticalPodAutoscaler", "video-service-vpa") == {"test", "staging", "prod"}
    assert having("Deployment", "debug-toolbox") == {"dev"}
    assert having("ResourceQuota", "shop") == {"prod"}


def test_dev_runs_orders_without_the_relay(shops: dict[str, Shop]) -> None:
    """`$patch: delete` takes one container out and leaves the other as it is."""

    def names(shop: Shop) -> list[str]:
        return [
            container["name"] for container in template(shop.get("Deployment", "order-service"))["spec"]["containers"]
        ]

    both = ["order-service", "outbox-relay"]
    assert _each(shops, names) == {"dev": ["order-service"], "test": both, "staging": both, "prod": both}


def test_routes_of_the_traffic_policy_are_merged_by_key(shops: dict[str, Shop]) -> None:
    """The CRD's own keys decide: routes by name, backends by service and port, methods as a set."""
    routes = {name: shop.get("TrafficPolicy", "shop")["spec"]["routes"] for name, shop in shops.items()}
    base = ["users", "orders", "products", "recommendations", "videos"]
    assert [route["name"] for route in routes["staging"]] == base
    assert [route["name"] for route in routes["prod"]] == [*base, "app"]
    prod = {route["name"]: route for route in routes["prod"]}
    assert prod["orders"]["timeoutSeconds"] == 60
    assert prod["orders"]["path"] == "/api/orders"
    assert prod["recommendations"]["backends"] == [
        {"service": "recommendation-service", "port": 80, "weight": 90},
        {"service": "product-service", "port": 80, "weight": 10},
    ]
    assert prod["users"] == next(route for route in routes["staging"] if route["name"] == "users")
    orders = {name: next(r for r in found if r["name"] == "orders")["methods"] for name, found in routes.items()}
    usual = ["GET", "POST"]
    assert orders == {"dev": usual, "test": [*usual, "DELETE"], "staging": usual, "prod": usual}
