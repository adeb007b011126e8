"""The rule `ingress-annotation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import strings_at
from envcompile.check.rule import Rule
from envcompile.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_NETWORKING: Final = "networking.k8s.io"


_NGINX: Final = "nginx.ingress.kubernetes.io/"


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


def _annotation(inputs: CheckInput) -> Iterator[Hit]:
    for ingress in inputs.of_kind(_NETWORKING, "Ingress"):
        for key in strings_at(ingress.value, "metadata", "annotations"):
            name = key.removeprefix(_NGINX)
            if name == key or name in _ANNOTATIONS:
                continue
            near = [_MEANT[name]] if name in _MEANT else nearest(name, _ANNOTATIONS, limit=1)
            fix = f"did you mean `{_NGINX}{near[0]}`?" if near else "take it out"
            what = f"`{key}` is no annotation of ingress-nginx: it does nothing"
            yield Hit(ingress.id, ("metadata", "annotations", key), what, fix)


RULE: Final = Rule(
    "ingress-annotation",
    "warning",
    "Annotations of ingress-nginx are ones that it knows.",
    "ingress-nginx, user guide: Annotations",
    _annotation,
    alone=True,
    why="ingress-nginx ignores annotations that it does not know: the limit or redirect that was meant does not exist.",
    fix="Write the name as the controller's guide has it.",
    links=("https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/",),
    fires="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, annotations: {nginx.ingress.kubernetes.io/rate-limit: '100'}}
spec:
  rules:
  - {}
""",
    silent="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  rules:
  - {}
""",
)
