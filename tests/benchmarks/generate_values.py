"""The parameters of a generated service, and what each environment changes of them.

A service depends on the seed and its own number alone, so that a repository of 10 services is a prefix of one of 100.
"""

from __future__ import annotations

import random
from typing import Any, Final

Values = dict[str, Any]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    "account audit basket billing booking catalog checkout content coupon customer delivery discount email events "
    "export feed fraud gateway geo identity image import inventory invoice ledger loyalty media message metrics notify "
    "offer order partner payment pricing product profile promo quote rating refund report review reward risk route "
    "search session shipping stock store tax ticket token user vendor wallet"
)
_SECOND: Final = (
    "api",
    "worker",
    "web",
    "sync",
    "proxy",
    "store",
    "batch",
    "stream",
    "core",
    "edge",
    "cache",
    "indexer",
)
_VARIABLES: Final = _words(
    "LOG_LEVEL HTTP_PORT TZ REGION CACHE_URL QUEUE_URL OTEL_EXPORTER_OTLP_ENDPOINT DB_HOST DB_PORT DB_NAME "
    "FEATURE_FLAGS MAX_CONNECTIONS JAVA_OPTS RETRY_LIMIT GOMAXPROCS SENTRY_ENVIRONMENT PYTHONUNBUFFERED "
    "SHUTDOWN_GRACE"
)
_CONFIG_KEYS: Final = _words(
    "CACHE_TTL BATCH_SIZE WORKERS CURRENCY LOCALE TIMEOUT_MS RATE_LIMIT PAGE_SIZE FEATURE_NEW_CHECKOUT "
    "FEATURE_DARK_MODE UPSTREAM_URL ALLOWED_ORIGINS CRON"
)
_PROPERTIES: Final = _words(
    "server.port spring.datasource.hikari.maximum-pool-size management.endpoints.web.base-path logging.level.root "
    "logging.pattern.console cache.provider cache.spec retry.max-attempts retry.backoff.initial "
    "http.client.connect-timeout http.client.read-timeout kafka.consumer.group-id kafka.topics.in kafka.topics.out "
    "feature.async feature.bulk metrics.export.step security.oauth2.issuer-uri security.cors.max-age "
    "i18n.default-locale scheduler.pool-size scheduler.enabled storage.bucket storage.prefix tracing.sampling"
)
_WORDS: Final = ("info", "warn", "eu-west-1", "Europe/Berlin", "orders", "EUR", "de_DE")
_NAMED: Final = (
    "LOG_LEVEL",
    "APP_MODE",
    "TZ",
    "REGION",
    "DB_HOST",
    "DB_NAME",
    "CURRENCY",
    "LOCALE",
    "SENTRY_ENVIRONMENT",
)
TRICKY: Final = (
    *("yes", "No", "on", "OFF", "y", "true", "null", "~", "", "1e3", "1E-2", "0123", "0o17", "0x1F", "1_000"),
    *("12:30:00", "190:20:30", "1.0", ".5", "5.", "+1", "-0", ".inf", ".NaN", "2024-01-31", "2024-01-31T10:00:00Z"),
    *("=", "<<", "-", "?", ":", "a: b", "a #b", "#a", "&a", "*a", "!t", "%d", "@x", "`x`", "[a]", "{a}", "{a: b}", ","),
    *("- a", " lead", "trail ", "\ttab", "q'uote", 'd"quote', "back\\slash", "naïve ✓", "line1\nline2", "---", "..."),
    *("0b101", "1__0", "0.1e-5", "123456789012345678"),
)
"""Strings that careless writers, or the differences between YAML 1.1 and 1.2, turn into something else."""


class _Draw(random.Random):
    """The draws of one service; the same seed draws the same ones."""

    def value(self, key: str) -> str:
        """A value that fits the name of a variable or setting."""
        if key.endswith(("URL", "ENDPOINT")):
            return f"http://{self.choice(_FIRST)}.infra.svc.cluster.local:{self.randint(2000, 9999)}"
        if key == "JAVA_OPTS":
            return f"-Xms{self.randint(1, 4) * 128}m -XX:MaxRAMPercentage=75.0 -Dfile.encoding=UTF-8"
        if key == "ALLOWED_ORIGINS":
            return "https://a.example.com,https://b.example.com"
        if key == "CRON":
            return f"*/{self.randint(2, 30)} * * * *"
        if key.startswith("FEATURE_") or key == "PYTHONUNBUFFERED":
            return self.choice(("true", "false", "a,b,c", "1"))
        if key in _NAMED:
            return self.choice(_WORDS)
        return str(self.randint(1, 9000))

    def password(self) -> str:
        """A secret value."""
        return "".join(self.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(28))

    def properties(self, title: str) -> str:
        """The text of an `app.properties`."""
        lines = [f"# generated defaults ({title})"]
        for key in sorted(self.sample(_PROPERTIES, self.randint(14, 24))):
            choices = (
                str(self.randint(1, 9999)),
                "true",
                "false",
                f"shop-{self.choice(_FIRST)}",
                "%d{HH:mm:ss} %-5level: %msg%n",
                "PT30S",
                "maximumSize=500,expireAfterWrite=10m",
            )
            lines.append(f"{key}={self.choice(choices)}")
        return "".join(f"{line}\n" for line in lines)


def base_values(seed: int, number: int, bump: int = 0) -> Values:
    """The parameters of one service; `bump` changes one of them, as the next commit to that service would."""
    draw = _Draw(f"{seed}/{number}")
    name = f"{draw.choice(_FIRST)}-{draw.choice(_SECOND)}-{number:04d}"
    keys = sorted([*draw.sample(_VARIABLES, draw.randint(7, 13)), "APP_MODE"])
    variables = {key: draw.value(key) for key in keys}
    config = {key: draw.value(key) for key in sorted(draw.sample(_CONFIG_KEYS, draw.randint(6, 10)))}
    for text in draw.sample(TRICKY, 2):
        config[f"TRICKY_{TRICKY.index(text):02d}"] = text
    variables["TRICKY"] = draw.choice(TRICKY)
    cpu, memory = draw.choice((100, 200, 250, 500)), draw.choice((128, 256, 384, 512))
    return {
        "name": name,
        "team": draw.choice(("alpha", "bravo", "checkout", "data", "platform")),
        "component": draw.choice(("frontend", "backend", "worker")),
        "image": {
            "repo": f"registry.example.com/shop/{name}",
            "tag": f"{draw.randint(1, 4)}.{draw.randint(0, 20)}.{draw.randint(0, 9)}",
        },
        "replicas": 2,
        "port": draw.choice((8080, 8000, 3000, 9000)),
        "metricsPort": 9100,
        "resources": {
            "requests": {"cpu": f"{cpu}m", "memory": f"{memory}Mi"},
            "limits": {"cpu": f"{cpu * 4}m", "memory": f"{memory * 2}Mi"},
        },
        "env": variables,
        "config": config,
        "properties": draw.properties("base"),
        "secrets": {key: draw.password() for key in ("DB_PASSWORD", "API_TOKEN", "SESSION_KEY")},
        "host": f"{name}.shop.example.com",
        "path": draw.choice(("/", "/api", f"/{name}")),
        "hpa": {"min": 2, "max": 4, "cpu": draw.choice((60, 70, 75, 80))},
        "pdb": {"minAvailable": 1},
        "probePath": draw.choice(("/healthz", "/health", "/actuator/health")),
        "grace": draw.choice((30, 45, 60)) + bump,
        "sidecar": draw.random() < 0.3,
        "migrate": draw.random() < 0.25,
    }


def overriding_values(seed: int, number: int, environment: str, rank: int, base: Values) -> Values:
    """What an environment, the `rank`-th from 0, changes of a service's parameters."""
    draw = _Draw(f"{seed}/{number}/{environment}")
    scale = rank + 1
    requests = base["resources"]["requests"]
    cpu, memory = int(requests["cpu"].removesuffix("m")), int(requests["memory"].removesuffix("Mi"))
    plain_keys = [key for key in base["config"] if not key.startswith("TRICKY")]
    verbose = {"LOG_LEVEL": "debug"} if rank == 0 and "LOG_LEVEL" in base["env"] else {}
    changed: Values = {
        "image": {"tag": f"{base['image']['tag']}-{environment}.{draw.randint(1, 99)}"},
        "replicas": 2 + scale,
        "resources": {
            "requests": {"cpu": f"{cpu * scale}m", "memory": f"{memory * scale}Mi"},
            "limits": {"memory": f"{memory * scale * 2}Mi"},
        },
        "env": {"APP_MODE": environment, **verbose},
        "config": {key: draw.value(key) for key in draw.sample(plain_keys, 2)},
        "secrets": {"DB_PASSWORD": draw.password()},
        "host": f"{base['name']}.{environment}.shop.example.com",
        "hpa": {"max": 4 + 4 * scale},
    }
    if environment in {"staging", "prod"}:
        changed["properties"] = draw.properties(environment)
    return changed


def overridden(values: Any, changes: Any) -> Any:
    """Parameters with changes laid over them, map by map."""
    if not isinstance(values, dict) or not isinstance(changes, dict):
        return changes
    merged = {key: overridden(values[key], item) if key in values else item for key, item in changes.items()}
    return {**values, **merged}
