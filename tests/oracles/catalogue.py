"""Names every oracle, the Go package it is built from, its pinned version and the place of its binary."""

import hashlib
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
SHARED_MODULE: Final = FOLDER
KUSTOMIZE_MODULE: Final = FOLDER / "kustomize"
KUBECONFORM_MODULE: Final = FOLDER / "kubeconform"
KUBE_SCORE_MODULE: Final = FOLDER / "kube-score"
DYFF_MODULE: Final = FOLDER / "dyff"
ACTIONLINT_MODULE: Final = FOLDER / "actionlint"
ARGOCD_MODULE: Final = FOLDER / "argocd"
SOPS_MODULE: Final = FOLDER / "sops"
CEL_MODULE: Final = FOLDER / "cel"
HPA_MODULE: Final = FOLDER / "hpa"
VPA_MODULE: Final = FOLDER / "vpa"
KWOK_MODULE: Final = FOLDER / "kwok"
REGISTRY_MODULE: Final = FOLDER / "registry"

BUILD_FLAGS: Final = ("-mod=readonly", "-trimpath", "-buildvcs=false")
BUILD_ENVIRONMENT: Final[Mapping[str, str]] = {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}


@dataclass(frozen=True, slots=True)
class Oracle:
    """One tool: its binary's name, the Go package that builds it, and the linker variables that tell it its version."""

    name: str
    package: str
    pinned_by: str
    module: Path = SHARED_MODULE
    linker_variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Further files of the pinned module, by their paths in it, that come with the binary."""
    on_demand: bool = False
    """Built only when it is named: minutes of building for tests that otherwise read recorded answers."""

    @property
    def version(self) -> str:
        """The version go.mod pins, with its leading v."""
        return pinned_version(self.module, self.pinned_by)

    @property
    def linker_flags(self) -> str:
        """The value of -ldflags; without it most of these tools report a development version."""
        kubernetes = pinned_version(SHARED_MODULE, KUBERNETES)
        words = {
            "version": self.version,
            "number": self.version.removeprefix("v"),
            "kubernetes": kubernetes,
            "minor": kubernetes.split(".")[1],
        }
        variables = [f"-X {variable.format_map(words)}" for variable in self.linker_variables]
        return " ".join(["-s -w", *variables])


KUBERNETES: Final = "k8s.io/kubernetes"
SEALED_SECRETS: Final = "github.com/bitnami/sealed-secrets"

_COMPONENT_VERSION: Final = "k8s.io/component-base/version"
_KUBERNETES_VARIABLES: Final = (
    f"{_COMPONENT_VERSION}.gitVersion={{kubernetes}}",
    f"{_COMPONENT_VERSION}.gitMajor=1",
    f"{_COMPONENT_VERSION}.gitMinor={{minor}}",
    f"{_COMPONENT_VERSION}.gitTreeState=clean",
    f"{_COMPONENT_VERSION}.buildDate=1970-01-01T00:00:00Z",
)

ORACLES: Final = (
    Oracle(
        name="kustomize",
        package="sigs.k8s.io/kustomize/kustomize/v5",
        pinned_by="sigs.k8s.io/kustomize/kustomize/v5",
        module=KUSTOMIZE_MODULE,
        linker_variables=("sigs.k8s.io/kustomize/api/provenance.version={version}",),
    ),
    Oracle(
        name="helm3",
        package="helm.sh/helm/v3/cmd/helm",
        pinned_by="helm.sh/helm/v3",
        # Without the Kubernetes version `helm template` renders for v1.20; a released binary renders for client-go's.
        linker_variables=(
            "helm.sh/helm/v3/internal/version.version={version}",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor={minor}",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor={minor}",
        ),
    ),
    Oracle(
        name="helm4",
        package="helm.sh/helm/v4/cmd/helm",
        pinned_by="helm.sh/helm/v4",
        linker_variables=("helm.sh/helm/v4/internal/version.version={version}",),
    ),
    Oracle(
        name="kubeseal",
        package="github.com/bitnami/sealed-secrets/cmd/kubeseal",
        pinned_by=SEALED_SECRETS,
        linker_variables=("main.VERSION={number}",),
    ),
    Oracle(
        name="sealed-secrets-controller",
        package="github.com/bitnami/sealed-secrets/cmd/controller",
        pinned_by=SEALED_SECRETS,
        linker_variables=("main.VERSION={number}",),
    ),
    Oracle(
        name="kubeconform",
        package="github.com/yannh/kubeconform/cmd/kubeconform",
        pinned_by="github.com/yannh/kubeconform",
        module=KUBECONFORM_MODULE,
        linker_variables=("main.version={version}",),
    ),
    Oracle(
        name="kube-score",
        package="github.com/zegl/kube-score/cmd/kube-score",
        pinned_by="github.com/zegl/kube-score",
        module=KUBE_SCORE_MODULE,
        linker_variables=("main.version={version}",),
    ),
    Oracle(
        name="dyff",
        package="github.com/homeport/dyff/cmd/dyff",
        pinned_by="github.com/homeport/dyff",
        module=DYFF_MODULE,
        linker_variables=("github.com/homeport/dyff/internal/cmd.version={number}",),
    ),
    Oracle(
        name="actionlint",
        package="github.com/rhysd/actionlint/cmd/actionlint",
        pinned_by="github.com/rhysd/actionlint",
        module=ACTIONLINT_MODULE,
    ),
    Oracle(
        name="sops",
        package="github.com/getsops/sops/v3/cmd/sops",
        pinned_by="github.com/getsops/sops/v3",
        module=SOPS_MODULE,
    ),
    Oracle(
        name="argocd",
        package="github.com/argoproj/argo-cd/v3/cmd",
        pinned_by="github.com/argoproj/argo-cd/v3",
        module=ARGOCD_MODULE,
        # Without the leading v: the server puts one before it and refuses clients of another version.
        linker_variables=("github.com/argoproj/argo-cd/v3/common.version={number}",),
        files=(
            "manifests/crds/application-crd.yaml",
            "manifests/crds/applicationset-crd.yaml",
            "manifests/crds/appproject-crd.yaml",
            "hack/git-verify-wrapper.sh",
        ),
    ),
    Oracle(
        name="cel-admission",
        package=".",
        pinned_by=KUBERNETES,
        module=CEL_MODULE,
        linker_variables=("main.release={number}",),
    ),
    Oracle(
        name="hpa-controller",
        package=".",
        pinned_by=KUBERNETES,
        module=HPA_MODULE,
        linker_variables=("main.release={number}",),
        on_demand=True,
    ),
    Oracle(
        name="vpa-recommender",
        package=".",
        pinned_by="k8s.io/autoscaler/vertical-pod-autoscaler",
        module=VPA_MODULE,
        linker_variables=("main.release={number}",),
        on_demand=True,
    ),
    Oracle(
        name="registry",
        package=".",
        pinned_by="github.com/google/go-containerregistry",
        module=REGISTRY_MODULE,
        linker_variables=("main.release={number}",),
    ),
    Oracle(
        name="etcd",
        package="go.etcd.io/etcd/server/v3",
        pinned_by="go.etcd.io/etcd/server/v3",
    ),
    Oracle(
        name="kubectl",
        package="k8s.io/kubernetes/cmd/kubectl",
        pinned_by=KUBERNETES,
        linker_variables=_KUBERNETES_VARIABLES,
    ),
    Oracle(
        name="kube-apiserver",
        package="k8s.io/kubernetes/cmd/kube-apiserver",
        pinned_by=KUBERNETES,
        linker_variables=_KUBERNETES_VARIABLES,
    ),
    Oracle(
        name="kube-controller-manager",
        package="k8s.io/kubernetes/cmd/kube-controller-manager",
        pinned_by=KUBERNETES,
        linker_variables=_KUBERNETES_VARIABLES,
    ),
    Oracle(
        name="kube-scheduler",
        package="k8s.io/kubernetes/cmd/kube-scheduler",
        pinned_by=KUBERNETES,
        linker_variables=_KUBERNETES_VARIABLES,
    ),
    Oracle(
        name="kwok",
        package="sigs.k8s.io/kwok/cmd/kwok",
        pinned_by="sigs.k8s.io/kwok",
        module=KWOK_MODULE,
        files=(
            "kustomize/stage/node/fast/node-initialize.yaml",
            "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
            "kustomize/stage/pod/fast/pod-complete.yaml",
            "kustomize/stage/pod/fast/pod-delete.yaml",
            "kustomize/stage/pod/fast/pod-ready.yaml",
            "kustomize/metrics/resource/metrics-resource.yaml",
            "kustomize/metrics/usage/usage-from-annotation.yaml",
        ),
        on_demand=True,
    ),
    Oracle(
        name="metrics-server",
        package="sigs.k8s.io/metrics-server/cmd/metrics-server",
        pinned_by="sigs.k8s.io/metrics-server",
        module=KWOK_MODULE,
        linker_variables=("k8s.io/client-go/pkg/version.gitVersion={version}",),
        on_demand=True,
    ),
)


def _go_mod(module: Path) -> str:
    return (module / "go.mod").read_text(encoding="utf-8")


def pinned_version(module: Path, required: str) -> str:
    """Read the version that a module's go.mod requires of another module."""
    found = re.search(rf"^\s*(?:require )?{re.escape(required)} (v\S+)", _go_mod(module), re.MULTILINE)
    if found is None:
        raise LookupError(f"{module / 'go.mod'} does not require {required}")
    return found[1]


def go_version(module: Path) -> str:
    """Read the lowest Go version a module may be built with."""
    found = re.search(r"^go (\S+)", _go_mod(module), re.MULTILINE)
    if found is None:
        raise LookupError(f"{module / 'go.mod'} names no Go version")
    return found[1]


def module_digest(module: Path) -> str:
    """Digest everything that decides the bytes of a module's binaries, so that no old binary is taken for a new one."""
    recipe = hashlib.sha256()
    for part in (
        (module / "go.mod").read_bytes(),
        (module / "go.sum").read_bytes(),
        *(source.read_bytes() for source in sorted(module.glob("*.go"))),
        *(
            " ".join([oracle.package, oracle.linker_flags, *oracle.files]).encode()
            for oracle in ORACLES
            if oracle.module == module
        ),
        " ".join([*BUILD_FLAGS, sys.platform, platform.machine()]).encode(),
    ):
        recipe.update(len(part).to_bytes(8))
        recipe.update(part)
    return recipe.hexdigest()[:16]


def store_root(environ: Mapping[str, str]) -> Path:
    """Find the folder all binaries live under, as the given environment says."""
    if chosen := environ.get("ENVC_ORACLES_DIR"):
        return Path(chosen).absolute()
    caches = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    return Path(caches).absolute() / "envcompile-oracles"


def bin_directory(module: Path, environ: Mapping[str, str]) -> Path:
    """Find the folder of one module's binaries."""
    return store_root(environ) / module_digest(module) / "bin"


def binary(oracle: Oracle, environ: Mapping[str, str]) -> Path:
    """Find where an oracle's binary is, or will be once built."""
    return bin_directory(oracle.module, environ) / oracle.name


def companion_files(oracle: Oracle, place: Path) -> list[Path]:
    """Find the files that come with an oracle whose binary is at a place."""
    folder = place.parents[1] / "files" / oracle.name
    return [folder / Path(file).name for file in oracle.files]
