"""Kustomize projects brought over build exactly what kustomize builds."""

from pathlib import Path
from typing import Any

import pytest

from envcompile import yamlio
from envcompile.adopt import from_kustomize
from envcompile.adopt.existing import literal_identity
from envcompile.adopt.kustomization_files import find_kustomizations
from envcompile.adopt.roots import choose_environments
from envcompile.errors import EnvcError
from envcompile.units.project import Project
from envcompile.values import same
from tests.harness.repository import write_files

pytestmark = pytest.mark.usefixtures("kustomize_on_path")

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora" / "kustomize"

# The files that these kustomizations generate ConfigMaps from are not part of the corpus.
INCOMPLETE = {"stefanprodan-podinfo/deploy"}


def trees() -> list[str]:
    """Every folder of the corpora with at least two environments in overlays/, or below `provider`."""
    if not CORPORA.is_dir():
        return []
    found = {
        folder.parent
        for folder in CORPORA.rglob("overlays")
        if sum((child / "kustomization.yaml").is_file() for child in folder.iterdir()) > 1
    }
    found.add(CORPORA / "kubernetes-ingress-nginx" / "deploy" / "static" / "provider")
    found.add(CORPORA / "GoogleCloudPlatform-microservices-demo" / "kustomize" / "tests")
    return sorted(folder.relative_to(CORPORA).as_posix() for folder in found)


def expected(repository: Path, folder: str) -> list[dict[str, Any]] | None:
    """What kustomize made of a kustomization when the corpus was collected."""
    file = repository / "_expected" / f"{folder.replace('/', '__')}.yaml"
    if not file.is_file():
        return None
    return [value for value in yamlio.load_all(file.read_bytes(), file.name) if value is not None]


@pytest.mark.corpora
@pytest.mark.parametrize("tree", trees())
def test_an_adopted_kustomize_project_builds_what_kustomize_builds(tree: str, tmp_path: Path) -> None:
    """The proof holds, and the compiled environments equal the recorded output of kustomize, object for object."""
    source = CORPORA / tree
    if tree in INCOMPLETE:
        with pytest.raises(EnvcError, match="loading KV pairs"):
            from_kustomize(source, tmp_path / "new")
        return
    adoption = from_kustomize(source, tmp_path / "new")
    assert [str(difference) for difference in adoption.proof.differences] == []
    project = Project.open(tmp_path / "new")
    repository = CORPORA / tree.split("/", maxsplit=1)[0]
    compared = 0
    for environment, folders in choose_environments(find_kustomizations(source))[0].items():
        recorded = [expected(repository, (source / each).relative_to(repository).as_posix()) for each in folders]
        if None in recorded:
            continue
        wanted = {literal_identity(value): value for each in recorded for value in each or ()}
        built = {literal_identity(each.value): each.value for each in project.compile(environment).resources}
        assert built.keys() == wanted.keys()
        assert [key for key, value in wanted.items() if not same(value, built[key])] == []
        compared += 1
    assert compared > 0


def test_what_flux_lays_over_a_path_is_in_the_environment(tmp_path: Path) -> None:
    """Patches, images and the target namespace of Flux's Kustomization are carried out by kustomize itself."""
    files = {
        "apps/kustomization.yaml": "resources: [web.yaml]\n",
        "apps/web.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
        "spec: {containers: [{name: web, image: 'web:v1'}]}\n",
    }
    for name in ("dev", "prod"):
        files[f"clusters/{name}/apps.yaml"] = (
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\nspec:\n"
            f"  path: ./apps\n  targetNamespace: {name}\n  images: [{{name: web, newTag: {name}}}]\n"
            '  patches: [{patch: "- {op: add, path: /metadata/labels, value: {a: b}}", target: {kind: Pod}}]\n'
        )
    write_files(tmp_path / "old", files)
    assert from_kustomize(tmp_path / "old", tmp_path / "new").is_equal
    (pod,) = Project.open(tmp_path / "new").compile("prod").resources
    assert pod.value["metadata"] == {"name": "web", "namespace": "prod", "labels": {"a": "b"}}
    assert pod.value["spec"]["containers"][0]["image"] == "web:prod"


GENERATED = {
    "base/deploy.yaml": "# Ask first\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
    "spec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
    "    spec: {containers: [{name: web, image: 'web:v1', envFrom: [{configMapRef: {name: web}}]}]}\n",
    "base/kustomization.yaml": "resources: [deploy.yaml]\n"
    "configMapGenerator: [{name: web, literals: [LOG=info, ENV=none]}]\n"
    "secretGenerator: [{name: login, literals: [password=x]}]\n",
    **{
        f"overlays/{name}/kustomization.yaml": f"resources: [../../base]\nnamespace: {name}\n"
        f"configMapGenerator: [{{name: web, behavior: merge, literals: [ENV={name}]}}]\n"
        for name in ("dev", "prod")
    },
}


def test_a_generated_name_is_short_in_the_sources_and_hashed_in_the_build(tmp_path: Path) -> None:
    """Cases adopt-freezes-generator-hashes, kustomize-hash-names: overlays hold what differs."""
    write_files(tmp_path / "old", GENERATED)
    adoption = from_kustomize(tmp_path / "old", tmp_path / "new")
    assert adoption.is_equal
    assert [each.own + each.excluded for each in adoption.environments] == [0, 0]
    texts = {
        path.relative_to(tmp_path / "new").as_posix(): path.read_text(encoding="utf-8")
        for path in (tmp_path / "new").rglob("*.yaml")
    }
    assert texts["base/web/deploy.yaml"] == GENERATED["base/deploy.yaml"]
    assert "literals: [ENV=prod]" in texts["overlays/prod/configmap-web.yaml"]
    assert "LOG" not in texts["overlays/prod/configmap-web.yaml"]
    assert "rollout: suffix\n" in texts["overlays/prod/environment.yaml"]
    built = {each.id.short for each in Project.open(tmp_path / "new").compile("prod").resources}
    assert len(built) == 3
    assert not built & {"ConfigMap/web", "Secret/login"}
