"""Where a project begins, and which environments it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile import sources
from envcompile.errors import EXIT_USAGE, EnvcError, UsageError
from envcompile.sources import find_root, read_project
from envcompile.sources.tree import WorkingTree
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT, complaint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.conftest import Write


def test_the_root_is_found_from_any_folder_inside(write: Write) -> None:
    """`envc build` works wherever the user stands."""
    root = write({"envc.yaml": "", "overlays/prod/app/base/x.yaml": "", "other/deep/x": ""})
    for folder in (root, root / "overlays/prod/app/base", root / "other/deep"):
        assert find_root(folder) == root


def test_the_root_needs_no_project_file(write: Write) -> None:
    """`base/` and `overlays/` are enough; a folder that happens to be called base inside of them does not count."""
    root = write({"base/a/x.yaml": "", "overlays/prod/base/x.yaml": ""})
    assert find_root(root / "overlays/prod/base") == root


def test_no_project_is_wrong_usage(tmp_path: Path) -> None:
    """The message says what a project is and how to get one."""
    with pytest.raises(UsageError) as error:
        find_root(tmp_path)
    assert str(error.value) == (
        f"error: `{tmp_path}` is in no project: neither it nor a folder above holds base/, overlays/ or envc.yaml\n"
        "hint: name the project with `--project DIR`, or create one with `envc init`"
    )


def test_environments_come_in_promotion_order_then_by_name(write: Write) -> None:
    """Abstract folders and plain layers are no environments."""
    root = write({
        "envc.yaml": "environments: [test, prod]\n",
        **{f"overlays/{name}/environment.yaml": ENVIRONMENT for name in ("prod", "dev", "test", "blue")},
        "overlays/nonprod/environment.yaml": f"{ENVIRONMENT}abstract: true\n",
        "overlays/README.md": "",
        "overlays/docs/README.md": "",
    })
    assert read_project(WorkingTree(root)).environments == ("test", "prod", "blue", "dev")


def test_a_project_without_overlays_has_no_environments(write: Write) -> None:
    """Reading it is fine; building it is not."""
    project = read_project(WorkingTree(write({"base/a.yaml": CONFIG_MAP})))
    assert project.environments == ()
    with pytest.raises(UsageError) as error:
        project.choose([])
    assert str(error.value) == (
        "error: this project has no environment: no folder below overlays/ holds an environment.yaml\n"
        "hint: `envc init` creates one"
    )


def test_choosing_keeps_the_projects_order_and_takes_folders_too(write: Write) -> None:
    """Shell completion gives `overlays/prod/`; it is prod."""
    root = write({
        "envc.yaml": "environments: [dev, prod]\n",
        **{f"overlays/{name}/environment.yaml": ENVIRONMENT for name in ("prod", "dev")},
    })
    project = read_project(WorkingTree(root))
    assert project.choose([]) == ("dev", "prod")
    assert project.choose(["prod", "dev", "prod"]) == ("dev", "prod")
    assert project.choose(["overlays/prod/"]) == ("prod",)
    assert project.choose(["environments/dev"]) == ("dev",)


def test_an_unknown_environment_is_wrong_usage(write: Write) -> None:
    """All unknown names are told, with the nearest."""
    root = write({f"overlays/{name}/environment.yaml": ENVIRONMENT for name in ("prod", "staging")})
    project = read_project(WorkingTree(root))
    with pytest.raises(UsageError) as error:
        project.choose(["stagin", "prod", "xyz"])
    assert error.value.exit_code == EXIT_USAGE
    assert str(error.value) == (
        "error: there is no environment `stagin`\n"
        "hint: did you mean `staging`?\n"
        "\n"
        "error: there is no environment `xyz`\n"
        "hint: environments are prod, staging"
    )


def test_names_that_cannot_be_environments(write: Write) -> None:
    """Names become folders, labels and chart files."""
    assert complaint(
        write({"overlays/chart/environment.yaml": ENVIRONMENT, "overlays/Prod_1/environment.yaml": ENVIRONMENT})
    ) == (
        "error: `Prod_1` cannot name an environment\n"
        "  --> overlays/Prod_1/environment.yaml:1:1\n"
        "hint: rename the folder: lower-case letters, digits and `-`, at most 63 characters\n"
        "\n"
        "error: `chart` cannot name an environment: environments/chart is the Helm chart\n"
        "  --> overlays/chart/environment.yaml:1:1\n"
        "hint: rename the folder"
    )


def test_the_promotion_order_names_environments_only(write: Write) -> None:
    """A name that is misspelt, abstract or given twice is told with its place."""
    root = write({
        "envc.yaml": "environments: [nonprod, prd]\n",
        "overlays/nonprod/environment.yaml": f"{ENVIRONMENT}abstract: true\n",
        "overlays/prod/environment.yaml": ENVIRONMENT,
    })
    assert complaint(root) == (
        "error: `environments` names `nonprod`, which is abstract: it is only extended\n"
        "  --> envc.yaml:1:16\n"
        "hint: take the name out\n"
        "\n"
        "error: `environments` names `prd`, but there is no overlays/prd/environment.yaml\n"
        "  --> envc.yaml:1:25\n"
        "hint: did you mean `prod`?"
    )
    write({"envc.yaml": "environments: [prod, prod]\n"})
    assert complaint(root) == (
        "error: `environments` names `prod` twice\n"
        "  --> envc.yaml:1:22\n"
        "hint: keep the first: the order is the promotion order"
    )


def test_an_environment_whose_settings_are_wrong_is_told_once(write: Write) -> None:
    """The order in envc.yaml does not complain about it a second time."""
    root = write({
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": f"{ENVIRONMENT}rollout: x\n",
    })
    assert complaint(root).count("error:") == 1


def test_folders_and_files_that_nothing_reads_are_told(write: Write) -> None:
    """A forgotten environment.yaml is not a build without that environment."""
    root = write({
        "overlays/prod/environment.yaml": ENVIRONMENT,
        "overlays/dev/a.yaml": CONFIG_MAP,
        "overlays/test/environment.yml": ENVIRONMENT,
        "overlays/stray.yaml": CONFIG_MAP,
    })
    assert complaint(root) == (
        "error: `overlays/dev` has no environment.yaml and no environment extends it\n"
        "  --> overlays/dev/a.yaml:1:1\n"
        "hint: add one, or list the folder in `extends` of an environment\n"
        "\n"
        "error: `overlays/stray.yaml` belongs to no environment\n"
        "  --> overlays/stray.yaml:1:1\n"
        "hint: move it into overlays/<environment>/, or into base/<app>/\n"
        "\n"
        "error: `overlays/test` has no environment.yaml and no environment extends it\n"
        "  --> overlays/test/environment.yml:1:1\n"
        "hint: rename overlays/test/environment.yml"
    )


def test_crds_are_read_from_files_and_folders(write: Write) -> None:
    """Definitions that only tell envc about kinds need not be deployed."""
    definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: %s}\n"
    root = write({
        "envc.yaml": "crds: [crds, more/one.yaml]\n",
        "crds/a.yaml": definition % "a",
        "crds/README.md": "",
        "more/one.yaml": definition % "b",
        "more/two.yaml": definition % "c",
    })
    project = read_project(WorkingTree(root))
    values = project.crd_documents(sources.new_parsed_files())
    assert [value["metadata"]["name"] for value in values] == ["a", "b"]


def test_a_missing_crd_path_is_told(write: Write) -> None:
    """A mistyped path would silently change how lists merge."""
    root = write({"envc.yaml": "crds:\n- crd/a.yaml\n- ../other\n", "crds/a.yaml": ""})
    project = read_project(WorkingTree(root))
    with pytest.raises(EnvcError) as error:
        project.crd_documents(sources.new_parsed_files())
    assert str(error.value) == (
        "error: `crds` names `crd/a.yaml`, where there is no YAML or JSON file\n"
        "  --> envc.yaml:2:3\n"
        "hint: did you mean `crds/a.yaml` or `envc.yaml`?\n"
        "\n"
        "error: `crds` names `../other`, where there is no YAML or JSON file\n"
        "  --> envc.yaml:3:3\n"
        "hint: paths start at the project's root"
    )


@pytest.mark.parametrize("name", ["envc.yml", "envc.json"])
def test_a_misspelt_project_file_is_told(write: Write, name: str) -> None:
    """Its settings would not count, and nobody would know."""
    root = write({"overlays/prod/environment.yaml": ENVIRONMENT, name: "{}"})
    assert complaint(root) == (
        f"error: `{name}` is not read: the project's settings are `envc.yaml`\n"
        f"  --> {name}:1:1\n"
        "hint: rename it to `envc.yaml`"
    )
    assert not complaint(write({"envc.yaml": "{}"}))


def test_an_environment_file_in_another_case_is_told(write: Write) -> None:
    """Without it the folder would be no environment at all."""
    root = write({"overlays/prod/environment.YAML": ENVIRONMENT, "overlays/test/environment.yaml": ENVIRONMENT})
    assert complaint(root) == (
        "error: `overlays/prod` has no environment.yaml and no environment extends it\n"
        "  --> overlays/prod/environment.YAML:1:1\n"
        "hint: rename overlays/prod/environment.YAML"
    )


@pytest.mark.parametrize("exclusion", ["{}", "{ }\n- {kind: Job}"])
def test_an_empty_exclusion_is_told(write: Write, exclusion: str) -> None:
    """Every field of an exclusion that is left out matches all, so it would leave out everything."""
    root = write({"overlays/prod/environment.yaml": f"{ENVIRONMENT}exclude:\n- {exclusion}\n"})
    assert complaint(root) == (
        "error: `exclude[0]` is empty, which would leave out every resource\n"
        "  --> overlays/prod/environment.yaml:4:3\n"
        "hint: name what is left out, such as `{kind: Deployment, name: debug-*}`, or take the entry out"
    )
