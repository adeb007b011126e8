"""`nameOverride` and `fullnameOverride`: unset they change nothing; set, names and what names them change together."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from envcompile.chart import emit
from envcompile.chart.naming import KEPT, LABELS
from envcompile.chart.verification import compare
from envcompile.kubernetes.references import object_references, pod_references
from envcompile.values import equal, value_at
from envcompile.yamlio import load_all
from tests.chart.hostile import environments
from tests.chart.samples import chart_input, corpus, corpus_cases
from tests.oracles.test_chart_oracle import differences, helms, write
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.chart.verification import Helm
    from tests.chart.samples import Environments, Resource
    from tests.oracles.cluster import Cluster

__all__ = ["helms"]

pytestmark = pytest.mark.oracle

PREFIX = "zulu"
Identity = tuple[str, str, str]


def rendered(helm: Helm | Path, chart: Path, environment: str, *flags: str, release: str = "r") -> list[Resource]:
    """What helm makes of a chart for one environment."""
    path = helm if isinstance(helm, Path) else Path(helm.path)
    values = chart / f"values-{environment}.yaml"
    printed = run(path, "template", release, chart, "-f", values, *flags).expect_success().stdout
    return [one for one in load_all(printed.encode(), "printed", last_wins=True) if one]


def identity(one: Resource) -> Identity:
    """Kind, namespace and name."""
    metadata = one["metadata"]
    return one["kind"], metadata.get("namespace", ""), metadata.get("name") or f"~{metadata.get('generateName')}"


def back(value: Any, original: Any, names: Mapping[str, str]) -> Any:
    """A renamed value with names as they were, and without the label of the release.

    Args:
        value: what it is.
        original: what it was.
        names: new name -> the one that it was.
    """
    if isinstance(value, dict) and isinstance(original, dict):
        shown = {key: item for key, item in value.items() if key in original or not _is_label(key, item)}
        return {key: back(item, original.get(key), names) for key, item in shown.items()}
    if isinstance(value, list) and isinstance(original, list) and len(value) == len(original):
        return [back(item, other, names) for item, other in zip(value, original, strict=True)]
    if isinstance(value, str) and isinstance(original, str) and value != original:
        pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        return re.sub(pattern, lambda found: names[found[0]], value)
    return value


def _is_label(key: str, value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(starmap(_is_label, value.items()))
    return key in LABELS and value == PREFIX


def named(one: Resource) -> Iterable[tuple[str, str]]:
    """The objects that a resource names, as the table for checks says, which knows nothing of charts."""
    spec = one.get("spec") if isinstance(one.get("spec"), dict) else {}
    for template in (one if one["kind"] == "Pod" else None, (spec or {}).get("template"), _job(spec)):
        if isinstance(template, dict):
            yield from ((reference.kind, reference.name) for reference in pod_references(template))
    yield from object_references(one["kind"], one)


def _job(spec: Any) -> Any:
    job = spec.get("jobTemplate") if isinstance(spec, dict) else None
    below = job.get("spec") if isinstance(job, dict) else None
    return below.get("template") if isinstance(below, dict) else None


def dangling(objects: Iterable[Resource]) -> list[tuple[str, str]]:
    """What is named and not there."""
    listed = list(objects)
    there = {(one["kind"], one["metadata"].get("name")) for one in listed}
    there |= {("Secret", one["spec"]["target"]["name"]) for one in listed if one["kind"] == "ExternalSecret"}
    return sorted({pair for one in listed for pair in named(one) if pair[1] and pair not in there})


def selected(objects: list[Resource], by: list[Resource]) -> list[tuple[str, str]]:
    """Which workloads the Services and workloads of others select."""
    found = []
    for one in by:
        spec = one.get("spec") or {}
        wanted = spec.get("selector") if isinstance(spec, dict) else None
        if not isinstance(wanted, dict):
            continue
        labels = wanted.get("matchLabels", {}) if one["kind"] != "Service" else wanted
        if one["kind"] not in {"Service", "Deployment", "StatefulSet", "DaemonSet"} or not labels:
            continue
        for other in objects:
            template = (other.get("spec") or {}).get("template") if isinstance(other.get("spec"), dict) else None
            pods = ((template or {}).get("metadata") or {}).get("labels") or {}
            if labels.items() <= pods.items():
                found.append((one["metadata"]["name"], other["metadata"]["name"]))
    return found


@pytest.mark.corpora
@pytest.mark.parametrize("case", corpus_cases())
def test_a_real_system_is_renamed_as_a_whole(case: str, helms: list[Helm], tmp_path: Path) -> None:
    """Unset nothing changes; set, names change and nothing else, and what was named is named still."""
    found = corpus(case)
    chart = chart_input(found, name=case, renames=True)
    write(emit(chart), tmp_path)
    environment = list(found)[-1]
    before = rendered(helms[-1], tmp_path, environment)
    assert compare(found[environment], [*before, *crds(tmp_path)])[2] == ""
    after = rendered(helms[-1], tmp_path, environment, f"--set=fullnameOverride={PREFIX}")
    assert len(before) == len(after)
    pairs = pairs_of(before, after, case)
    names = {identity(other)[2]: identity(one)[2] for one, other in pairs}
    names |= {made_secret(other): made_secret(one) for one, other in pairs if made_secret(one)}
    for one, other in pairs:
        assert equal(back(other, one, names), one), identity(one)
    kept = {one["metadata"].get("name") for one, other in pairs if identity(one) == identity(other)}
    changed = {identity(other)[2] for one, other in pairs if identity(one) != identity(other)}
    stay = {one["kind"] for one, other in pairs if identity(one) == identity(other) and "name" in one["metadata"]}
    assert stay <= {*KEPT, "SealedSecret", "Secret", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"}, stay
    assert all(name.startswith(PREFIX) for name in changed), changed
    assert len(dangling(after)) == len(dangling(before))
    assert {pair for pair in dangling(after) if pair[1].startswith(PREFIX)} == set(), kept
    beside = rendered(helms[-1], tmp_path, environment, "--set=fullnameOverride=yankee")
    assert not selected(after, beside)
    assert len(selected(after, after)) == len(selected(before, before))


def made_secret(one: Resource) -> str:
    """The Secret that a controller makes of an object; empty for none."""
    spec = one.get("spec")
    if one["kind"] == "ExternalSecret":
        return str(one["spec"]["target"]["name"])
    return str(spec.get("secretName", "")) if one["kind"] == "Certificate" and isinstance(spec, dict) else ""


def short(name: str) -> str:
    """A name that is no longer than a Service's may be."""
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return name if len(name) <= 63 else f"{name[:52].removesuffix('-')}-{digest}"


def crds(chart: Path) -> list[Resource]:
    """What Helm installs without rendering it."""
    return [one for file in sorted(chart.glob("crds/*")) for one in load_all(file.read_bytes(), file.name)]


def pairs_of(before: list[Resource], after: list[Resource], chart: str) -> list[tuple[Resource, Resource]]:
    """Each object and what became of it."""
    there: dict[Identity, list[Resource]] = {}
    for one in after:
        there.setdefault(identity(one), []).append(one)
    found = []
    for one in before:
        kind, namespace, name = identity(one)
        names = tuple(map(short, (f"{PREFIX}-{name.removeprefix(f'{chart}-')}", f"{PREFIX}-{name}", PREFIX, name)))
        keys = [(kind, namespace, one) for one in names if there.get((kind, namespace, one))]
        assert keys, (kind, namespace, name)
        found.append((one, there[keys[0]].pop()))
    return found


SYSTEM = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
imagePullSecrets: [{name: pull}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, stage: STAGE}}
    spec:
      serviceAccountName: web
      imagePullSecrets: [{name: pull}, {name: STAGE-pull}]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}
      containers:
        - name: web
          image: registry.example.com/db:80
          args: ["--listen=:8080", "--db=db:5432", "--stage=STAGE"]
          env:
            - {name: API_URL, value: "http://api:8080/STAGE"}
            - {name: DB_HOST, value: db}
            - {name: ROLE, value: web}
            - {name: LEADER, value: "db-0.db.NAMESPACE.svc.cluster.local:5432"}
            - {name: TOKEN, valueFrom: {secretKeyRef: {name: token, key: web}}}
          envFrom: [{configMapRef: {name: settings}}]
          volumeMounts: [{name: settings, mountPath: /etc/web}]
      volumes:
        - {name: settings, configMap: {name: settings}}
        - {name: certificate, secret: {secretName: web-tls}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: NAMESPACE}
spec: {selector: {app: web, stage: STAGE}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: elsewhere}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchExpressions: [{key: app, operator: In, values: [db]}]}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  UPSTREAM: api
  db: db
  app.properties: |
    db.host=db
    db.name=db
    stage=STAGE
    api.url=http://api:8080/db
  nginx.conf: |
    upstream u { server web:80; }
    location / { proxy_pass http://api.NAMESPACE.svc; set $n STAGE; }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, annotations: {cert-manager.io/issuer: web}}
spec:
  tls: [{hosts: [web.STAGE.example.com], secretName: web-tls}]
  rules:
    - host: web.STAGE.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: web}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web}
spec: {secretName: web-tls, issuerRef: {name: web}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules:
  - {apiGroups: [""], resources: [configmaps], resourceNames: [settings, other], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web, namespace: NAMESPACE}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
---
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: token}
spec: {encryptedData: {web: AgB}, template: {metadata: {name: token}}}
---
apiVersion: v1
kind: Secret
metadata: {name: pull}
type: kubernetes.io/dockerconfigjson
stringData: {.dockerconfigjson: "{}"}
"""
WANTED = {
    ("ServiceAccount", "imagePullSecrets"): [{"name": "zulu-pull"}],
    ("Deployment", "spec.selector.matchLabels"): {"app": "web", LABELS[0]: "zulu"},
    ("Deployment", "spec.template.metadata.labels"): {"app": "web", "stage": "prod", LABELS[0]: "zulu"},
    ("Deployment", "spec.template.spec.serviceAccountName"): "zulu-web",
    ("Deployment", "spec.template.spec.imagePullSecrets"): [{"name": "zulu-pull"}, {"name": "prod-pull"}],
    (
        "Deployment",
        "spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.0.labelSelector",
    ): {"matchLabels": {"app": "web", LABELS[0]: "zulu"}},
    ("Deployment", "spec.template.spec.containers.0.image"): "registry.example.com/db:80",
    ("Deployment", "spec.template.spec.containers.0.args"): ["--listen=:8080", "--db=zulu-db:5432", "--stage=prod"],
    ("Deployment", "spec.template.spec.containers.0.env"): [
        {"name": "API_URL", "value": "http://zulu-api:8080/prod"},
        {"name": "DB_HOST", "value": "zulu-db"},
        {"name": "ROLE", "value": "web"},
        {"name": "LEADER", "value": "zulu-db-0.zulu-db.shop-prod.svc.cluster.local:5432"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "web"}}},
    ],
    ("Deployment", "spec.template.spec.containers.0.envFrom"): [{"configMapRef": {"name": "zulu-settings"}}],
    ("Deployment", "spec.template.spec.volumes"): [
        {"name": "settings", "configMap": {"name": "zulu-settings"}},
        {"name": "certificate", "secret": {"secretName": "zulu-web-tls"}},
    ],
    ("Service/web", "spec.selector"): {"app": "web", "stage": "prod", LABELS[0]: "zulu"},
    ("Service/api", "spec.selector"): {"app": "elsewhere"},
    ("StatefulSet", "spec.serviceName"): "zulu-db",
    ("StatefulSet", "spec.selector.matchLabels"): {LABELS[0]: "zulu"},
    ("ConfigMap", "data"): {
        "UPSTREAM": "zulu-api",
        "db": "db",
        "app.properties": "db.host=zulu-db\ndb.name=db\nstage=prod\napi.url=http://zulu-api:8080/db\n",
        "nginx.conf": "upstream u { server zulu-web:80; }\n"
        "location / { proxy_pass http://zulu-api.shop-prod.svc; set $n prod; }\n",
    },
    ("Ingress", "metadata.annotations"): {"cert-manager.io/issuer": "zulu-web"},
    ("Ingress", "spec.tls"): [{"hosts": ["web.prod.example.com"], "secretName": "zulu-web-tls"}],
    ("Ingress", "spec.rules.0.host"): "web.prod.example.com",
    ("Ingress", "spec.rules.0.http.paths.0.backend.service.name"): "zulu-web",
    ("Certificate", "spec"): {"secretName": "zulu-web-tls", "issuerRef": {"name": "zulu-web"}},
    ("Role", "rules.0.resourceNames"): ["zulu-settings", "other"],
    ("RoleBinding", "roleRef.name"): "zulu-web",
    ("RoleBinding", "subjects.0"): {"kind": "ServiceAccount", "name": "zulu-web", "namespace": "shop-prod"},
    ("HorizontalPodAutoscaler", "spec.scaleTargetRef.name"): "zulu-web",
    ("SealedSecret", "metadata.name"): "token",
    ("SealedSecret", "spec.template.metadata.name"): "token",
}
"""Fields of the system above when everything is called after `zulu`."""


def system(stage: str) -> list[Resource]:
    """A system in which most of what can name something names something."""
    text = SYSTEM.replace("STAGE", stage).replace("NAMESPACE", f"shop-{stage}")
    return list(load_all(text.encode(), "system"))


@pytest.mark.parametrize("stages", [("prod",), ("dev", "prod")], ids=["one", "two"])
@pytest.mark.parametrize("version", [0, 1], ids=["helm3", "helm4"])
def test_each_field_that_names_something_follows(
    stages: tuple[str, ...], version: int, helms: list[Helm], tmp_path: Path
) -> None:
    """Whether it stands in the template or comes from the values; what only looks like a name stays."""
    chart = chart_input({stage: system(stage) for stage in stages}, name="mall", renames=True)
    assert not differences(chart, helms, tmp_path)
    for flags, release in (
        (("--set", "fullnameOverride=zulu"), "r"),
        (("--set", "nameOverride=lu"), "zulu"),
    ):
        after = rendered(helms[version], tmp_path, "prod", *flags, release=release)
        there = {one["kind"]: one for one in after} | {
            f"{one['kind']}/{one['metadata']['name'].removeprefix('zulu-')}": one for one in after
        }
        for (kind, field), value in WANTED.items():
            assert value_at(there[kind], _pointer(field)) == value, (kind, field)
    both = rendered(helms[version], tmp_path, "prod", "--set", "nameOverride=red", release="blue")
    assert {one["metadata"]["name"] for one in both if one["kind"] == "Service"} == {
        f"blue-red-{name}" for name in ("web", "api", "db")
    }
    done = run(Path(helms[version].path), "template", "r", tmp_path, "--set", "fullnameOverride=Zulu_")
    assert "fullnameOverride" in done.stderr


def _pointer(field: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in field.split(".")]


def test_what_people_give_stays_as_they_say_it(helms: list[Helm], tmp_path: Path) -> None:
    """A Secret or a host of their own, which is none of the chart's, is not renamed."""
    write(emit(chart_input({"dev": system("dev"), "prod": system("prod")}, name="mall", renames=True)), tmp_path)
    given = {
        "fullnameOverride": "zulu",
        "web": {"ingress": {"tls": [{"secretName": "mine"}]}, "env": {"DB_HOST": "db.example.com", "API_URL": "x"}},
    }
    path = tmp_path / "given.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    after = {one["kind"]: one for one in rendered(helms[-1], tmp_path, "prod", "-f", str(path))}
    assert after["Ingress"]["spec"]["tls"] == [{"secretName": "mine"}]
    environment = after["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [one["value"] for one in environment[:2]] == ["x", "db.example.com"]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=environments())
def test_hostile_environments_render_equal_until_a_name_is_set(found: Environments, helms: list[Helm]) -> None:
    """Texts that look like templates, keys of any kind: no mark is left, and helm takes another name, too."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder)
        assert not differences(chart_input(found, renames=True, test_image="busybox:1"), helms, chart)
        for environment in found:
            flags = ("--set", f"fullnameOverride={PREFIX}")
            assert len(rendered(helms[-1], chart, environment, *flags)) >= len(found[environment])


@pytest.mark.slow
@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_one_namespace_holds_two_releases(version: str, kube_cluster: Cluster, tmp_path: Path) -> None:
    """A real API server takes both, no object is in both, and each follows its own upgrade."""
    helm = getattr(kube_cluster.tools, version)
    namespace = f"pair-{version}"
    resources = [one for one in system("prod") if "." not in one["apiVersion"] or "k8s.io" in one["apiVersion"]]
    for one in resources:
        one["metadata"].pop("namespace", None)
    folder = write(emit(chart_input({"prod": resources}, name="mall", renames=True)), tmp_path / "chart")
    home = {"HELM_CACHE_HOME": str(tmp_path), "HELM_CONFIG_HOME": str(tmp_path), "HELM_DATA_HOME": str(tmp_path)}
    flags: list[str | Path] = ["--kubeconfig", kube_cluster.kubeconfig, "-n", namespace, "--set", "nameOverride=mall"]
    kube_cluster.kubectl("create", "namespace", namespace).expect_success()
    for release in ("east", "west"):
        run(helm, "install", release, folder, *flags, env=home).expect_success()
    run(helm, "upgrade", "west", folder, *flags, "--set", "web.replicas=4", env=home).expect_success()
    said = kube_cluster.kubectl("get", "deployments", "-n", namespace, "-o", "json").expect_success()
    found = {one["metadata"]["name"]: one["spec"].get("replicas") for one in json.loads(said.stdout)["items"]}
    assert found == {"east-mall-web": 1, "west-mall-web": 4}
    run(helm, "uninstall", "east", *flags[:4], env=home).expect_success()
    left = kube_cluster.kubectl("get", "deployments,services,configmaps,roles", "-n", namespace, "-o", "name")
    names = {line.partition("/")[2] for line in left.expect_success().stdout.split()} - {"kube-root-ca.crt"}
    assert {name.partition("-")[0] for name in names} == {"west"}
