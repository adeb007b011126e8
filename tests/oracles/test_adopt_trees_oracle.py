"""Trees of kustomize with charts, addresses, renamed images and overlays between base and environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.adopt import Wishes, from_kustomize
from envcompile.errors import EnvcError
from envcompile.units.project import Project
from tests.harness.repository import write_files
from tests.oracles.test_adopt_generators_oracle import brought_over
from tests.oracles.test_adopt_patches_oracle import workload

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("kustomize_on_path")

BASE: dict[str, Any] = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": workload("Deployment", "web"),
}


def test_what_comes_from_elsewhere_is_named_and_can_be_left_out(tmp_path: Path) -> None:
    """A chart and an address that nobody answers at: refused with what to do; --skip-broken brings the rest."""
    outside = 'helmCharts: [{name: redis, version: 1.0.0, repo: "https://127.0.0.1:9"}]\n'
    write_files(tmp_path / "old", {
        **BASE,
        "overlays/dev/kustomization.yaml": f"resources: [../../base]\n{outside}",
        "overlays/prod/kustomization.yaml": "resources: [../../base, 'https://127.0.0.1:9/x.yaml']\n",
    })  # fmt: skip
    linked = tmp_path / "old/overlays/dev/kustomization.yaml"
    linked.rename(tmp_path / "linked.yaml").chmod(0o600)
    linked.symlink_to(tmp_path / "linked.yaml")
    with pytest.raises(EnvcError) as refused:
        from_kustomize(tmp_path / "old", tmp_path / "new")
    fixes = [problem.fix for problem in refused.value.problems]
    assert "charts of Helm (redis 1.0.0)" in fixes[0]
    assert "https://127.0.0.1:9/x.yaml" in fixes[1]
    adoption = from_kustomize(tmp_path / "old", tmp_path / "new", Wishes(skip_broken=True))
    assert adoption.is_equal
    assert [each.objects for each in adoption.environments] == [1, 1]
    assert (tmp_path / "linked.yaml").read_text(encoding="utf-8") == f"resources: [../../base]\n{outside}"
    assert [note for note in adoption.notes if "left out of" in note] == [
        "left out of overlays/dev, because it comes from elsewhere: the chart redis 1.0.0 (`envc guide charts`)",
        "left out of overlays/prod, because it comes from elsewhere: https://127.0.0.1:9/x.yaml",
    ]


def test_new_names_of_images_are_settings(kustomize: Path, tmp_path: Path) -> None:
    """The base keeps the name that people wrote, with tags and digests of each environment beside the new name."""
    digest = f"sha256:{'a' * 64}"
    texts = brought_over(kustomize, tmp_path, {
        **BASE,
        "overlays/dev/kustomization.yaml": "resources: [../../base]\n"
        "images: [{name: web, newName: r.example.com/web}]\n",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\n"
        f"images: [{{name: web, newName: r.example.com/web, digest: '{digest}'}}]\n",
    })  # fmt: skip
    assert texts["base/web.yaml" if "base/web.yaml" in texts else "base/web/web.yaml"] == BASE["base/web.yaml"]
    said = texts["overlays/prod/environment.yaml"]
    assert f"images:\n- name: web\n  newName: r.example.com/web\n  digest: {digest}\n" in said
    assert not [path for path in texts if path.startswith("overlays/prod/") and "environment" not in path]


def test_an_overlay_of_several_environments_is_abstract(kustomize: Path, tmp_path: Path) -> None:
    """What stands between the base and some environments, unless it is called as an environment."""
    patch = "# cheap\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {paused: true}\n"
    texts = brought_over(kustomize, tmp_path, {
        **BASE,
        "overlays/nonprod/kustomization.yaml": "resources: [../../base]\npatches: [{path: p.yaml}]\n",
        "overlays/nonprod/p.yaml": patch,
        "overlays/dev/kustomization.yaml": "resources: [../nonprod]\nnamespace: dev\n",
        "overlays/test/kustomization.yaml": "resources: [../nonprod]\nnamespace: test\n",
        "overlays/prod/kustomization.yaml": "resources: [../../base]\nnamespace: prod\n",
    })  # fmt: skip
    assert texts["overlays/nonprod/p.yaml"] == patch
    assert "abstract: true" in texts["overlays/nonprod/environment.yaml"]
    assert "../nonprod" in texts["overlays/test/environment.yaml"]
    assert Project.open(tmp_path / "new").environments == ("dev", "test", "prod")


def test_files_of_settings_tell_the_environments_of_an_applicationset(tmp_path: Path) -> None:
    """The git generator reads files of the repository, as Argo CD does."""
    tree = dict(BASE)
    for name in ("dev", "prod"):
        tree[f"apps/{name}/config.json"] = f'{{"cluster": {{"name": "{name}"}}}}'
        tree[f"apps/{name}/kustomization.yaml"] = f"resources: [../../base]\nnamespace: {name}\n"
    tree["set.yaml"] = (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: web}\nspec:\n  goTemplate: true\n"
        "  generators: [{git: {files: [{path: 'apps/*/config.json'}]}}]\n  template:\n    metadata: {name: web}\n"
        "    spec: {source: {path: '{{ .path.path }}'}, destination: {name: '{{ .cluster.name }}'}}\n"
    )
    write_files(tmp_path / "old", tree)
    adoption = from_kustomize(tmp_path / "old", tmp_path / "new")
    assert [(each.name, each.origin) for each in adoption.environments] == [("dev", "apps/dev"), ("prod", "apps/prod")]


AFFIXED: dict[str, Any] = {
    "base/kustomization.yaml": "resources: [web.yaml]\nconfigMapGenerator: [{name: c, literals: [a=b]}]\n",
    "base/web.yaml": "# ask first\n"
    + workload("Deployment", "web", "{a: b}").replace("args: [a, b]", "envFrom: [{configMapRef: {name: c}}]")
    + "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n",
}
for _name, _affix in (("dev", "namePrefix: dev-"), ("prod", "nameSuffix: -p"), ("live", "")):
    AFFIXED[f"overlays/{_name}/kustomization.yaml"] = (
        f"resources: [../../base]\n{_affix}\nnamespace: {_name}\npatches: [{{path: more.yaml}}]\n"
        f"replicas: [{{name: web, count: {len(_name)}}}]\n"
    )
    AFFIXED[f"overlays/{_name}/more.yaml"] = (
        f"# {_name}\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n"
        f"spec: {{minReadySeconds: {len(_name)}}}\n"
    )


def test_what_is_around_names_is_a_parameter(kustomize: Path, tmp_path: Path) -> None:
    """Environments with a prefix, a suffix and neither share one base, in the author's words; references follow."""
    texts = brought_over(kustomize, tmp_path, AFFIXED)
    name = "${{ params.namePrefix }}web${{ params.nameSuffix }}"
    base = next(text for path, text in texts.items() if path.startswith("base/") and path.endswith("/web.yaml"))
    assert base == AFFIXED["base/web.yaml"].replace("{name: web, labels", f'{{name: "{name}", labels').replace(
        "metadata: {name: web}", f'metadata: {{name: "{name}"}}'
    ).replace("{configMapRef: {name: c}}", f'{{configMapRef: {{name: "{name.replace("web", "c")}"}}}}')
    said = "".join(text for path, text in texts.items() if path.startswith("overlays/prod/"))
    assert "# prod\n" in said
    assert "spec: {minReadySeconds: 4}\n" in said
    assert "params:\n  namePrefix: dev-\n" in texts["overlays/dev/environment.yaml"]
    assert '  nameSuffix: "-p"\n' in texts["overlays/prod/environment.yaml"]
