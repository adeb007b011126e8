"""Every Secret of a unit turned into what may be committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.errors import EnvcError, Problems
from envcompile.model import Layer, Resource, ResourceId, Step
from envcompile.yamlio.places import exact_place, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envcompile.kubernetes import KubeApi
    from envcompile.model import Location, Pointer
    from envcompile.secrets.externalstore import StoreFacts
    from envcompile.secrets.store import Store
    from envcompile.settings import Environment
    from envcompile.sources import EnvironmentSources
    from envcompile.units.unit import UnitInput

PRIVATE_APP = "secrets"
"""The application of Secrets that only files ignored by git declare: the same on machines without those files."""


def seal_secrets(
    unit: UnitInput, resources: Sequence[Resource], problems: Problems, warnings: list[str]
) -> list[Resource]:
    """The resources with every Secret replaced by a SealedSecret, an ExternalSecret, or itself when it is harmless.

    Args:
        unit: what they were made from.
        resources: the composed resources.
        problems: takes literals in tracked files, values that were never sealed or were sealed for something else.
        warnings: takes what is allowed but unwise.
    """
    if unit.settings.secret_backend == "plaintext":
        _refuse_references(resources, problems)
        return list(resources)
    done: list[Resource] = []
    for resource in resources:
        try:
            if is_sealed(resource):
                from envcompile.secrets.committed_sealed import check_sealed_secret

                check_sealed_secret(resource.value, environment=unit.environment, where=where_of(resource))
            done.append(_sealed(unit, resource, warnings) if is_secret(resource) else resource)
        except EnvcError as error:
            problems.extend(error)
            done.append(resource)
    return done


def _sealed(unit: UnitInput, resource: Resource, warnings: list[str]) -> Resource:
    from envcompile.secrets import resolve_secret, store_of

    given = unit.secrets
    store = given.store if given is not None else store_of(unit.environment, ())
    ignored = given.ignored if given is not None else frozenset()
    sources = files_of(resource)
    after = resolve_secret(
        resource.value,
        environment=unit.environment,
        settings=unit.settings,
        store=store,
        where=where_of(resource),
        ignored=ignored.__contains__,
        sources=sources,
        warn=warnings.append,
        facts=given.external if given is not None else None,
    )
    is_private = has_literals(resource.value) and ignored.issuperset(sources)
    return _with_value(resource, after, PRIVATE_APP if is_private else resource.app)


def undeclared(
    environment: str, store: Store, declared: Iterable[tuple[str, str]], settings: Environment
) -> list[Resource]:
    """The SealedSecrets of Secrets whose only source is a file that git ignores on somebody else's machine."""
    from envcompile.secrets import undeclared_secrets

    found = []
    for value in undeclared_secrets(store, declared, environment=environment, settings=settings):
        metadata = value["metadata"]
        identity = ResourceId("bitnami.com", "SealedSecret", metadata.get("namespace", ""), metadata["name"])
        step = Step("derived", f"overlays/{environment}", None, ("secretBackend",), None, value)
        found.append(Resource(identity, value, PRIVATE_APP, (step,)))
    return found


def external_store(sources: EnvironmentSources, api: KubeApi) -> StoreFacts | None:
    """What the environment's files say of the store of the External Secrets operator, wherever it is written.

    They are laid over each other as everything is, a `kind: Patch` included; what is wrong with them is told when their
    units are compiled.
    """
    if sources.settings.secret_backend != "external":
        return None
    from envcompile.compose.assemble import compose_unit
    from envcompile.secrets.externalstore import STORE_KINDS, store_facts

    layers = []
    for layer in sources.scans:
        said = [
            (file, sources.documents(layer.name, file.path))
            for file in layer.files
            if file.targets or any(head.kind in STORE_KINDS for head in file.heads)
        ]
        documents = tuple([one for _, each in said for one in each.documents if one.value.get("kind") in STORE_KINDS])
        patches = tuple([patch for _, each in said for patch in each.patches])
        layers.append(Layer(layer.name, documents, patches, {file.path: file.app for file, _ in said}))
    settings = sources.settings
    composed = compose_unit(layers, settings, api, sources.environment, Problems(), merge_texts=False)
    return store_facts([resource.value for resource in composed.resources], settings)


def declared_secrets(resources: Iterable[Resource]) -> tuple[tuple[str, str], ...]:
    """Namespace and name of every Secret."""
    return tuple([(resource.id.namespace, resource.id.name) for resource in resources if is_secret(resource)])


def files_of(resource: Resource) -> tuple[str, ...]:
    """The files that have a say in a resource, in their order."""
    return tuple(dict.fromkeys(step.document.source.path for step in resource.steps if step.document is not None))


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


def is_secret(resource: Resource) -> bool:
    """Tell whether this is a Secret of Kubernetes' own."""
    return resource.id.kind == "Secret" and not resource.id.group


def is_sealed(resource: Resource) -> bool:
    """Tell whether this is a SealedSecret."""
    return resource.id.kind == "SealedSecret" and resource.id.group == "bitnami.com"


def has_literals(secret: dict[str, Any]) -> bool:
    """Tell whether some value is no reference."""
    values = [*(secret.get("data") or {}).values(), *(secret.get("stringData") or {}).values()]
    return not all(isinstance(value, str) and value.startswith("ref+") for value in values)


def _refuse_references(resources: Iterable[Resource], problems: Problems) -> None:
    """Refuse references where Secrets are emitted as they stand: nobody would resolve them."""
    for resource in resources:
        if not is_secret(resource):
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


def _with_value(resource: Resource, after: dict[str, Any], app: str) -> Resource:
    if after is resource.value:
        return resource
    group = after["apiVersion"].rpartition("/")[0]
    identity = resource.id._replace(group=group, kind=after["kind"])
    step = Step("derived", resource.steps[-1].layer, None, ("secretBackend",), resource.value, after)
    return Resource(identity, after, app, (*resource.steps, step))
