"""What a person says of a chart that is brought over, and what names of files say; no helm is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcompile.adopt import Wishes
from envcompile.charts.adopting import find_chart, read_helm_wishes
from envcompile.charts.valuefiles import environments_of, read_values
from envcompile.errors import EnvcError, UsageError
from tests.harness.command import run_envc
from tests.harness.repository import write_files

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


def told(root: Path, files: list[str], *, skip: tuple[str, ...] = ()) -> tuple[dict[str, list[str]], str]:
    """The environments that names of files tell, and the notes on it."""
    write_files(root, {"Chart.yaml": CHART, "values.yaml": "a: 1\n", **dict.fromkeys(files, "a: 2\n")})
    notes: list[str] = []
    found = environments_of(root, root, Wishes(skip=skip), notes)
    return {name: [path.relative_to(root).as_posix() for path in paths] for name, paths in found.items()}, "\n".join(
        notes
    )


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (["values-dev.yaml", "values-prod.yaml"], {"dev": ["values-dev.yaml"], "prod": ["values-prod.yaml"]}),
        (["values.staging.yml", "prod-values.yaml"], {"prod": ["prod-values.yaml"], "staging": ["values.staging.yml"]}),
        (["values/test.yaml", "values/live.yaml"], {"test": ["values/test.yaml"], "live": ["values/live.yaml"]}),
        (["e/qa/values.yaml", "e/prod/values.yaml"], {"qa": ["e/qa/values.yaml"], "prod": ["e/prod/values.yaml"]}),
        (["values-eu-prod.yaml", "values-minimal.yaml"], {"eu-prod": ["values-eu-prod.yaml"]}),
        (["values-eu.yaml", "values-us.yaml"], {"eu": ["values-eu.yaml"], "us": ["values-us.yaml"]}),
        (["env/eu/values.yaml", "env/us/values.yaml"], {"eu": ["env/eu/values.yaml"], "us": ["env/us/values.yaml"]}),
        (
            ["values/common.yaml", "values/dev.yaml", "values/prod.yaml"],
            {name: ["values/common.yaml", f"values/{name}.yaml"] for name in ("dev", "prod")},
        ),
        (["values-common.yaml"], {"default": []}),
        (["values.lint.yaml", "v1.0-values.yaml", "examples/values-prod.yaml"], {"default": []}),
        (["ci/values-test.yaml", "templates/prod.yaml", "notes.yaml"], {"default": []}),
    ],
)  # fmt: skip
def test_names_of_files_tell_the_environments(tmp_path: Path, files: list[str], wanted: dict[str, list[str]]) -> None:
    """As people call them; the chart's own values and those it is tried with are none."""
    found, notes = told(tmp_path, files)
    assert found == wanted
    assert notes, "a guess is said"


def test_what_is_left_out_is_said_and_can_be_skipped(tmp_path: Path) -> None:
    """A file of values without a name of an environment is named with the option that takes it."""
    _, notes = told(tmp_path, ["values-prod.yaml", "values-minimal.yaml"])
    assert "values-minimal.yaml; `--env NAME=FILE` takes them" in notes
    assert "`--env NAME=values.yaml` adds one without it" in notes
    found, notes = told(tmp_path, [], skip=("values-minimal.yaml",))
    assert "values-minimal" not in notes
    assert found == {"prod": ["values-prod.yaml"]}


def test_a_chart_is_found_below_a_folder_and_its_dependencies_are_none(tmp_path: Path) -> None:
    """One chart stands for the folder above it; several are named, and a name of a repository leads to addresses."""
    write_files(tmp_path, {"deploy/web/Chart.yaml": CHART, "deploy/web/charts/redis/Chart.yaml": CHART})
    assert find_chart(tmp_path / "deploy") == tmp_path / "deploy/web"
    write_files(tmp_path, {"deploy/api/Chart.yaml": CHART, "empty/x.yaml": "a: 1\n"})
    for source, words in (
        (tmp_path / "deploy", "holds 2 charts"),
        (tmp_path / "empty", "holds no chart"),
        (Path("repo/web"), "`@ALIAS/NAME` of `helm repo add`"),
    ):
        with pytest.raises(UsageError) as refused:
            find_chart(source)
        assert words in f"{refused.value} {refused.value.problems[0].fix}"


def test_slips_of_options_are_told_together(tmp_path: Path) -> None:
    """Each with what would be right."""
    with pytest.raises(UsageError) as refused:
        read_helm_wishes(tmp_path, ["prod", "Prod=a.yaml", "prod=none.yaml"])
    assert [problem.what for problem in refused.value.problems] == [
        "`--env prod` is not NAME=FILE",
        "`Prod` is no name of an environment",
        "there is no file `none.yaml`",
    ]
    write_files(tmp_path, {"a.yaml": "a: 1\n"})
    with pytest.raises(UsageError, match="names no environment of `--env`"):
        read_helm_wishes(tmp_path, ["prod=a.yaml"], namespaces=["dev=x"])
    for words, what in (
        (("--from-helm", "a", "--from-kustomize", "b"), "--from-kustomize and --from-helm exclude each other"),
        (("--release", "x"), "are for charts"),
        (("--from-helm", "a", "--skip-broken"), "are for other sources than charts"),
    ):
        done = run_envc(tmp_path, "init", "new", *words)
        assert done.code == 2
        assert what in done.err


def test_values_are_a_map(tmp_path: Path) -> None:
    """Another file is refused by name; an empty one says nothing."""
    write_files(tmp_path, {"list.yaml": "- a\n", "empty.yaml": "# nothing\n"})
    with pytest.raises(EnvcError, match="holds no values"):
        read_values(tmp_path / "list.yaml")
    assert read_values(tmp_path / "empty.yaml") == {}
