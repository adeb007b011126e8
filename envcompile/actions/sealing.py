"""Every Secret of an environment turned into what may be committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.errors import EnvcError, Problems
from envcompile.model import Resource, ResourceId, Step
from envcompile.yamlio.places import exact_place, place

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.actions.project import ComposedEnvironment
    from envcompile.model import Location, Pointer
    from envcompile.sources import ProjectSources, Tree

PRIVATE_APP = "secrets"
"""The application of Secrets that only files ignored by git declare: the same on machines without those files."""


class Replaced(NamedTuple):
    """The resources without plaintext, and what the user should hear."""

    resources: tuple[Resource, ...]
    warnings: tuple[str, ...]


def replace_secrets(composed: ComposedEnvironment, project: ProjectSources) -> Replaced:
    """The resources with every Secret replaced by a SealedSecret, an ExternalSecret, or itself when it is harmless.

    Raises:
        EnvcError: a literal in a tracked file, a value that was never sealed or was sealed for something else.
    """
    settings = composed.sources.settings
    environment = composed.sources.environment
    if settings.secret_backend == "plaintext":
        _refuse_references(composed.resources)
        return Replaced(composed.resources, composed.warnings)
    files = project.sealed_files(environment)
    if not files and not any(_is_secret(resource) or _is_sealed(resource) for resource in composed.resources):
        return Replaced(composed.resources, composed.warnings)
    from envcompile.secrets import resolve_secret, store_of, undeclared_secrets
    from envcompile.secrets.committed_sealed import check_sealed_secret

    store = store_of(environment, files)
    is_ignored = _ignored(project.tree)
    problems = Problems()
    warnings = list(composed.warnings)
    done: list[Resource] = []
    for resource in composed.resources:
        try:
            if _is_sealed(resource):
                check_sealed_secret(resource.value, environment=environment, where=where_of(resource))
            if not _is_secret(resource):
                done.append(resource)
                continue
            sources = tuple(
                dict.fromkeys(step.document.source.path for step in resource.steps if step.document is not None)
            )
            after = resolve_secret(
                resource.value,
                environment=environment,
                settings=settings,
                store=store,
                where=where_of(resource),
                ignored=is_ignored,
                sources=sources,
                previous=_previous(resource, environment, project.tree),
                warn=warnings.append,
            )
        except EnvcError as error:
            problems.extend(error)
            continue
        is_private = _has_literals(resource.value) and all(is_ignored(path) for path in sources)
        app = PRIVATE_APP if is_private else resource.app
        done.append(_with_value(resource, after, app))
    problems.raise_any()
    declared = [(resource.id.namespace, resource.id.name) for resource in composed.resources if _is_secret(resource)]
    for value in undeclared_secrets(store, declared, environment=environment, settings=settings):
        metadata = value["metadata"]
        identity = ResourceId("bitnami.com", "SealedSecret", metadata.get("namespace", ""), metadata["name"])
        step = Step("derived", f"overlays/{environment}", None, ("secretBackend",), None, value)
        done.append(Resource(identity, value, PRIVATE_APP, (step,)))
    return Replaced(tuple(done), tuple(warnings))


def where_of(resource: Resource) -> Callable[[Pointer], Location]:
    """A function that finds the source place of a field of a resource: the last layer that writes it down."""

    def where(pointer: Pointer) -> Location:
        for step in reversed(resource.steps):
            if step.document is not None:
                found = exact_place(step.document, (*step.within, *pointer))
                if found is not None:
                    return found
        first = next(step.document for step in resource.steps if step.document is not None)
        return place(first, pointer)

    return where


def _is_secret(resource: Resource) -> bool:
    return resource.id.kind == "Secret" and not resource.id.group


def _is_sealed(resource: Resource) -> bool:
    return resource.id.kind == "SealedSecret" and resource.id.group == "bitnami.com"


def _has_literals(secret: dict[str, Any]) -> bool:
    """Tell whether some value is no reference; git is only asked about such Secrets."""
    values = [*(secret.get("data") or {}).values(), *(secret.get("stringData") or {}).values()]
    return not all(isinstance(value, str) and value.startswith("ref+") for value in values)


def _refuse_references(resources: tuple[Resource, ...]) -> None:
    """Refuse references where Secrets are emitted as they stand: nobody would resolve them.

    Raises:
        EnvcError: naming every such value's place.
    """
    problems = Problems()
    for resource in resources:
        if not _is_secret(resource):
            continue
        for field in ("data", "stringData"):
            values = resource.value.get(field)
            for key, value in values.items() if isinstance(values, dict) else ():
                if isinstance(value, str) and value.startswith("ref+"):
                    problems.add(
                        f"{resource.id.short}: `{key}` is a reference; `secretBackend: plaintext` leaves it as it is",
                        "write the throw-away value itself, or drop `secretBackend: plaintext` and seal it",
                        where_of(resource)((field, key)),
                    )
    problems.raise_any()


def _ignored(tree: Tree) -> Callable[[str], bool]:
    """Tells whether git ignores a source file; in a commit nothing is ignored. Asks git only when it is asked."""
    root = tree.root
    rules: list[Callable[[str], bool]] = []

    def is_ignored(path: str) -> bool:
        if root is None:
            return False
        if not rules:
            from envcompile.git.ignore import IgnoreRules

            rules.append(IgnoreRules(root))
        return rules[0](path)

    return is_ignored


def _previous(resource: Resource, environment: str, tree: Tree) -> dict[str, Any] | None:
    """What the last build wrote for a Secret whose kubelet-side rules forbid some changes; None when it wrote none."""
    if not resource.value.get("immutable") and resource.value.get("type", "Opaque") == "Opaque":
        return None
    path = f"environments/{environment}/{resource.app}/sealedsecret-{resource.id.name}.yaml"
    if not tree.is_file(path):
        return None
    from envcompile.yamlio import load_all

    try:
        values = load_all(tree.read(path), path)
    except EnvcError:
        # Somebody's merge conflict in an output: the build says so itself when it compares.
        return None
    return values[0] if values and isinstance(values[0], dict) else None


def _with_value(resource: Resource, after: dict[str, Any], app: str) -> Resource:
    if after is resource.value:
        return resource
    group = after["apiVersion"].rpartition("/")[0]
    identity = resource.id._replace(group=group, kind=after["kind"])
    step = Step("derived", resource.steps[-1].layer, None, ("secretBackend",), resource.value, after)
    return Resource(identity, after, app, (*resource.steps, step))
