"""Environments side by side: which rows there are, and which differences are on purpose; counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.matrix import matrix, narrowed
from envcompile.actions.matrix_columns import columns
from envcompile.errors import UsageError
from envcompile.units.project import Project
from tests.harness.repository import config_map, deployment, environment, write_files

if TYPE_CHECKING:
    from envcompile.actions.matrix import Matrix, Row

SHOP = Path(__file__).parents[2]
NAMES = ("dev", "test", "staging", "prod")
NAMESPACES = {"dev": "development", "test": "testing", "staging": "staging", "prod": "production"}


def side_by_side(root: Path, **options: Any) -> Matrix:
    """The matrix of all environments, which are in alphabetical order unless envc.yaml says more."""
    return matrix(columns(Project.open(root), with_history=False), **options)


def project(root: Path, files: dict[str, str]) -> Path:
    """Four environments over a Deployment and a ConfigMap."""
    every = {f"overlays/{name}/environment.yaml": environment(f"namespace: {NAMESPACES[name]}\n") for name in NAMES}
    order = "environments: [dev, test, staging, prod]\n"
    return write_files(
        root / "project",
        {
            "envc.yaml": order,
            "base/web.yaml": deployment(),
            "base/map.yaml": config_map("map", a="1"),
            **every,
            **files,
        },
    )


def patch_of_map(**data: str) -> str:
    """A file of an overlay about the ConfigMap."""
    return config_map("map", **data)


def row(found: Matrix, field: str) -> Row:
    """The row of a field."""
    return next(row for row in found.rows if row.field == field)


def shown(found: Matrix) -> dict[str, list[Any]]:
    """Field -> values, `-` for what is not there."""
    return {row.field: [cell.value if cell.is_there else "-" for cell in row.cells] for row in found.rows}


def test_only_what_differs_has_a_row(tmp_path: Path) -> None:
    """Columns in promotion order; values that are equal have none, nor has the namespace."""
    root = project(tmp_path, {"overlays/prod/web.yaml": deployment(replicas=3)})
    found = side_by_side(root)
    assert [each.environment for each in found.environments] == list(NAMES)
    assert shown(found) == {"spec.replicas": [1, 1, 1, 3]}
    assert [cell.layer.name if cell.layer else "" for cell in row(found, "spec.replicas").cells] == [
        "base",
        "base",
        "base",
        "prod",
    ]
    assert str(row(found, "spec.replicas").cells[3].place) == "overlays/prod/web.yaml:6:13"
    assert row(found, "spec.replicas").cells[3].was == 1
    assert found.consistency == 100
    assert found.own[0].values == ("development", "testing", "staging", "production")


def test_a_value_that_names_another_environment_is_not_on_purpose(tmp_path: Path) -> None:
    """Each one's own host is folded; a copied one is flagged, alone of its row."""
    hosts = {name: f"redis.{NAMESPACES[name]}.svc" for name in NAMES}
    files = {f"overlays/{name}/map.yaml": patch_of_map(host=host) for name, host in hosts.items()}
    assert shown(side_by_side(project(tmp_path, files))) == {}
    files["overlays/staging/map.yaml"] = patch_of_map(host="redis.testing.svc")
    found = side_by_side(project(tmp_path, files))
    assert [(cell.environment, cell.why) for cell in row(found, "data.host").cells if cell.flag] == [
        ("staging", "names testing, another environment")
    ]
    assert found.consistency == 0


def test_a_key_that_one_environment_lacks_is_not_on_purpose(tmp_path: Path) -> None:
    """Three files say it, the fourth forgot it; when a file takes it away there, that is stated."""
    files = {f"overlays/{name}/map.yaml": patch_of_map(size=name * 2) for name in ("dev", "test", "prod")}
    found = side_by_side(project(tmp_path, files))
    assert [(cell.environment, cell.flag) for cell in row(found, "data.size").cells if cell.flag] == [
        ("staging", "missing")
    ]
    with_default = {"base/map.yaml": config_map("map", a="1", size="0")}
    removed = config_map("map").replace("data:\n", "data:\n  size: null\n")
    files |= {**with_default, "overlays/staging/map.yaml": removed}
    found = side_by_side(project(tmp_path, files))
    assert shown(found)["data.size"] == ["devdev", "testtest", "-", "prodprod"]
    assert found.consistency == 100
    assert str(row(found, "data.size").cells[2].place).startswith("overlays/staging/map.yaml:")


def test_what_one_overlay_adds_is_on_purpose(tmp_path: Path) -> None:
    """In one environment by its own file, or in all but one by a file that they share."""
    shared = {
        "overlays/nonprod/environment.yaml": environment("abstract: true\n"),
        "overlays/nonprod/map.yaml": patch_of_map(debug="much"),
        "overlays/prod/map.yaml": patch_of_map(extra="more"),
    }
    for name in ("dev", "test", "staging"):
        shared[f"overlays/{name}/environment.yaml"] = environment(
            f"namespace: {NAMESPACES[name]}\nextends: [../nonprod]\n"
        )
    found = side_by_side(project(tmp_path, shared))
    assert shown(found) == {"data.debug": ["much", "much", "much", "-"], "data.extra": ["-", "-", "-", "more"]}
    assert row(found, "data.debug").cells[0].layer == ("nonprod", "shared")
    assert found.consistency == 100


def test_structure_is_one_row(tmp_path: Path) -> None:
    """A part that some lack is told as a whole; what differs within it among the others keeps its rows."""
    probe = deployment().replace(
        "image: nginx:1.27", "image: nginx:1.27\n        livenessProbe: {httpGet: {path: /%s, port: 80}}"
    )
    files = {f"overlays/{name}/web.yaml": probe % name for name in ("dev", "test", "prod")}
    found = side_by_side(project(tmp_path, files))
    part = row(found, "spec.template.spec.containers[name=web].livenessProbe")
    assert [cell.fields for cell in part.cells] == [2, 2, 0, 2]
    assert [cell.environment for cell in part.cells if cell.flag] == ["staging"]
    path = row(found, f"{part.field}.httpGet.path")
    assert [cell.flag for cell in path.cells] == ["", "", "", ""], "told once"
    assert not any(row.field.endswith("httpGet.port") for row in found.rows)


def test_a_resource_that_some_lack_is_one_row(tmp_path: Path) -> None:
    """Not one a field; and what the others differ in besides is told."""
    files = {f"overlays/{name}/extra.yaml": config_map("extra", a=name * 3) for name in ("dev", "test", "prod")}
    found = side_by_side(project(tmp_path, files))
    whole = row(found, "(the resource)")
    assert [cell.is_there for cell in whole.cells] == [True, True, False, True]
    assert [cell.environment for cell in whole.cells if cell.flag] == ["staging"]
    assert shown(found)["data.a"] == ["devdevdev", "testtesttest", "-", "prodprodprod"]
    assert [cell.flag for cell in row(found, "data.a").cells] == ["", "", "", ""]
    assert found.consistency == 50


def test_labels_of_settings_are_told_once(tmp_path: Path) -> None:
    """At the head, and on no row; a label of a file is a row."""
    files = {
        f"overlays/{name}/environment.yaml": environment(f"namespace: {name}\nlabels: {{tier: {name * 2}}}\n")
        for name in NAMES
    }
    label = deployment().replace("  name: web\n", "  name: web\n  labels: {colour: red}\n", 1)
    found = side_by_side(project(tmp_path, {**files, "overlays/prod/web.yaml": label}))
    assert [fact.setting for fact in found.own] == ["namespace", "labels.tier"]
    assert shown(found) == {"metadata.labels.colour": ["-", "-", "-", "red"]}


def test_rows_are_chosen_by_application_and_kind() -> None:
    """In the shop; an application that is none is refused with the nearest one."""
    every = columns(Project.open(SHOP), with_history=False)
    found = matrix(every, apps=["user-service"], fields=["image", "replicas"])
    assert {service.app for service in found.services} == {"user-service"}
    assert {row.kind for row in found.rows} == {"image", "replicas"}
    with pytest.raises(UsageError, match="no application `user-servic`"):
        matrix(every, apps=["user-servic"])
    with pytest.raises(UsageError, match="nothing beside it"):
        matrix(every[:1])


def test_the_shops_percentage_is_its_rows() -> None:
    """By service and in all, from the same rows; a derived value is none of them."""
    found = side_by_side(SHOP)
    flagged = [row for row in found.rows if any(cell.flag for cell in row.cells)]
    assert [(row.resource.short, row.field) for row in flagged] == [
        ("StatefulSet/redis", "spec.template.spec.tolerations")
    ]
    assert found.consistency == pytest.approx(100 * (len(found.rows) - 1) / len(found.rows))
    assert sum(service.on_purpose for service in found.services) == len(found.rows) - 1
    assert not any(cell.layer and cell.layer.kind == "derived" for row in found.rows for cell in row.cells)


@pytest.mark.parametrize("fields", [("all",), ("image",), ("replicas",), ("config", "hosts"), ("resources",)])
@pytest.mark.parametrize("apps", [(), ("user-service",), ("app", "video-api")])
def test_a_part_of_everything_is_what_is_asked_for_alone(apps: tuple[str, ...], fields: tuple[str, ...]) -> None:
    """Of the shop: rows, their order, what is folded, and the percentage."""
    environments = columns(Project.open(SHOP), with_history=False)
    whole = matrix(environments)
    wanted = tuple(app for app in apps if app in {service.app for service in whole.services})
    alone, part = (
        matrix(environments, apps=wanted, fields=fields),
        narrowed(whole, apps=wanted, fields=fields),
    )
    assert part == alone
    assert part.consistency == alone.consistency
    with pytest.raises(UsageError, match="there is no application `nobody`"):
        narrowed(whole, apps=["nobody"])


def test_the_word_of_another_environment_is_copied_where_all_others_say_their_own(tmp_path: Path) -> None:
    """A profile that stands alone; with a parameter the environment says that it is its own."""
    said = {f"overlays/{name}/map.yaml": patch_of_map(profile=name) for name in NAMES}
    files = {**said, "overlays/prod/map.yaml": patch_of_map(profile="staging")}
    found = row(side_by_side(project(tmp_path / "copied", files)), "data.profile")
    assert [cell.flag for cell in found.cells] == ["", "", "", "foreign"]
    assert found.cells[-1].why == "is staging's own word; every other environment says its own"
    stated = environment("namespace: production\nparams: {profile: staging}\n")
    root = project(tmp_path / "stated", {**files, "overlays/prod/environment.yaml": stated})
    assert row(side_by_side(root), "data.profile").is_on_purpose
    two = {**files, "overlays/dev/map.yaml": patch_of_map(profile="debug")}
    assert row(side_by_side(project(tmp_path / "two", two)), "data.profile").is_on_purpose
    every = project(tmp_path / "every", said)
    assert "data.profile" not in shown(side_by_side(every))
