"""What `envc convert` accepts, and what it says to everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.chart import parse_sources, read
from envcompile.errors import EnvcError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def _said(folder: Path, text: str, name: str = "a.yaml") -> str:
    """The whole message for a folder with one file of this text."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(EnvcError) as caught:
        read(parse_sources([str(folder)]), b"")
    return str(caught.value).replace(str(folder), "DIR")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: {{ .Values.x }}\n{{- if .Values.y }}\nb: 1\n{{- end }}\n",
            (
                "error: DIR/a.yaml is a Go template, as Helm charts hold it, not a manifest\n"
                "hint: render the chart first: `helm template CHART | envc convert - -o NEW`"
            ),
        ),
        (
            "{% for x in y %}\na: 1\n{% endfor %}\n",
            (
                "error: DIR/a.yaml is a Jinja template, not a manifest\n"
                "hint: render it with the tool it belongs to, then convert the result"
            ),
        ),
        (
            "services:\n  web: {image: nginx}\n",
            (
                "error: this is a Compose file, not a Kubernetes object\n  --> DIR/a.yaml:1:1\n"
                "hint: convert it first: `kompose convert`"
            ),
        ),
        (
            "- 1\n",
            (
                "error: this is not a Kubernetes object but a list\n  --> DIR/a.yaml:1:1\n"
                "hint: convert only the manifests, or add --skip-unknown"
            ),
        ),
        (
            "name: CI\non: [push]\n",
            (
                "error: this is not a Kubernetes object: it has neither apiVersion nor kind, "
                "its first keys are `name`, `true`\n"
                "  --> DIR/a.yaml:1:1\n"
                "hint: convert only the manifests, or leave such files out with --skip-unknown"
            ),
        ),
        (
            "apiVersion: v1\nmetadata: {name: a}\n",
            "error: this object has no kind\n  --> DIR/a.yaml:1:1\nhint: add its kind, a text",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {}\n",
            (
                "error: this Pod has no name\n  --> DIR/a.yaml:1:1\n"
                "hint: add metadata.name; a file that configures a tool is no manifest: leave it out "
                "with --skip-unknown"
            ),
        ),
        (
            "apiVersion: v1\nkind: Pod\nKind: Pod\nmetadata: {name: a}\n",
            (
                "error: the key `Kind` is not `kind`: Helm takes the two for one and fails\n  --> DIR/a.yaml:1:1\n"
                "hint: write `kind`"
            ),
        ),
        (
            "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: a}\nobjects: []\n",
            (
                "error: this is an OpenShift Template, not a resource\n  --> DIR/a.yaml:1:1\n"
                "hint: process it first: `oc process -f FILE -o yaml`"
            ),
        ),
        (
            "apiVersion: envcompile.dev/v1\nkind: Environment\n",
            (
                "error: this is a Environment of an envc project, not a resource\n  --> DIR/a.yaml:1:1\n"
                "hint: build the project: `envc build`"
            ),
        ),
    ],
    ids=["go", "jinja", "compose", "list", "workflow", "no-kind", "no-name", "case", "openshift", "envc"],
)
def test_what_is_no_manifest_is_told_what_it_is(text: str, message: str, tmp_path: Path) -> None:
    """And what to do with it instead."""
    assert _said(tmp_path, text) == message


def test_a_helm_chart_and_a_kustomize_folder_are_recognised(tmp_path: Path) -> None:
    """Wherever below the folder they are, all of them at once."""
    for name, file in (("chart", "Chart.yaml"), ("overlay", "kustomization.yaml")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("a: b\n", encoding="utf-8")
    assert _said(tmp_path, _CONFIG) == (
        "error: DIR/chart is a Helm chart already\n"
        "hint: render it first: `helm template DIR/chart | envc convert - -o CHART`\n\n"
        "error: DIR/overlay is a kustomize folder\n"
        "hint: build it first: `kustomize build DIR/overlay | envc convert - -o CHART`; "
        "for several environments, build each overlay into a folder of its own"
    )


def test_a_folder_without_manifests_is_an_error(tmp_path: Path) -> None:
    """An empty chart would surprise more."""
    assert _said(tmp_path, "x", "a.txt") == (
        "error: DIR holds no manifests\nhint: name a folder with .yaml, .yml or .json files"
    )


def test_what_is_unknown_can_be_left_out(tmp_path: Path) -> None:
    """With a warning that names it."""
    (tmp_path / "a.yaml").write_text(f"{_CONFIG}---\nfoo: bar\n", encoding="utf-8")
    found = read(parse_sources([str(tmp_path)]), b"", skip_unknown=True)
    assert len(found.resources["default"]) == 1
    assert found.warnings == (
        (
            f"{tmp_path}/a.yaml:5:1: left out, this is not a Kubernetes object: it has neither apiVersion nor kind, "
            "its first keys are `foo`"
        ),
    )


def test_several_environments_and_standard_input_are_read(tmp_path: Path) -> None:
    """Hidden folders are passed over, lists are taken apart, JSON is read."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text("- 1\n", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.json").write_text('{"apiVersion": "v1", "kind": "List", "items": []}', encoding="utf-8")
    (tmp_path / "a.yaml").write_text(_CONFIG, encoding="utf-8")
    found = read(parse_sources([f"dev={tmp_path}", "prod=-"]), _CONFIG.encode())
    assert {name: len(items) for name, items in found.resources.items()} == {"dev": 1, "prod": 1}


def test_repeated_keys_and_resources_are_warned_of(tmp_path: Path) -> None:
    """The last one wins, as with kubectl."""
    (tmp_path / "a.yaml").write_text(f"{_CONFIG}data: {{x: a, x: b}}\n---\n{_CONFIG}data: {{x: c}}\n", encoding="utf-8")
    found = read(parse_sources([str(tmp_path)]), b"")
    assert [value["data"] for _, value in found.resources["default"]] == [{"x": "c"}]
    assert len(found.warnings) == 2
    assert found.warnings[1] == (
        f"default: ConfigMap/a is more than once in {tmp_path}/a.yaml; the last one is taken "
        "(when each file is an environment of its own, write `ENV=FILE` for each)"
    )


def test_inputs_that_do_not_exist_or_do_not_fit_are_wrong_usage(tmp_path: Path) -> None:
    """All of them are told at once."""
    with pytest.raises(UsageError) as caught:
        parse_sources([str(tmp_path), "dev=nowhere", "a b=-"])
    assert [problem.what for problem in caught.value.problems] == [
        "`a b` cannot name an environment",
        "some inputs name their environment and others do not",
        "there is no file or folder `nowhere`",
    ]
