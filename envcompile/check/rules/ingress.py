"""Requests from outside: where Ingresses and routes lead, and what their controllers make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, map_at, maps_at, scalar_at, strings_at, text_at, texts_at
from envcompile.check.rule import Rule
from envcompile.check.rules.references import suggestion
from envcompile.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import Scene
    from envcompile.model import Pointer, Resource

_NETWORKING: Final = "networking.k8s.io"
_GATEWAY: Final = "gateway.networking.k8s.io"
_NGINX: Final = "nginx.ingress.kubernetes.io/"
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"

_ANNOTATION_NAMES: Final = """
    affinity affinity-canary-behavior affinity-mode app-root auth-always-set-cookie auth-cache-duration auth-cache-key
    auth-keepalive auth-keepalive-requests auth-keepalive-share-vars auth-keepalive-timeout auth-method
    auth-proxy-set-headers auth-realm auth-request-redirect auth-response-headers auth-secret auth-secret-type
    auth-signin auth-signin-redirect-param auth-snippet auth-tls-error-page auth-tls-match-cn
    auth-tls-pass-certificate-to-upstream auth-tls-secret auth-tls-verify-client auth-tls-verify-depth auth-type
    auth-url backend-protocol canary canary-by-cookie canary-by-header canary-by-header-pattern
    canary-by-header-value canary-weight canary-weight-total client-body-buffer-size configuration-snippet
    connection-proxy-header cors-allow-credentials cors-allow-headers cors-allow-methods cors-allow-origin
    cors-expose-headers cors-max-age custom-headers custom-http-errors default-backend denylist-source-range
    disable-proxy-intercept-errors enable-access-log enable-cors enable-global-auth enable-http2 enable-influxdb
    enable-modsecurity enable-opentelemetry enable-opentracing enable-owasp-core-rules enable-rewrite-log
    fastcgi-index fastcgi-params-configmap force-ssl-redirect from-to-www-redirect global-rate-limit
    global-rate-limit-ignored-cidrs global-rate-limit-key global-rate-limit-window http2-push-preload influxdb-host
    influxdb-measurement influxdb-port influxdb-server-name limit-allowlist limit-burst-multiplier limit-connections
    limit-rate limit-rate-after limit-rpm limit-rps limit-whitelist load-balance mirror-host mirror-request-body
    mirror-target modsecurity-snippet modsecurity-transaction-id opentelemetry-operation-name
    opentelemetry-trust-incoming-span opentracing-trust-incoming-span permanent-redirect permanent-redirect-code
    preserve-trailing-slash proxy-body-size proxy-buffer-size proxy-buffering proxy-buffers-number
    proxy-busy-buffers-size proxy-connect-timeout proxy-cookie-domain proxy-cookie-path proxy-http-version
    proxy-max-temp-file-size proxy-next-upstream proxy-next-upstream-timeout proxy-next-upstream-tries
    proxy-read-timeout proxy-redirect-from proxy-redirect-to proxy-request-buffering proxy-send-timeout
    proxy-ssl-ciphers proxy-ssl-name proxy-ssl-protocols proxy-ssl-secret proxy-ssl-server-name proxy-ssl-verify
    proxy-ssl-verify-depth relative-redirects rewrite-target satisfy server-alias server-snippet service-upstream
    session-cookie-change-on-failure session-cookie-conditional-samesite-none session-cookie-domain
    session-cookie-expires session-cookie-hash session-cookie-max-age session-cookie-name session-cookie-path
    session-cookie-samesite session-cookie-secure ssl-ciphers ssl-passthrough ssl-prefer-server-ciphers ssl-redirect
    stream-snippet temporal-redirect temporal-redirect-code upstream-hash-by upstream-hash-by-subset
    upstream-hash-by-subset-size upstream-vhost use-port-in-redirects use-regex whitelist-source-range
    x-forwarded-prefix
"""
_ANNOTATIONS: Final = frozenset(_ANNOTATION_NAMES.split())
"""Every annotation that a release of ingress-nginx has known; source: its user guide, Annotations."""

_MEANT: Final = {
    "rate-limit": "limit-rps",
    "ratelimit": "limit-rps",
    "rate-limit-rps": "limit-rps",
    "timeout": "proxy-read-timeout",
}
"""Names that people invent -> what they mean."""


def class_of(ingress: Resource) -> str:
    """The class of an Ingress, by field or by the old annotation."""
    annotations = strings_at(ingress.value, "metadata", "annotations")
    return text_at(ingress.value, "spec", "ingressClassName") or annotations.get(CLASS_ANNOTATION, "")


def _backends(ingress: Resource) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    default = map_at(ingress.value, "spec", "defaultBackend", "service")
    if default:
        yield ("spec", "defaultBackend", "service"), default
    for position, rule in maps_at(ingress.value, "spec", "rules"):
        for place, path in maps_at(rule, "http", "paths"):
            service = map_at(path, "backend", "service")
            if service:
                yield ("spec", "rules", position, "http", "paths", place, "backend", "service"), service


def _backend(scene: Scene) -> Iterator[Hit]:
    for ingress in scene.of_kind(_NETWORKING, "Ingress"):
        for pointer, backend in _backends(ingress):
            port = map_at(backend, "port")
            if text_at(port, "name") == "use-annotation":
                continue  # the AWS load balancer controller's actions are no Services
            field = "name" if "name" in port else "number"
            yield from _leads_to(
                scene,
                ingress,
                text_at(backend, "name"),
                (*pointer, "name"),
                scalar_at(port, field),
                (*pointer, "port", field),
            )
    for route in scene.of_kind(_GATEWAY, "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"):
        for position, rule in maps_at(route.value, "spec", "rules"):
            for place, target in maps_at(rule, "backendRefs"):
                is_service = text_at(target, "kind") in {"", "Service"} and not text_at(target, "group")
                if is_service and text_at(target, "namespace") in {"", route.id.namespace}:
                    way: Pointer = ("spec", "rules", position, "backendRefs", place)
                    name = text_at(target, "name")
                    yield from _leads_to(scene, route, name, (*way, "name"), scalar_at(target, "port"), (*way, "port"))


def _leads_to(
    scene: Scene, source: Resource, name: str, name_at: Pointer, port: int | str | None, port_at: Pointer
) -> Iterator[Hit]:
    """What is wrong with a backend: its Service, or the port of it."""
    service = scene.named("", "Service", source.id.namespace, name)
    if service is None:
        known = [each.id.name for each in scene.of_kind("", "Service") if each.id.namespace == source.id.namespace]
        what = f"its namespace has no Service `{name}`: requests get a 503"
        yield Hit(source.id, name_at, what, f"{suggestion(name, known)}add the Service", value=name)
        return
    ports = [each for _, each in maps_at(service.value, "spec", "ports")]
    if (
        port is None
        or not ports
        or port in {text_at(each, "name") for each in ports}
        or port in {scalar_at(each, "port") for each in ports}
    ):
        return
    shown = ", ".join(
        f"{each.get('port')} ({text_at(each, 'name')})" if text_at(each, "name") else str(each.get("port"))
        for each in ports
    )
    what = f"{service.id.short} has no port `{port}`: requests get a 503"
    yield Hit(source.id, port_at, what, f"write a port of the Service: {shown}", value=port)


def _conflict(scene: Scene) -> Iterator[Hit]:
    first: dict[tuple[str, str, str, str], Resource] = {}
    for ingress in scene.of_kind(_NETWORKING, "Ingress"):
        if strings_at(ingress.value, "metadata", "annotations").get(f"{_NGINX}canary") == "true":
            continue
        for position, rule in maps_at(ingress.value, "spec", "rules"):
            host = text_at(rule, "host")
            for place, path in maps_at(rule, "http", "paths"):
                key = (class_of(ingress), host, text_at(path, "path"), text_at(path, "pathType"))
                other = first.setdefault(key, ingress)
                if other is not ingress:
                    yield Hit(
                        ingress.id,
                        ("spec", "rules", position, "http", "paths", place, "path"),
                        f"{other.id.short} has {host or 'every host'}{key[2] or '/'}, too: chance says who answers",
                        "leave the path in one Ingress",
                        value=[other.id.name, host, key[2]],
                    )


def _tls(scene: Scene) -> Iterator[Hit]:
    for ingress in scene.of_kind(_NETWORKING, "Ingress"):
        covered = [host for _, tls in maps_at(ingress.value, "spec", "tls") for host in texts_at(tls, "hosts")]
        whole = any(not list_at(tls, "hosts") for _, tls in maps_at(ingress.value, "spec", "tls"))
        for position, rule in maps_at(ingress.value, "spec", "rules"):
            host = text_at(rule, "host")
            if not whole and not any(_covers(name, host) for name in covered):
                yield Hit(
                    ingress.id,
                    ("spec", "tls") if not covered else ("spec", "rules", position, "host"),
                    f"{host or 'every host'} is served without TLS",
                    f"add {host or 'the host'} to `tls` with the Secret of its certificate",
                    scene.in_production("warning"),
                    value=host,
                )
        for position, tls in maps_at(ingress.value, "spec", "tls"):
            name = text_at(tls, "secretName")
            if name and scene.provisions.find("Secret", ingress.id.namespace, name) is None:
                yield Hit(
                    ingress.id,
                    ("spec", "tls", position, "secretName"),
                    f"its namespace has no Secret `{name}`, and nothing that makes it",
                    "add a cert-manager Certificate of that secretName, or an issuer annotation on the Ingress",
                    scene.in_production("warning"),
                    value=name,
                )


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


def _annotation(scene: Scene) -> Iterator[Hit]:
    for ingress in scene.of_kind(_NETWORKING, "Ingress"):
        for key in strings_at(ingress.value, "metadata", "annotations"):
            name = key.removeprefix(_NGINX)
            if name == key or name in _ANNOTATIONS:
                continue
            near = [_MEANT[name]] if name in _MEANT else nearest(name, _ANNOTATIONS, limit=1)
            fix = f"did you mean `{_NGINX}{near[0]}`?" if near else "take it out"
            what = f"`{key}` is no annotation of ingress-nginx: it does nothing"
            yield Hit(ingress.id, ("metadata", "annotations", key), what, fix)


RULES: Final = (
    Rule(
        "ingress-backend",
        "error",
        "An Ingress or a route leads to a Service of the environment, and to a port of it.",
        "kubernetes.io, Ingress; kube-linter dangling-ingress, kube-score ingress-targets-service, Popeye POP-1401",
        _backend,
    ),
    Rule(
        "ingress-host-conflict",
        "error",
        "No two Ingresses of a class have the same host and path.",
        "ingress-nginx, admission webhook; Gatekeeper uniqueingresshost, Kyverno unique-ingress-host-and-path",
        _conflict,
    ),
    Rule(
        "ingress-tls",
        "warning",
        "Every host of an Ingress has a certificate in production.",
        "kubernetes.io, Ingress: TLS; Polaris tlsSettingsMissing, Kyverno require-ingress-https",
        _tls,
    ),
    Rule(
        "ingress-annotation",
        "warning",
        "Annotations of ingress-nginx are ones that it knows.",
        "ingress-nginx, user guide: Annotations",
        _annotation,
        alone=True,
    ),
)
