"""Patches of kustomize come over in the author's words: files, texts in the kustomization, JSON patches, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.adopt import from_kustomize
from tests.oracles.test_adopt_generators_oracle import brought_over

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kustomize_on_path")


def workload(kind: str, name: str, labels: str = "{}") -> str:
    """A workload of two arguments."""
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}, labels: {labels}}}\nspec:\n  replicas: 1\n"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n"
        f"    spec:\n      containers: [{{name: {name}, image: '{name}:v1', args: [a, b]}}]\n"
    )


BASE = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": "---\n".join((
        workload("Deployment", "web", "{tier: front}"),
        workload("Deployment", "api", "{tier: back}"),
        workload("StatefulSet", "db"),
    )),
}
ALL = """\
# everywhere
apiVersion: apps/v1
kind: Deployment
metadata:
  name: any
spec:
  revisionHistoryLimit: 2  # two
"""
OVERLAY = """\
resources: [../../base]
namespace: prod
patchesStrategicMerge:
- more.yaml
- |-
  # three are enough
  apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: api
  spec:
    replicas: 3   # not 4
patches:
- patch: |-
    # second argument
    - op: replace
      path: /spec/template/spec/containers/0/args/1
      value: "c" # see
  target:
    kind: Deployment
    name: web
- path: all.yaml
  target: {kind: Deployment|StatefulSet}
- path: ops.json
  target: {kind: StatefulSet, name: db}
- target: {labelSelector: tier=front}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: ignored
    spec:
      # fast
      minReadySeconds: 5
- target: {kind: Deployment, name: "(web|a.i)"}
  patch: |
    - {op: add, path: /metadata/annotations, value: {x: "1"}} # noted
"""
PROD = {
    "overlays/prod/kustomization.yaml": OVERLAY,
    "overlays/prod/all.yaml": ALL,
    "overlays/prod/ops.json": '[\n  {"op": "replace", "path": "/spec/replicas", "value": 5}\n]\n',
    "overlays/prod/more.yaml": (
        "# more\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {replicas: 4}\n"
    ),
}
TREE: dict[str, Any] = {
    **BASE,
    "overlays/dev/kustomization.yaml": "resources: [../../base]\nnamespace: dev\n",
    **PROD,
}


def overlay(texts: dict[str, str], name: str = "prod") -> str:
    """Everything that an overlay says, without its settings."""
    prefix = f"overlays/{name}/"
    return "".join(
        text
        for path, text in sorted(texts.items())
        if path.startswith(prefix) and not path.endswith("environment.yaml")
    )


def test_patches_stay_in_the_authors_words(kustomize: Path, tmp_path: Path) -> None:
    """By path and inline, strategic and JSON, with targets by name, by alternatives, by labels."""
    texts = brought_over(kustomize, tmp_path, TREE)
    said = overlay(texts)
    assert texts["overlays/prod/more.yaml"] == PROD["overlays/prod/more.yaml"]
    assert "# three are enough\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: api\n" in said
    assert "  replicas: 3   # not 4\n" in said
    assert (
        "  # second argument\n  - op: replace\n    path: /spec/template/spec/containers/0/args/1\n"
        '    value: "c" # see\n' in said
    )
    assert (
        texts["overlays/prod/all.yaml"].count("merge:\n  # everywhere\n  spec:\n    revisionHistoryLimit: 2  # two\n")
        == 2
    )
    assert "target:\n  kind: StatefulSet\n" in texts["overlays/prod/all.yaml"]
    assert '{"op": "replace", "path": "/spec/replicas", "value": 5}' in said
    assert "metadata:\n  name: web\nspec:\n  # fast\n  minReadySeconds: 5\n" in said
    assert said.count('{op: add, path: /metadata/annotations, value: {x: "1"}} # noted\n') == 2
    assert "replicas:" not in texts["overlays/prod/environment.yaml"]


def test_a_patch_for_several_objects_is_one(kustomize: Path, tmp_path: Path) -> None:
    """As long as it does in all that it reaches what it did; else it stands at each object that it changed."""
    texts = brought_over(kustomize, tmp_path, {
        **TREE,
        "overlays/prod/kustomization.yaml": "resources: [../../base]\npatches:\n"
        "- {path: all.yaml, target: {kind: .*}}\n",
    })  # fmt: skip
    assert overlay(texts) == (
        "# yaml-language-server: $schema=../../.schemas/patch.json\n"
        'apiVersion: envcompile.dev/v1\nkind: Patch\nmetadata:\n  name: all\ntarget:\n  kind: "*"\n'
        "merge:\n  # everywhere\n  spec:\n    revisionHistoryLimit: 2  # two\n"
    )
    apart = brought_over(kustomize, tmp_path / "apart", {
        **TREE,
        "overlays/prod/kustomization.yaml": "resources: [../../base, own.yaml]\ncomponents: [../../some]\n",
        "overlays/prod/own.yaml": workload("Deployment", "late"),
        "some/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: []\n"
        "patches:\n- {path: all.yaml, target: {kind: Deployment}}\n",
        "some/all.yaml": ALL,
        "overlays/dev/kustomization.yaml": "resources: [../../base, late.yaml]\n",
        "overlays/dev/late.yaml": workload("Deployment", "late") + "  revisionHistoryLimit: 7\n",
    })  # fmt: skip
    assert "# everywhere" in overlay(apart)


def test_patches_find_objects_with_prefixes_and_labels(kustomize: Path, tmp_path: Path) -> None:
    """The author says the short name; labels that kustomize adds to selectors are said besides."""
    tree = dict(BASE)
    for name in ("dev", "prod"):
        labels = f"labels: [{{pairs: {{env: {name}}}, includeSelectors: true}}]\n"
        tree[f"overlays/{name}/kustomization.yaml"] = f"resources: [../../base]\nnameSuffix: -x\n{labels}"
    tree["overlays/prod/kustomization.yaml"] += "patches: [{path: more.yaml}]\n"
    tree["overlays/prod/more.yaml"] = (
        "# not now\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  paused: true  # see\n"
        "  minReadySeconds: 7\n  progressDeadlineSeconds: 9\n"
    )
    said = overlay(brought_over(kustomize, tmp_path, tree))
    assert "# not now\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-x\n" in said
    assert "  paused: true  # see\n" in said


def test_a_patch_that_cannot_be_kept_is_made_anew(kustomize: Path, tmp_path: Path) -> None:
    """A target by annotations of many objects, and a patch that another one undoes."""
    texts = brought_over(kustomize, tmp_path, {
        **TREE,
        "overlays/prod/kustomization.yaml": "resources: [../../base]\npatches:\n"
        "- {path: all.yaml, target: {kind: Deployment}}\n"
        "- patch: '- {op: replace, path: /spec/revisionHistoryLimit, value: 3}'\n"
        "  target: {kind: Deployment, annotationSelector: '!x'}\n",
    })  # fmt: skip
    assert "revisionHistoryLimit" in overlay(texts)


def test_what_flux_lays_over_a_path_is_kept_over_the_path(tmp_path: Path) -> None:
    """The path is the base of all clusters, its patches are JSON patches in their overlays."""
    from tests.harness.repository import write_files

    tree: dict[str, Any] = {
        "apps/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/web.yaml": BASE["base/web.yaml"],
    }
    for name in ("dev", "prod"):
        tree[f"clusters/{name}/apps.yaml"] = (
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec:\n"
            "  path: ./apps\n  patches:\n  - patch: |\n      # the tier\n"
            f"      - {{op: replace, path: /metadata/labels/tier, value: {name}}}\n"
            "    target: {kind: Deployment, name: web}\n"
        )
    write_files(tmp_path / "old", tree)
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal
    said = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "new/overlays/prod").rglob("*.yaml"))
    assert "  # the tier\n  - {op: replace, path: /metadata/labels/tier, value: prod}\n" in said
    assert (tmp_path / "new/base/apps/web.yaml").read_text(encoding="utf-8") == BASE["base/web.yaml"]


@pytest.mark.parametrize(
    "said",
    ["commonLabels: {env: %s}\n", "labels: [{pairs: {env: %s}, includeSelectors: true}]\n"],
    ids=["common", "pairs"],
)
def test_labels_in_selectors_are_said_once(said: str, kustomize: Path, tmp_path: Path) -> None:
    """By a setting where all objects have them; where one has not, once a kind however many workloads there are."""
    tree = dict(BASE)
    tree["base/web.yaml"] = tree["base/web.yaml"].replace("labels: {}}", "labels: {tier: data}}") + "".join(
        f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: {name}}}}}\n"
        for name in ("web", "api")
    )
    for name in ("dev", "prod"):
        tree[f"overlays/{name}/kustomization.yaml"] = "resources: [../../base]\n" + said % name
    texts = brought_over(kustomize, tmp_path / "all", tree)
    overlay = {path: text for path, text in texts.items() if path.startswith("overlays/prod/")}
    assert set(overlay) == {"overlays/prod/environment.yaml"}
    assert "selectorLabels:\n  env: prod\n" in overlay["overlays/prod/environment.yaml"]
    for name in ("dev", "prod"):
        tree[f"overlays/{name}/labelled/kustomization.yaml"] = "resources: [../../../base]\n" + said % name
        tree[f"overlays/{name}/plain.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n"
        tree[f"overlays/{name}/kustomization.yaml"] = "resources: [labelled, plain.yaml]\n"
    texts = brought_over(kustomize, tmp_path / "most", tree)
    overlay = {path: text for path, text in texts.items() if path.startswith("overlays/prod/")}
    assert "selectorLabels" not in overlay["overlays/prod/environment.yaml"]
    (patch,) = (text for path, text in overlay.items() if path.endswith("selectors-deployment.yaml"))
    assert "kind: Patch\n" in patch
    assert patch.endswith("merge:\n  spec:\n    selector:\n      matchLabels:\n        env: prod\n")
