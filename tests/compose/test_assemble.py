"""Whatever stands in the files, composing ends in resources or in messages; never in a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcompile import EnvcError, Project
from envcompile.actions.explain import explain_field
from envcompile.emit.manifests import built_in_kinds, manifests
from envcompile.yamlio import Renderer
from tests.harness.repository import deployment, environment, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUR_PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\n"
FILES = {
    "envc.yaml": "mergeKeys:\n- {group: x.io, kind: Foo, path: spec.items, keys: [name]}\n",
    "base/web/deployment.yaml": deployment()
    + """\
      volumes:
      - {name: c, configMap: {name: settings}}
      - {name: p, projected: {sources: [{configMap: {name: settings}}]}}
      initContainers:
      - name: i
        image: "r:5000/i:1"
        env: [{name: A, value: "http://web:80/"}, {name: B, valueFrom: {configMapKeyRef: {name: settings, key: a}}}]
        envFrom: [{configMapRef: {name: settings}}]
""",
    "base/web/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {a: b}, annotations: {c: d}}
data:
  app.properties: |
    a=1
  app.yaml: |
    a: 1
  x: ${{ params.p }}
""",
    "base/web/others.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, annotations: {envcompile.dev/depends-on: Service/web}}
spec: {jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "nginx:1"}]}}}}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: x.io/v1
kind: Foo
metadata: {name: foo}
spec: {items: [{name: a, v: 1}], containers: [{name: a, image: "nginx:2"}], replicas: 2}
---
apiVersion: v1
kind: Secret
metadata: {name: token, annotations: {envcompile.dev/plaintext: a}}
stringData: {a: b}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: web}}
""",
    "overlays/prod/environment.yaml": environment("""\
extends: [../low]
namespace: prod
labels: {e: prod}
podLabels: {e: prod}
annotations: {a: b}
podAnnotations: {c: d}
images: [{name: nginx, newTag: "3"}]
replicas: {web: 3, foo: 2}
params: {p: 1}
rollout: checksum
syncWaves: true
exclude: [{kind: CronJob}]
"""),
    "overlays/low/web.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  app.yaml: |
    b: 1
""",
    "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, env: [{name: A, value: b}]}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, annotations: {envcompile.dev/replace: app.yaml}}
data:
  app.properties: |
    a=3
  app.yaml: |
    c: 1
---
apiVersion: x.io/v1
kind: Foo
metadata: {name: foo}
spec: {items: [{name: a, w: 1}, {name: b}]}
""",
    "overlays/prod/patches.yaml": f"""\
{OUR_PATCH}target: {{kind: Deployment, labelSelector: "!x"}}
merge: {{spec: {{revisionHistoryLimit: 2}}}}
---
{OUR_PATCH}target: {{kind: CronJob}}
json6902:
- {{op: add, path: /spec/schedule, value: "1 * * * *"}}
""",
}
ODD: tuple[Any, ...] = (
    *(None, "", "x", 0, 1.5, True, -1, 2**70, "${{ params.p }}", "a/b", "*", [], {}, [None], [1], ["a"], [[]]),
    *({"a": None}, {"name": "x"}, [{"name": "x"}], {"name": None}, [{"name": None}], [{"name": {}}], {"": ""}),
    *({"$patch": "delete"}, {"$patch": "replace"}, [{"$patch": "replace"}], {"$patch": 1}, {"$retainKeys": 1}),
)


def pointers(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a value."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from pointers(item, (*at, key))


def with_value(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A value with another in one of its places; `...` takes what is there away."""
    if not at:
        return new
    key, *rest = at
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[key] = with_value(value[key], tuple(rest), new)
    if changed[key] is ...:
        del changed[key]
    return changed


DOCUMENTS = {path: list(yaml.safe_load_all(text)) for path, text in FILES.items()}
PLACES = [
    (path, number, at)
    for path, documents in DOCUMENTS.items()
    for number, document in enumerate(documents)
    for at in pointers(document)
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one of everything."""
    return write_files(tmp_path_factory.mktemp("fuzz"), FILES)


def compile_and_explain(root: Path) -> None:
    """Compile, render, and explain every resource to the last field."""
    project = Project.open(root)
    built = project.compile_with_sources("prod")
    manifests(built.compiled, Renderer(), built_in_kinds(built.composed.api))
    for resource in built.compiled.resources:
        kind = f"{resource.id.kind}.{resource.id.group}" if resource.id.group else resource.id.kind
        namespace = f"{resource.id.namespace}/" if resource.id.namespace else ""
        assert explain_field(project, "prod", f"{kind}/{namespace}{resource.id.name}", "").fields


def test_the_project_is_sound(root: Path) -> None:
    """What is changed below is right to begin with."""
    compile_and_explain(root)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from((*ODD, ...))), min_size=1, max_size=2))
def test_any_value_anywhere_is_compiled_or_explained(root: Path, changes: list[tuple[Any, Any]]) -> None:
    """A wrong type in any place of any file is a message at most, and each message tells how to mend it."""
    touched = {path for (path, _, _), _ in changes}
    try:
        for (path, number, at), new in changes:
            documents = list(DOCUMENTS[path])
            documents[number] = with_value(documents[number], at, new)
            text = yaml.safe_dump_all([None if document is ... else document for document in documents])
            (root / path).write_text(text)
        try:
            compile_and_explain(root)
        except EnvcError as error:
            for problem in error.problems:
                assert problem.what
                assert problem.fix
    finally:
        for path in touched:
            (root / path).write_text(FILES[path])
