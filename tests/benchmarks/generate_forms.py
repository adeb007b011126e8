"""One generated repository in the forms of envc, kustomize, Helm and Kapitan, and the objects all of them stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.generate_objects import FILES, Environment, objects
from tests.benchmarks.generate_patches import patches
from tests.benchmarks.generate_text import yaml_document, yaml_stream
from tests.benchmarks.generate_values import base_values, overridden, overriding_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.benchmarks.generate_patches import Object
    from tests.benchmarks.generate_values import Values

_TEMPLATES: Final = Path(__file__).parent / "templates"
_ENVIRONMENTS: Final = ("dev", "test", "staging", "prod")
_KUSTOMIZATION: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


class Logical:
    """The repository that every form describes: base parameters, and what each environment changes of them."""

    def __init__(
        self, services: int, environments: int = 4, seed: int = 7, bumps: Mapping[int, int] | None = None
    ) -> None:
        names = (*_ENVIRONMENTS, *(f"env{number}" for number in range(5, environments + 1)))[:environments]
        self.environments = [Environment(name, f"shop-{name}", {"shop.example.com/env": name}) for name in names]
        self.base = [base_values(seed, number, (bumps or {}).get(number, 0)) for number in range(services)]
        self._changes = {
            name: [overriding_values(seed, number, name, rank, base) for number, base in enumerate(self.base)]
            for rank, name in enumerate(names)
        }

    def names(self) -> list[str]:
        """The names of the services."""
        return [values["name"] for values in self.base]

    def changes(self, environment: Environment) -> list[Values]:
        """What an environment changes, service by service."""
        return self._changes[environment.name]

    def values(self, environment: Environment, number: int) -> Values:
        """The parameters of a service in an environment."""
        return dict(overridden(self.base[number], self.changes(environment)[number]))


def envc(logical: Logical) -> Iterator[tuple[str, str]]:
    """The files of the form that envc compiles: whole objects in base, patches in overlays."""
    names = [environment.name for environment in logical.environments]
    yield "envc.yaml", yaml_document({"environments": names, "configMerge": "replace"})
    for environment in logical.environments:
        settings = {
            "apiVersion": "envcompile.dev/v1",
            "kind": "Environment",
            "namespace": environment.namespace,
            "labels": environment.labels,
            "secretBackend": "plaintext",
        }
        yield f"overlays/{environment.name}/environment.yaml", yaml_document(settings)
    for number, base in enumerate(logical.base):
        whole = objects(base)
        for file, value in zip(FILES, whole, strict=True):
            yield f"base/{base['name']}/{file}.yaml", yaml_document(value)
        for environment in logical.environments:
            found = patches(whole, objects(logical.values(environment, number)))
            yield f"overlays/{environment.name}/{base['name']}.yaml", yaml_stream(found)


def kustomize(logical: Logical) -> Iterator[tuple[str, str]]:
    """A kustomization for each service and environment, and one for each environment that lists them.

    Tags and replica counts are set by kustomize's own transformers, as its users do; the rest by patches. A single
    kustomization over all services of an environment takes kustomize twice as long.
    """
    names = logical.names()
    yield "base/kustomization.yaml", yaml_document({**_KUSTOMIZATION, "resources": names})
    for number, base in enumerate(logical.base):
        name = base["name"]
        whole = objects(base)
        for file, value in zip(FILES, whole, strict=True):
            yield f"base/{name}/{file}.yaml", yaml_document(value)
        listed = {**_KUSTOMIZATION, "resources": [f"{file}.yaml" for file in FILES]}
        yield f"base/{name}/kustomization.yaml", yaml_document(listed)
        for environment in logical.environments:
            values = logical.values(environment, number)
            patched = {**values, "image": base["image"], "replicas": base["replicas"]}
            folder = f"svc/{environment.name}/{name}"
            yield f"{folder}/patch.yaml", yaml_stream(patches(whole, objects(patched)))
            settings = {
                **_KUSTOMIZATION,
                "namespace": environment.namespace,
                "labels": [{"pairs": environment.labels}],
                "resources": [f"../../../base/{name}"],
                "patches": [{"path": "patch.yaml"}],
                "images": [{"name": base["image"]["repo"], "newTag": values["image"]["tag"]}],
                "replicas": [{"name": name, "count": values["replicas"]}],
            }
            yield f"{folder}/kustomization.yaml", yaml_document(settings)
    for environment in logical.environments:
        resources = [f"../../svc/{environment.name}/{name}" for name in names]
        yield f"nested/{environment.name}/kustomization.yaml", yaml_document({**_KUSTOMIZATION, "resources": resources})


def helm(logical: Logical) -> Iterator[tuple[str, str]]:
    """One chart over all services, its values, and a values file for each environment."""
    for path in sorted((_TEMPLATES / "helm").rglob("*")):
        if path.is_file():
            yield f"chart/{path.relative_to(_TEMPLATES / 'helm').as_posix()}", path.read_text(encoding="utf-8")
    services = {base["name"]: {key: value for key, value in base.items() if key != "name"} for base in logical.base}
    yield "chart/values.yaml", yaml_document({"namespace": "shop", "labels": {}, "services": services})
    for environment in logical.environments:
        changes = dict(zip(logical.names(), logical.changes(environment), strict=True))
        settings = {"namespace": environment.namespace, "labels": environment.labels, "services": changes}
        yield f"values-{environment.name}.yaml", yaml_document(settings)


def kapitan(logical: Logical) -> Iterator[tuple[str, str]]:
    """An inventory with a target for each service and environment, compiled from jsonnet."""
    for file in ("lib/shop.libsonnet", "components/service/main.jsonnet"):
        yield file, (_TEMPLATES / "kapitan" / file).read_text(encoding="utf-8")
    step = {
        "output_path": "manifests",
        "input_type": "jsonnet",
        "output_type": "yml",
        "input_paths": ["components/service/main.jsonnet"],
    }
    yield "inventory/classes/common.yml", _parameters({"kapitan": {"compile": [step]}})
    for environment in logical.environments:
        shared = {"namespace": environment.namespace, "labels": environment.labels}
        yield f"inventory/classes/env/{environment.name}.yml", _parameters({"env": shared})
    for number, base in enumerate(logical.base):
        name = base["name"]
        yield f"inventory/classes/service/{name}.yml", _parameters({"service": base})
        for environment in logical.environments:
            changes = logical.changes(environment)[number]
            yield f"inventory/classes/override/{environment.name}/{name}.yml", _parameters({"service": changes})
            target = f"{environment.name}-{name}"
            classes = [
                "common",
                f"service.{name}",
                f"env.{environment.name}",
                f"override.{environment.name}.{name}",
            ]
            settings = {"classes": classes, "parameters": {"kapitan": {"vars": {"target": target}}}}
            yield f"inventory/targets/{target}.yml", yaml_document(settings)


def _parameters(value: Any) -> str:
    return yaml_document({"parameters": value})


def expected(logical: Logical) -> Iterator[tuple[str, str]]:
    """The objects of every environment, one to a line of JSON with sorted keys."""
    for environment in logical.environments:
        found: list[Object] = []
        for number in range(len(logical.base)):
            found += objects(logical.values(environment, number), environment)
        lines = [json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for value in found]
        yield f"{environment.name}.jsonl", "".join(f"{line}\n" for line in lines)


FORMS: Final[dict[str, Callable[[Logical], Iterator[tuple[str, str]]]]] = {
    "envc": envc,
    "kustomize": kustomize,
    "helm": helm,
    "kapitan": kapitan,
    "expected": expected,
}
"""Each form's folder below the output, and what writes it."""
