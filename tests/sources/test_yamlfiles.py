"""From the files of a folder to resources, and what is told about the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.sources.yamlfiles import app_of
from envcompile.yamlio.places import place
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT, complaint, read

if TYPE_CHECKING:
    from tests.sources.conftest import Write

PROD = {"overlays/prod/environment.yaml": ENVIRONMENT}


def test_documents_come_by_path_and_by_their_order_in_the_file(write: Write) -> None:
    """Empty documents count for the index and are left out."""
    root = write({
        **PROD,
        "base/b/x.yaml": f"---\n---\n{CONFIG_MAP}---\n# nothing\n---\n{CONFIG_MAP.replace('name: a', 'name: b')}",
        "base/a.json": '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "j"}}',
        "base/c.yml": CONFIG_MAP,
        "base/notes.txt": "not read",
    })
    base = read(root)["prod"].layers[0]
    assert [(doc.source.path, doc.index, doc.value["metadata"]["name"]) for doc in base.documents] == [
        ("base/a.json", 0, "j"),
        ("base/b/x.yaml", 1, "a"),
        ("base/b/x.yaml", 3, "b"),
        ("base/c.yml", 0, "a"),
    ]
    assert base.apps == {"base/a.json": "a", "base/b/x.yaml": "b", "base/c.yml": "c"}
    assert {document.layer for document in base.documents} == {"base"}


@pytest.mark.parametrize(
    ("path", "layer", "app"),
    [
        ("base/user-service/deep/x.yaml", "base", "user-service"),
        ("base/user-service.yaml", "base", "user-service"),
        ("overlays/prod/user-service.yaml", "overlays/prod", "user-service"),
        ("overlays/prod/user-service/x.yaml", "overlays/prod", "user-service"),
        ("overlays/prod/a.b.yaml", "overlays/prod", "a.b"),
    ],
)
def test_the_application_is_the_first_name_below_the_layer(path: str, layer: str, app: str) -> None:
    """A file and a folder of one name belong to one application."""
    assert app_of(path, layer) == app


def test_lists_are_taken_apart_and_keep_their_places(write: Write) -> None:
    """What `kubectl get -o yaml` prints is as good as single documents; typed lists may leave the kind out."""
    text = (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: one\n"
        "- apiVersion: v1\n  kind: ConfigMapList\n  items:\n  - metadata: {name: two}\n"
    )
    root = write({**PROD, "base/a.yaml": text})
    one, two = read(root)["prod"].layers[0].documents
    assert one.within == ("items", 0)
    assert (two.within, two.value) == (
        ("items", 1, "items", 0),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "two"}},
    )
    assert str(place(two, ("metadata", "name"))) == "base/a.yaml:11:22"


def test_a_custom_kind_that_ends_in_list_is_a_resource(write: Write) -> None:
    """Only a value without a name and with items is a list."""
    text = "apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: a}\nitems: [x]\n"
    (document,) = read(write({**PROD, "base/a.yaml": text}))["prod"].layers[0].documents
    assert document.value["items"] == ["x"]


def test_a_generated_name_is_a_name(write: Write) -> None:
    """The API server completes it."""
    text = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: job-}\n"
    assert len(read(write({**PROD, "base/a.yaml": text}))["prod"].layers[0].documents) == 1


def test_envcs_own_files_are_no_resources(write: Write) -> None:
    """Only directly in an overlay's folder: deeper they are files like others."""
    root = write({
        **PROD,
        "overlays/prod/sealed.yaml": "a/b/c: {}\n",
        "overlays/prod/sealed-secrets.pem": "",
        "overlays/prod/app/sealed.yaml": CONFIG_MAP,
        "base/environment.yaml": CONFIG_MAP,
    })
    environment = read(root)["prod"]
    assert [document.source.path for layer in environment.layers for document in layer.documents] == [
        "base/environment.yaml",
        "overlays/prod/app/sealed.yaml",
    ]
    assert set(environment.dependencies) == {
        "base/environment.yaml",
        "overlays/prod/app/sealed.yaml",
        "overlays/prod/environment.yaml",
        "overlays/prod/sealed-secrets.pem",
        "overlays/prod/sealed.yaml",
    }


def test_patches_are_told_from_resources(write: Write) -> None:
    """A Patch comes typed, with the document it was read from."""
    patch = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Deployment}\nmerge: {spec: {replicas: 2}}\n"
    overlay = read(write({**PROD, "overlays/prod/p.yaml": f"{patch}---\n{CONFIG_MAP}"}))["prod"].layers[1]
    ((document, typed),) = overlay.patches
    assert (document.source.path, document.index, typed.target.kind) == ("overlays/prod/p.yaml", 0, "Deployment")
    assert typed.merge == {"spec": {"replicas": 2}}
    assert [document.index for document in overlay.documents] == [1]


QUOTES = "put the value in quotes: YAML reads it as something other than text without them"
MISTAKES = {
    "list": (
        "- a\n",
        "document 1 is a list, not a resource",
        "1:1",
        "a resource is a map with apiVersion, kind and metadata",
    ),
    "text": (
        "text\n",
        "document 1 is a string, not a resource",
        "1:1",
        "a resource is a map with apiVersion, kind and metadata",
    ),
    "values": (
        "image: x\n",
        "document 1 is not a resource: it has no apiVersion, kind and metadata",
        "1:1",
        "envc reads every YAML and JSON file of base/ and overlays/: move it out",
    ),
    "no name": (
        f"{CONFIG_MAP}---\napiVersion: v1\nkind: X\nmetadata:\n  labels: {{}}\n",
        "document 2 has no metadata.name",
        "8:1",
        "add `name:`",
    ),
    "empty name": (
        "apiVersion: v1\nkind: X\nmetadata: {name: ''}\n",
        "`metadata.name` is empty",
        "3:18",
        "write a name",
    ),
    "no metadata": ("apiVersion: v1\nkind: X\n", "document 1 has no metadata", "1:1", "add `metadata:` with a name"),
    "metadata no map": (
        "apiVersion: v1\nkind: X\nmetadata: []\n",
        "`metadata` is not a map",
        "3:11",
        "add `metadata:` with a name",
    ),
    "no kind": ("apiVersion: v1\nmetadata: {name: a}\n", "document 1 has no kind", "1:1", "add `kind:`"),
    "no version": ("kind: X\nmetadata: {name: a}\n", "document 1 has no apiVersion", "1:1", "add `apiVersion:`"),
    "number as version": (
        "apiVersion: 1\nkind: X\nmetadata: {name: a}\n",
        "`apiVersion` is a number, but has to be a string",
        "1:13",
        QUOTES,
    ),
    "number as name": (
        "apiVersion: v1\nkind: X\nmetadata: {name: 12}\n",
        "`metadata.name` is a number, but has to be a string",
        "3:18",
        QUOTES,
    ),
    "number as namespace": (
        "apiVersion: v1\nkind: X\nmetadata: {name: a, namespace: 12}\n",
        "`metadata.namespace` is a number, but has to be a string",
        "3:32",
        QUOTES,
    ),
    "list as namespace": (
        "apiVersion: v1\nkind: X\nmetadata: {generateName: a, namespace: [b]}\n",
        "`metadata.namespace` is a list, but has to be a string",
        "3:40",
        "write one name",
    ),
    "item": (
        "apiVersion: v1\nkind: List\nitems:\n- a\n",
        "`items[0]` is a string, not a resource",
        "4:3",
        "a resource is a map with apiVersion, kind and metadata",
    ),
    "settings": (
        ENVIRONMENT,
        "document 1 holds the settings of an environment, which are not read here",
        "2:7",
        "settings belong into overlays/<environment>/environment.yaml",
    ),
}


@pytest.mark.parametrize(("text", "what", "at", "fix"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_document_that_is_no_resource_is_told(write: Write, text: str, what: str, at: str, fix: str) -> None:
    """Nothing in base or an overlay is passed over in silence."""
    assert complaint(write({**PROD, "base/a.yaml": text})) == f"error: {what}\n  --> base/a.yaml:{at}\nhint: {fix}"


@pytest.mark.parametrize("namespace", ["", "namespace: ''", "namespace: ~", "namespace: other"])
def test_a_namespace_may_be_left_out(write: Write, namespace: str) -> None:
    """Or be empty: the environment's is taken then."""
    text = f"apiVersion: v1\nkind: X\nmetadata: {{name: a, {namespace}}}\n"
    assert not complaint(write({**PROD, "base/a.yaml": text}))


def test_everything_wrong_in_all_layers_comes_in_one_run(write: Write) -> None:
    """Files that cannot be parsed are told together with files that can."""
    root = write({**PROD, "base/b.yaml": "a: b: c\n", "base/a.yaml": "text\n", "overlays/prod/x.yaml": "kind: X\n"})
    places = [line for line in complaint(root).splitlines() if line.startswith("  --> ")]
    assert places == [
        "  --> base/a.yaml:1:1",
        "  --> base/b.yaml:1:5",
        "  --> overlays/prod/x.yaml:1:1",
        "  --> overlays/prod/x.yaml:1:1",
    ]


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_kustomization_names_the_way_over(write: Write, name: str) -> None:
    """A kustomize project is taken over by one command."""
    expected = (
        "error: `{path}` is a kustomization, which envc does not read\n"
        "  --> {path}:1:1\n"
        "hint: take the whole project over with `envc init --from-kustomize DIR`, or remove the file"
    )
    root = write({**PROD, f"base/app/{name}": "resources: []\n"})
    assert complaint(root) == expected.format(path=f"base/app/{name}")


def test_an_untouched_kustomize_project_names_the_way_over(write: Write) -> None:
    """Overlays without environment.yaml are told as what they are."""
    root = write({"base/kustomization.yaml": "resources: []\n", "overlays/prod/kustomization.yaml": "resources: []\n"})
    fix = "hint: take the whole project over with `envc init --from-kustomize DIR`, or remove the file"
    assert complaint(root) == (
        "error: `base/kustomization.yaml` is a kustomization, which envc does not read\n"
        f"  --> base/kustomization.yaml:1:1\n{fix}\n\n"
        "error: `overlays/prod/kustomization.yaml` is a kustomization, which envc does not read\n"
        f"  --> overlays/prod/kustomization.yaml:1:1\n{fix}"
    )


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ('{"namespace": "shop-prod"}', "write `namespace: shop-prod` into environment.yaml"),
        ("{}", "envc has environment.yaml"),
    ],
)
def test_tankas_description_of_an_environment_is_no_resource(write: Write, spec: str, says: str) -> None:
    """Its `spec.json` beside `main.jsonnet` is refused with the place of what it says, not taken for a patch."""
    text = f'{{"apiVersion": "tanka.dev/v1alpha1", "kind": "Environment", "metadata": {{"name": "x"}}, "spec": {spec}}}'
    assert complaint(write({**PROD, "overlays/prod/spec.json": text})) == (
        "error: document 1 is Tanka's description of an environment, no resource\n"
        f"  --> overlays/prod/spec.json:1:1\nhint: {says}, and move this out of base/ and overlays/"
    )


def test_fluxs_kustomizations_are_resources(write: Write) -> None:
    """The file's name does not decide when its content is of another API."""
    text = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\n"
    assert len(read(write({**PROD, "base/kustomization.yaml": text}))["prod"].layers[0].documents) == 1


def test_a_helm_chart_is_told_once_and_its_templates_are_not_parsed(write: Write) -> None:
    """Templates are no YAML: reading them would give a message a line."""
    root = write({
        **PROD,
        "base/app/Chart.yaml": "name: app\n",
        "base/app/templates/x.yaml": "{{ .Values.x }}\n",
        "base/app/charts/sub/Chart.yaml": "name: sub\n",
    })
    assert complaint(root) == (
        "error: `base/app` is a Helm chart, and envc reads no templates\n"
        "  --> base/app/Chart.yaml:1:1\n"
        "hint: move it out, and put what `helm template app CHART` prints into base/app.yaml"
    )


def test_values_are_shared_between_environments(write: Write) -> None:
    """A base file is parsed once; its values are the same objects everywhere."""
    root = write({**PROD, "overlays/dev/environment.yaml": ENVIRONMENT, "base/a.yaml": CONFIG_MAP})
    environments = read(root)
    dev, prod = (environments[name].layers[0].documents[0] for name in ("dev", "prod"))
    assert dev.value is prod.value


@pytest.mark.parametrize(
    "path", ["base/a.YAML", "base/web/a.Yml", "overlays/prod/a.JSON", "overlays/prod/deep/a.Jsonnet", "base/a.b.yAML"]
)
def test_an_ending_in_another_case_is_told(write: Write, path: str) -> None:
    """Neither kubectl nor kustomize nor Argo CD reads such a file: nobody would miss it before it is missing."""
    stem, _, ending = path.rpartition(".")
    assert complaint(write({**PROD, path: CONFIG_MAP})) == (
        f"error: `{path}` is not read: the ending `.{ending}` is not in lower case\n"
        f"  --> {path}:1:1\n"
        f"hint: rename it to `{stem.rpartition('/')[2]}.{ending.lower()}`"
    )


def test_files_that_only_contain_a_known_ending_are_left_alone(write: Write) -> None:
    """Copies that editors and merges leave are no manifests."""
    names = ("a.yaml.bak", "a.yaml.orig", "a.yaml~", "a.json5", "notes.yaml.txt", "yaml", "YAML")
    assert not complaint(write({**PROD, **{f"base/{name}": "{" for name in names}}))
