"""`layout` of envc.yaml: one file a resource, an application or an environment; the same objects in each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

NAMESPACE: Final = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: prod\n"
FILES: Final = {
    ".gitignore": ".envc/\n",
    "base/web/web.yaml": deployment(),
    "base/web/settings.yaml": config_map(),
    "base/web/zone.yaml": NAMESPACE,
    "base/api/api.yaml": f"{deployment('api')}---\n{config_map('api')}",
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\nrollout: checksum\nsyncWaves: true\n"),
}
LAYOUTS: Final = ("app", "environment")
HELD: Final = {"app": ["api.yaml", "web.yaml"], "environment": ["manifests.yaml"]}
WEB: Final = {"app": "web.yaml", "environment": "manifests.yaml"}
"""The file that holds what belongs to web."""


def objects(root: Path, name: str = "prod") -> list[Any]:
    """Everything that lies in an environment's folder, in the order of files and documents."""
    found = read_files(root / "environments" / name)
    return [value for path, data in found.items() if path.endswith(".yaml") for value in load_all(data, path)]


def names(values: list[Any]) -> list[str]:
    """KIND/NAME of objects."""
    return [f"{value['kind']}/{value['metadata']['name']}" for value in values]


def built(make_project: MakeProject, layout: str) -> Path:
    """The project, built with a layout and committed."""
    root = make_project({**FILES, "envc.yaml": f"layout: {layout}\n"})
    outcome = run_envc(root, "build")
    assert outcome.code == 0, outcome.err
    assert outcome.err.splitlines()[0] == f"dev: 5 resources, {len(HELD[layout])} added"
    commit(root)
    return root


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_holds_the_same_objects_in_its_own_files(make_project: MakeProject, layout: str) -> None:
    """Each object once and as in files of its own; what others need stands first, so that a file can be applied."""
    root = make_project(FILES)
    assert run_envc(root, "build").code == 0
    apart = sorted(objects(root), key=str)
    (root / "envc.yaml").write_text(f"layout: {layout}\n")
    assert run_envc(root, "build").code == 0
    folder = root / "environments/prod"
    assert sorted(read_files(folder)) == [".envc-index", *HELD[layout]]
    assert sorted(objects(root), key=str) == apart
    (web,) = [data for path, data in read_files(folder).items() if path == WEB[layout]]
    assert web.startswith(b"---\napiVersion: v1\nkind: Namespace\n")
    kinds = [value["kind"] for value in load_all(web, "")]
    assert kinds == sorted(kinds, key=["Namespace", "ConfigMap", "Deployment"].index)


@pytest.mark.parametrize("first", ["resource", *LAYOUTS])
@pytest.mark.parametrize("second", ["resource", *LAYOUTS])
def test_another_layout_is_one_clean_build(make_project: MakeProject, first: str, second: str) -> None:
    """Files of the layout before go, those of others stay, and what comes is what a fresh folder gets."""
    root = make_project({**FILES, "envc.yaml": f"layout: {first}\n"})
    assert run_envc(root, "build").code == 0
    write_files(root, {"environments/prod/README.md": "ours\n", "envc.yaml": f"layout: {second}\n"})
    assert run_envc(root, "build", "--check").code == (0 if first == second else 16)
    outcome = run_envc(root, "build", "--why")
    assert outcome.code == 0, outcome.err
    assert "compiled" not in outcome.out
    assert run_envc(root, "build", "--check").code == 0
    assert "nothing to do" in run_envc(root, "build").err
    fresh = write_files(root.parent / "fresh", {**FILES, "envc.yaml": f"layout: {second}\n"})
    assert run_envc(fresh, "build").code == 0
    here = read_files(root / "environments/prod")
    assert here.pop("README.md") == b"ours\n"
    assert here == read_files(fresh / "environments/prod")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_change_writes_one_file_and_compiles_one_unit(make_project: MakeProject, layout: str) -> None:
    """What else the file holds is taken from the file as it is; other files keep their identity."""
    root = built(make_project, layout)
    before = {path: (root / "environments/dev" / path).stat().st_ino for path in HELD[layout]}
    (root / "base/web/web.yaml").write_text(deployment(image="nginx:1.28"))
    outcome = run_envc(root, "build", "--why")
    assert outcome.err.splitlines()[0] == "dev: 5 resources, 1 changed"
    compiled = [line.split("\t")[:2] for line in outcome.out.splitlines() if "compiled" in line]
    assert compiled == [["dev", "web"], ["prod", "web"]]
    after = {path: (root / "environments/dev" / path).stat().st_ino for path in HELD[layout]}
    assert [path for path in HELD[layout] if before[path] != after[path]] == [WEB[layout]]
    assert "nothing to do" in run_envc(root, "build").err
    fresh = write_files(root.parent / "fresh", {path: (root / path).read_text() for path in (*FILES, "envc.yaml")})
    run_envc(fresh, "build")
    assert read_files(root / "environments/prod") == read_files(fresh / "environments/prod")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_that_was_edited_by_hand_is_not_overwritten(make_project: MakeProject, layout: str) -> None:
    """It is named, and `--force` writes it."""
    root = built(make_project, layout)
    file = root / "environments/prod" / WEB[layout]
    file.write_text(file.read_text() + "# mine\n")
    refused = run_envc(root, "build")
    assert refused.code == 1
    assert f"environments/prod/{WEB[layout]} was changed by hand" in refused.err
    assert run_envc(root, "build", "--force").code == 0
    assert "# mine" not in file.read_text()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_only_one_resource_is_written(make_project: MakeProject, layout: str) -> None:
    """`--only` leaves the other resources of its file as they are."""
    root = built(make_project, layout)
    write_files(root, {"base/web/web.yaml": deployment(replicas=3), "base/web/settings.yaml": config_map(color="red")})
    assert run_envc(root, "build", "dev", "--only", "configmap/settings").code == 0
    values = dict(zip(names(objects(root, "dev")), objects(root, "dev"), strict=True))
    assert values["ConfigMap/settings"]["data"] == {"color": "red"}
    assert values["Deployment/web"]["spec"]["replicas"] == 1
    assert len(values) == 5
    assert run_envc(root, "build").code == 0
    assert run_envc(root, "build", "--check").code == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_staged_is_compared_as_the_layout_has_it(make_project: MakeProject, layout: str) -> None:
    """The gate before a commit names the file that is stale."""
    root = built(make_project, layout)
    assert run_envc(root, "build", "--check", "--staged").code == 0
    (root / "base/api/api.yaml").write_text(f"{deployment('api', replicas=2)}---\n{config_map('api')}")
    commit(root)
    outcome = run_envc(root, "build", "--check", "--staged")
    assert outcome.code == 16
    api = HELD[layout][0]
    assert outcome.out.splitlines() == [f"environments/{name}/{api}: stale: would change" for name in ("dev", "prod")]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_environment_goes_back_in_its_layout(make_project: MakeProject, layout: str) -> None:
    """`history restore` writes what was recorded with another layout into the files of this one, all or one."""
    root = make_project(FILES)
    first = commit(root)
    assert run_envc(root, "history", "record").code == 0
    write_files(
        root,
        {
            "envc.yaml": f"layout: {layout}\n",
            "base/web/web.yaml": deployment(replicas=3),
            "base/web/settings.yaml": config_map(color="red"),
        },
    )
    commit(root)
    assert run_envc(root, "history", "record").code == 0
    assert run_envc(root, "build").code == 0
    log = json.loads(run_envc(root, "history", "log", "prod", "--format", "json").out)["revisions"]
    assert [entry["changed"] for entry in log] == [2, 5], "another layout changes no resource"
    outcome = run_envc(root, "history", "restore", "prod", first, "--only", "configmap/settings")
    assert outcome.code == 0, outcome.err
    values = dict(zip(names(objects(root)), objects(root), strict=True))
    assert len(values) == 5
    assert values["ConfigMap/settings"]["data"] == {"color": "blue"}
    assert values["Deployment/web"]["spec"]["replicas"] == 3
    assert run_envc(root, "history", "restore", "prod", first).code == 0
    values = dict(zip(names(objects(root)), objects(root), strict=True))
    assert values["Deployment/web"]["spec"]["replicas"] == 1
    assert sorted(read_files(root / "environments/prod")) == [".envc-index", *HELD[layout]]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_layout_affects_every_file_and_one_change_one_resource(make_project: MakeProject, layout: str) -> None:
    """`affected` and `diff` compare resources, not the files that hold several."""
    root = built(make_project, layout)
    (root / "base/web/settings.yaml").write_text(config_map(color="red"))
    found = json.loads(run_envc(root, "affected", "--format", "json").out)["environments"]
    assert [one["name"] for one in found["dev"]] == ["settings"]
    commit(root)
    (root / "envc.yaml").write_text("layout: resource\n")
    found = json.loads(run_envc(root, "affected", "--format", "json").out)["environments"]
    assert len(found["dev"]) == 5
    outcome = run_envc(root, "diff", "--from", "HEAD")
    assert (outcome.code, outcome.out) == (0, "")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_cannot_change_is_held_against_files_of_every_layout(make_project: MakeProject, layout: str) -> None:
    """The older manifests are found in the files of their layout, also when the layout is another one now."""
    root = built(make_project, layout)
    (root / "base/web/web.yaml").write_text(deployment().replace("app: web", "app: shop"))
    due = "error immutable-field: `spec.selector` cannot be changed once the object is there"
    assert due in run_envc(root, "check", "dev").out
    (root / "envc.yaml").write_text("layout: resource\n")
    assert due in run_envc(root, "check", "dev").out
    (root / "base/web/web.yaml").write_text(deployment())
    assert due not in run_envc(root, "check", "dev").out


def test_argo_cd_finds_applications_as_the_layout_has_them(make_project: MakeProject) -> None:
    """A folder, a file, or one Application for all; paths are watched as narrowly as the layout allows."""
    root = make_project(FILES)
    commit(root)

    def application_set(layout: str) -> dict[str, Any]:
        (root / "envc.yaml").write_text(f"layout: {layout}\n")
        outcome = run_envc(root, "argocd", "appset", "--repo", "https://git.example.com/shop.git")
        assert outcome.code == 0, outcome.err
        spec: dict[str, Any] = load_all(outcome.out.encode(), "")[0]["spec"]
        return spec

    folders = application_set("resource")
    assert folders["generators"][0]["matrix"]["generators"][1]["git"]["directories"] == [
        {"path": "environments/{{ .env }}/*"}
    ]
    files = application_set("app")
    assert files["generators"][0]["matrix"]["generators"][1]["git"]["files"] == [
        {"path": "environments/{{ .env }}/*.yaml"}
    ]
    assert files["template"]["spec"]["source"]["path"] == "{{ .path.path }}"
    assert files["template"]["spec"]["source"]["directory"] == {"include": "{{ .path.filename }}"}
    whole = application_set("environment")
    assert [element["env"] for element in whole["generators"][0]["list"]["elements"]] == ["dev", "prod"]
    assert whole["template"]["spec"]["source"]["path"] == "environments/{{ .env }}"
    assert whole["template"]["metadata"]["name"] == "shop-{{ .env }}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_immutable_secret_is_compared_with_what_the_file_holds(make_project: MakeProject, layout: str) -> None:
    """Its keys stay, whatever else is in its file, and whichever layout the file before had."""
    sealed = (
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: token}\n"
        "spec: {encryptedData: {KEY: VALUE}, template: {immutable: true, metadata: {name: token}}}\n"
    ).replace("VALUE", "AgA" + "A" * 709)
    root = make_project({
        **FILES,
        "base/web/token.yaml": sealed,
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "envc.yaml": f"layout: {layout}\n",
    })
    outcome = run_envc(root, "build")
    assert outcome.code == 0, outcome.err
    (root / "base/web/token.yaml").write_text(sealed.replace("KEY:", "OTHER:"))
    refused = run_envc(root, "build")
    assert refused.code == 1
    assert "immutable" in refused.err
    (root / "envc.yaml").write_text("layout: resource\n")
    assert run_envc(root, "build").code == 1
