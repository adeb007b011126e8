"""The typed models of `envc.yaml`, `environment.yaml` and `kind: Patch`; the same types give the JSON Schemas."""

from __future__ import annotations

import sys
from typing import Any, Literal

import msgspec

DEFAULT_KUBERNETES_VERSION = "1.35"
API_VERSION = "envcompile.dev/v1"

SchemaName = Literal["project", "environment", "patch", "generate"]
Layout = Literal["resource", "app", "environment"]
"""What a file below `environments/` holds."""
Grade = Literal["off", "info", "warning", "error"]
"""How grave the findings of a rule are; `off` leaves the rule out."""


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """A settings object: unknown keys are errors, names are camelCase in files."""


class MergeKeyRule(Model, frozen=True, kw_only=True):
    """How the items of one list of a custom resource are told apart."""

    kind: str
    """The custom resource's kind."""
    path: str
    """Dotted way to the list, such as `spec.routes` or `spec.routes[].matches`."""
    keys: tuple[str, ...]
    """The fields that together identify an item."""
    group: str = ""
    """The custom resource's API group."""


class Maintainer(Model, frozen=True, kw_only=True):
    """Somebody who looks after a chart."""

    name: str
    """A name."""
    email: str | None = None
    """A mail address."""
    url: str | None = None
    """A page about the maintainer."""


class ChartDependency(Model, frozen=True, kw_only=True):
    """A chart that the chart needs; `helm dependency update environments/chart` fetches it."""

    name: str
    """The other chart's name."""
    version: str
    """Its version, or a range of versions."""
    repository: str | None = None
    """The address of its repository, or an alias of one (`@name`)."""
    condition: str | None = None
    """Dotted ways to values that switch it, with commas between them."""
    tags: tuple[str, ...] = ()
    """Names that switch it with others."""
    import_values: tuple[Any, ...] = msgspec.field(name="import-values", default=())
    """Keys of its values, or maps of `child` and `parent`, that come to the chart's own."""
    alias: str | None = None
    """What it is called in the chart's values."""


class Chart(Model, frozen=True, kw_only=True):
    """The Helm chart that builds write to `environments/chart`; what Chart.yaml may say, it says here."""

    name: str
    """The chart's name: lower-case letters, digits and `-`."""
    version: str = "0.1.0"
    """The chart's version, as SemVer 2."""
    crds: Literal["crds", "templates", "skip"] = "crds"
    """Where CustomResourceDefinitions go: Helm's `crds/` folder, the templates, or nowhere."""
    defaults: str | None = None
    """The environment whose values stand in values.yaml; the last one, usually prod, when left out."""
    test_image: str | None = None
    """An image with `sh` and `nc`: `helm test` then connects to each Service from a pod of it."""
    name_override: bool = False
    """Whether the chart has `nameOverride` and `fullnameOverride`, so that a namespace can hold several releases."""
    kube_version: str | None = None
    """The range of Kubernetes versions that the chart is for, such as `>=1.30.0-0`."""
    description: str | None = None
    """One sentence about the chart."""
    type: Literal["application"] = "application"
    """What Helm does with it: it is installed."""
    keywords: tuple[str, ...] = ()
    """Words that people search for."""
    home: str | None = None
    """The address of the project's page."""
    sources: tuple[str, ...] = ()
    """Addresses of its source code."""
    dependencies: tuple[ChartDependency, ...] = ()
    """Further charts that are installed with it."""
    maintainers: tuple[Maintainer, ...] = ()
    """Who looks after it."""
    icon: str | None = None
    """The address of a picture."""
    app_version: str | None = None
    """The version of what the chart installs."""
    deprecated: bool = False
    """Whether the chart should not be used any more."""
    annotations: dict[str, str] = {}
    """Further facts, such as those of Artifact Hub."""


class Exclusion(Model, frozen=True, kw_only=True):
    """Resources this environment leaves out; every field is a glob."""

    kind: str = "*"
    """Kind to leave out."""
    name: str = "*"
    """Name to leave out."""
    namespace: str = "*"
    """Namespace to leave out."""
    group: str = "*"
    """API group to leave out."""


class ThirdPartyChart(Model, frozen=True, kw_only=True):
    """A chart of others that `envc charts` renders into documents of the base, which are committed."""

    name: str
    """Name of the release and of the application: its documents are in `base/<name>/vendored`."""
    repository: str
    """Address of the repository (`https:`, `oci:`), or `@name` for one that `helm repo add` knows."""
    chart: str | None = None
    """The chart's name in the repository; `name` when left out."""
    version: str | None = None
    """Its version, or a range such as `^6.5`; the newest that is no prerelease when left out."""
    digest: str | None = None
    """Digest of the archive, as `sha256:<hex>`; the lock has it, too."""
    namespace: str | None = None
    """Namespace of the release; the environment's when left out."""
    environments: tuple[str, ...] = ()
    """Environments that have it, as globs; all of them when left out."""
    values: dict[str, Any] = {}
    """The chart's values; those of environments are laid over them."""
    api_versions: tuple[str, ...] = ()
    """APIs that the chart asks for and the cluster has, such as `monitoring.coreos.com/v1`."""
    hooks: Literal["leave", "keep"] = "leave"
    """Whether Helm's hooks are left out, or kept with their annotation, which Argo CD obeys."""
    crds: bool = True
    """Whether the chart's CustomResourceDefinitions are taken."""
    exclude: tuple[Exclusion, ...] = ()
    """Objects of the chart that are not taken."""
    plaintext: dict[str, tuple[str, ...]] = {}
    """Keys of Secrets that hold nothing secret, by the Secret's name."""


class ChartInEnvironment(Model, frozen=True, kw_only=True):
    """What an environment says otherwise about a chart of `charts` in envc.yaml."""

    version: str | None = None
    """Version or range that this environment has."""
    digest: str | None = None
    """Digest of that version's archive, as `sha256:<hex>`."""
    values: dict[str, Any] = {}
    """Values laid over those of envc.yaml, map by map."""
    api_versions: tuple[str, ...] | None = None
    """APIs that the chart asks for and this cluster has; instead of those of envc.yaml."""


class Notification(Model, frozen=True, kw_only=True):
    """Somebody who is told when compiled environments change."""

    kind: Literal["slack", "webhook", "cloudevents", "email"]
    """What the receiver understands: Slack's message format, plain JSON, CloudEvents 1.0 over HTTP, or mail."""
    address: str
    """Name of the env var that holds the receiver's URL; the URL itself is a secret and stays out of the file."""
    environments: tuple[str, ...] = ()
    """Environments whose changes are told, as globs; all of them when left out."""


class Limits(Model, frozen=True, kw_only=True):
    """How much of the machine a project may take; left out, a limit is far beyond what people write."""

    files: int | None = None
    """Files that one layer may hold."""
    folders: int | None = None
    """Folders of one layer, a folder as often as symlinks lead to it."""
    file_size: int | None = None
    """Mebibytes of one file."""
    size: int | None = None
    """Mebibytes of all files that are read."""
    documents: int | None = None
    """Documents of all layers, each as often as an environment has it."""
    imports: int | None = None
    """Files that one jsonnet file may import."""
    seconds: int | None = None
    """Of the processor, for one jsonnet file."""
    memory: int | None = None
    """Mebibytes of memory for jsonnet; for all of envc where the tree is not trusted."""
    time: int | None = None
    """Seconds for everything, where the tree is not trusted."""


class Project(Model, frozen=True, kw_only=True):
    """`envc.yaml`: settings of the whole repository; every key has a default."""

    envc: str | None = None
    """The versions of envc that may compile the repository, such as `>=0.2,<0.3`; every one when left out."""
    environments: tuple[str, ...] = ()
    """Promotion order, first to last; environments it leaves out follow by name."""
    merge_semantics: Literal[1] = 1
    """Version of the merge rules this repository is written for."""
    config_merge: Literal["merge", "replace"] = "merge"
    """Whether ConfigMap entries such as `app.properties` merge key by key or are replaced whole."""
    merge_keys: tuple[MergeKeyRule, ...] = ()
    """Lists of custom resources that merge by key."""
    crds: tuple[str, ...] = ()
    """Files or folders with CustomResourceDefinitions that only tell envc about merge keys and scope."""
    kubernetes_version: str = DEFAULT_KUBERNETES_VERSION
    """Kubernetes minor version whose API rules apply where an environment names none."""
    notify: tuple[Notification, ...] = ()
    """Who is told by `envc notify`."""
    chart: Chart | None = None
    """Write a Helm chart of all environments, too; without this key there is none."""
    charts: tuple[ThirdPartyChart, ...] = ()
    """Charts of others, rendered into the base by `envc charts`; a build never asks for them."""
    layout: Layout = "resource"
    """What a file below `environments/` holds: one resource, all of one application, or all of the environment."""
    limits: Limits | None = None
    """How much of the machine the project may take."""
    checks: dict[str, Grade] = {}
    """How grave the findings of `envc check` are, by rule."""


class Image(Model, frozen=True, kw_only=True):
    """A change of every container image of this name."""

    name: str
    """Image name as the manifests have it, without tag or digest."""
    new_name: str | None = None
    """Name to use instead, such as a mirror's."""
    new_tag: str | None = None
    """Tag to use instead."""
    digest: str | None = None
    """Digest to pin, as `sha256:<hex>`."""


class Sealing(Model, frozen=True, kw_only=True):
    """With which certificate the environment's secrets are sealed."""

    certificate: str = "sealed-secrets.pem"
    """The certificate's file, relative to the folder of the environment.yaml that names it."""
    fingerprint: str | None = None
    """SHA-256 of the certificate's public key (SPKI), as `sha256:<hex>`."""
    scope: Literal["strict", "namespace-wide", "cluster-wide"] = "strict"
    """To what a sealed value is bound: name and namespace, the namespace, or nothing."""
    controller_namespace: str = "kube-system"
    """Namespace of the sealed-secrets controller."""
    controller_name: str = "sealed-secrets-controller"
    """Name of the controller's Service."""


class ExternalSecrets(Model, frozen=True, kw_only=True):
    """Where `secretBackend: external` points its ExternalSecrets."""

    store: str
    """Name of the secret store."""
    store_kind: Literal["SecretStore", "ClusterSecretStore"] = "SecretStore"
    """Kind of the secret store."""
    operator_version: str = "2.9"
    """Version of the External Secrets Operator: its defaults decide what must be written out."""
    refresh_interval: str = "1h0m0s"
    """How often the operator reads the store."""


class Cluster(Model, frozen=True, kw_only=True):
    """The cluster behind the environment."""

    context: str | None = None
    """Context of the kubeconfig."""
    server: str | None = None
    """Address of the API server, as Argo CD's destination names it."""


class Metrics(Model, frozen=True, kw_only=True):
    """Where the environment's cluster keeps its figures."""

    prometheus: str | None = None
    """Address of a Prometheus, from which `envc watch` takes usage instead of the metrics API."""
    queries: dict[str, str] | None = None
    """Further figures that it takes from there each minute: a name, such as `requests`, and its PromQL. Each series
    needs the labels `namespace` and `pod`, or `namespace` and `workload` (KIND/NAME)."""


class Environment(Model, frozen=True, kw_only=True):
    """`environment.yaml` of one overlay folder."""

    api_version: Literal["envcompile.dev/v1"] = msgspec.field(name="apiVersion")
    """Version of this format."""
    kind: Literal["Environment"]
    """Always `Environment`."""
    abstract: bool = False
    """True for a folder that is only extended, never built."""
    extends: tuple[str, ...] = ()
    """Other overlay folders laid under this one, in order, such as `../nonprod`."""
    namespace: str | None = None
    """Namespace of namespaced resources that name none."""
    force_namespace: bool = False
    """True to set the namespace on resources that name another one too."""
    labels: dict[str, str] = {}
    """Labels for metadata.labels of every resource."""
    selector_labels: dict[str, str] = {}
    """Labels for every resource, pod template and selector of pods, as kustomize's `includeSelectors`."""
    pod_labels: dict[str, str] = {}
    """Labels for every pod template; selectors stay as they are."""
    annotations: dict[str, str] = {}
    """Annotations for metadata.annotations of every resource."""
    pod_annotations: dict[str, str] = {}
    """Annotations for every pod template."""
    images: tuple[Image, ...] = ()
    """Image changes, one for each image name."""
    replicas: dict[str, int] = {}
    """Replicas by workload name."""
    params: dict[str, Any] = {}
    """Values for `${{ params.NAME }}`."""
    kubernetes_version: str | None = None
    """Kubernetes minor version of this environment's cluster."""
    config_merge: Literal["merge", "replace"] | None = None
    """Overrides configMerge of envc.yaml."""
    sealing: Sealing | None = None
    """How secrets are sealed for this environment's cluster."""
    rollout: Literal["none", "reloader", "checksum", "suffix"] | None = None
    """What restarts workloads when their configuration changes."""
    sync_waves: bool | None = None
    """True for Argo CD sync waves from the dependency graph."""
    secret_backend: Literal["sealed", "external", "plaintext"] | None = None
    """What a Secret becomes in the output."""
    external_secrets: ExternalSecrets | None = None
    """The store that `secretBackend: external` reads."""
    cluster: Cluster | None = None
    """The cluster behind this environment."""
    metrics: Metrics | None = None
    """Where its figures are kept."""
    owners: tuple[str, ...] = ()
    """Who approves changes of this environment, as CODEOWNERS names them."""
    exclude: tuple[Exclusion, ...] = ()
    """Resources this environment leaves out."""
    charts: dict[str, ChartInEnvironment] = {}
    """What is said otherwise here about charts of envc.yaml, by their names."""
    checks: dict[str, Grade] = {}
    """How grave the findings of `envc check` are in this environment, by rule; overrides checks of envc.yaml."""


class Target(Model, frozen=True, kw_only=True):
    """Which resources a Patch reaches; every field is a glob, labelSelector as kubectl's `-l`."""

    group: str | None = None
    """API group."""
    kind: str | None = None
    """Kind."""
    name: str | None = None
    """Name."""
    namespace: str | None = None
    """Namespace."""
    label_selector: str | None = None
    """Labels, as kubectl's `-l` reads them."""


class PatchMetadata(Model, frozen=True, kw_only=True):
    """A name for messages."""

    name: str = ""
    """The patch's name."""


class Patch(Model, frozen=True, kw_only=True):
    """`kind: Patch`: one change laid over many resources."""

    api_version: Literal["envcompile.dev/v1"] = msgspec.field(name="apiVersion")
    """Version of this format."""
    kind: Literal["Patch"]
    """Always `Patch`."""
    metadata: PatchMetadata = PatchMetadata()
    """A name for messages."""
    target: Target
    """Which resources the patch reaches."""
    merge: dict[str, Any] | None = None
    """A partial resource, merged as a document of an overlay is."""
    json6902: tuple[dict[str, Any], ...] | None = None
    """Operations of RFC 6902."""
    optional: bool = False
    """True when reaching nothing is fine."""


class GenerateMetadata(Model, frozen=True, kw_only=True):
    """What the object is called."""

    name: str
    """Name of the ConfigMap or Secret."""
    namespace: str | None = None
    """Its namespace; the environment's when left out."""


class GenerateOptions(Model, frozen=True, kw_only=True):
    """What the object has besides its content; names and meaning are kustomize's."""

    labels: dict[str, str] = {}
    """Its labels."""
    annotations: dict[str, str] = {}
    """Its annotations."""
    immutable: bool | None = None
    """True for an object whose content the cluster lets nobody change; false in an overlay takes that away."""
    disable_name_suffix_hash: bool = False
    """True for a name that `rollout: suffix` leaves as it is, whatever layers below say."""


class GenerateContent(Model, frozen=True, kw_only=True):
    """Where the content of a ConfigMap comes from; paths are relative to the file that names them."""

    literals: tuple[str, ...] = ()
    """Entries as `KEY=value`; quotes around the value are left out."""
    files: tuple[str, ...] = ()
    """Files as `path` or `KEY=path`, each one entry; the key is the file's name when left out."""
    envs: tuple[str, ...] = ()
    """Files of lines `KEY=value`, each line one entry."""


class GenerateSecret(Model, frozen=True, kw_only=True):
    """Where the content of a Secret comes from; paths are relative to the file that names them."""

    literals: tuple[str, ...] = ()
    """Entries as `KEY=value`; `KEY=ref+…` is a reference."""
    files: tuple[str, ...] = ()
    """Files as `path` or `KEY=path`, each one entry; the key is the file's name when left out."""
    envs: tuple[str, ...] = ()
    """Files of lines `KEY=value`, each line one entry."""
    type: str = "Opaque"
    """Type of the Secret."""


class Generate(Model, frozen=True, kw_only=True):
    """`kind: Generate`: a ConfigMap or Secret made of files, env files and literals."""

    api_version: Literal["envcompile.dev/v1"] = msgspec.field(name="apiVersion")
    """Version of this format."""
    kind: Literal["Generate"]
    """Always `Generate`."""
    metadata: GenerateMetadata
    """What the object is called."""
    config_map: GenerateContent | None = None
    """The content of a ConfigMap."""
    secret: GenerateSecret | None = None
    """The content of a Secret."""
    options: GenerateOptions = GenerateOptions()
    """What the object has besides its content."""
    behavior: Literal["merge", "replace"] = "merge"
    """In an overlay, whether entries are laid over those of the layers below or take their place."""


def json_schema(name: SchemaName) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of settings file, described by the docstrings of its model."""
    models: dict[SchemaName, type[Model]] = {
        "project": Project,
        "environment": Environment,
        "patch": Patch,
        "generate": Generate,
    }
    title = {"project": "envc.yaml", "environment": "environment.yaml", "patch": "Patch", "generate": "Generate"}[name]
    from envcompile.schemas import described

    return described(models[name], title, [sys.modules[__name__]])
