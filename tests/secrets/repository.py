"""A small repository for the secrets tests: one overlay a environment, test-only keys, a fixed moment."""

from __future__ import annotations

import base64
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from envcompile import yamlio
from envcompile.git.ignore import IgnoreRules
from envcompile.model import Location
from envcompile.secrets.backends import Surroundings
from envcompile.secrets.certificate import spki_fingerprint
from envcompile.secrets.ciphertext import SCOPE_ANNOTATION, label
from envcompile.secrets.identity import IdentityKey
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.sealing import open_sealed
from envcompile.secrets.secret_set import Composed, gather
from envcompile.secrets.verify import Unsealed
from envcompile.settings import Environment, Sealing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from envcompile.model import Pointer
    from envcompile.secrets.ciphertext import Scope
    from envcompile.secrets.secret_set import SecretSet

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SECRET = b"correct horse battery staple"
"""The plaintext that no test may find anywhere."""

SECRET_FORMS = (SECRET, base64.b64encode(SECRET), base64.b64encode(SECRET).rstrip(b"="), SECRET.hex().encode())


@cache
def private_key(bits: int = 2048, serial: int = 0) -> rsa.RSAPrivateKey:
    """A test-only RSA key, the same one for the whole session."""
    del serial
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate_pem(key: Any = None, *, start: datetime = NOW - timedelta(days=1), days: int = 3650) -> bytes:
    """A self-signed certificate as the controller makes them."""
    key = private_key() if key is None else key
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=days))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def key_pem(key: Any = None, *, pkcs8: bool = False) -> bytes:
    """A private key in PEM."""
    form = serialization.PrivateFormat.PKCS8 if pkcs8 else serialization.PrivateFormat.TraditionalOpenSSL
    pem: bytes = (key or private_key()).private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return pem


def fingerprint(key: rsa.RSAPrivateKey | None = None) -> str:
    """The pin of a test key."""
    return spki_fingerprint((key or private_key()).public_key())


def settings(*, pin: str | None = "default", **given: Any) -> Environment:
    """The settings of an environment that seals with the test certificate."""
    sealing = given.pop("sealing", None) or Sealing(
        fingerprint=fingerprint() if pin == "default" else pin, scope=given.pop("scope", "strict")
    )
    return Environment(api_version="envcompile.dev/v1", kind="Environment", sealing=sealing, **given)


def where_in(data: bytes, file: str, index: int = 0) -> Callable[[Pointer], Location]:
    """Places of the fields of one document."""
    return lambda pointer: Location(file, *yamlio.locate_nearest(data, index, pointer))


USER_SERVICE = """\
apiVersion: v1
kind: Secret
metadata:
  name: user-service-secret
  namespace: production
type: Opaque
stringData:
  api_key: ref+env://API_KEY
  jwt_secret: ref+env://JWT_SECRET
"""


@dataclass
class Repository:
    """A project folder with what the secrets commands need."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def write(self, file: str, text: str | bytes) -> Path:
        """Write a file of the repository."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def certificate(self, environment: str = "prod", key: rsa.RSAPrivateKey | None = None) -> None:
        """Put an environment's certificate in its place."""
        self.write(f"overlays/{environment}/sealed-secrets.pem", certificate_pem(key))

    def git(self, *arguments: str, date: str = "2026-05-01T12:00:00Z") -> str:
        """Run git in the repository, as nobody in particular."""
        environ = {
            "PATH": "/usr/bin:/bin",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_DATE": date,
            "GIT_COMMITTER_DATE": date,
        }
        identity = [
            "-c",
            "user.name=nobody",
            "-c",
            "user.email=nobody@example.invalid",
            "-c",
            "init.defaultBranch=main",
        ]
        command = ["git", *identity, *arguments]
        return subprocess.run(command, cwd=self.root, env=environ, capture_output=True, text=True, check=True).stdout

    def secret_set(
        self,
        text: str = USER_SERVICE,
        environment: str = "prod",
        given: Environment | None = None,
        file: str | None = None,
    ) -> SecretSet:
        """Compose an environment whose only layer is one file."""
        file = file or f"overlays/{environment}/secrets.yaml"
        data = self.write(file, text).read_bytes()
        composed = [
            Composed(value, where_in(data, file, index))
            for index, value in enumerate(yamlio.load_all(data, file))
            if value is not None
        ]
        return gather(self.root, environment, given or settings(), composed, IgnoreRules(self.root))

    def surroundings(self, answers: Mapping[str, str] | None = None) -> Surroundings:
        """What resolvers see: this repository, our own env vars, and a person with ready answers."""
        if answers is None:
            return Surroundings(self.root, self.environ)

        def prompt(question: str) -> str:
            self.asked.append(question)
            return answers[question]

        return Surroundings(self.root, self.environ, prompt)

    def store_text(self, environment: str = "prod") -> str:
        """The sealed store as it is on disk."""
        return (self.root / f"overlays/{environment}/sealed.yaml").read_text()

    def files(self) -> dict[str, bytes]:
        """Every file that envc may have written: all but the sources and git's own."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and ".git" not in path.relative_to(self.root).parts[:1]
        }

    def leaks(self, secret: bytes = SECRET) -> list[str]:
        """The files that hold a secret in clear or in base64."""
        forms = (secret, base64.b64encode(secret), secret.hex().encode())
        return [name for name, data in self.files().items() if any(form in data for form in forms)]


def identity(text: str = "0" * 64) -> IdentityKey:
    """An identity key."""
    return IdentityKey(Plaintext(text.encode()))


def unseal_object(value: Mapping[str, Any], keys: Sequence[RSAPrivateKey]) -> Unsealed:
    """Open a SealedSecret object as the controller would.

    Raises:
        NoKeyOpensError: when one of its values stays closed.
    """
    metadata = value["metadata"]
    annotations = metadata.get("annotations") or {}
    scope: Scope = "strict"
    if annotations.get(SCOPE_ANNOTATION + "cluster-wide") == "true":
        scope = "cluster-wide"
    elif annotations.get(SCOPE_ANNOTATION + "namespace-wide") == "true":
        scope = "namespace-wide"
    namespace, name = metadata.get("namespace", ""), metadata["name"]
    bound = label(scope, namespace, name)
    encrypted = value["spec"]["encryptedData"]
    return Unsealed(namespace, name, {key: open_sealed(keys, sealed, bound) for key, sealed in encrypted.items()})
