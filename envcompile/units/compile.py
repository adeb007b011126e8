"""From a unit's input to its resources: a pure function, which reads no file, no clock and no other unit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from envcompile.compose.assemble import compose_unit
from envcompile.compose.suffixes import named_by_content, names_in
from envcompile.errors import Problems
from envcompile.kubernetes import load as load_api
from envcompile.model import without_values
from envcompile.units.seal import declared_secrets, seal_secrets
from envcompile.units.unit import CompiledUnit, Exported, RefusedField, UnitExports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.compose.assemble import ComposedUnit
    from envcompile.compose.layers import Origin
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Resource
    from envcompile.settings import Environment
    from envcompile.units.unit import ApiFacts, UnitInput


def compile_unit(unit: UnitInput, api: KubeApi, *, is_accepted: bool = False) -> CompiledUnit:
    """Compile one unit.

    Args:
        unit: all that it is made from.
        api: what its facts say; made once for all units that share them.
        is_accepted: whether it is remembered of the same input that nothing in it is refused.
    """
    problems = Problems()
    composed = compose_of(unit, api, problems)
    warnings: list[str] = list(composed.warnings)
    resources: Sequence[Resource] = composed.resources
    settings = unit.settings
    resources, names = named_by_content(resources, settings, f"overlays/{unit.environment}")
    if not problems:
        # Values of a broken Secret would be told about twice.
        resources = seal_secrets(unit, resources, problems, warnings)
    if settings.rollout == "reloader":
        from envcompile.compose.rollout import with_reloader

        resources = [with_reloader(resource, f"overlays/{unit.environment}") for resource in resources]
    declared = declared_secrets(composed.resources)
    parts = zip(composed.resources, resources, names, strict=True)
    exports = UnitExports(
        tuple([_exported(after, composed.origins[before.id], settings, name) for before, after, name in parts])
        if not problems
        else tuple([
            Exported(resource.id, resource.app, composed.origins[resource.id]) for resource in composed.resources
        ]),
        composed.excluded,
        composed.used,
        composed.patches,
        composed.newcomers,
        tuple(warnings),
        declared,
    )
    return CompiledUnit(
        tuple(resources),
        exports,
        problems.found,
        composed.about_settings,
        composed.strays,
        composed.unknown_kinds,
        *(_judged(resources, api) if not (problems or is_accepted) else ((), ())),
    )


def _judged(resources: Sequence[Resource], api: KubeApi) -> tuple[tuple[RefusedField, ...], tuple[int, ...]]:
    """What no API server takes, and which resources the tables have nothing against."""
    from envcompile.check.api.sure import surely_right
    from envcompile.check.refused import always_refused

    right = [at for at, one in enumerate(resources) if surely_right(api, one.value, by_tables=True)]
    if len(right) == len(resources):
        return (), tuple(right)
    refused = [
        RefusedField(position, complaint.pointer, complaint.what)
        for position in sorted({*range(len(resources))}.difference(right))
        for complaint in always_refused(api, resources[position].value, partial(_shown, resources[position]))
    ]
    return tuple(refused), tuple(right)


def _shown(resource: Resource) -> dict[str, Any]:
    """A resource as it may be spoken of: free of the values of a Secret in clear."""
    if resource.id.kind != "Secret":
        return resource.value
    from envcompile.check.hiding import NOT_SHOWN, hidden

    return without_values(resource, NOT_SHOWN, hidden).value


def api_of(facts: ApiFacts) -> KubeApi:
    """The API that facts describe.

    Raises:
        UnknownVersionError: no such Kubernetes version is known.
        MergeKeyError: a rule names a built-in kind, or a list its CustomResourceDefinition does not have.
    """
    return load_api(facts.version).with_crds(facts.crds).with_merge_keys(facts.merge_keys)


def compose_of(unit: UnitInput, api: KubeApi, problems: Problems) -> ComposedUnit:
    """Merge one unit's layers; its Secrets stay as they are written."""
    return compose_unit(unit.layers, unit.settings, api, unit.environment, problems, merge_texts=unit.merge_texts)


def _exported(resource: Resource, origin: Origin, settings: Environment, source_name: str) -> Exported:
    """What others may need to know of a resource, whose name in the sources is given where it is another one."""
    identity, value = resource.id, resource.value
    exported = Exported(identity, resource.app, origin)
    if settings.force_namespace and settings.namespace:
        from envcompile.compose.namespaces import references_of, written_identity

        exported = exported._replace(moved=written_identity(resource), refers=references_of(resource))
    if settings.rollout == "checksum":
        from envcompile.compose.rollout import configuration_of, content_digest, is_restartable

        reads = tuple(sorted(set(configuration_of(identity, value)))) if is_restartable(identity) else ()
        exported = exported._replace(reads=reads, content=content_digest(identity, value))
    if settings.rollout == "suffix":
        exported = exported._replace(source_name=source_name, configs=names_in(identity, value))
    if settings.sync_waves:
        from envcompile.compose.references import names_of, needs_of
        from envcompile.compose.waves import has_wave, written_wave

        known_as = [identity, identity._replace(name=source_name)] if source_name else [identity]
        exported = exported._replace(
            names=tuple([name for each in known_as for name in names_of(each, value)]),
            needs=tuple(dict.fromkeys(needs_of(identity, value))),
            wave=written_wave(resource),
            has_wave=has_wave(resource),
        )
    return exported
