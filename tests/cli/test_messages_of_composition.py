"""What is wrong with patches and resources is said whole: what, where, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.messages import OUR_PATCH, PATCH, PROD, WEB, Wrong, assert_says, with_patch
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  {name}: |\n{text}"

CASES = {
    "a typo in a resource name": Wrong(
        with_patch(PATCH.replace("web", "wbe") + "spec:\n  replicas: 2\n"),
        """\
error: the patch has no target: Deployment.apps/wbe (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: did you mean `web`?
      as a new resource it is not complete: `selector` is missing in io.k8s.api.apps.v1.DeploymentSpec at spec.selector
""",
    ),
    "a patch without a target": Wrong(
        with_patch("apiVersion: v1\nkind: Service\nmetadata:\n  name: backend\nspec:\n  type: NodePort\n"),
        """\
error: the patch has no target: Service/backend (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: a patch needs a resource of the same group, kind, namespace and name in base or a layer below
      as a new resource it is not complete: `spec.ports` is missing or empty: only a headless Service has \
none at spec.ports
""",
    ),
    "a deletion without a target": Wrong(
        with_patch(PATCH.replace("web", "wbe") + "$patch: delete\n"),
        """\
error: the patch has no target: Deployment.apps/wbe (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: did you mean `web`?
""",
    ),
    "a new resource of an unknown kind": Wrong(
        with_patch("apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: one\n"),
        """\
error: the patch has no target: Thing.example.com/one (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: to add it as a new resource, annotate it with envcompile.dev/new: "true"
""",
    ),
    "a patch of another API group": Wrong(
        with_patch(PATCH.replace("apps/v1", "extensions/v1beta1")),
        """\
error: the patch has no target: Deployment.extensions/web (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: did you mean Deployment.apps/web (namespace prod)? Its API group is `apps`
""",
    ),
    "a patch in the wrong namespace": Wrong(
        with_patch(PATCH + "  namespace: other\nspec:\n  replicas: 2\n"),
        """\
error: the patch has no target: Deployment.apps/web (namespace other) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: did you mean Deployment.apps/web (namespace prod)? Write `namespace: prod` into the patch's metadata
      as a new resource it is not complete: `selector` is missing in io.k8s.api.apps.v1.DeploymentSpec at spec.selector
""",
    ),
    "two base documents of one identity": Wrong(
        {**WEB, **PROD, "base/api/deployment.yaml": "# a copy\n" + deployment()},
        """\
error: Deployment.apps/web (namespace prod) is defined twice
  --> base/web/deployment.yaml:1:1
  --> base/api/deployment.yaml:2:1
hint: keep one of them, or give one another name; changes of a base resource belong into an overlay
""",
    ),
    "two new documents of one identity": Wrong(
        {**WEB, **PROD, "overlays/prod/a.yaml": config_map(), "overlays/prod/b.yaml": config_map()},
        """\
error: ConfigMap/settings (namespace prod) is defined twice
  --> overlays/prod/b.yaml:1:1
  --> overlays/prod/a.yaml:1:1
hint: keep one of them, or give one another name; changes of a base resource belong into an overlay
""",
    ),
    "forceNamespace puts two resources into one place": Wrong(
        {
            "base/web/a.yaml": deployment(namespace="a"),
            "base/web/b.yaml": deployment(namespace="b"),
            "overlays/prod/environment.yaml": environment("namespace: prod\nforceNamespace: true\n"),
        },
        """\
error: Deployment.apps/web (namespace prod) is defined twice
  --> base/web/b.yaml:1:1
  --> base/web/a.yaml:1:1
hint: forceNamespace puts both into one namespace: rename one of them, or drop forceNamespace
""",
    ),
    "a scalar against a map": Wrong(
        with_patch(PATCH + "spec:\n  template: none\n"),
        """\
error: Deployment.apps/web (namespace prod): a scalar cannot take the place of a map
  --> overlays/prod/patch.yaml:6:13
  --> base/web/deployment.yaml:11:5
hint: remove the field with null, or replace the map around it with `$patch: replace`
""",
    ),
    "a map against a scalar": Wrong(
        with_patch(PATCH + "spec:\n  replicas:\n    min: 1\n"),
        """\
error: Deployment.apps/web (namespace prod): a map cannot take the place of a scalar
  --> overlays/prod/patch.yaml:7:5
  --> base/web/deployment.yaml:6:13
hint: write `$patch: replace` into the map to put it there all the same
""",
    ),
    "a list item without its merge key": Wrong(
        with_patch(PATCH + "spec:\n  template:\n    spec:\n      containers:\n      - image: nginx:2\n"),
        """\
error: Deployment.apps/web (namespace prod): the item has no `name`, by which the items of this list are told apart
  --> overlays/prod/patch.yaml:9:9
  --> base/web/deployment.yaml:16:9
hint: write `name:` of the item that is meant
""",
    ),
    "labels that are no map": Wrong(
        {**WEB, **PROD, "base/web/config.yaml": config_map().replace("\ndata:", "\n  labels: [a, b]\ndata:")},
        """\
error: `metadata.labels` of ConfigMap/settings (namespace prod) is not a map
  --> base/web/config.yaml:5:11
hint: write each as `name: value` on a line of its own
""",
    ),
    "a kind in another case": Wrong(
        {**PROD, "base/web/secret.yaml": "apiVersion: v1\nkind: secret\nmetadata: {name: a}\ndata: {a: b}\n"},
        """\
error: there is no kind `secret` in v1
  --> base/web/secret.yaml:2:7
hint: did you mean `Secret`?
""",
    ),
    "a patch of a kind in another case": Wrong(
        with_patch("apiVersion: apps/v1\nkind: deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n"),
        """\
error: the patch has no target: deployment.apps/web (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:1:1
hint: did you mean Deployment.apps/web (namespace prod)? Kinds are told apart by capitals
""",
    ),
    "the core API by its name": Wrong(
        {
            **PROD,
            "base/web/secret.yaml": "apiVersion: core/v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: b}\n",
        },
        """\
error: there is no API `core/v1`: the core API is `v1`
  --> base/web/secret.yaml:1:13
hint: write `apiVersion: v1`
""",
    ),
    "embedded text of an overlay that does not parse": Wrong(
        {
            **PROD,
            "base/web/config.yaml": TEXT.format(name="app.yaml", text="    a: 1\n    b: 2\n"),
            "overlays/prod/config.yaml": TEXT.format(name="app.yaml", text="    a: 1\n    b: 2\n    b: 3\n    c: 4\n"),
        },
        """\
error: `app.yaml` does not parse: the key `b` is defined twice in one map, first on line 8
  --> overlays/prod/config.yaml:9:5
hint: remove one of them, or rename it; to replace the whole entry, name it in the annotation \
`envcompile.dev/replace` of the patch
""",
    ),
    "embedded text of the base that does not parse": Wrong(
        {
            **PROD,
            "base/web/config.yaml": TEXT.format(name="app.json", text='    {"a": 1,\n     b}\n'),
            "overlays/prod/config.yaml": TEXT.format(name="app.json", text='    {"a": 2}\n'),
        },
        """\
error: `app.json` does not parse: expecting property name enclosed in double quotes
  --> base/web/config.yaml:8:5
hint: write plain JSON
""",
    ),
    "embedded text that ends too early": Wrong(
        {
            **PROD,
            "base/web/config.yaml": TEXT.format(name="app.yaml", text="    a: 1\n"),
            "overlays/prod/config.yaml": TEXT.format(name="app.yaml", text="    a: 1\n    b: [\n"),
        },
        """\
error: `app.yaml` does not parse: a value is missing in the brackets
  --> overlays/prod/config.yaml:8:5
hint: remove the extra comma or bracket; to replace the whole entry, name it in the annotation \
`envcompile.dev/replace` of the patch
""",
    ),
    "a Patch that hits nothing": Wrong(
        with_patch(OUR_PATCH + "metadata: {name: history}\ntarget: {kind: Deploymnt}\nmerge: {spec: {replicas: 3}}\n"),
        """\
error: the Patch `history` hits no resource
  --> overlays/prod/patch.yaml:4:9
hint: did you mean `Deployment`?
""",
    ),
    "a Patch without a name that hits nothing": Wrong(
        with_patch(OUR_PATCH + "target: {namespace: elsewhere}\nmerge: {spec: {replicas: 3}}\n"),
        """\
error: the Patch hits no resource
  --> overlays/prod/patch.yaml:3:9
hint: correct its target (all fields are globs), or write `optional: true` when it may hit nothing
""",
    ),
    "a Patch of both kinds": Wrong(
        with_patch(OUR_PATCH + "target: {kind: Deployment}\nmerge: {spec: {replicas: 3}}\njson6902: []\n"),
        """\
error: the patch says both `merge` and `json6902`
  --> overlays/prod/patch.yaml:5:11
hint: write two patches
""",
    ),
    "a Patch of neither kind": Wrong(
        with_patch(OUR_PATCH + "target: {kind: Deployment}\n"),
        """\
error: the patch says neither `merge` nor `json6902`
  --> overlays/prod/patch.yaml:1:1
hint: add one of them
""",
    ),
    "a selector that is none": Wrong(
        with_patch(OUR_PATCH + "target:\n  labelSelector: app in web\nmerge: {spec: {replicas: 3}}\n"),
        """\
error: `labelSelector` has a term that is no selector: `app in web`
  --> overlays/prod/patch.yaml:4:18
hint: write it as for `kubectl -l`: app=web,tier!=cache,env in (dev,test),!legacy
""",
    ),
    "an operation that fails": Wrong(
        with_patch(OUR_PATCH + "target: {kind: Deployment}\njson6902:\n- {op: remove, path: /spec/paused}\n"),
        """\
error: operation 1 of the Patch fails on Deployment.apps/web (namespace prod): `/spec/paused` does not exist
  --> overlays/prod/patch.yaml:5:3
hint: correct the path, or `add` it first
""",
    ),
    "a merge that renames": Wrong(
        with_patch(OUR_PATCH + "target: {kind: Deployment}\nmerge:\n  metadata: {name: other}\n"),
        """\
error: the change makes another resource of Deployment.apps/web (namespace prod): group, kind, namespace and name \
stay as they are
  --> overlays/prod/patch.yaml:5:3
hint: take apiVersion, kind, name and namespace out of the patch, or define the other resource by itself
""",
    ),
    "an operation that moves to another namespace": Wrong(
        with_patch(
            OUR_PATCH + "target: {kind: Deployment}\njson6902:\n"
            "- {op: add, path: /metadata/labels, value: {}}\n- {op: add, path: /metadata/namespace, value: other}\n"
        ),
        """\
error: the change makes another resource of Deployment.apps/web (namespace prod): group, kind, namespace and name \
stay as they are
  --> overlays/prod/patch.yaml:6:3
hint: take apiVersion, kind, name and namespace out of the patch, or define the other resource by itself
""",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_whole_message(case: Wrong, make_project: MakeProject) -> None:
    """Nothing is written, and the message is exactly this."""
    assert_says(make_project(case.files), case)


def test_several_errors_come_in_one_run_sorted_by_file_and_line(make_project: MakeProject) -> None:
    """The same error in two environments is told once."""
    root = make_project({
        **WEB,
        **PROD,
        "overlays/dev/environment.yaml": environment(
            "namespace: prod\nreplicas:\n  wbe: 2\nimages:\n- {name: x, newTag: v1}\n"
        ),
        "base/web/again.yaml": config_map() + "---\n" + deployment(),
        "overlays/prod/patch.yaml": PATCH + "spec:\n  template: x\n---\n" + PATCH.replace("web", "none"),
    })
    assert_says(
        root,
        Wrong(
            {},
            """\
error: Deployment.apps/web (namespace prod) is defined twice
  --> base/web/deployment.yaml:1:1
  --> base/web/again.yaml:8:1
hint: keep one of them, or give one another name; changes of a base resource belong into an overlay

error: `replicas` names the workload `wbe`, which this environment does not have
  --> overlays/dev/environment.yaml:5:8
hint: did you mean `web`?

error: `images` names `x`, which no container uses
  --> overlays/dev/environment.yaml:7:10
hint: remove the entry, or correct its name

error: Deployment.apps/web (namespace prod): a scalar cannot take the place of a map
  --> overlays/prod/patch.yaml:6:13
  --> base/web/again.yaml:18:5
hint: remove the field with null, or replace the map around it with `$patch: replace`

error: the patch has no target: Deployment.apps/none (namespace prod) is in no layer below
  --> overlays/prod/patch.yaml:8:1
hint: a patch needs a resource of the same group, kind, namespace and name in base or a layer below
      as a new resource it is not complete: `spec.selector` is missing or empty at spec.selector

5 errors
""",
        ),
    )


def test_a_name_one_letter_off_is_a_warning_when_the_resource_is_complete(make_project: MakeProject) -> None:
    """The resource is built; the annotation says that the name is meant."""
    from tests.harness.command import run_envc

    root = make_project({
        "base/web/deployment.yaml": deployment("storefront"),
        **PROD,
        "overlays/prod/new.yaml": deployment("storefrontt"),
    })
    outcome = run_envc(root, "build")
    assert outcome.err == (
        "warning: overlays/prod/new.yaml:1:1: Deployment.apps/storefrontt (namespace prod) is new here and differs "
        'from Deployment/storefront by one letter; annotate it with envcompile.dev/new: "true" if that is meant\n'
        "prod: 2 resources, 2 added\n"
    )
    assert outcome.code == 0
