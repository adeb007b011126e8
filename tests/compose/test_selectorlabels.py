"""`selectorLabels` puts labels where kustomize puts those of `includeSelectors`, and they can be taken away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.compose.selectorlabels import with_selector_labels, without_selector_labels
from envcompile.model import ResourceId
from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

OBJECTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "web:1"}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
          - weight: 1
            podAffinityTerm: {topologyKey: host, labelSelector: {matchLabels: {app: web}}}
          requiredDuringSchedulingIgnoredDuringExecution:
          - {topologyKey: host, labelSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "db:1"}]}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce]}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: bare}
spec: {ports: [{port: 80}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec:
  schedule: "0 0 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "a:1"}]}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: db}}}, {namespaceSelector: {}}]}]
  egress: [{to: [{podSelector: {}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all}
spec: {podSelector: {}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
"""
LABELS = {"variant": "blue", "team": "web"}


def objects() -> list[tuple[ResourceId, dict[str, Any]]]:
    """The objects with their identities."""
    return [
        (ResourceId(value["apiVersion"].rpartition("/")[0], value["kind"], "", value["metadata"]["name"]), value)
        for value in load_all(OBJECTS.encode(), "objects.yaml")
    ]


def test_what_was_put_there_can_be_taken_away() -> None:
    """Nothing else changes; an object that has all is the same one."""
    for identity, value in objects():
        labelled = with_selector_labels(identity, value, LABELS)
        assert labelled != value
        assert with_selector_labels(identity, labelled, LABELS) is labelled
        left = without_selector_labels(identity, labelled, LABELS)
        assert with_selector_labels(identity, left, LABELS) == labelled
        assert without_selector_labels(identity, left, LABELS) is left


def test_environments_that_differ_in_such_a_label_are_compared_without_it(make_project: MakeProject) -> None:
    """As `labels` are: nothing else differs, and no selector counts."""
    root = make_project({
        "base/all.yaml": OBJECTS,
        "overlays/dev/environment.yaml": environment("selectorLabels: {slot: dev}\n"),
        "overlays/prod/environment.yaml": environment("selectorLabels: {slot: prod}\n"),
    })
    told = run_envc(root, "compare", "dev", "prod")
    assert (told.code, told.out) == (0, "")
