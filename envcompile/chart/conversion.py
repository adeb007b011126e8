"""Makes a chart of manifests that never saw envc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from envcompile.chart.alignment import numbered
from envcompile.chart.emission import emit
from envcompile.chart.facts import flatten
from envcompile.chart.remarks import oddity_of, remarks
from envcompile.chart.shapes import ChartInput, ChartOptions
from envcompile.chart.size import release_size, size_warning
from envcompile.chart.workloads import as_map
from envcompile.kubernetes.cleaner import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CRD: Final = "CustomResourceDefinition"
_MOST_NAMED: Final = 5

SecretMode = Literal["inline", "external", "skip"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """The charts that were made, what they must render to, and what people should know."""

    files: Mapping[str, str]
    """The chart, by path below its folder."""
    crd_files: Mapping[str, str]
    """The chart of the CRDs that goes beside it; empty without `--crds separate`."""
    expected: Mapping[str, Sequence[Any]]
    """What each environment must render to, both charts together."""
    warnings: tuple[str, ...]


def convert(
    name: str,
    resources: Mapping[str, Sequence[tuple[str, Any]]],
    *,
    options: ChartOptions | None = None,
    default_environment: str | None = None,
    secrets: SecretMode = "inline",
    store: str = "secrets",
) -> Conversion:
    """Make a chart of the resources of each environment.

    Args:
        name: the chart's name.
        resources: (app, resource) pairs for each environment, in promotion order.
        options: how the chart is made.
        default_environment: whose values stand in values.yaml; the first when None.
        secrets: keep Secrets as they are, turn them into ExternalSecrets, or leave them out.
        store: the ClusterSecretStore that ExternalSecrets point to.
    """
    chosen = options or ChartOptions()
    warnings: list[str] = []
    kept: dict[str, list[tuple[str, Any]]] = {}
    definitions: dict[str, list[tuple[str, Any]]] = {}
    secret_names: dict[str, None] = {}
    for environment, pairs in resources.items():
        kept[environment], definitions[environment] = [], []
        for app, document in pairs:
            for value in flatten(document):
                if chosen.crds in {"separate", "skip"} and value["kind"] == _CRD:
                    definitions[environment].append((app, value))
                elif value["kind"] == "Secret" and value.get("apiVersion") == "v1":
                    secret_names[str(as_map(value.get("metadata")).get("name"))] = None
                    kept[environment] += [(app, item) for item in _secret(value, secrets, store)]
                else:
                    kept[environment].append((app, value))
    if secret_names:
        warnings.append(_about_secrets(list(secret_names), secrets, store))
    chart = ChartInput(name, tuple(kept), kept, default_environment, chosen)
    files = emit(chart)
    crd_files: Mapping[str, str] = {}
    expected = {environment: [value for _, value in pairs] for environment, pairs in kept.items()}
    if chosen.crds == "separate" and any(definitions.values()):
        crds = ChartInput(f"{name}-crds", chart.environments, definitions, default_environment)
        crd_files = emit(crds._replace(options=chosen._replace(crds="templates", split=False)))
        for environment, pairs in definitions.items():
            expected[environment] += [value for _, value in pairs]
    warnings += remarks([
        oddity_of(value) for _, value in numbered(pair for pairs in kept.values() for pair in pairs).values()
    ])
    warning = size_warning(chart, release_size(chart, files))
    if warning is not None:
        warnings.append(warning)
    return Conversion(files, crd_files, expected, tuple(warnings))


def _about_secrets(names: list[str], mode: SecretMode, store: str) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        shown += f" and {len(names) - _MOST_NAMED} more"
    match mode:
        case "inline":
            return (
                f"the chart holds the data of {len(names)} Secrets ({shown}): do not commit it; "
                "`--secrets external` or `--secrets skip` keeps them out"
            )
        case "external":
            return (
                f"{len(names)} Secrets ({shown}) are read from the ClusterSecretStore `{store}`: put their values there"
            )
    return f"{len(names)} Secrets ({shown}) are left out: they must be in the cluster before the chart is installed"


def _secret(declared: dict[str, Any], mode: SecretMode, store: str) -> list[dict[str, Any]]:
    """What stands in the chart for a Secret: nothing of the copy that a client-side apply keeps of its values."""
    secret = clean(declared).value
    if mode == "inline":
        return [secret]
    if mode == "skip":
        return []
    keys = sorted({*as_map(secret.get("data")), *as_map(secret.get("stringData"))})
    if not keys:
        return [secret]
    metadata = as_map(secret.get("metadata"))
    name = str(metadata.get("name") or metadata.get("generateName"))
    inherited = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    template: dict[str, Any] = {"metadata": inherited} if inherited else {}
    if isinstance(secret.get("type"), str):
        template["type"] = secret["type"]
    target: dict[str, Any] = {"name": name, "creationPolicy": "Owner"}
    if secret.get("immutable") is True:
        target["immutable"] = True
    if template:
        target["template"] = template
    return [
        {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {key: value for key, value in metadata.items() if key in {"name", "namespace", "labels"}},
            "spec": {
                "refreshInterval": "1h0m0s",
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
                "target": target,
                "data": [{"secretKey": key, "remoteRef": {"key": name, "property": key}} for key in keys],
            },
        },
    ]
