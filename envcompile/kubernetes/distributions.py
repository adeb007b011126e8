"""What distributions, clouds and the programs that deploy write on objects which are not theirs, or make beside them.

Sources, each the file that writes it, read in August 2026:
OpenShift: openshift/api `security/v1/consts.go` and `project/v1/types.go`; openshift/oc
`pkg/helpers/newapp/cmd/newapp.go` (`generated-by`); openshift/openshift-controller-manager
`pkg/internalregistry/controllers` and `pkg/authorization/defaultrolebindings/project_policy.go`;
openshift/service-ca-operator `pkg/controller/api/api.go`; openshift/cluster-network-operator `pkg/names/names.go`;
openshift/library-go `pkg/route/hostassignment/assignment.go`.
GKE: kubernetes/ingress-gce `pkg/annotations/ingress.go`, `pkg/loadbalancers/l7.go`, `pkg/l4/annotations/service.go`,
`pkg/utils/common/finalizer.go`, `pkg/neg/types/types.go`; the two annotations of Autopilot, whose source is closed,
as public dumps of live objects have them beside "Resource requests in Autopilot" of its documentation.
EKS: aws/amazon-eks-pod-identity-webhook `main.go` and `pkg/handler/handler.go`; aws-load-balancer-controller
`pkg/shared_constants/finalizers.go`, `pkg/deploy/tracking/provider.go`, `controllers/elbv2`.
AKS: Azure/azure-workload-identity `pkg/webhook/consts.go`; up to 1.5 the volume was called `azure-identity-token`.
Rancher: rancher/rancher `pkg/controllers/managementagent` (`endpoints`, `nslabels`); rancher/norman
`lifecycle/object.go` and `store/proxy/proxy_store.go`; rancher/wrangler `pkg/apply` and `pkg/generic/remove.go`.
Programs that deploy: helm/helm `pkg/action/validate.go`; argoproj/argo-cd `common/common.go`; fluxcd/pkg
`ssa/manager.go`; carvel-dev/kapp `pkg/kapp/resources` and `pkg/kapp/diff/resource_with_history.go`; cert-manager
`pkg/apis/certmanager/v1/types.go` (CA injector).
Networks: network-attachment-definition-client `pkg/apis/k8s.cni.cncf.io/v1/types.go` (formerly `networks-status`);
ovn-org/ovn-kubernetes `go-controller/pkg/util`. Storage and namespaces: "Well-Known Labels, Annotations and Taints"
of Kubernetes.

What people choose by such a name stays: that a namespace belongs to a project of Rancher, that its labels are not
synchronized (`scc.podSecurityLabelSync`), what OVN logs, multicasts or routes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.clustermade import map_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Taken = tuple[str, dict[str, Any]]

ANNOTATIONS: Final = (
    r"|openshift\.io/(?:sa\.scc\..*|requester|scc|generated-by|internal-registry-pull-secret-ref)"
    r"|service\.(?:alpha|beta)\.openshift\.io/serving-cert-(?:signed-by|generation-error.*)"
    r"|security\.openshift\.io/MinimallySufficientPodSecurityStandard"
    r"|cloud\.google\.com/neg-status|autopilot\.gke\.io/(?:resource-adjustment|warden-version)"
    r"|ingress\.kubernetes\.io/(?:backends|(?:https-)?forwarding-rule|(?:https-)?target-proxy|url-map|redirect-url-map|ssl-cert|static-ip)"
    r"|service\.kubernetes\.io/(?:backend-service|healthcheck|(?:tcp|udp|l3)-forwarding-rule|firewall-rule(?:-deny|-for-hc)?)(?:-ipv6)?"
    r"|field\.cattle\.io/(?:publicEndpoints|creatorId)|lifecycle\.cattle\.io/create\..*|objectset\.rio\.cattle\.io/.*"
    r"|meta\.helm\.sh/release-name(?:space)?|argocd\.argoproj\.io/(?:tracking|installation)-id|kapp\.k14s\.io/(?:identity|original.*)"
    r"|k8s\.v1\.cni\.cncf\.io/network(?:s)?-status|volume\.kubernetes\.io/storage-resizer"
    r"|k8s\.ovn\.org/(?:pod-networks|external-gw-pod-ips|unidled-at|egressip-mark|dpu\.connection-(?:details|status))"
)
"""Further alternatives of an expression for annotations that nobody writes by hand."""
LABELS: Final = re.compile(
    r"kubernetes\.io/metadata\.name|objectset\.rio\.cattle\.io/.*|(?:kustomize|helm)\.toolkit\.fluxcd\.io/name(?:space)?"
    r"|kapp\.k14s\.io/(?:app|association)|field\.cattle\.io/projectId"
)
"""Labels that nobody writes by hand; Rancher makes that of the project after the annotation, which people may write."""
FINALIZERS: Final = (
    r"|(?:service|ingress|elbv2|aga)\.k8s\.aws/resources|group\.ingress\.k8s\.aws/.*|gateway\.k8s\.aws/.*"
    r"|networking\.gke\.io/.*|gke\.networking\.io/.*"
    r"|openshift\.io/legacy-token|(?:clusterscoped\.)?controller\.cattle\.io/.*|wrangler\.cattle\.io/.*"
)
"""Further alternatives of an expression for finalizers that controllers set."""
_GIVEN_VOLUMES: Final = re.compile(
    r"kube-api-access-.*|aws-iam-token|eks-pod-identity-token|azure-identity-token|azure-workload-identity-reserved-.*"
)
_GIVEN_VARIABLES: Final = frozenset({
    *("AWS_STS_REGIONAL_ENDPOINTS", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_DEFAULT_REGION", "AWS_REGION"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    *("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST"),
    *(
        "AZURE_KUBERNETES_CA_DATA",
        "AZURE_KUBERNETES_CA_FILE",
        "AZURE_KUBERNETES_SNI_NAME",
        "AZURE_KUBERNETES_TOKEN_PROXY",
    ),
})
_PULL_SECRET: Final = re.compile(r".+-dockercfg-[a-z0-9]{5}")
_OPENSHIFT_BINDINGS: Final = frozenset({"system:deployers", "system:image-builders", "system:image-pullers"})


def made_beside(value: Mapping[str, Any]) -> bool:
    """Whether a distribution or a cloud's controller has made a live object for another one, or for each namespace."""
    kind, metadata = str(value.get("kind")), map_at(value, "metadata")
    labels, annotations, name = map_at(metadata, "labels"), map_at(metadata, "annotations"), str(metadata.get("name"))
    if kind == "Secret":
        origins = {"openshift.io/token-secret.name", "openshift.io/internal-registry-auth-token.service-account"}
        return bool(origins & annotations.keys()) or any(
            re.fullmatch(r"service\.(?:alpha|beta)\.openshift\.io/originating-service-name", key) for key in annotations
        )
    if kind == "RoleBinding":
        return name in _OPENSHIFT_BINDINGS
    if kind == "ServiceAccount":
        pulls = value.get("imagePullSecrets")
        given = isinstance(pulls, list) and any(_PULL_SECRET.fullmatch(_name(one)) for one in pulls)
        others = isinstance(pulls, list) and any(not _PULL_SECRET.fullmatch(_name(one)) for one in pulls)
        return given and not others and name in {"builder", "default", "deployer"}
    if kind == "TargetGroupBinding":
        return any(re.fullmatch(r"(?:service|ingress)\.k8s\.aws/stack(?:-name)?", key) for key in labels)
    return kind == "ServiceNetworkEndpointGroup" and labels.get("networking.gke.io/managed-by") == "neg-controller"


def without_given(value: dict[str, Any], asked: Mapping[str, Any]) -> Iterator[Taken]:
    """A live object without what a webhook or a controller put into it, step by step: what went, and the rest.

    Args:
        value: the live object.
        asked: the manifest that asked for it, as far as that is known; what it says stays.
    """
    kind = value.get("kind")
    if kind == "Pod":
        yield from _pod(value)
    elif kind == "ServiceAccount":
        pulls = value.get("imagePullSecrets")
        own = [one for one in pulls if not _PULL_SECRET.fullmatch(_name(one))] if isinstance(pulls, list) else pulls
        if own != pulls:
            yield "imagePullSecrets", _with(value, "imagePullSecrets", own)
    elif kind == "Route" and map_at(value, "metadata", "annotations").get("openshift.io/host.generated") == "true":
        if "host" in map_at(asked, "spec"):
            return
        annotations = map_at(value, "metadata", "annotations")
        metadata = _with(map_at(value, "metadata"), "annotations", _less(annotations, "openshift.io/host.generated"))
        spec = _less(map_at(value, "spec"), "host")
        yield "spec.host", {**value, "metadata": metadata, "spec": spec}
    elif kind == "ConfigMap":
        for key in _bundles(value):
            if key in map_at(value, "data") and key not in map_at(asked, "data"):
                value = _with(value, "data", _less(map_at(value, "data"), key))
                yield f"data.{key}", value
    elif any(str(name).startswith("cert-manager.io/inject-") for name in map_at(value, "metadata", "annotations")):
        bare = _without_bundles(value)
        if bare != value and _without_bundles(asked) == asked:
            yield "caBundle", bare


def _bundles(value: Mapping[str, Any]) -> Iterator[str]:
    """Keys of a ConfigMap that OpenShift fills with certificates."""
    if map_at(value, "metadata", "annotations").get("service.beta.openshift.io/inject-cabundle") == "true":
        yield "service-ca.crt"
    if map_at(value, "metadata", "labels").get("config.openshift.io/inject-trusted-cabundle") == "true":
        yield "ca-bundle.crt"


def _without_bundles(value: Any) -> Any:
    """A webhook, a definition or an APIService without the certificate that was injected."""
    if isinstance(value, dict):
        return {name: _without_bundles(item) for name, item in value.items() if name != "caBundle"}
    return [_without_bundles(item) for item in value] if isinstance(value, list) else value


def _pod(value: dict[str, Any]) -> Iterator[Taken]:
    """A Pod without the tokens that it is given and the variables that say where they are."""
    spec = dict(map_at(value, "spec"))
    volumes = spec.get("volumes")
    names = [_name(one) for one in volumes] if isinstance(volumes, list) else []
    given = {name for name in names if _GIVEN_VOLUMES.fullmatch(name)}
    if not given:
        return
    own = [one for one in volumes if _name(one) not in given] if isinstance(volumes, list) else []
    spec = _with(spec, "volumes", own)
    of_clouds = any(not name.startswith("kube-api-access-") for name in given)
    for field in ("containers", "initContainers"):
        if isinstance(spec.get(field), list):
            spec[field] = [_container(one, given, of_clouds=of_clouds) for one in spec[field]]
    shown = sorted({"kube-api-access" if name.startswith("kube-api-access-") else name for name in given})
    yield f"the volume {', '.join(shown)}", {**value, "spec": spec}


def _container(container: Any, given: set[str], *, of_clouds: bool) -> Any:
    if not isinstance(container, dict):
        return container
    mounts, variables = container.get("volumeMounts"), container.get("env")
    if isinstance(mounts, list):
        container = _with(container, "volumeMounts", [one for one in mounts if _name(one) not in given])
    if of_clouds and isinstance(variables, list):
        own = [one for one in variables if _name(one) not in _GIVEN_VARIABLES]
        container = _with(container, "env", own) if own != variables else container
    return container


def _name(item: Any) -> str:
    return str(item.get("name")) if isinstance(item, dict) else ""


def _less(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key != name}


def _with(value: dict[str, Any], name: str, item: Any) -> dict[str, Any]:
    """The map with an entry, or without it when that is empty."""
    return {**value, name: item} if item else _less(value, name)
