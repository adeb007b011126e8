"""What can only be judged with the values in hand, at sealing time: sizes, and the shape a Secret's type promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envcompile.errors import Problems
from envcompile.secrets.declaration import ALLOW_EMPTY_ANNOTATION, LARGEST_SECRET

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from envcompile.secrets.declared import Declaration, Place
    from envcompile.secrets.plaintext import Plaintext


def check_contents(declaration: Declaration, values: Mapping[str, Plaintext], now: datetime) -> tuple[str, ...]:
    """Judge the values about to be sealed; what is allowed but unwise is returned.

    Args:
        declaration: the Secret they belong to.
        values: the values by key; keys whose value stays as it is may be absent.
        now: the moment to judge the dates of a TLS certificate at.

    Raises:
        EnvcError: naming environment, Secret and key, never a value.
    """
    problems = Problems()
    warnings: list[str] = []
    places = {entry.id.key: entry.place for entry in declaration.entries}
    for key, value in values.items():
        if not value.size and key not in declaration.allow_empty:
            problems.add(
                f"{declaration.title}: the value of `{key}` is empty",
                f'if that is meant, say so: `{ALLOW_EMPTY_ANNOTATION}: "{key}"` in its annotations',
                places[key].find(),
            )
    if (size := sum(value.size for value in values.values())) > LARGEST_SECRET:
        problems.add(
            f"{declaration.title} has {size} bytes of values; the API server takes {LARGEST_SECRET} at most",
            "split it, or keep large content out of Secrets",
            declaration.where,
        )
    if declaration.type == "kubernetes.io/tls":
        warnings += _check_tls(declaration, values, places, problems, now)
    for kind, key in (
        ("kubernetes.io/dockerconfigjson", ".dockerconfigjson"),
        ("kubernetes.io/dockercfg", ".dockercfg"),
    ):
        if declaration.type == kind and key in values and values[key].size:
            warnings += _check_docker(declaration, key, values[key], places[key], problems)
    problems.raise_any()
    return tuple(warnings)


def _check_docker(declaration: Declaration, key: str, value: Plaintext, place: Place, problems: Problems) -> list[str]:
    try:
        parsed = json.loads(value.reveal())
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        problems.add(
            f"{declaration.title}: the value of `{key}` is not a JSON object",
            "take the content of ~/.docker/config.json",
            place.find(),
        )
    elif key == ".dockerconfigjson" and "auths" not in parsed:
        return [f"{declaration.title}: the value of `{key}` has no `auths`, so no image is pulled with it"]
    return []


def _check_tls(
    declaration: Declaration,
    values: Mapping[str, Plaintext],
    places: Mapping[str, Place],
    problems: Problems,
    now: datetime,
) -> list[str]:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    certificate, key = None, None
    try:
        if "tls.crt" in values:
            certificate = x509.load_pem_x509_certificates(values["tls.crt"].reveal())[0]
    except ValueError:
        problems.add(
            f"{declaration.title}: `tls.crt` is not a PEM certificate",
            "give the certificate and its chain in PEM",
            places["tls.crt"].find(),
        )
    try:
        if "tls.key" in values:
            key = serialization.load_pem_private_key(values["tls.key"].reveal(), password=None)
    except (ValueError, TypeError):
        problems.add(
            f"{declaration.title}: `tls.key` is not an unencrypted PEM private key",
            "give the key in PEM, without a password",
            places["tls.key"].find(),
        )
    if certificate is None:
        return []
    if key is not None:
        encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        if certificate.public_key().public_bytes(encoding, form) != key.public_key().public_bytes(encoding, form):
            problems.add(
                f"{declaration.title}: `tls.key` does not belong to `tls.crt`",
                "give the pair",
                places["tls.key"].find(),
                places["tls.crt"].find(),
            )
    if certificate.not_valid_after_utc < now:
        return [
            f"{declaration.title}: the certificate in `tls.crt` expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        ]
    return []
