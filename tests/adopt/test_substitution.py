"""Variables that Flux fills in: what the real one answers, and what becomes of them in the new repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile import yamlio
from envcompile.adopt.adoption import adopt
from envcompile.adopt.envsubst import BadSubstitutionError, Variables, substituted
from envcompile.adopt.existing import Existing
from envcompile.adopt.kustomizations import read_kustomizations
from envcompile.adopt.substitution import as_flux_applies
from envcompile.model import Location
from envcompile.values import same
from tests.adopt.test_gitops import flux

if TYPE_CHECKING:
    from tests.adopt.conftest import Write

RECORDED = json.loads((Path(__file__).parent / "flux_answers.json").read_text(encoding="utf-8"))
TEXTS = [row for row in RECORDED["rows"] if "text" in row]
OBJECTS = [row for row in RECORDED["rows"] if "values" in row]
KUBERNETES = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def filled(values: list[str], variables: Variables) -> tuple[Any, list[str]]:
    """What becomes of three texts in an object, and what is noted."""
    value = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
        "data": {"k0": values[0], "k1": values[1]}, "n": values[2:],
    }  # fmt: skip
    notes: list[str] = []
    (found,) = as_flux_applies([Existing(value, Location("x", 1, 1))], variables, "x", notes)
    return [*found.value["data"].values(), *found.value["n"]], notes


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: ascii(row["text"]))
def test_texts_become_what_flux_makes_of_them(row: dict[str, Any]) -> None:
    """Defaults, parts, replaced words, and what it refuses."""
    variables = Variables(RECORDED["vars"])
    if row.get("refused"):
        with pytest.raises(BadSubstitutionError):
            substituted(row["text"], variables)
    else:
        assert substituted(row["text"], variables) == row["becomes"]


@pytest.mark.parametrize("row", OBJECTS, ids=lambda row: ascii(row["values"]))
def test_objects_become_what_flux_applies(row: dict[str, Any]) -> None:
    """A value is read anew as YAML: it may become a number or a map; what cannot be read stays, and is said."""
    found, notes = filled(row["values"], Variables(row["vars"]))
    if row.get("refused"):
        assert found == row["values"]
        assert notes[0].startswith("x: Flux cannot fill in ConfigMap/x, which stays as it is: ")
    else:
        assert same(found, row["becomes"])
        assert notes == []


def test_what_only_the_cluster_knows_stays_as_it_is_written() -> None:
    """A default counts, since nothing says otherwise."""
    variables = Variables({"A": "1"}, ("Secret/x",))
    assert substituted("${A} ${B} ${C:=d} ${E^^}", variables) == "1 ${B} d ${E^^}"


def test_objects_may_be_left_alone_and_names_may_be_wrong() -> None:
    """The label or annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`; `my-name` is no variable."""
    value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "labels": {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}},
        "data": {"a": "${A}"},
    }
    existing = Existing(value, Location("x", 1, 1))
    assert as_flux_applies([existing], Variables({"A": "1"}), "x", []) == [existing]
    notes: list[str] = []
    as_flux_applies([existing], Variables({"my-name": "1"}), "x", notes)
    assert notes == ["x: Flux takes no variables called my-name, and fills in none"]


def holder(name: str, data: str, kind: str = "ConfigMap") -> str:
    """A ConfigMap or Secret with variables."""
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{data}\n"


WEB = """\
# The web server
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${REPLICAS:=2}   # one suffices for tests
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: ghcr.io/acme/web:${TAG:-1.4.2}
          command: ["sh", "-c", "echo $${HOME} ${CLUSTER}"]
          env:
            - {name: TOKEN, value: "${API_TOKEN}"}
"""


def clusters(further: str = "") -> dict[str, str]:
    """Two clusters of Flux over one application, with ConfigMaps of one name."""
    files = {"apps/base/web.yaml": WEB}
    for name, replicas in (("staging", "1"), ("production", "4")):
        files[f"clusters/{name}/apps.yaml"] = flux(
            "apps",
            f"./apps/{name}",
            f"  postBuild:\n    substitute: {{CLUSTER: {name}}}\n    substituteFrom:\n"
            f"    - {{kind: ConfigMap, name: vars}}\n{further}",
        )
        files[f"clusters/{name}/vars.yaml"] = holder("vars", f'data: {{REPLICAS: "{replicas}", CLUSTER: overridden}}')
        files[f"apps/{name}/web.yaml"] = WEB
    return files


def test_variables_become_parameters(write: Write, tmp_path: Path) -> None:
    """In the author's lines, with the values of each cluster, proven equal to what Flux applies."""
    source = write(clusters())
    found = adopt(read_kustomizations(source), tmp_path / "new")
    assert found.is_equal
    (base,) = (tmp_path / "new/base").rglob("*.yaml")
    text = base.read_text(encoding="utf-8")
    assert '  replicas: "${{ params.REPLICAS }}"   # one suffices for tests\n' in text
    assert text.startswith("# The web server\n")
    assert '"echo ${HOME} ${{ params.CLUSTER }}"' in text
    assert '"ghcr.io/acme/web:${{ params.TAG }}"' in text
    settings = (tmp_path / "new/overlays/production/environment.yaml").read_text(encoding="utf-8")
    (value,) = yamlio.load_all(settings.encode(), "x")
    assert value["params"] == {"CLUSTER": "production", "REPLICAS": 4, "TAG": "1.4.2"}
    assert [path.name for path in (tmp_path / "new/overlays/production").iterdir()] == ["environment.yaml"]


def test_a_secret_of_the_cluster_is_a_parameter_to_be_written(write: Write, tmp_path: Path) -> None:
    """One that SOPS encrypted is as far away as one that is not there; both are said."""
    files = clusters("    - {kind: Secret, name: hidden}\n    - {kind: Secret, name: far}\n")
    files["clusters/hidden.yaml"] = holder("hidden", "stringData: {API_TOKEN: ENC[x]}\nsops: {mac: x}", "Secret")
    sources = read_kustomizations(write(files))
    assert adopt(sources, tmp_path / "new").is_equal
    (note,) = [note for note in sources.notes if note.startswith("production: ")]
    assert note == (
        "production: Secret/hidden, Secret/far is not in the repository, so defaults count where there are some; "
        "write the values of API_TOKEN under `params:` of its environment.yaml"
    )
    assert 'API_TOKEN: "${API_TOKEN}"' in (tmp_path / "new/overlays/production/environment.yaml").read_text("utf-8")


def test_a_secret_in_clear_is_filled_in_as_flux_does(write: Write) -> None:
    """The repository has it."""
    files = clusters("    - {kind: Secret, name: plain}\n")
    files["clusters/plain.yaml"] = holder("plain", "data: {API_TOKEN: eA==}", "Secret")
    (first, _) = read_kustomizations(write(files)).environments
    assert first.objects[0].value["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] == "x"


def test_values_that_two_kustomizations_give_differently_stay_values(write: Write, tmp_path: Path) -> None:
    """One environment has one parameter of a name."""
    files = {}
    for name in ("a", "b"):
        for part in ("one", "two"):
            files[f"clusters/{name}/{part}.yaml"] = flux(
                part, f"./{part}", f"  postBuild: {{substitute: {{NAME: {part}, ALL: {name}}}}}\n"
            )
    for part in ("one", "two"):
        files[f"{part}/x.yaml"] = holder(part, NAMED)
    assert adopt(read_kustomizations(write(files)), tmp_path / "new").is_equal
    text = "".join(path.read_text("utf-8") for path in sorted((tmp_path / "new/base").rglob("*.yaml")))
    assert "name: one" in text
    assert text.count('all: "${{ params.ALL }}"') == 2


def test_one_cluster_is_an_environment_where_something_is_filled_in(write: Write) -> None:
    """Its folders alone would tell nothing of the variables."""
    sources = read_kustomizations(
        write({
            "clusters/home/x.yaml": flux("web", "./web", "  postBuild: {substitute: {A: b}}\n"),
            "web/x.yaml": holder("x", 'data: {a: "${A}"}'),
        })
    )
    (environment,) = sources.environments
    assert (environment.name, environment.objects[0].value["data"]) == ("home", {"a": "b"})


NAMED = """data:
  name: ${NAME}
  all: ${ALL}
"""
SOURCE = """\
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: %s}
spec: {url: https://git.example.com/fleet, ref: {branch: %s}}
"""


def test_sources_of_other_repositories_are_no_folders_of_this_one(write: Write) -> None:
    """Also another branch; a Kustomization without a source that has a namesake with one is a patch of it."""
    mine, theirs = (
        "  sourceRef: {kind: GitRepository, name: fleet}\n",
        "  sourceRef: {kind: GitRepository, name: team}\n",
    )
    files = {
        "tenants/base/sync.yaml": flux("team", "./", theirs) + SOURCE % ("team", "team"),
        "tenants/base/kustomization.yaml": f"{KUBERNETES}resources: [sync.yaml]\n",
    }
    for name in ("dev", "prod"):
        files[f"clusters/{name}/x.yaml"] = (
            flux("all", f"./clusters/{name}", mine)
            + "---\n"
            + flux("tenants", f"./tenants/{name}", mine)
            + SOURCE % ("fleet", "main")
        )
        files[f"tenants/{name}/patch.yaml"] = flux("team", f"./{name}")
        files[f"tenants/{name}/kustomization.yaml"] = (
            f"{KUBERNETES}resources: [../base]\npatches: [{{path: patch.yaml}}]\n"
        )
    sources = read_kustomizations(write(files))
    assert [(each.name, each.origin) for each in sources.environments] == [
        ("dev", "tenants/dev"),
        ("prod", "tenants/prod"),
    ]
    assert (
        "Kustomization/team (tenants/base/sync.yaml): its source is another repository, or another branch"
        in sources.notes
    )


def test_a_path_that_is_applied_twice_is_said(write: Write) -> None:
    """The second one, with other variables, would need names of its own."""
    again = "".join(
        flux(name, "./web", f"  postBuild: {{substitute: {{A: {name}}}}}\n") + "---\n" for name in ("one", "two")
    )
    sources = read_kustomizations(write({"clusters/x/x.yaml": again, "web/x.yaml": holder("x", 'data: {a: "${A}"}')}))
    what = "Kustomization/two applies `web` of x once more, and makes another ConfigMap/x: this is left out"
    assert what in sources.notes


def test_helm_releases_are_named_with_their_charts(write: Write) -> None:
    """With the address of the repository that they name."""
    sources = read_kustomizations(
        write({
            "overlays/prod/kustomization.yaml": f"{KUBERNETES}resources: [x.yaml]\n",
            "overlays/prod/x.yaml": (
                "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: jet}\n"
                "spec: {url: https://charts.example.com}\n---\n"
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: certs}\n"
                "spec: {chart: {spec: {chart: cert-manager, version: 1.x, sourceRef: {kind: HelmRepository, "
                "name: jet}}}}\n"
            ),
        })
    )
    (note,) = [note for note in sources.notes if note.startswith("HelmReleases")]
    assert "certs (cert-manager 1.x of https://charts.example.com)" in note
    assert "`envc guide charts`" in note
