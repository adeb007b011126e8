"""Trees of Flux and Argo CD with the real kustomize: what is written into a kustomization before it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.adopt import from_kustomize, read_wishes
from envcompile.adopt.kustomizations import read_kustomizations
from envcompile.errors import EnvcError
from tests.adopt.test_gitops import argo, flux
from tests.harness.repository import config_map, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.adopt.existing import Sources

pytestmark = pytest.mark.usefixtures("kustomize_on_path")


def objects_of(sources: Sources) -> dict[str, dict[str, Any]]:
    """By environment the objects by name."""
    return {
        each.name: {existing.value["metadata"]["name"]: existing.value for existing in each.objects}
        for each in sources.environments
    }


def test_flux_makes_a_kustomization_of_a_folder_without_one(tmp_path: Path) -> None:
    """Manifests at any depth, kustomizations as they are; what it adds reaches all of them. One cluster is enough."""
    write_files(tmp_path / "old", {
        "clusters/live/apps.yaml": flux("apps", "./apps", "  namePrefix: eu-\n"),
        "clusters/live/more.yaml": flux("more", "./more"),
        "apps/plain/a.yaml": f"# ours\n{config_map('plain', a='1')}",
        "apps/web/kustomization.yaml": "resources: [web.yaml]\nnamePrefix: my-\n",
        "apps/web/web.yaml": config_map("web", a="1"),
        "apps/web/unused.yaml": config_map("unused"),
        "more/deep/kustomization.yaml": "resources: [b.yaml]\n",
        "more/deep/b.yaml": config_map("deep"),
    })  # fmt: skip
    found = objects_of(read_kustomizations(tmp_path / "old"))
    assert {name: sorted(objects) for name, objects in found.items()} == {"live": ["deep", "eu-my-web", "eu-plain"]}
    adoption = from_kustomize(tmp_path / "old", tmp_path / "new")
    assert adoption.is_equal
    assert any("# ours\n" in path.read_text(encoding="utf-8") for path in (tmp_path / "new/base").rglob("*.yaml"))


def test_components_of_flux_are_seen_from_the_path_and_patched_by_the_kustomization(tmp_path: Path) -> None:
    """Case of many home clusters: `../../components/backup`, whose objects the kustomization at the path names, too."""
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [backup.yaml]\n"
    more = "  components: [../../components/backup]\n  commonMetadata: {labels: {team: web}}\n"
    write_files(tmp_path / "old", {
        "clusters/live/web.yaml": flux("web", "./apps/web", more),
        "clusters/test/web.yaml": flux("web", "./apps/web"),
        "apps/web/kustomization.yaml": "resources: [web.yaml]\nnamespace: shop\n",
        "apps/web/web.yaml": config_map("web", a="1"),
        "components/backup/kustomization.yaml": component,
        "components/backup/backup.yaml": f"# kept\n{config_map('backup')}",
    })  # fmt: skip
    found = objects_of(read_kustomizations(tmp_path / "old"))
    assert sorted(found["test"]) == ["web"]
    assert {
        name: (each["metadata"]["namespace"], each["metadata"]["labels"]) for name, each in found["live"].items()
    } == dict.fromkeys(("web", "backup"), ("shop", {"team": "web"}))
    before = {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()}
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal
    assert {path: path.read_bytes() for path in (tmp_path / "old").rglob("*") if path.is_file()} == before


def test_a_path_may_be_applied_twice_under_other_names(tmp_path: Path) -> None:
    """By a variable, a prefix or a namespace; where both make the same object, the second one is left out, and said."""
    twice = [
        flux("one", "./web", "  postBuild: {substitute: {APP: one}}\n"),
        flux("two", "./web", "  postBuild: {substitute: {APP: two}}\n"),
        flux("three", "./web", "  postBuild: {substitute: {APP: one, SIZE: '3'}}\n"),
        flux("four", "./web", "  targetNamespace: other\n  postBuild: {substitute: {APP: one}}\n"),
        flux("same", "./web", "  postBuild: {substitute: {APP: two}}\n"),
    ]
    write_files(tmp_path / "old", {
        "clusters/live/x.yaml": "---\n".join(twice),
        "clusters/test/x.yaml": twice[0],
        "web/kustomization.yaml": "resources: [web.yaml]\n",
        "web/web.yaml": config_map("${APP}", size="'${SIZE:=1}'"),
    })  # fmt: skip
    sources = read_kustomizations(tmp_path / "old")
    live = next(each for each in sources.environments if each.name == "live")
    assert [(each.value["metadata"]["name"], each.value["metadata"].get("namespace")) for each in live.objects] == [
        ("one", None), ("two", None), ("one", "other"),
    ]  # fmt: skip
    (note,) = [note for note in sources.notes if "once more" in note]
    assert (
        note == "Kustomization/three applies `web` of live once more, and makes another ConfigMap/one: this is left out"
    )
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal


def test_variables_come_from_generators_too(tmp_path: Path) -> None:
    """`substituteFrom` names a ConfigMap that a kustomization generates; an overlay's merge into it counts."""
    post = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}, {kind: Secret, name: hidden}]}\n"
    files = {
        "vars/kustomization.yaml": (
            "configMapGenerator: [{name: vars, literals: [HOST=example.com, SIZE=1], envs: [more.env]}]\n"
            "secretGenerator: [{name: hidden, literals: [KEY=abc]}]\ngeneratorOptions: {disableNameSuffixHash: true}\n"
        ),
        "vars/more.env": "TIER=base\n",
        "web/kustomization.yaml": "resources: [web.yaml]\n",
        "web/web.yaml": config_map("web", text="'${HOST} ${SIZE} ${TIER} ${KEY}'"),
    }
    for name, size in (("test", "1"), ("live", "5")):
        merge = f"configMapGenerator: [{{name: vars, behavior: merge, literals: [SIZE={size}]}}]\n"
        files[f"clusters/{name}/vars/kustomization.yaml"] = f"resources: [../../../vars]\n{merge}"
        files[f"clusters/{name}/web.yaml"] = flux("web", "./web", post)
    write_files(tmp_path / "old", files)
    found = objects_of(read_kustomizations(tmp_path / "old"))
    assert found["live"]["web"]["data"] == {"text": "example.com 5 base abc"}
    assert found["test"]["web"]["data"] == {"text": "example.com 1 base abc"}


def test_argo_cd_reads_a_directory_as_it_does(tmp_path: Path) -> None:
    """Only what lies directly in it unless it recurses; what it has kustomize edit goes into the kustomization."""
    edited = "kustomize: {images: ['web=mirror.example.com/web:v2', 'api:v3'], namespace: shop, nameSuffix: -x}"
    workload = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {app: web}}, "
        "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: 'web:v1'}, "
        "{name: b, image: 'api:v1'}]}}}\n"
    )
    write_files(tmp_path / "old", {
        "apps/a.yaml": argo("a", "plain", "name: live"),
        "apps/b.yaml": argo("b", "deep, directory: {recurse: true}", "name: live"),
        "apps/c.yaml": argo("c", f"web, {edited}", "name: live"),
        "apps/d.yaml": argo("d", "plain", "name: test"),
        "plain/a.yaml": config_map("top"),
        "plain/inner/b.yaml": config_map("inner"),
        "deep/inner/c.yaml": config_map("deep"),
        "web/kustomization.yaml": "resources: [web.yaml]\nimages: [{name: api, newTag: v2}]\nnameSuffix: -y\n",
        "web/web.yaml": workload,
    })  # fmt: skip
    found = objects_of(read_kustomizations(tmp_path / "old"))
    assert {name: sorted(objects) for name, objects in found.items()} == {
        "live": ["deep", "top", "web-x"],
        "test": ["top"],
    }
    web = found["live"]["web-x"]
    assert web["metadata"]["namespace"] == "shop"
    images = [each["image"] for each in web["spec"]["template"]["spec"]["containers"]]
    assert images == ["mirror.example.com/web:v2", "api:v3"]
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal


def test_a_chart_that_argo_cd_renders_can_be_left_out(tmp_path: Path) -> None:
    """It is refused with the way in; --skip-broken names it and brings the rest over."""
    write_files(tmp_path / "old", {
        "apps/a.yaml": argo("a", "plain", "name: live"),
        "apps/b.yaml": argo("b", "web", "name: live"),
        "apps/c.yaml": argo("c", "plain", "name: test"),
        "plain/a.yaml": config_map("top"),
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    })  # fmt: skip
    with pytest.raises(EnvcError, match="is a Helm chart"):
        read_kustomizations(tmp_path / "old")
    sources = read_kustomizations(tmp_path / "old", read_wishes(tmp_path / "old", skip_broken=True))
    assert sorted(objects_of(sources)["live"]) == ["top"]
    assert any(note.startswith("left out, because it cannot be built: web; ") for note in sources.notes)
