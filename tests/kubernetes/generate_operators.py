"""Writes the schemas of well-known operators' kinds: `python -m tests.kubernetes.generate_operators`.

The sources are the operators' own CustomResourceDefinitions, at the versions below: a Go module, which `go mod
download` fetches and verifies, or a git repository at a tag, a clone of which lies below the folder that `ENVC_CLONES`
names (`git clone https://github.com/OWNER/NAME $ENVC_CLONES/OWNER+NAME`). What is taken over is what the API server
judges by: structure, types, bounds, list types and keys; no descriptions. Rules in CEL are taken from Go modules only.
`envcompile.kubernetes.shipped` reads what is written here and describes the format, `docs/operators.md` has
the table of sources.
"""

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final, NamedTuple

from envcompile.kubernetes.crds import KEYS
from envcompile.kubernetes.shipped import FOLDER
from envcompile.yamlio import load_all
from tests.kubernetes.generate_tables import MissingSourceError

PAGE: Final = Path(__file__).parents[2] / "docs" / "operators.md"
APACHE: Final = "Apache-2.0"


class Source(NamedTuple):
    """Where the definitions of one project come from.

    `origin` is a Go module, or `git:OWNER/NAME`; `files` are patterns of paths in it. A project that `fills` has a
    mutating webhook that writes fields into an object before the API server looks for those that are required. One that
    is `loose` was long installed with definitions that say nothing of fields.
    """

    project: str
    origin: str
    version: str
    files: tuple[str, ...]
    licence: str = APACHE

    @property
    def is_clone(self) -> bool:
        """Whether it is a clone of a git repository."""
        return self.origin.startswith("git:")

    @property
    def fills(self) -> bool:
        """Whether required fields may be left out."""
        return self.project in _FILLING

    @property
    def is_loose(self) -> bool:
        """Whether a cluster may take what the definition refuses."""
        return self.project in _LOOSE


_LOOSE: Final = frozenset({"Argo Workflows"})
"""Before 4.0 its manifests had the definitions of `manifests/base/crds/minimal` (docs/installation.md), which clusters
keep that were made with them."""
_FILLING: Final = frozenset({
    "Chaos Mesh",
    "CloudNativePG",
    "Cluster API",
    "JobSet",
    "Knative eventing",
    "Knative serving",
    "KServe",
    "Kubeflow Spark operator",
    "Kueue",
    "LeaderWorkerSet",
    "OpenKruise",
    "OpenTelemetry operator",
    "Tekton operator",
    "Tekton Pipelines",
    "Tekton Triggers",
    "Volcano",
})
"""Projects with a MutatingWebhookConfiguration of their own among their manifests."""

SOURCES: Final = (
    Source("Argo CD", "github.com/argoproj/argo-cd/v3", "v3.6.1", ("manifests/crds/*-crd.yaml",)),
    Source("Argo Events", "git:argoproj/argo-events", "v1.9.11", ("manifests/base/crds/*.yaml",)),
    Source("Argo Rollouts", "github.com/argoproj/argo-rollouts", "v1.10.2", ("manifests/crds/*-crd.yaml",)),
    Source("Argo Workflows", "git:argoproj/argo-workflows", "v4.1.2", ("manifests/base/crds/full/argoproj.io_*.yaml",)),
    Source(
        "Calico", "git:projectcalico/calico", "v3.32.1", ("libcalico-go/config/crd/*.yaml", "api/config/crd/*.yaml")
    ),
    Source("cert-manager", "github.com/cert-manager/cert-manager", "v1.21.2", ("deploy/crds/*.yaml",)),
    Source(
        "Chaos Mesh",
        "github.com/chaos-mesh/chaos-mesh",
        "v0.9.1-0.20260902003049-47411975a8cb",
        ("config/crd/bases/*.yaml",),
    ),
    Source("Cilium", "github.com/cilium/cilium", "v1.20.2", ("pkg/k8s/apis/cilium.io/client/crds/v2*/*.yaml",)),
    Source("CloudNativePG", "git:cloudnative-pg/cloudnative-pg", "v1.30.0", ("config/crd/bases/*.yaml",)),
    Source(
        "Cluster API",
        "sigs.k8s.io/cluster-api",
        "v1.14.2",
        (
            "core/config/crd/bases/*.yaml",
            "bootstrap/kubeadm/config/crd/bases/*.yaml",
            "controlplane/kubeadm/config/crd/bases/*.yaml",
        ),
    ),
    Source("Contour", "github.com/projectcontour/contour", "v1.33.8", ("examples/contour/01-crds.yaml",)),
    Source("Crossplane", "git:crossplane/crossplane", "v2.3.4", ("cluster/crds/*.yaml",)),
    Source("External Secrets", "git:external-secrets/external-secrets", "v2.9.0", ("config/crds/bases/*.yaml",)),
    Source("external-dns", "sigs.k8s.io/external-dns", "v0.23.0", ("config/crd/standard/*.yaml",)),
    Source(
        "external-snapshotter",
        "github.com/kubernetes-csi/external-snapshotter/client/v8",
        "v8.7.0",
        ("config/crd/*.yaml",),
    ),
    Source("Flagger", "github.com/fluxcd/flagger", "v1.36.1", ("artifacts/flagger/crd.yaml",)),
    Source("Flux helm-controller", "git:fluxcd/helm-controller", "v1.6.3", ("config/crd/bases/*.yaml",)),
    Source(
        "Flux image-automation-controller",
        "git:fluxcd/image-automation-controller",
        "v1.2.1",
        ("config/crd/bases/*.yaml",),
    ),
    Source(
        "Flux image-reflector-controller",
        "git:fluxcd/image-reflector-controller",
        "v1.2.0",
        ("config/crd/bases/*.yaml",),
    ),
    Source(
        "Flux kustomize-controller", "github.com/fluxcd/kustomize-controller", "v1.10.1", ("config/crd/bases/*.yaml",)
    ),
    Source(
        "Flux notification-controller", "git:fluxcd/notification-controller", "v1.9.3", ("config/crd/bases/*.yaml",)
    ),
    Source("Flux source-controller", "github.com/fluxcd/source-controller", "v1.10.1", ("config/crd/bases/*.yaml",)),
    Source("Gatekeeper", "github.com/open-policy-agent/gatekeeper/v3", "v3.23.1", ("charts/gatekeeper/crds/*.yaml",)),
    Source("Gateway API", "sigs.k8s.io/gateway-api", "v1.7.0", ("config/crd/experimental/*.yaml",)),
    Source("Grafana operator", "git:grafana/grafana-operator", "v5.24.0", ("config/crd/bases/*.yaml",)),
    Source("Istio", "istio.io/api", "v1.32.0", ("kubernetes/customresourcedefinitions.gen.yaml",)),
    Source("Jaeger operator", "git:jaegertracing/jaeger-operator", "v1.65.0", ("config/crd/bases/*.yaml",)),
    Source("JobSet", "git:kubernetes-sigs/jobset", "v0.12.0", ("config/components/crd/bases/*.yaml",)),
    Source("Karpenter", "sigs.k8s.io/karpenter", "v1.15.0", ("pkg/apis/crds/*.yaml",)),
    Source(
        "Karpenter for AWS", "git:aws/karpenter-provider-aws", "v1.14.1", ("pkg/apis/crds/karpenter.k8s.aws_*.yaml",)
    ),
    Source("KEDA", "github.com/kedacore/keda/v2", "v2.21.0", ("config/crd/bases/*.yaml",)),
    Source("Knative eventing", "git:knative/eventing", "v0.49.2", ("config/core/resources/*.yaml",)),
    Source(
        "Knative serving",
        "git:knative/serving",
        "v0.50.0",
        (
            "config/core/300-resources/*.yaml",
            "vendor/knative.dev/networking/config/*.yaml",
            "vendor/knative.dev/caching/config/*.yaml",
        ),
    ),
    Source("KServe", "git:kserve/kserve", "v0.20.0", ("config/crd/full/*.yaml", "config/crd/full/*/*.yaml")),
    Source("Kubeflow Spark operator", "git:kubeflow/spark-operator", "v2.5.2", ("config/crd/bases/*.yaml",)),
    Source("Kubeflow training", "github.com/kubeflow/training-operator", "v1.8.1", ("manifests/base/crds/*.yaml",)),
    Source("KubeRay", "github.com/ray-project/kuberay/ray-operator", "v1.5.0", ("config/crd/bases/*.yaml",)),
    Source("Kueue", "sigs.k8s.io/kueue", "v0.17.0", ("config/components/crd/bases/*.yaml",)),
    Source("Kyverno", "github.com/kyverno/kyverno", "v1.19.1", ("config/crds/*/*.yaml",)),
    Source("LeaderWorkerSet", "git:kubernetes-sigs/lws", "v0.10.0", ("config/crd/bases/*.yaml",)),
    Source("Logging operator", "git:kube-logging/logging-operator", "6.7.0", ("config/crd/bases/*.yaml",)),
    Source("MetalLB", "go.universe.tf/metallb", "v0.16.2", ("config/crd/bases/*.yaml",)),
    Source("OpenKruise", "git:openkruise/kruise", "v1.9.0", ("config/crd/bases/*.yaml",)),
    Source(
        "OpenShift",
        "git:openshift/api",
        "2a3d73913b5a",
        ("route/v1/zz_generated.crd-manifests/*.yaml", "security/v1/zz_generated.crd-manifests/*.yaml"),
    ),
    Source(
        "OpenTelemetry operator", "git:open-telemetry/opentelemetry-operator", "v0.158.0", ("config/crd/bases/*.yaml",)
    ),
    Source(
        "Operator Lifecycle Manager", "git:operator-framework/api", "v0.45.0", ("crds/operators.coreos.com_*.yaml",)
    ),
    Source("Pipelines as Code", "git:openshift-pipelines/pipelines-as-code", "v0.43.0", ("config/300-*.yaml",)),
    Source(
        "Prometheus operator",
        "git:prometheus-operator/prometheus-operator",
        "v0.93.0",
        ("example/prometheus-operator-crd/*.yaml",),
    ),
    Source("RabbitMQ", "git:rabbitmq/cluster-operator", "v2.22.3", ("config/crd/bases/*.yaml",), "MPL-2.0"),
    Source("Rook", "git:rook/rook", "v1.20.6", ("deploy/examples/crds.yaml",)),
    Source("Sealed Secrets", "github.com/bitnami-labs/sealed-secrets", "v0.40.0", ("helm/sealed-secrets/crds/*.yaml",)),
    Source(
        "Secrets Store CSI driver",
        "git:kubernetes-sigs/secrets-store-csi-driver",
        "v1.6.0",
        ("config/crd/bases/*.yaml",),
    ),
    Source("Strimzi", "git:strimzi/strimzi-kafka-operator", "1.2.0", ("install/cluster-operator/*-Crd-*.yaml",)),
    Source("Tekton operator", "git:tektoncd/operator", "v0.81.1", ("config/base/generated-crds/*.yaml",)),
    Source("Tekton Pipelines", "git:tektoncd/pipeline", "v1.15.0", ("config/300-crds/*.yaml",)),
    Source("Tekton Triggers", "git:tektoncd/triggers", "v0.37.0", ("config/300-*.yaml",)),
    Source("Tigera operator", "git:tigera/operator", "v1.43.0", ("pkg/imports/crds/operator/*.yaml",)),
    Source(
        "Traefik",
        "github.com/traefik/traefik/v3",
        "v3.7.13",
        ("docs/content/reference/dynamic-configuration/traefik.io_*.yaml",),
        "MIT",
    ),
    Source("Trivy operator", "git:aquasecurity/trivy-operator", "v0.32.0", ("deploy/helm/crds/*.yaml",)),
    Source("trust-manager", "git:cert-manager/trust-manager", "v0.24.0", ("deploy/crds/*.yaml",)),
    Source(
        "Velero",
        "github.com/vmware-tanzu/velero",
        "v1.18.3",
        ("config/crd/v1/bases/*.yaml", "config/crd/v2alpha1/bases/*.yaml"),
    ),
    Source(
        "Vertical Pod Autoscaler",
        "k8s.io/autoscaler/vertical-pod-autoscaler",
        "v1.8.1",
        ("deploy/vpa-v1-crd-gen.yaml",),
    ),
    Source(
        "VictoriaMetrics operator",
        "git:VictoriaMetrics/operator",
        "v0.74.1",
        ("config/crd/overlay/crd.descriptionless.yaml",),
    ),
    Source("Volcano", "git:volcano-sh/volcano", "v1.15.1", ("config/crd/volcano/bases/*.yaml",)),
    Source("Zalando postgres-operator", "git:zalando/postgres-operator", "v2.0.1", ("manifests/*.crd.yaml",), "MIT"),
)

_KEPT: Final = (
    "type",
    "format",
    "pattern",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "nullable",
    "default",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
_RULES: Final = "x-kubernetes-validations"
_CORE: Final = (
    ("core.v1.Container", ("name",), frozenset({"name", "image", "command", "args", "env", "volumeMounts"})),
    ("core.v1.EnvVar", ("name",), frozenset({"name", "value", "valueFrom"})),
    ("core.v1.Volume", ("name",), frozenset({"name", "configMap", "secret", "emptyDir", "hostPath", "projected"})),
    ("core.v1.VolumeMount", ("mountPath",), frozenset({"name", "mountPath", "subPath", "readOnly"})),
    ("core.v1.VolumeDevice", ("devicePath",), frozenset({"name", "devicePath"})),
    ("core.v1.ContainerPort", ("containerPort", "protocol"), frozenset({"containerPort", "hostPort", "protocol"})),
    ("core.v1.ServicePort", ("port", "protocol"), frozenset({"port", "targetPort", "nodePort", "protocol"})),
    ("core.v1.HostAlias", ("ip",), frozenset({"ip", "hostnames"})),
    (
        "core.v1.TopologySpreadConstraint",
        ("topologyKey", "whenUnsatisfiable"),
        frozenset({"maxSkew", "topologyKey", "whenUnsatisfiable", "labelSelector"}),
    ),
)
"""Types of Kubernetes that operators embed, by the fields that only they have; the keys are those of a pod's lists."""
_INT_OR_STRING: Final = [{"type": "integer"}, {"type": "string"}]
_VERSION: Final = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_FREE: Final[Mapping[str, Any]] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


_OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "apiextensions.crossplane.io": {
        "versions": "name",
        "additionalPrinterColumns": "name",
        "connectionDetails": "name",
    },
    "argoproj.io": {
        "analyses": "name",
        "artifacts": "name",
        "env": "name",
        "extVars": "name",
        "fileParameters": "name",
        "info": "name",
        "managedRoutes": "name",
        "parameters": "name",
        "prometheus": "name",
        "replicas": "name",
        "roles": "name",
        "tasks": "name",
        "templates": "name",
        "tlas": "name",
        "virtualServices": "name",
    },
    "cluster.x-k8s.io": {"variables": "name"},
    "external-secrets.io": {"data": "secretKey", "secrets": "name", "sessionTags": "key"},
    "grafana.integreatly.org": {"plugins": "name"},
    "helm.toolkit.fluxcd.io": {"images": "name"},
    "kafka.strimzi.io": {"plugins": "name"},
    "keda.sh": {
        "boundServiceAccountToken": "parameter",
        "configMapTargetRef": "parameter",
        "env": "parameter",
        "secretTargetRef": "parameter",
        "secrets": "parameter",
    },
    "kustomize.toolkit.fluxcd.io": {"images": "name"},
    "kyverno.io": {"context": "name"},
    "monitoring.coreos.com": {"additionalArgs": "name"},
    "pkg.crossplane.io": {"authorities": "name"},
    "postgresql.cnpg.io": {
        "extensions": "name",
        "fdws": "name",
        "options": "name",
        "plugins": "name",
        "tables": "name",
    },
    "velero.io": {"resources": "name"},
}
"""Lists of which the operator's definition says nothing, and the field that names their items.

Sources: the API references of the projects in SOURCES, at the description of the field that is the key."""


_BY_NAME: Final = frozenset({"fileParameters", "parameters"})
"""Lists whose items need not have the field that names them, and which the project's own code keeps by it.

Source: argoproj/argo-cd pkg/apis/application/v1alpha1/types.go, AddHelmParameter and AddFileParameter.
"""


class Pool:
    """Schemas, each written once: a schema is the number of its line, with those inside it before it."""

    def __init__(self, own: Mapping[str, str]) -> None:
        self.lines: dict[str, int] = {}
        self._own = own

    def add(self, schema: Mapping[str, Any], source: Source, field: str = "", keys: Sequence[str] = ()) -> int:
        """Take in a schema with all those inside it; the number that stands for it.

        Args:
            schema: what a definition says.
            source: the project of the definition.
            field: the field whose value it is.
            keys: fields that tell it apart from other items of its list.
        """
        kept = {
            key: schema[key]
            for key in _KEPT
            if key in schema and (key == "default" or schema[key] not in (None, False, "", []))
        }
        if source.fills and "required" in kept:
            kept["required"] = [name for name in kept["required"] if name in keys]
            kept = {key: of for key, of in kept.items() if of != []}
        if schema.get(_RULES) and not source.is_clone:
            kept[_RULES] = schema[_RULES]
        fields = schema.get("properties") or {}
        if fields:
            kept["properties"] = {name: self.add(of, source, name) for name, of in fields.items()}
        for key in ("items", "additionalProperties", "not"):
            if isinstance(schema.get(key), dict):
                told = schema.get("x-kubernetes-list-map-keys") or () if key == "items" else ()
                kept[key] = self.add(schema[key], source, keys=told)
            elif schema.get(key) is True:
                kept[key] = True
        for key in ("allOf", "anyOf", "oneOf"):
            branches = schema.get(key)
            if branches and not (schema.get("x-kubernetes-int-or-string") and branches == _INT_OR_STRING):
                kept[key] = [self.add(branch, source) for branch in branches]
        if kept.get("type") == "array" and "x-kubernetes-list-type" not in kept and (own := self._keys(schema, field)):
            kept[KEYS] = own
        return self.lines.setdefault(json.dumps(kept, sort_keys=True, separators=(",", ":")), len(self.lines))

    def _keys(self, schema: Mapping[str, Any], field: str) -> list[str]:
        """What tells a list's items apart, after the type that they are or the operator's field; empty for others."""
        items = schema.get("items") or {}
        fields, required = items.get("properties") or {}, items.get("required") or ()
        for name, keys, own in _CORE:
            told = all(key in required or "default" in fields.get(key, {}) for key in keys)
            if own <= fields.keys() and told:
                return [name, *keys]
        key = self._own.get(field)
        is_text = (fields.get(key or "") or {}).get("type") == "string"
        return ["", key] if key and is_text and (key in required or field in _BY_NAME) else []


class Group:
    """The kinds of one API group while they are collected."""

    def __init__(self, name: str) -> None:
        self.pool = Pool(_OWN.get(name, {}))
        self.kinds: dict[str, Any] = {}

    def add(self, source: Source, spec: Mapping[str, Any]) -> None:
        """Take in one definition."""
        versions: dict[str, Any] = {}
        for version in sorted(spec["versions"], key=lambda one: _preference(one["name"]), reverse=True):
            schema = (version.get("schema") or {}).get("openAPIV3Schema")
            if not version.get("served") or schema is None:
                versions[version["name"]] = None
                continue
            fields = {
                key: of
                for key, of in (schema.get("properties") or {}).items()
                if key not in {"apiVersion", "kind", "metadata"}
            }
            required = [key for key in schema.get("required") or () if key in fields and key != "status"]
            if "status" in (version.get("subresources") or {}) and "status" in fields:
                fields["status"] = _FREE  # the server drops what is written there
            root = self.pool.add({**schema, "properties": fields, "required": required}, source)
            versions[version["name"]] = [root, "deprecated"] if version.get("deprecated") else [root]
        kind = spec["names"]["kind"]
        self.kinds[kind] = {
            "project": f"{source.project} {source.version}",
            **({"loose": True} if source.is_loose else {}),
            "scope": spec["scope"],
            "versions": versions,
        }

    def kinds_of(self, project: str) -> list[str]:
        """The kinds that come from a project."""
        return [kind for kind, said in self.kinds.items() if said["project"].rpartition(" ")[0] == project]

    def text(self) -> str:
        """The group as its file has it: a line for each kind and each schema."""
        kinds = ",\n".join(
            f"{json.dumps(kind)}:{json.dumps(self.kinds[kind], separators=(',', ':'))}" for kind in sorted(self.kinds)
        )
        return f'{{"kinds":{{\n{kinds}\n}},"schemas":[\n' + ",\n".join(self.pool.lines) + "\n]}\n"


def _preference(version: str) -> tuple[int, int, int]:
    """The order of versions: stable ones before betas, newer before older."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (-1, 0, 0)
    return ({None: 2, "beta": 1, "alpha": 0}[found[2]], int(found[1]), int(found[3] or 0))


def definitions(source: Source, environ: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """The specs of the CustomResourceDefinitions of a source."""
    found = sorted(_texts(source, environ))
    if not found:
        raise MissingSourceError(f"{source.project}: no file is named like {' or '.join(source.files)}")
    for name, text in found:
        if b"kind: CustomResourceDefinition" not in text:
            continue
        for document in load_all(text, name, last_wins=True):
            if isinstance(document, dict) and document.get("kind") == "CustomResourceDefinition":
                yield document["spec"]


def _texts(source: Source, environ: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    if source.is_clone:
        yield from _of_clone(source, environ)
        return
    with zipfile.ZipFile(_archive(source, environ)) as archive:
        start = f"{source.origin}@{source.version}/"
        for name in archive.namelist():
            if any(fnmatch(name.removeprefix(start), pattern) for pattern in source.files):
                yield name, archive.read(name)


def _archive(source: Source, environ: Mapping[str, str]) -> Path:
    """The file of a Go module, also of one that this Go is too old to build."""
    answer = subprocess.run(
        ["go", "mod", "download", "-json", f"{source.origin}@{source.version}"],
        cwd=Path(__file__).parent,
        env={**environ, "GOFLAGS": "-mod=mod"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(answer.stdout or "{}")
    if "Zip" not in found:
        raise MissingSourceError(f"{source.origin}@{source.version}: {found.get('Error') or answer.stderr.strip()}")
    return Path(found["Zip"])


def _of_clone(source: Source, environ: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    clone = Path(environ.get("ENVC_CLONES", "")) / source.origin.removeprefix("git:").replace("/", "+")
    clone = clone / "repo" if (clone / "repo").is_dir() else clone

    def ask(*arguments: str) -> bytes:
        answer = subprocess.run(["git", "-C", str(clone), *arguments], capture_output=True, check=False)
        if answer.returncode:
            raise MissingSourceError(f"{source.origin} at {source.version}: {answer.stderr.decode().strip()}")
        return answer.stdout

    for path in ask("ls-tree", "-r", "--name-only", source.version).decode().splitlines():
        if any(fnmatch(path, pattern) for pattern in source.files):
            yield path, ask("cat-file", "blob", f"{source.version}:{path}")


def collect(sources: Iterable[Source], environ: Mapping[str, str]) -> dict[str, Group]:
    """Read all sources; the groups by name. Of two definitions of a kind the later source wins."""
    groups: dict[str, Group] = {}
    for source in sources:
        for spec in definitions(source, environ):
            if spec.get("group"):
                groups.setdefault(spec["group"], Group(spec["group"])).add(source, spec)
    return groups


def page(groups: Mapping[str, Group]) -> str:
    """The table of sources, as `docs/operators.md` has it."""
    rows = []
    for source in SOURCES:
        kinds = [f"{kind}.{name}" for name, group in groups.items() for kind in group.kinds_of(source.project)]
        names = sorted({kind.partition(".")[2] for kind in kinds})
        of = source.origin.removeprefix("git:")
        where = f"github.com/{of} (git)" if source.is_clone else f"{of} (Go module)"
        rows.append(
            f"| {source.project} | {where} | {source.version} | {source.licence} | {len(kinds)} | {', '.join(names)} |"
        )
    return HEAD + "\n".join(rows) + "\n"


HEAD: Final = """# Operators whose kinds envc knows

Made by `python -m tests.kubernetes.generate_operators` from the CustomResourceDefinitions of these projects: structure,
types, bounds, list types and keys, no descriptions. Rules in CEL come along from Go modules only; a definition in the
repository, or `envc crds add`, brings all of them and the version that the cluster has.

| project | source | version | licence | kinds | API groups |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Write the file of every group, and the table of sources."""
    groups = collect(SOURCES, os.environ)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name, group in groups.items():
        (FOLDER / f"{name}.json").write_text(group.text(), encoding="utf-8")
    PAGE.write_text(page(groups), encoding="utf-8")


if __name__ == "__main__":
    main()
