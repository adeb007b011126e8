"""The chart as somebody publishes it: what Chart.yaml says, what a chart around it may set, what people put beside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

DETAILS = """\
chart:
  name: shop
  version: 1.10.0-rc.1+b.7
  defaults: dev
  appVersion: "1.10"
  description: "A shop: with everything"
  kubeVersion: ">=1.30.0-0"
  type: application
  icon: https://example.com/icon.png
  home: https://example.com
  deprecated: true
  sources: [https://example.com/src]
  keywords: [shop, "on"]
  maintainers:
    - {name: Ann, email: ann@example.com}
    - {name: Bob, url: https://example.com/bob}
  annotations: {artifacthub.io/license: Apache-2.0, artifacthub.io/prerelease: "true"}
  dependencies:
    - name: redis
      version: ^1.0.0
      repository: oci://registry.example.com/charts
      condition: cache.enabled
      alias: cache
      tags: [backend]
      import-values: [data, {child: a, parent: b}]
"""


def project(make_project: MakeProject, settings: str) -> Path:
    """One service in two environments, with a chart."""
    return make_project({
        "envc.yaml": settings,
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\nreplicas: {web: 1}\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nreplicas: {web: 3}\n"),
    })


def read(path: Path) -> Any:
    """The one document of a file."""
    (document,) = load_all(path.read_bytes(), path.name)
    return document


def test_all_fields_of_chart_yaml_pass_through(make_project: MakeProject) -> None:
    """Case chart-cannot-be-published: each under its own name and with its own type."""
    root = project(make_project, DETAILS)
    assert run_envc(root, "build").code == 0
    told = read(root / "environments/chart/Chart.yaml")
    said = read(root / "envc.yaml")["chart"]
    assert said.pop("defaults") == "dev"
    assert told == {**said, "apiVersion": "v2"}
    assert 'version: "1.10.0-rc.1+b.7"\n' in (root / "environments/chart/Chart.yaml").read_text(encoding="utf-8")


def test_the_environment_whose_values_are_the_defaults_is_chosen_and_said(make_project: MakeProject) -> None:
    """Without a choice it is the last one in the order of promotion."""
    root = project(make_project, DETAILS)
    for settings, name, replicas in ((DETAILS, "dev", 1), (DETAILS.replace("  defaults: dev\n", ""), "prod", 3)):
        (root / "envc.yaml").write_text(settings, encoding="utf-8")
        assert run_envc(root, "build").code == 0
        assert read(root / "environments/chart/values.yaml")["web"]["replicas"] == replicas
        assert f"holds the values of `{name}`" in (root / "environments/chart/README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('version: "1.10"', "`chart.version` is `1.10`, which is no version of a chart"),
        ('version: "1"', "`chart.version` is `1`, which is no version of a chart"),
        ("version: abc", "`chart.version` is `abc`, which is no version of a chart"),
        ("version: 01.2.3", "`chart.version` is `01.2.3`, which is no version of a chart"),
        ("version: 1.2.3-01", "`chart.version` is `1.2.3-01`, which is no version of a chart"),
        ("version: v1.2.3", "`chart.version` is `v1.2.3`, which is no version of a chart"),
        ("name: ../x", "`chart.name` is `../x`, which cannot name a chart"),
        ("name: a b", "`chart.name` is `a b`, which cannot name a chart"),
        ("name: Shop_X", "`chart.name` is `Shop_X`, which cannot name a chart"),
        ("defaults: proud", "`chart.defaults` is `proud`, which is no environment"),
        ("type: library", "`chart.type` is `library`, but has to be application"),
    ],
)
def test_what_helm_would_not_take_is_an_error_at_its_place(make_project: MakeProject, line: str, what: str) -> None:
    """Case chart-cannot-be-published: Helm itself packages some of them under another version."""
    rest = "" if line.startswith("name") else "  name: shop\n"
    done = run_envc(project(make_project, f"chart:\n{rest}  {line}\n"), "build")
    assert (done.code, done.err.splitlines()[0]) == (1, f"error: {what}")
    assert f"envc.yaml:{3 if rest else 2}:" in done.err


def test_the_schema_lets_a_parent_chart_do_what_helm_does(make_project: MakeProject) -> None:
    """Case chart-refuses-to-be-a-dependency: its own globals, a condition, tags; all else stays closed."""
    root = project(make_project, DETAILS.replace("import-values: [data, ", "import-values: ["))
    assert run_envc(root, "build").code == 0
    schema = json.loads((root / "environments/chart/values.schema.json").read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    known = schema["properties"]
    assert known["global"]["additionalProperties"] is True
    assert "namespace" in known["global"]["properties"]
    assert (known["enabled"], known["tags"], known["cache"]) == (
        {"type": "boolean"},
        {"type": "object"},
        {"type": "object"},
    )
    assert known["web"]["additionalProperties"] is False


def test_files_that_people_put_into_the_chart_stay(make_project: MakeProject) -> None:
    """A test, a template, a fetched chart and a lock are nobody's but theirs."""
    root = project(make_project, DETAILS)
    assert run_envc(root, "build").code == 0
    own = {
        "templates/tests/ping.yaml": "kind: Pod\n",
        "templates/extra.yaml": "kind: ConfigMap\n",
        "charts/redis-1.0.0.tgz": "x",
        "Chart.lock": "dependencies: []\n",
    }
    for path, text in own.items():
        (root / "environments/chart" / path).parent.mkdir(exist_ok=True)
        (root / "environments/chart" / path).write_text(text, encoding="utf-8")
    assert run_envc(root, "build", "--check").code == 0
    (root / "envc.yaml").write_text(DETAILS.replace("1.10.0", "1.11.0"), encoding="utf-8")
    assert run_envc(root, "build").code == 0
    assert {path: (root / "environments/chart" / path).read_text(encoding="utf-8") for path in own} == own


def test_default_names_an_environment_like_any_other(tmp_path: Path) -> None:
    """Case convert-env-named-default: with others and alone; only names beside no names are wrong."""
    for name in ("default", "prod"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: {name}}}\n", encoding="utf-8"
        )
    first, last = f"default={tmp_path / 'default'}", f"prod={tmp_path / 'prod'}"
    done = run_envc(tmp_path, "convert", first, last, "-o", str(tmp_path / "out"), "--no-verify")
    assert done.code == 0, done.err
    assert (tmp_path / "out/values-default.yaml").is_file()
    assert (tmp_path / "out/values-prod.yaml").is_file()
    assert run_envc(tmp_path, "convert", first, "-o", str(tmp_path / "one"), "--no-verify").code == 0
    mixed = run_envc(tmp_path, "convert", first, str(tmp_path / "prod"), "-o", str(tmp_path / "two"), "--no-verify")
    assert mixed.code == 2
    assert "some inputs name their environment and others do not" in mixed.err
