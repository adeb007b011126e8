"""What every secrets command works on: one environment with its declared Secrets, its store and its certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import EnvcError, Problem, Problems, UsageError, did_you_mean, fail
from envcompile.files import read_below
from envcompile.model import Location
from envcompile.secrets.declaration import declare
from envcompile.secrets.plaintext_findings import is_secret
from envcompile.secrets.store import STORE_NAME, merged_stores, read_store
from envcompile.settings import Sealing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from envcompile.secrets.certificate import Certificate
    from envcompile.secrets.declared import Declaration, Ignored, SecretEntry, Where
    from envcompile.secrets.store import Store
    from envcompile.settings import Environment

COMMIT_IT: Final = "except it in .gitignore and commit it, a sealing certificate is public"


class Composed(NamedTuple):
    """A composed resource as the secrets commands see it."""

    value: dict[str, Any]
    where: Where
    sources: tuple[str, ...] = ()
    """The files that have a say in it."""

    def __repr__(self) -> str:
        return f"Composed({self.value.get('kind')}/{(self.value.get('metadata') or {}).get('name')})"


@dataclass(frozen=True, slots=True)
class SecretSet:
    """One environment of a repository, composed but with its secrets unresolved."""

    root: Path
    environment: str
    settings: Environment
    certificate_file: str
    """The certificate, relative to the repository."""
    resources: tuple[Composed, ...]
    declarations: tuple[Declaration, ...]
    lower_stores: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """The stores of the layers below, lowest first, with the certificates whose records count here; None for all."""

    @property
    def folder(self) -> str:
        """The environment's overlay, relative to the repository."""
        return f"overlays/{self.environment}"

    @property
    def backend(self) -> str:
        """Where the environment's Secrets come from."""
        return self.settings.secret_backend or "sealed"

    @property
    def store_file(self) -> str:
        """The sealed store, relative to the repository."""
        return f"{self.folder}/{STORE_NAME}"

    @property
    def sealing(self) -> Sealing:
        """How the environment seals."""
        return self.settings.sealing or Sealing()

    def store(self) -> Store:
        """The environment's sealed values as they are on disk: what a build of it reads."""
        if not self.lower_stores:
            return self.own_store()
        lower = [(read_store(self.root, file), accepted) for file, accepted in self.lower_stores.items()]
        return merged_stores(self.environment, [*lower, (self.own_store(), None)])

    def own_store(self) -> Store:
        """The values sealed for this environment itself: the ones that a command may drop."""
        return read_store(self.root, self.store_file)

    def every_store(self) -> tuple[Store, ...]:
        """The store of each layer with all its records, also those of other clusters; the own one is the last."""
        return (*(read_store(self.root, file) for file in self.lower_stores), self.own_store())

    def certificate(self, now: datetime) -> tuple[Certificate, tuple[str, ...]]:
        """The certificate to seal with, and what to warn of.

        Raises:
            EnvcError: when there is none, it is not pinned, or it may not be used.
        """
        from envcompile.secrets.certificate import choose

        certificates = self.certificates()
        pin = self.sealing.fingerprint
        chosen, warnings = choose(certificates, pin=pin, now=now)
        if pin is None:
            raise fail(
                f"environment {self.environment}: the certificate is not pinned, so whoever can change the file would "
                f"receive the next secrets",
                f"compare it with the cluster's, then write `sealing: {{fingerprint: {chosen.fingerprint}}}`"
                f" in {self.folder}/environment.yaml, or let `envc secrets fetch-cert {self.environment}` do it",
                chosen.where,
            )
        return chosen, warnings

    def certificates(self) -> list[Certificate]:
        """Every certificate in the environment's file.

        Raises:
            EnvcError: when the file is missing, no commit is to hold it, or it holds none.
        """
        from envcompile.git.ignore import require_committable
        from envcompile.secrets.certificate import read_certificates

        file = self.certificate_file
        data = read_below(self.root, file)
        if data is None:
            raise fail(
                f"environment {self.environment} has no sealing certificate",
                f"fetch it: `envc secrets fetch-cert {self.environment}`",
                Location(file, 1, 1),
            )
        require_committable(self.root, file, COMMIT_IT)
        return read_certificates(data, file)

    def chosen(self, names: Iterable[str]) -> tuple[Declaration, ...]:
        """The declared Secrets with these names; all of them for no name.

        Raises:
            UsageError: for a name that no Secret of the environment has.
        """
        wanted = list(names)
        if not wanted:
            return self.declarations
        if self.backend != "sealed":
            what = f"environment {self.environment} has `secretBackend: {self.backend}`: nothing is sealed there"
            raise UsageError([Problem(what, "change the value where it is kept, or choose another environment")])
        known = {declaration.name for declaration in self.declarations}
        unknown = [self._unknown(name, known) for name in dict.fromkeys(wanted) if name not in known]
        if unknown:
            raise UsageError(unknown)
        return tuple(declaration for declaration in self.declarations if declaration.name in wanted)

    def entry(self, name: str, key: str) -> tuple[Declaration, SecretEntry]:
        """One declared value.

        Raises:
            UsageError: when the environment declares no such value.
        """
        found = self.chosen([name])
        keys = {entry.id.key: (declaration, entry) for declaration in found for entry in declaration.sealable}
        if key not in keys:
            advice = did_you_mean(
                key, keys, f"declare it first: `{key}: ref+prompt://` under `stringData` of the Secret"
            )
            places = tuple(declaration.where for declaration in found)
            raise UsageError([Problem(f"{found[0].title} has no key `{key}` to seal", advice, places)])
        return keys[key]

    def _unknown(self, name: str, known: Iterable[str]) -> Problem:
        for resource in self.resources:
            kind = resource.value.get("kind")
            if (resource.value.get("metadata") or {}).get("name") == name and kind in {
                "ConfigMap",
                "SealedSecret",
                "ExternalSecret",
            }:
                return Problem(
                    f"environment {self.environment}: `{name}` is a {kind}; only a `kind: Secret` is sealed",
                    "declare a Secret whose values are references",
                    (resource.where(()),),
                )
        return Problem(
            f"environment {self.environment} has no Secret `{name}`",
            did_you_mean(
                name, known, "declare it in base/ or in the overlay as `kind: Secret` whose values are references"
            ),
        )


def certificate_file(environment: str, settings: Environment) -> str:
    """The certificate's path relative to the repository: beside environment.yaml unless the setting has a folder."""
    name = (settings.sealing or Sealing()).certificate
    return name if "/" in name else f"overlays/{environment}/{name}"


def gather(
    root: Path,
    environment: str,
    settings: Environment,
    resources: Sequence[Composed],
    ignored: Ignored,
    certificate: str | None = None,
    stores: Mapping[str, frozenset[str] | None] | None = None,
) -> SecretSet:
    """Find the declared Secrets among an environment's composed resources; none where nothing is sealed.

    Args:
        root: the repository.
        environment: the environment's name.
        settings: its effective settings.
        resources: what it is composed of.
        ignored: tells whether git ignores a file.
        certificate: the certificate's path relative to the repository; beside environment.yaml when left out.
        stores: the stores of its layers, lowest first, with what counts of them; only its own when left out.

    Raises:
        EnvcError: with everything that is wrong with any of them.
    """
    problems = Problems()
    declarations = []
    for resource in resources:
        if not is_secret(resource.value) or (settings.secret_backend or "sealed") != "sealed":
            continue
        try:
            declarations.append(
                declare(
                    resource.value,
                    environment=environment,
                    settings=settings,
                    where=resource.where,
                    ignored=ignored,
                    sources=resource.sources,
                )
            )
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    ordered = tuple(sorted(declarations, key=lambda one: (one.namespace, one.name)))
    file = certificate or certificate_file(environment, settings)
    own = f"overlays/{environment}/{STORE_NAME}"
    lower = {path: accepted for path, accepted in (stores or {}).items() if path != own}
    return SecretSet(root, environment, settings, file, tuple(resources), ordered, lower)
