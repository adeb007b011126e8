"""What every `envc secrets` command begins with: the environments it names, composed, with their declared Secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.errors import EnvcError, Problems, UsageError
from envcompile.git.ignore import IgnoreRules
from envcompile.secrets.secret_set import Composed, gather
from envcompile.secrets.store import STORE_NAME, read_store, store_of
from envcompile.sources import read_project
from envcompile.units.seal import where_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import Resource
    from envcompile.secrets.secret_set import SecretSet
    from envcompile.secrets.store import Store
    from envcompile.units.project import Project


def secret_sets_of(project: Project, wanted: Sequence[str]) -> list[SecretSet]:
    """The Secrets of environments; what is wrong in any of them is reported together.

    Args:
        project: the repository.
        wanted: names as the user gave them; none means all.

    Raises:
        UsageError: there is no such environment.
        EnvcError: everything that is wrong with the sources or with the declarations.
    """
    ignored, problems, found = IgnoreRules(project.root), Problems(), []
    for name in project.choose(wanted):
        try:
            composed = project.compose(name)
            resources = [
                Composed(resource.value, where_of(resource), _files_of(resource)) for resource in composed.resources
            ]
            sources = composed.sources
            found.append(
                gather(project.root, name, sources.settings, resources, ignored, sources.certificate, sources.stores)
            )
        except UsageError:
            raise
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    return found


def store_for_recovery(project: Project, environment: str) -> Store:
    """The sealed values that a build of an environment reads; its own where its settings cannot be read any more."""
    try:
        return store_of(environment, read_project(project.tree).sealed_files(environment))
    except EnvcError:
        return read_store(project.root, f"overlays/{environment}/{STORE_NAME}")


def folders_in_clear(project: Project) -> list[str]:
    """Sources and outputs of environments whose Secrets are throw-away (`secretBackend: plaintext`).

    Raises:
        EnvcError: what is wrong with the settings of an environment.
    """
    backends = {name: project.sources_of(name).settings.secret_backend for name in project.environments}
    return [
        f"{folder}/{name}"
        for name, backend in backends.items()
        if backend == "plaintext"
        for folder in ("overlays", "environments")
    ]


def _files_of(resource: Resource) -> tuple[str, ...]:
    return tuple(step.document.source.path for step in resource.steps if step.document is not None)
