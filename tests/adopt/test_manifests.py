"""Which environments a folder of manifests holds, and what is no manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.adopt.manifests import read_manifests
from envcompile.errors import EnvcError, UsageError

if TYPE_CHECKING:
    from tests.adopt.conftest import Write


def service(name: str, port: int = 80, namespace: str = "") -> str:
    """A Service as YAML."""
    place = f", namespace: {namespace}" if namespace else ""
    head = f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}{place}}}\n"
    return f"{head}spec:\n  ports: [{{name: http, port: {port}}}]\n"


def found(source: Path) -> dict[str, list[str]]:
    """The names of objects by environment."""
    return {
        environment.name: [existing.value["metadata"]["name"] for existing in environment.objects]
        for environment in read_manifests(source).environments
    }


def test_files_with_the_same_objects_are_environments(write: Write) -> None:
    """`dev.yaml` and `prod.yaml` are environments, in the order in which changes travel."""
    source = write({"prod.yaml": service("web"), "dev.yaml": service("web", 81), "Staging_EU.yaml": service("web", 82)})
    assert found(source) == {"dev": ["web"], "staging-eu": ["web"], "prod": ["web"]}
    assert read_manifests(source).notes == (
        "`Staging_EU` is called `staging-eu`: names of environments are lower-case letters, digits and `-`",
    )


def test_folders_with_the_same_objects_are_environments(write: Write) -> None:
    """`dev/` and `prod/` are environments, also one level down and with different namespaces."""
    source = write({
        "k8s/dev/web.yaml": service("web", namespace="dev"),
        "k8s/dev/db.yaml": service("db", namespace="dev"),
        "k8s/prod/all.yaml": f"{service('web', namespace='prod')}---\n{service('db', namespace='prod')}",
    })
    assert found(source) == {"dev": ["db", "web"], "prod": ["web", "db"]}


def test_files_without_common_objects_are_one_environment(write: Write) -> None:
    """A flat set of manifests is one environment, and the assumption is said."""
    source = write({"web.yaml": service("web"), "db.yaml": service("db")})
    assert found(source) == {"default": ["db", "web"]}
    (note,) = read_manifests(source).notes
    assert note == (
        "no two entries of old hold the same objects: all of it is one environment, `default`; `--env NAME=PATH` "
        "says otherwise"
    )


def test_a_single_file_names_its_environment(write: Write) -> None:
    """`prod.yaml` alone is the environment prod, whether the file or its folder is named."""
    source = write({"prod.yaml": service("web")})
    assert found(source) == {"prod": ["web"]}
    assert found(source / "prod.yaml") == {"prod": ["web"]}


def test_a_namespace_in_every_file_makes_no_environments(write: Write) -> None:
    """Parts of one whole may all begin with the Namespace they live in; exact repeats count once."""
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
    source = write({"web.yaml": namespace + service("web"), "db.yaml": namespace + service("db")})
    assert found(source) == {"default": ["shop", "db", "web"]}


def test_lists_are_taken_apart(write: Write) -> None:
    """What `kubectl get -o yaml` prints is its items."""
    items = "".join("- " + service(name).replace("\n", "\n  ").rstrip() + "\n" for name in ("web", "db"))
    source = write({"prod.yaml": f"apiVersion: v1\nkind: List\nitems:\n{items}"})
    assert found(source) == {"prod": ["web", "db"]}


def test_files_without_objects_are_left_out_and_named(write: Write) -> None:
    """Settings of other tools beside the manifests do no harm and are no secret."""
    source = write({"prod.yaml": service("web"), "values.yaml": "replicas: 3\n", "x.jsonnet": "{}", "README.md": "hi"})
    assert found(source) == {"default": ["web"]}
    assert read_manifests(source).notes == (
        "left out old/values.yaml: it holds no Kubernetes objects",
        "left out old/x.jsonnet: it is jsonnet; copy it into base/ yourself",
    )


def message(source: Path) -> str:
    """What is said about a source that cannot be read."""
    with pytest.raises(EnvcError) as caught:
        read_manifests(source)
    return str(caught.value)


def test_a_chart_is_refused_with_the_way_to_render_it(write: Write) -> None:
    """Helm templates are not manifests."""
    source = write({"web/Chart.yaml": "name: web\n", "web/templates/a.yaml": "a: {{ .Values.a }}\n", "b.yaml": ""})
    assert message(source).startswith(
        "error: `old/web` is a Helm chart, and envc reads no templates\n"
        "  --> old/web/Chart.yaml:1:1\n"
        "hint: bring it over with `envc init NEW --from-helm old/web`; or render it for each environment, `helm "
        "template NAME CHART -f VALUES > DIR/<environment>.yaml`, and give that folder to --from-manifests"
    )


def test_a_template_is_refused_at_its_line(write: Write) -> None:
    """A template without its chart is found by its braces."""
    source = write({"prod.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n"})
    first, place, _ = message(source).splitlines()
    assert first == "error: the file is a Helm template, not plain YAML"
    assert place.startswith("  --> old/prod.yaml:4:")


def test_a_kustomization_is_sent_to_the_other_option(write: Write) -> None:
    """Kustomizations must be rendered."""
    source = write({"kustomization.yaml": "resources: [web.yaml]\n", "web.yaml": service("web")})
    assert message(source) == (
        "error: `old/kustomization.yaml` is a kustomization, which envc does not read\n"
        "  --> old/kustomization.yaml:1:1\n"
        "hint: take the whole project over with `envc init --from-kustomize DIR`, or remove the file"
    )


def test_two_objects_of_one_name_are_refused_with_both_places(write: Write) -> None:
    """A cluster cannot hold both, so it is not decided silently which one counts."""
    source = write({"prod.yaml": f"{service('web')}---\n{service('web', 81)}"})
    assert message(source) == (
        "error: environment prod: Service/web is defined twice, and differently\n"
        "  --> old/prod.yaml:1:1\n"
        "  --> old/prod.yaml:7:1\n"
        "hint: keep one of them: a cluster holds only one object of this name"
    )


def test_an_object_without_a_name_is_refused_at_its_place(write: Write) -> None:
    """What looks like an object must be one."""
    source = write({"prod.yaml": "apiVersion: v1\nkind: Service\nmetadata: {}\n"})
    assert message(source) == ("error: document 1 has no metadata.name\n  --> old/prod.yaml:3:1\nhint: add `name:`")


def test_a_namespace_that_is_no_text_is_refused(write: Write) -> None:
    """YAML reads `on` as true, which names no namespace."""
    source = write({"prod.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: on}\n"})
    assert message(source) == (
        "error: `metadata.namespace` is true or false, but has to be a string\n"
        "  --> old/prod.yaml:3:34\n"
        "hint: put the value in quotes: YAML reads it as something other than text without them"
    )


def test_sources_of_envc_are_refused(write: Write) -> None:
    """The way in is for those who are out."""
    patch = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Service}\nmerge: {spec: {}}\n"
    source = write({"prod.yaml": patch})
    assert message(source) == (
        "error: a `kind: Patch` of envc is no object of a cluster\n"
        "  --> old/prod.yaml:1:1\n"
        "hint: the manifests come from an envc repository: give the files of its environments/"
    )


def test_an_empty_folder_is_refused(write: Write) -> None:
    """Nothing comes of nothing."""
    source = write({"README.md": "hi"})
    assert message(source) == (
        "error: `old` holds no Kubernetes manifests\nhint: name a folder with .yaml, .yml or .json files of resources"
    )


def test_a_missing_folder_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the path is said before anything else."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_manifests(Path("old"))
    assert str(caught.value) == "error: `old` does not exist\nhint: name the folder with the manifests"
