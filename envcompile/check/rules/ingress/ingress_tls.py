"""The rule `ingress-tls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import list_at, maps_at, text_at, texts_at
from envcompile.check.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_NETWORKING: Final = "networking.k8s.io"


def _tls(inputs: CheckInput) -> Iterator[Hit]:
    for ingress in inputs.of_kind(_NETWORKING, "Ingress"):
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
                    inputs.in_production("warning"),
                    value=host,
                )
        for position, tls in maps_at(ingress.value, "spec", "tls"):
            name = text_at(tls, "secretName")
            if name and inputs.provisions.find("Secret", ingress.id.namespace, name) is None:
                yield Hit(
                    ingress.id,
                    ("spec", "tls", position, "secretName"),
                    f"its namespace has no Secret `{name}`, and nothing that makes it",
                    "add a cert-manager Certificate of that secretName, or an issuer annotation on the Ingress",
                    inputs.in_production("warning"),
                    value=name,
                )


def _covers(pattern: str, host: str) -> bool:
    return pattern == host or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])


RULE: Final = Rule(
    "ingress-tls",
    "warning",
    "Every host of an Ingress has a certificate in production.",
    "kubernetes.io, Ingress: TLS; Polaris tlsSettingsMissing, Kyverno require-ingress-https",
    _tls,
    why=(
        "Without a certificate passwords and cookies of the host are sent in clear, or with a certificate that "
        "browsers warn of."
    ),
    fix="Add the host under `tls` with the Secret of its certificate.",
    links=("https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",),
    fires="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  rules:
  - {}
""",
    silent="""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api}
spec:
  tls:
  - {}
  rules:
  - {}
""",
)
