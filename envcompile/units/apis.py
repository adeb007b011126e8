"""What Kubernetes versions and the definitions at hand say of kinds, made once for all environments that share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import fail
from envcompile.kubernetes import MergeKeyError, UnknownVersionError
from envcompile.sources.scans import combined_digest
from envcompile.units.compile import api_of
from envcompile.units.unit import ApiFacts
from envcompile.yamlio.places import exact_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.kubernetes import KubeApi
    from envcompile.model import Location, Pointer
    from envcompile.settings import Project
    from envcompile.sources import EnvironmentSources, ParsedFiles, ProjectSources


class Apis:
    """The APIs of a project's environments.

    Args:
        settings: what `envc.yaml` says.
        project: reads the project's sources, when somebody asks for the place of a setting, or for definitions.
        parsed: what was read so far.
    """

    def __init__(self, settings: Project, project: Callable[[], ProjectSources], parsed: ParsedFiles) -> None:
        self._settings = settings
        self._project = project
        self._parsed = parsed
        self._known: dict[str, KubeApi] = {}

    def facts_of(self, sources: EnvironmentSources) -> ApiFacts:
        """What an environment's version and the definitions at hand are.

        Raises:
            EnvcError: definitions that cannot be read.
        """
        version = sources.settings.kubernetes_version or self._settings.kubernetes_version
        crds: list[Any] = list(self._project().crd_documents(self._parsed))
        for layer in sources.scans:
            for file in layer.files:
                if file.crds:
                    documents = sources.documents(layer.name, file.path).documents
                    crds += [documents[at].value for at in file.crds]
        digest = combined_digest([version, _canonical(crds), _canonical(self._settings.merge_keys)])
        return ApiFacts(version, tuple(crds), self._settings.merge_keys, digest)

    def of(self, facts: ApiFacts, sources: Callable[[], EnvironmentSources]) -> KubeApi:
        """The API that facts describe.

        Args:
            facts: the version and the definitions.
            sources: reads the environment that they are of, when something is wrong with them.

        Raises:
            EnvcError: a version that is not known, or merge keys that fit nothing.
        """
        known = self._known.get(facts.digest)
        if known is None:
            known = self._known[facts.digest] = self._load(facts, sources)
        return known

    def _load(self, facts: ApiFacts, sources: Callable[[], EnvironmentSources]) -> KubeApi:
        try:
            return api_of(facts)
        except UnknownVersionError as error:
            location = sources().where(("kubernetesVersion",)) or self._where(("kubernetesVersion",))
            raise fail(
                f"Kubernetes {facts.version} is not known to this version of envc",
                f"write one of {', '.join(error.known)}, or upgrade envc",
                *([location] if location else []),
            ) from error
        except MergeKeyError as error:
            position = self._settings.merge_keys.index(error.rule)
            location = self._where(("mergeKeys", position))
            raise fail(str(error), "correct or remove the entry", *([location] if location else [])) from error

    def _where(self, pointer: Pointer) -> Location | None:
        document = self._project().document
        return exact_place(document, pointer) if document is not None else None


def _canonical(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value, order="sorted").decode()
