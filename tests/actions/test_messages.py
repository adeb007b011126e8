"""What is said, word for word, when sources cannot be composed; each with the place and the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Case(NamedTuple):
    """Files over the plain repository, and the whole message they earn."""

    name: str
    files: Mapping[str, str]
    message: str


PLAIN = {
    "base/web/deployment.yaml": deployment(),
    "overlays/prod/environment.yaml": environment("namespace: shop\n"),
}

CASES = [
    Case(
        "typo in a resource name",
        {
            "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: wbe
spec:
  replicas: 3
""",
        },
        """\
error: the patch has no target: Deployment.apps/wbe (namespace shop) is in no layer below
  --> overlays/prod/web.yaml:1:1
hint: did you mean `web`?
      as a new resource it is not complete: `selector` is missing in io.k8s.api.apps.v1.DeploymentSpec at spec.selector
""",
    ),
    Case(
        "patch of a kind that is not there",
        {
            "overlays/prod/web.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  type: LoadBalancer
""",
        },
        """\
error: the patch has no target: Service/web (namespace shop) is in no layer below
  --> overlays/prod/web.yaml:1:1
hint: did you mean Deployment/web?
      as a new resource it is not complete: `spec.ports` is missing or empty: only a headless Service has none at spec.ports
""",
    ),
    Case(
        "patch in the wrong namespace",
        {
            "base/web/deployment.yaml": deployment(namespace="other"),
            "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
""",
        },
        """\
error: the patch has no target: Deployment.apps/web (namespace shop) is in no layer below
  --> overlays/prod/web.yaml:1:1
hint: did you mean Deployment.apps/web (namespace other)? Write `namespace: other` into the patch's metadata
      as a new resource it is not complete: `selector` is missing in io.k8s.api.apps.v1.DeploymentSpec at spec.selector
""",
    ),
    Case(
        "two base documents of one identity",
        {
            "base/web/again.yaml": deployment(),
        },
        """\
error: Deployment.apps/web (namespace shop) is defined twice
  --> base/web/deployment.yaml:1:1
  --> base/web/again.yaml:1:1
hint: keep one of them, or give one another name; changes of a base resource belong into an overlay
""",
    ),
    Case(
        "forced namespaces collide",
        {
            "base/web/deployment.yaml": "",
            "base/a/deployment.yaml": deployment(namespace="one"),
            "base/b/deployment.yaml": deployment(namespace="two"),
            "overlays/prod/environment.yaml": environment("""\
namespace: shop
forceNamespace: true
"""),
        },
        """\
error: Deployment.apps/web (namespace shop) is defined twice
  --> base/b/deployment.yaml:1:1
  --> base/a/deployment.yaml:1:1
hint: forceNamespace puts both into one namespace: rename one of them, or drop forceNamespace
""",
    ),
    Case(
        "unknown parameter",
        {
            "base/web/deployment.yaml": deployment(image="nginx:${{ params.vresion }}"),
            "overlays/prod/environment.yaml": environment("""\
params: {version: '1.27'}
"""),
        },
        """\
error: there is no parameter `vresion`
  --> base/web/deployment.yaml:17:16
hint: did you mean `version`?
""",
    ),
    Case(
        "unknown key in environment.yaml",
        {
            "overlays/prod/environment.yaml": environment("""\
namespce: shop
"""),
        },
        """\
error: unknown key `namespce`
  --> overlays/prod/environment.yaml:3:1
hint: did you mean `namespace` or `forceNamespace`?
""",
    ),
    Case(
        "overlays extend each other",
        {
            "overlays/prod/environment.yaml": environment("""\
extends: [../blue]
"""),
            "overlays/blue/environment.yaml": environment("""\
abstract: true
extends: [../prod]
"""),
        },
        """\
error: overlays extend each other in a circle: blue -> prod -> blue
  --> overlays/blue/environment.yaml:4:11
  --> overlays/prod/environment.yaml:3:11
hint: take one of these `extends` out
""",
    ),
    Case(
        "jsonnet fails",
        {
            "base/web/more.jsonnet": """\
local lib = import 'lib.libsonnet';
lib.config('web')
""",
            "base/web/lib.libsonnet": """\
{
  config(name):: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { a: error 'no such size' } },
}
""",
        },
        """\
error: jsonnet: no such size
  --> base/web/lib.libsonnet:2:94
      base/web/lib.libsonnet:2:94-114  object <anonymous>
      Field "a"
      Field "data"
      During manifestation
hint: mend the jsonnet file: the trace leads from the place that failed to the place that asked for it
""",
    ),
    Case(
        "embedded text does not parse",
        {
            "base/web/config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  app.json: |
    {"a": 1}
""",
            "overlays/prod/web.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  app.json: |
    {
      "a": 2,,
    }
""",
        },
        """\
error: `app.json` does not parse: expecting property name enclosed in double quotes
  --> overlays/prod/web.yaml:8:5
hint: write plain JSON
""",
    ),
    Case(
        "a map against a scalar",
        {
            "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas:
    count: 3
""",
        },
        """\
error: Deployment.apps/web (namespace shop): a map cannot take the place of a scalar
  --> overlays/prod/web.yaml:7:5
  --> base/web/deployment.yaml:6:13
hint: write `$patch: replace` into the map to put it there all the same
""",
    ),
    Case(
        "a scalar against a map",
        {
            "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template: none
""",
        },
        """\
error: Deployment.apps/web (namespace shop): a scalar cannot take the place of a map
  --> overlays/prod/web.yaml:6:13
  --> base/web/deployment.yaml:11:5
hint: remove the field with null, or replace the map around it with `$patch: replace`
""",
    ),
    Case(
        "a list item without its key",
        {
            "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - image: nginx:2
""",
        },
        """\
error: Deployment.apps/web (namespace shop): the item has no `name`, by which the items of this list are told apart
  --> overlays/prod/web.yaml:9:9
  --> base/web/deployment.yaml:16:9
hint: write `name:` of the item that is meant
""",
    ),
    Case(
        "a Patch hits nothing",
        {
            "overlays/prod/p.yaml": """\
apiVersion: envcompile.dev/v1
kind: Patch
metadata:
  name: p
target: {kind: Deployment, name: wbe}
merge: {spec: {replicas: 2}}
""",
        },
        """\
error: the Patch `p` hits no resource
  --> overlays/prod/p.yaml:5:9
hint: did you mean `web`?
""",
    ),
    Case(
        "a Patch says nothing",
        {
            "overlays/prod/p.yaml": """\
apiVersion: envcompile.dev/v1
kind: Patch
metadata:
  name: p
target: {kind: Deployment}
""",
        },
        """\
error: the patch says neither `merge` nor `json6902`
  --> overlays/prod/p.yaml:1:1
hint: add one of them
""",
    ),
    Case(
        "a Patch with a selector that is none",
        {
            "overlays/prod/p.yaml": """\
apiVersion: envcompile.dev/v1
kind: Patch
metadata:
  name: p
target: {labelSelector: 'a in b'}
merge: {spec: {replicas: 2}}
""",
        },
        """\
error: `labelSelector` has a term that is no selector: `a in b`
  --> overlays/prod/p.yaml:5:25
hint: write it as for `kubectl -l`: app=web,tier!=cache,env in (dev,test),!legacy
""",
    ),
    Case(
        "an operation that fails",
        {
            "overlays/prod/p.yaml": """\
apiVersion: envcompile.dev/v1
kind: Patch
metadata:
  name: p
target: {kind: Deployment}
json6902:
- {op: replace, path: /spec/replica, value: 2}
""",
        },
        """\
error: operation 1 of the Patch `p` fails on Deployment.apps/web (namespace shop): `/spec/replica` does not exist
  --> overlays/prod/p.yaml:7:3
hint: correct the path, or `add` it first
""",
    ),
    Case(
        "an image no container uses",
        {
            "overlays/prod/environment.yaml": environment("""\
images: [{name: ngnix, newTag: '2'}]
"""),
        },
        """\
error: `images` names `ngnix`, which no container uses
  --> overlays/prod/environment.yaml:3:17
hint: did you mean `nginx`?
""",
    ),
    Case(
        "replicas of no workload",
        {
            "overlays/prod/environment.yaml": environment("""\
replicas: {wbe: 2}
"""),
        },
        """\
error: `replicas` names the workload `wbe`, which this environment does not have
  --> overlays/prod/environment.yaml:3:17
hint: did you mean `web`?
""",
    ),
    Case(
        "an exclusion of nothing",
        {
            "overlays/prod/environment.yaml": environment("""\
exclude: [{kind: Deployment, name: debug-*}]
"""),
        },
        """\
error: `exclude` entry Deployment/debug-* leaves nothing out
  --> overlays/prod/environment.yaml:3:11
hint: remove the entry, or correct its kind or name (both are globs)
""",
    ),
    Case(
        "an unknown Kubernetes version",
        {
            "overlays/prod/environment.yaml": environment("""\
kubernetesVersion: '1.5'
"""),
        },
        """\
error: Kubernetes 1.5 is not known to this version of envc
  --> overlays/prod/environment.yaml:3:20
hint: write one of 1.30, 1.31, 1.32, 1.33, 1.34, 1.35, 1.36, 1.37, or upgrade envc
""",
    ),
    Case(
        "a plaintext secret",
        {
            "base/web/secret.yaml": """\
apiVersion: v1
kind: Secret
metadata:
  name: web
stringData:
  password: hunter2hunter2
""",
        },
        """\
error: environment prod: Secret/web: `password` is written in clear
  --> base/web/secret.yaml:6:13
hint: write `password: ref+prompt://` and run `envc secrets set prod web password`; if git has ever seen the value, rotate it. A harmless value is declared by `envcompile.dev/plaintext: "password"` in the annotations
""",
    ),
    Case(
        "mergeKeys of a built-in kind",
        {
            "envc.yaml": """\
mergeKeys: [{kind: Deployment, path: spec.x, keys: [name]}]
""",
        },
        """\
error: Deployment is built in: its lists merge by Kubernetes' rules (a custom Deployment needs its group)
  --> envc.yaml:1:13
hint: correct or remove the entry
""",
    ),
    Case(
        "several errors at once",
        {
            "overlays/prod/environment.yaml": environment("""\
images: [{name: ngnix, newTag: '2'}]
replicas: {wbe: 2}
"""),
            "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: wbe
spec:
  replicas: 3
""",
            "base/web/again.yaml": deployment(),
        },
        """\
error: Deployment.apps/web is defined twice
  --> base/web/deployment.yaml:1:1
  --> base/web/again.yaml:1:1
hint: keep one of them, or give one another name; changes of a base resource belong into an overlay

error: `images` names `ngnix`, which no container uses
  --> overlays/prod/environment.yaml:3:17
hint: did you mean `nginx`?

error: `replicas` names the workload `wbe`, which this environment does not have
  --> overlays/prod/environment.yaml:4:17
hint: did you mean `web`?

error: the patch has no target: Deployment.apps/wbe is in no layer below
  --> overlays/prod/web.yaml:1:1
hint: did you mean `web`?
      as a new resource it is not complete: `selector` is missing in io.k8s.api.apps.v1.DeploymentSpec at spec.selector

4 errors
""",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_whole_message_is_said(case: Case, make_project: Callable[[Mapping[str, str | bytes]], Path]) -> None:
    """What happened, where, and how to mend it; exit code 1, nothing on stdout, nothing written."""
    files = {path: text for path, text in {**PLAIN, **case.files}.items() if text}
    root = make_project(files)
    outcome = run_envc(root, "build")
    assert outcome.err.replace(str(root), "ROOT") == case.message
    assert (outcome.code, outcome.out) == (1, "")
    assert not (root / "environments").exists()


def test_a_secret_is_never_part_of_a_message() -> None:
    """The case of a plaintext secret names the key and the place, not the value."""
    (case,) = [case for case in CASES if case.name == "a plaintext secret"]
    assert "hunter2hunter2" in case.files["base/web/secret.yaml"]
    assert "hunter2hunter2" not in case.message
