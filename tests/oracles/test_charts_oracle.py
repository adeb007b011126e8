"""Charts of others with the real helm: what is committed builds what it renders, and nothing is lost or leaks."""

from __future__ import annotations

import json
import os
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from envcompile.values import same
from envcompile.yamlio import dump, load_all
from tests.harness.command import run_envc
from tests.harness.repository import environment, read_files, write_files
from tests.oracles.chart_repository import Repository, running_registry, serving
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from pathlib import Path

HEAD = """\
  name: {{ .Release.Name }}
  labels: {app: {{ .Release.Name }}, helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}}
"""
DEPLOYMENT = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
{HEAD}
spec:
  replicas: {{{{ .Values.replicas }}}}
  selector: {{matchLabels: {{app: {{{{ .Release.Name }}}}}}}}
  template:
    metadata: {{labels: {{app: {{{{ .Release.Name }}}}}}}}
    spec:
      containers:
      - name: web
        image: "{{{{ .Values.image.repository }}}}:{{{{ .Values.image.tag }}}}"
        env: {{{{ toJson .Values.env }}}}
"""
SERVICE = f"""\
{{{{- if .Values.service.enabled }}}}
apiVersion: v1
kind: Service
metadata:
{HEAD}
spec:
  selector: {{app: {{{{ .Release.Name }}}}}}
  ports: [{{name: http, port: {{{{ .Values.service.port }}}}}}]
{{{{- end }}}}
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, listKind: WidgetList}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: {{ .Release.Name }}}
"""
HOOK = """\
apiVersion: batch/v1
kind: Job
metadata: {name: {{ .Release.Name }}-migrate, annotations: {"helm.sh/hook": pre-upgrade}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "busybox:1"}]}}}
"""
TEST = """\
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-test, annotations: {"helm.sh/hook": test}}
spec: {containers: [{name: test, image: "busybox:1"}]}
"""
VALUES = """\
replicas: 1
image: {repository: nginx, tag: "1.27"}
env: []
service: {enabled: true, port: 80}
"""
WEB = {
    "values.yaml": VALUES,
    "templates/deployment.yaml": DEPLOYMENT,
    "templates/service.yaml": SERVICE,
    "templates/binding.yaml": BINDING,
    "templates/widget.yaml": WIDGET,
    "templates/job.yaml": HOOK,
    "templates/tests/test.yaml": TEST,
    "templates/NOTES.txt": "{{ .Release.Name }} runs\n",
    "crds/widgets.yaml": CRD,
}
PASSWORD = """\
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-auth}
type: Opaque
data:
  admin-password: {{ .Values.auth.adminPassword | default (randAlphaNum 12) | b64enc | quote }}
  user: {{ "admin" | b64enc | quote }}
  nothing: ""
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-later}
"""
SESAME = "sesame"
CLEAR = "correct horse battery"


class Place(NamedTuple):
    """A project with a repository of charts."""

    root: Path
    repository: Repository
    url: str
    helm: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the project; `URL` stands for the repository's address."""
        write_files(self.root, {path: text.replace("URL", self.url) for path, text in files.items()})

    def charts(self, *words: str, code: int = 0) -> str:
        """Run `envc charts`; what it said."""
        outcome = run_envc(self.root, "charts", *words)
        assert outcome.code == code, outcome.out + outcome.err
        return outcome.out + outcome.err

    def built(self, name: str) -> dict[tuple[str, str], Any]:
        """The objects of an environment by kind and name."""
        outcome = run_envc(self.root, "show", name)
        assert outcome.code == 0, outcome.err
        return by_name(outcome.out)


def by_name(text: str) -> dict[tuple[str, str], Any]:
    """The objects of a text by kind and name."""
    return {(value["kind"], value["metadata"]["name"]): value for value in load_all(text.encode(), "text") if value}


@pytest.fixture
def helm(helm4: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real Helm 4, on PATH as `helm`."""
    return as_helm(helm4, tmp_path, monkeypatch)


def as_helm(program: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program on PATH as `helm`."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / "helm").symlink_to(program)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.fixture
def place(helm: Path, tmp_path: Path) -> Iterator[Place]:
    """Two environments that have a chart, of which dev changes nothing."""
    with new_place(helm, tmp_path) as made:
        yield made


@contextmanager
def new_place(helm: Path, folder: Path) -> Generator[Place]:
    """As the fixture `place`, with another helm."""
    repository = Repository(helm, folder / "repository")
    repository.publish("web", "1.0.0", WEB)
    with serving(repository.folder) as url:
        made = Place(folder / "project", repository, url, helm)
        made.write({
            "envc.yaml": (
                "environments: [dev, prod]\ncharts:\n- name: shop\n  repository: URL\n  chart: web\n"
                "  version: ^1\n  values:\n    replicas: 2\n    image:\n      tag: '1.28'\n"
            ),
            "overlays/common/environment.yaml": environment(
                "abstract: true\ncharts:\n  shop:\n    values:\n      image:\n        repository: mirror/nginx\n"
            ),
            "overlays/dev/environment.yaml": environment("extends: [../common]\nnamespace: dev\n"),
            "overlays/prod/environment.yaml": environment(
                "extends: [../common]\nnamespace: shop\ncharts:\n  shop:\n    values:\n      replicas: 5\n"
                "      service: {port: 8080}\n"
            ),
        })
        yield made


def rendered(
    place: Place, namespace: str, values: dict[str, Any], *, archive: Path | None = None, release: str = "shop"
) -> dict[tuple[str, str], Any]:
    """What helm itself makes of the chart: the objects that `helm install` would create, hooks apart."""
    file = place.root.parent / "values.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    chart = archive or place.repository.folder / "web-1.0.0.tgz"
    command = [release, str(chart), "--namespace", namespace, "--values", str(file), "--include-crds"]
    objects = by_name(run(place.helm, "template", *command).expect_success().stdout)
    found = {}
    for key, value in objects.items():
        metadata = value["metadata"]
        if "helm.sh/hook" in metadata.get("annotations", {}):
            continue
        labels = {name: text for name, text in metadata.get("labels", {}).items() if name != "helm.sh/chart"}
        is_global = value["kind"] in {"CustomResourceDefinition", "ClusterRoleBinding"}
        place_of = {} if is_global else {"namespace": namespace}
        found[key] = {**value, "metadata": {**metadata, **place_of, **({"labels": labels} if labels else {})}}
    return found


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_every_environment_builds_what_helm_renders_for_it(
    version: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values of envc.yaml, of shared overlays and of the environment are merged; hooks and tests are left out."""
    program = as_helm(request.getfixturevalue(version), tmp_path, monkeypatch)
    with new_place(program, tmp_path) as place:
        said = place.charts("update")
        assert "shop: web 1.0.0: " in said
        assert "left out, because only Helm runs hooks: Job/shop-migrate" in said
        common = {"replicas": 2, "image": {"tag": "1.28", "repository": "mirror/nginx"}}
        wanted = {
            "dev": rendered(place, "dev", common),
            "prod": rendered(place, "shop", {**common, "replicas": 5, "service": {"port": 8080}}),
        }
        for name, objects in wanted.items():
            built = place.built(name)
            assert built.keys() == objects.keys()
            assert [key for key in objects if not same(built[key], objects[key])] == []
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        assert run_envc(place.root, "build").code == 0, "a build asks no helm"
        assert run_envc(place.root, "build", "--check").code == 0


def test_what_environments_share_is_in_the_base(place: Place) -> None:
    """A difference is a patch of the environment, and an unchanged run writes nothing."""
    place.charts("update")
    files = read_files(place.root)
    shared = "base/shop/vendored/deployment-shop.yaml"
    assert b"mirror/nginx:1.28" in files[shared]
    assert b"replicas" not in files[shared]
    assert load_all(files["overlays/prod/vendored/shop/deployment-shop.yaml"], "x") == [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"replicas": 5}}
    ]
    assert "base/shop/vendored/crds/customresourcedefinition-widgets.example.com.yaml" in files
    assert all(b"`envc charts`" in data for path, data in files.items() if "/vendored/" in path)
    assert "nothing changed" in place.charts("update")
    assert place.charts("vendor", "--check")
    after = {path: data for path, data in read_files(place.root).items() if not path.startswith(".envc/")}
    assert after == {path: data for path, data in files.items() if not path.startswith(".envc/")}


def test_patches_of_people_lie_over_what_a_chart_makes(place: Place) -> None:
    """A shared overlay is laid over an environment's own chart values, and an update touches neither."""
    place.charts("update")
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 7}\n"
    place.write({"overlays/common/shop.yaml": patch})
    assert place.built("prod")["Deployment", "shop"]["spec"]["replicas"] == 7
    place.charts("update")
    assert (place.root / "overlays/common/shop.yaml").read_text(encoding="utf-8") == patch
    assert place.built("dev")["Deployment", "shop"]["spec"]["replicas"] == 7


def test_an_environment_that_extends_another_has_its_own_values(place: Place) -> None:
    """What the charts of the one below brought is not laid under it, but the values are."""
    place.write({"overlays/prod-eu/environment.yaml": environment("extends: [../prod]\nnamespace: eu\n")})
    place.write({
        "overlays/prod-eu/environment.yaml": environment(
            "extends: [../prod]\nnamespace: eu\ncharts: {shop: {values: {service: {enabled: false}}}}\n"
        )
    })
    place.charts("update")
    built = place.built("prod-eu")
    assert built["Deployment", "shop"]["spec"]["replicas"] == 5
    assert ("Service", "shop") not in built
    assert built["RoleBinding", "shop"]["subjects"][0]["namespace"] == "eu"
    assert place.built("prod")["Service", "shop"]["spec"]["ports"][0]["port"] == 8080


def test_an_archive_that_changed_under_its_version_is_refused(place: Place) -> None:
    """The lock has its digest; what is written stays as it is."""
    place.charts("update")
    before = read_files(place.root / "base")
    place.repository.publish("web", "1.0.0", {**WEB, "templates/more.yaml": TEST})
    (kept,) = (place.root / ".envc/charts").iterdir()
    assert "nothing changed" in place.charts("vendor"), "the archive that is kept is the one of the lock"
    kept.unlink()
    for verb in ("update", "vendor"):
        said = place.charts(verb, code=1)
        assert "its bytes changed under the same version" in said
        assert "sha256:" in said
    assert read_files(place.root / "base") == before


def test_a_digest_in_envc_yaml_holds(place: Place) -> None:
    """Another archive than the one that is named is refused, with the digest that it has."""
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({"envc.yaml": settings.replace("version: ^1", f"version: 1.0.0\n  digest: sha256:{'0' * 64}")})
    said = place.charts("update", code=1)
    assert "is not the one that `digest` names" in said
    assert "envc.yaml:3:" in said


def test_a_range_moves_with_update_only(place: Place) -> None:
    """`outdated` tells what is newer, prereleases apart; `vendor` stays where the lock is."""
    place.charts("update")
    for version in ("1.1.0", "1.2.0-rc.1", "2.0.0", "3.0.0-beta"):
        place.repository.publish("web", version, WEB)
    said = run_envc(place.root, "charts", "outdated", "--format", "json")
    assert said.code == 16
    (found,) = json.loads(said.out)["charts"]
    assert (found["version"], found["wanted"], found["latest"]) == ("1.0.0", "1.1.0", "2.0.0")
    place.charts("vendor")
    assert json.loads(run_envc(place.root, "charts", "list", "-o", "json").out)["charts"][0]["environments"] == {
        "dev": "1.0.0",
        "prod": "1.0.0",
    }
    assert "web 1.0.0 -> 1.1.0" in place.charts("update")
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({"envc.yaml": settings.replace("^1", "'2.0.0'")})
    place.charts("update")
    assert "nothing newer" in place.charts("outdated")
    assert len(list((place.root / ".envc/charts").iterdir())) == 1, "archives that nobody has any more are not kept"


def test_one_environment_may_have_a_newer_version(place: Place) -> None:
    """The base has what both share."""
    place.repository.publish("web", "2.0.0", {**WEB, "templates/second.yaml": TEST.replace('"helm.sh/hook": test', "")})
    place.write({
        "overlays/dev/environment.yaml": environment(
            "extends: [../common]\nnamespace: dev\ncharts: {shop: {version: ^2}}\n"
        )
    })
    assert "2.0.0 (dev), 1.0.0 (prod)" in place.charts("update")
    assert ("Pod", "shop-test") in place.built("dev")
    assert ("Pod", "shop-test") not in place.built("prod")


def test_charts_of_a_registry(place: Place, registry: Path) -> None:
    """`oci://` is pulled as by helm, tags are versions."""
    with running_registry(registry) as host:
        for version in ("1.0.0", "1.4.0", "2.0.0", "2.1.0-rc.1"):
            archive = place.repository.publish("web", version, WEB)
            run(place.helm, "push", archive, f"oci://{host}/charts", "--plain-http").expect_success()
        settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
        place.write({"envc.yaml": settings.replace(place.url, f"oci://{host}/charts")})
        assert "shop: web 1.4.0: " in place.charts("update")
        assert f"oci://{host}/charts" in (place.root / "charts.lock.yaml").read_text(encoding="utf-8")
        (found,) = json.loads(run_envc(place.root, "charts", "outdated", "-o", "json").out)["charts"]
        assert (found["wanted"], found["latest"]) == ("1.4.0", "2.0.0")
        place.write({"envc.yaml": settings.replace(place.url, f"oci://{host}/none")})
        assert "there is no web of oci://" in place.charts("update", code=1)
    assert "helm could not fetch web" in place.charts("outdated", code=4)


def test_a_repository_with_a_password_that_helm_knows(place: Place) -> None:
    """What `helm repo add` was told is used, for the address as for the name; nothing prints it."""
    with serving(place.repository.folder, SESAME) as url:
        settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
        place.write({"envc.yaml": settings.replace(place.url, url)})
        assert "helm could not fetch web" in place.charts("update", code=4)
        environ = {"HOME": os.environ["HOME"], **{key: os.environ[key] for key in os.environ if "XDG" in key}}
        command = ["repo", "add", "private", url, "--username", "user", "--password", "sesame"]
        run(place.helm, *command, env=environ).expect_success()
        assert "sesame" not in place.charts("update")
        place.write({"envc.yaml": settings.replace(place.url, '"@private"')})
        assert "sesame" not in place.charts("update")
        assert b"sesame" not in b"".join(read_files(place.root).values())


def test_a_hand_edit_is_noticed_and_not_lost(place: Place) -> None:
    """Neither a change nor a file of people is written over or removed; `--force` is what gives it up."""
    place.charts("update")
    before = read_files(place.root)
    file = place.root / "base/shop/vendored/service-shop.yaml"
    edited = file.read_text(encoding="utf-8") + "  type: NodePort\n"
    file.write_text(edited, encoding="utf-8")
    assert "base/shop/vendored/service-shop.yaml is not as" in place.charts("list", "--check", code=16)
    said = place.charts("update", code=1)
    assert "changed by hand: base/shop/vendored/service-shop.yaml" in said
    assert file.read_text(encoding="utf-8") == edited
    mended = run_envc(place.root, "fix", "--write")
    assert "mend it by a patch in overlays/, or by the chart's values" in mended.out + mended.err
    changed = [path for path, data in read_files(place.root).items() if path in before and before[path] != data]
    assert changed == ["base/shop/vendored/service-shop.yaml"], "what a chart makes is mended by nobody but people"
    place.write({
        "overlays/prod/environment.yaml": environment(
            "extends: [../common]\nnamespace: shop\ncharts: {shop: {values: {service: {enabled: false}}}}\n"
        ),
        "overlays/dev/environment.yaml": environment(
            "extends: [../common]\nnamespace: dev\ncharts: {shop: {values: {service: {enabled: false}}}}\n"
        ),
    })
    assert "changed by hand" in place.charts("update", code=1)
    assert file.read_text(encoding="utf-8") == edited
    assert "removed" in place.charts("update", "--force")
    assert not file.exists()
    place.write({"base/shop/vendored/service-shop.yaml": edited})
    place.write({"overlays/dev/environment.yaml": environment("extends: [../common]\nnamespace: dev\n")})
    place.write({"overlays/prod/environment.yaml": environment("extends: [../common]\nnamespace: shop\n")})
    assert "none that `envc charts` wrote" in place.charts("update", "--force", code=1)
    assert file.read_text(encoding="utf-8") == edited


@pytest.mark.parametrize("link", ["base/shop/vendored", "overlays/prod/vendored/shop", ".envc", "charts.lock.yaml"])
def test_charts_are_written_and_removed_through_no_link(place: Place, link: str) -> None:
    """A branch that puts a symlink there changes nothing outside of the repository."""
    place.charts("update")
    outside = place.root.parent / "outside"
    outside.mkdir()
    (place.root / link).rename(outside / "held")
    (place.root / link).symlink_to(outside / "held")
    before = read_files(outside)
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({"envc.yaml": settings.replace("replicas: 2", "service: {enabled: false}")})
    outcome = run_envc(place.root, "charts", "update", "--force")
    assert outcome.code in {0, 1, 2}, outcome.err
    assert read_files(outside) == before
    assert outcome.code in {1, 2} or not (place.root / link).is_symlink(), outcome.err


def test_two_charts_do_not_disturb_each_other(place: Place) -> None:
    """Only the named one is rendered, and the files of the other one stay."""
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    second = "- name: second\n  repository: URL\n  chart: web\n  namespace: tools\n  values: {replicas: 3}\n"
    place.write({"envc.yaml": settings + second})
    place.charts("update")
    before = read_files(place.root)
    place.write({
        "envc.yaml": settings.replace("replicas: 2", "replicas: 4") + second.replace("replicas: 3", "replicas: 9")
    })
    assert "second: web 1.0.0: 1 changed" in place.charts("vendor", "second")
    after = read_files(place.root)
    changed = {path for path in after if before.get(path) != after[path] and not path.startswith(".envc/")}
    assert changed == {"base/second/vendored/deployment-second.yaml", "charts.lock.yaml", "envc.yaml"}
    listed = json.loads(run_envc(place.root, "charts", "list", "-o", "json").out)["charts"]
    assert [one["state"] for one in listed] == ["stale", "current"]


def test_an_upgrade_removes_what_is_gone_and_names_the_patches_that_miss_it(place: Place) -> None:
    """A renamed object leaves no file behind; a patch of it is told about at once."""
    place.charts("update")
    place.write({
        "overlays/prod/mine.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {type: NodePort}\n"
    })
    renamed = SERVICE.replace("  name: {{ .Release.Name }}\n", "  name: {{ .Release.Name }}-http\n", 1)
    assert renamed != SERVICE
    place.repository.publish("web", "1.1.0", {**WEB, "templates/service.yaml": renamed})
    said = place.charts("update")
    assert "shop: web 1.0.0 -> 1.1.0: 3 added, 3 removed" in said
    assert "warning: with this an environment does not build: the patch has no target" in said
    assert "overlays/prod/mine.yaml:1:1" in said
    files = read_files(place.root)
    assert "base/shop/vendored/service-shop-http.yaml" in files
    assert "base/shop/vendored/service-shop.yaml" not in files


def test_a_chart_that_leaves_envc_yaml_takes_its_files_with_it(place: Place) -> None:
    """The lock goes with the last one; what people wrote stays."""
    place.charts("update")
    place.write({"base/shop/mine.yaml": WIDGET.replace("{{ .Release.Name }}", "mine")})
    place.write({"envc.yaml": "environments: [dev, prod]\n"})
    for name in ("common", "dev", "prod"):
        extends = "abstract: true\n" if name == "common" else "extends: [../common]\n"
        place.write({f"overlays/{name}/environment.yaml": environment(extends)})
    assert "left out of envc.yaml" in place.charts("update")
    assert [path for path in read_files(place.root) if "vendored" in path or "lock" in path] == []
    assert (place.root / "base/shop/mine.yaml").is_file()


def test_two_releases_of_one_chart_share_its_definitions(place: Place) -> None:
    """A definition is written once; each release has objects of its own."""
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    second = "- name: second\n  repository: URL\n  chart: web\n  namespace: tools\n  environments: [prod]\n"
    place.write({"envc.yaml": settings + second})
    assert "another chart brings these definitions already: widgets.example.com" in place.charts("update")
    built = place.built("prod")
    assert built["Deployment", "second"]["metadata"]["namespace"] == "tools"
    assert built["Widget", "second"]["metadata"]["namespace"] == "tools"
    assert ("Deployment", "second") not in place.built("dev")
    definitions = [path for path in read_files(place.root) if "customresourcedefinition" in path]
    assert len(definitions) == 1
    place.write({"envc.yaml": settings.replace("  values:", "  crds: false\n  values:") + second})
    place.charts("update")
    (definition,) = [path for path in read_files(place.root) if "customresourcedefinition" in path]
    assert "/second/" in definition


def test_hooks_are_kept_when_that_is_said(place: Place) -> None:
    """They have their annotation, which Argo CD obeys; tests are never taken."""
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    exclude = "  hooks: keep\n  exclude: [{kind: RoleBinding}]\n  values:"
    place.write({"envc.yaml": settings.replace("  values:", exclude)})
    assert "left out, as `exclude` says: RoleBinding/shop" in place.charts("update")
    built = place.built("dev")
    assert built["Job", "shop-migrate"]["metadata"]["annotations"] == {"helm.sh/hook": "pre-upgrade"}
    assert ("RoleBinding", "shop") not in built
    assert ("Pod", "shop-test") not in built


def test_no_secret_in_clear_comes_into_the_repository(place: Place) -> None:
    """A reference among the values becomes one of the Secret; all else is refused with the line that says it."""
    place.repository.publish(
        "web", "1.0.1", {**WEB, "values.yaml": f"{VALUES}auth: {{}}\n", "templates/s.yaml": PASSWORD}
    )
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    said = f"  values:\n    auth:\n      adminPassword: {CLEAR}\n"
    place.write({"envc.yaml": settings.replace("  values:\n", said)})
    refused = place.charts("update", code=1)
    assert "makes Secret/shop-auth in dev with `admin-password` in clear" in refused
    assert "envc.yaml:9:22" in refused
    assert "`user` in clear" in refused
    assert CLEAR not in refused
    assert [path for path in read_files(place.root) if "vendored" in path] == []
    said = "  plaintext: {shop-auth: [user]}\n" + said.replace(CLEAR, "ref+env://SHOP_PASSWORD")
    place.write({"envc.yaml": settings.replace("  values:\n", said)})
    place.charts("update")
    (secret,) = load_all((place.root / "base/shop/vendored/secret-shop-auth.yaml").read_bytes(), "secret")
    assert secret["stringData"] == {"admin-password": "ref+env://SHOP_PASSWORD"}
    assert secret["data"] == {"user": "YWRtaW4=", "nothing": ""}
    unsealed = run_envc(place.root, "build")
    assert unsealed.code == 1
    assert "admin-password" in unsealed.err
    assert "envc secrets seal" in unsealed.err
    assert unsealed.err.count("error:") == 2, (
        "the Secret that something fills in the cluster is fine, and so is an empty key"
    )
    broken = '{{ fail (printf "not %s" .Values.auth.adminPassword) }}\n'
    place.repository.publish("web", "1.0.2", {**WEB, "templates/s.yaml": broken})
    place.write({"envc.yaml": settings.replace("  values:\n", f"  values:\n    auth:\n      adminPassword: {CLEAR}\n")})
    refused = place.charts("update", code=1)
    assert "not …" in refused
    assert CLEAR not in refused


def test_a_generated_password_is_found_out(place: Place) -> None:
    """The field that differs each time is named, and the value that makes it stay."""
    values = f"{VALUES}auth: {{user: admin, adminPassword: '', other: {{key: ''}}}}\n"
    place.repository.publish("web", "1.0.1", {**WEB, "values.yaml": values, "templates/s.yaml": PASSWORD})
    said = place.charts("update", code=1)
    assert "makes something else each time in dev: Secret/shop-auth data.admin-password" in said
    assert "set `auth.adminPassword` in its values" in said
    time = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {t: '{{ now | unixEpoch }}'}\n"
    place.repository.publish("web", "1.0.2", {**WEB, "templates/time.yaml": time})
    said = place.charts("update", code=1)
    assert "each time in prod: ConfigMap/t data.t" in said
    assert "leave the object out by the chart's `exclude`" in said


def test_explain_leads_to_the_line_of_a_value(place: Place) -> None:
    """What was seen to change a field is told with its line, in whichever layer; of all else that none is known."""
    place.charts("update")

    def explained(name: str, field: str, resource: str = "deployment/shop") -> str:
        outcome = run_envc(place.root, "explain", name, resource, field)
        assert outcome.code == 0, outcome.err
        return outcome.out

    assert "with values.replicas from overlays/prod/environment.yaml:8:17" in explained("prod", "spec.replicas")
    assert "with values.replicas from envc.yaml:8:15" in explained("dev", "spec.replicas")
    image = explained("dev", "spec.template.spec.containers[name=web].image")
    assert "from chart shop 1.0.0" in image
    assert "with values.image.tag from envc.yaml:10:12" in image
    assert "with values.image.repository from overlays/common/environment.yaml:8:21" in image
    own = explained("dev", "spec.template.spec.containers[name=web].name")
    assert "the chart's own: no value that is written here changes it" in own
    document = run_envc(place.root, "explain", "prod", "service/shop", "spec.ports[0].port", "-o", "json")
    (field,) = json.loads(document.out)["fields"]
    assert field["chart"]["values"] == [
        {"value": "service.port", "place": "overlays/prod/environment.yaml:9:23", "certain": True}
    ]
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({"envc.yaml": settings + "    late: 1\n"})
    assert "has not seen `late` yet" in explained("dev", "spec.template.spec.containers[name=web].name")
    assert "stale" in place.charts("list", "--check", code=16)


def test_a_value_is_tried_in_every_environment_that_has_it(place: Place) -> None:
    """What does nothing in the first one, since a switch is off there, is found where the switch is on."""
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({
        "envc.yaml": settings + "    service: {port: 81}\n",
        "overlays/dev/environment.yaml": environment(
            "namespace: dev\ncharts: {shop: {values: {service: {enabled: false}}}}\n"
        ),
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
    })
    place.charts("update")
    explained = run_envc(place.root, "explain", "prod", "service/shop", "spec.ports[0].port").out
    assert "with values.service.port from envc.yaml:11:21" in explained


def test_a_value_that_cannot_be_tried_is_known_by_being_the_same(place: Place) -> None:
    """A chart that takes one value only refuses each other one: that its value is the field's is said as such."""
    schema = '{"properties": {"mode": {"enum": ["only-this"]}}}'
    mode = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mode}\ndata: {mode: "{{ .Values.mode }}", x: "1"}\n'
    place.repository.publish("web", "1.0.1", {**WEB, "values.schema.json": schema, "templates/mode.yaml": mode})
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({"envc.yaml": settings + "    mode: only-this\n"})
    place.charts("update")
    same_value = run_envc(place.root, "explain", "dev", "configmap/mode", "data.mode").out
    assert "with values.mode from envc.yaml:11:11  (it has the same value)" in same_value
    assert (
        "not known: `mode` could not be tried" in run_envc(place.root, "explain", "dev", "configmap/mode", "data.x").out
    )
    place.write({"envc.yaml": settings + "    mode: another\n"})
    refused = place.charts("update", code=1)
    assert "helm cannot render shop (web 1.0.1) for dev" in refused
    assert "mode" in refused


def test_a_chart_sees_each_environments_cluster(place: Place) -> None:
    """Kubernetes version and APIs are those of the environment; what asks a cluster is told to find nothing."""
    versions = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: versions}\ndata:\n"
        "  kubernetes: {{ .Capabilities.KubeVersion.Version }}\n"
        '  monitored: {{ .Capabilities.APIVersions.Has "monitoring.coreos.com/v1" | quote }}\n'
        '  found: {{ len (lookup "v1" "Namespace" "" "") | quote }}\n'
    )
    place.repository.publish("web", "1.0.1", {**WEB, "templates/versions.yaml": versions}, kubeVersion='">=1.30.0-0"')
    place.write({
        "overlays/dev/environment.yaml": environment("namespace: dev\nkubernetesVersion: '1.34'\n"),
        "overlays/prod/environment.yaml": environment(
            "namespace: shop\ncharts: {shop: {apiVersions: [monitoring.coreos.com/v1]}}\n"
        ),
    })
    assert "its templates ask the cluster (`lookup`)" in place.charts("update")
    dev, prod = (place.built(name)["ConfigMap", "versions"]["data"] for name in ("dev", "prod"))
    assert dev == {"kubernetes": "v1.34.0", "monitored": "false", "found": "0"}
    assert prod == {"kubernetes": "v1.35.0", "monitored": "true", "found": "0"}


def test_parts_of_a_chart_are_switched_by_values(place: Place) -> None:
    """A chart inside the chart comes with its condition, in the environments that say so."""
    size = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\ndata: {size: "{{ .Values.size }}"}\n'
    archive = place.repository.publish("cache", "0.3.0", {"templates/cache.yaml": size})
    files: dict[str, str] = {**WEB, "values.yaml": f"{VALUES}cache: {{enabled: false, size: 1}}\n"}
    dependency = "[{name: cache, version: 0.3.0, repository: 'file://../cache', condition: cache.enabled}]"
    sources = place.root.parent / "repository-sources" / "web-1.1.0" / "web"
    write_files(sources, {"charts/cache-0.3.0.tgz": archive.read_bytes()})
    place.repository.publish("web", "1.1.0", files, dependencies=dependency)
    place.write({
        "overlays/prod/environment.yaml": environment(
            "namespace: shop\ncharts: {shop: {values: {cache: {enabled: true, size: 3}}}}\n"
        )
    })
    place.charts("update")
    assert place.built("prod")["ConfigMap", "cache"]["data"] == {"size": "3"}
    assert ("ConfigMap", "cache") not in place.built("dev")


def test_values_take_parameters(place: Place) -> None:
    """`${{ params.NAME }}` in values is what it is in the environment, of its own type."""
    settings = (place.root / "envc.yaml").read_text(encoding="utf-8")
    place.write({"envc.yaml": settings.replace("replicas: 2", "replicas: ${{ params.size }}")})
    for name, size in (("dev", 1), ("prod", 4)):
        place.write({
            f"overlays/{name}/environment.yaml": environment(f"namespace: {name}\nparams: {{size: {size}}}\n")
        })
    place.charts("update")
    assert place.built("dev")["Deployment", "shop"]["spec"]["replicas"] == 1
    assert place.built("prod")["Deployment", "shop"]["spec"]["replicas"] == 4


def test_a_very_large_chart(place: Place) -> None:
    """Hundreds of objects with definitions of tens of kilobytes each, none of which may be lost."""
    many = (
        "{{- range $i := until 300 }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: part-{{ $i }}}\n"
        'data: {size: "{{ $.Values.replicas }}", text: {{ repeat 400 "text " | quote }}}\n{{- end }}\n'
    )
    fields = "".join(f"field{number}: {{type: string, description: {'d' * 60}}}, " for number in range(300))
    crds = {
        f"crds/{number}.yaml": CRD
        .replace("widget", f"w{number}dget")
        .replace("Widget", f"W{number}dget")
        .replace("{type: object}", f"{{type: object, properties: {{{fields}}}}}")
        for number in range(10)
    }
    place.repository.publish("web", "1.0.1", {"values.yaml": VALUES, "templates/many.yaml": many, **crds})
    place.charts("update")
    built = place.built("prod")
    assert len(built) == 310
    assert {value["data"]["size"] for (kind, _), value in built.items() if kind == "ConfigMap"} == {"5"}


MIXED = {
    "values.yaml": "containers: []\nports: []\nconfig: {}\nlabels: {}\nparts: []\nlist: []\nclaims: []\n",
    "templates/all.yaml": """\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}
  labels: {{ toJson .Values.labels }}
spec:
  serviceName: {{ .Release.Name }}
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}, annotations: {checksum: {{ toJson .Values.config | sha256sum | quote }}}}
    spec:
      containers:
      {{- range .Values.containers }}
      - name: {{ .name }}
        image: {{ .image | quote }}
        args: {{ toJson $.Values.list }}
        ports: {{ toJson $.Values.ports }}
      {{- end }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
data:
  app.properties: |
    {{- range $key, $value := .Values.config }}
    {{ $key }}={{ $value }}
    {{- end }}
  app.yaml: {{ toYaml .Values.config | quote }}
  plain: {{ join "\\n" .Values.list | quote }}
{{- range .Values.parts }}
---
apiVersion: {{ .api }}
kind: {{ .kind }}
metadata: {name: {{ .name }}}
spec: {{ toJson .spec }}
{{- end }}
{{- if .Values.labels }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: {{ .Release.Name }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: default, namespace: {{ .Release.Namespace }}}]
{{- end }}
""",
}


def mixed_values(chance: random.Random) -> dict[str, Any]:
    """Values that make lists with and without keys, configuration texts, and objects that come and go."""
    names = ["a", "b", "c"]
    chance.shuffle(names)
    kinds = [("v1", "Service"), ("example.com/v1", "Widget"), ("networking.k8s.io/v1", "NetworkPolicy")]
    return {
        "containers": [
            {"name": name, "image": chance.choice(["x:1", "x:2", "y"])} for name in names[: chance.randint(1, 3)]
        ],
        "ports": [
            {"containerPort": port, "protocol": chance.choice(["TCP", "UDP"])} for port in {chance.randint(1, 4), 9}
        ],
        "config": {key: chance.choice([1, "off", "~", "0x1", "a=b", True]) for key in names[: chance.randint(0, 3)]},
        "labels": {key: chance.choice(["1", "two"]) for key in names[: chance.randint(0, 2)]},
        "list": [chance.choice(["--a", "--b=1", "012", ""]) for _ in range(chance.randint(0, 4))],
        "parts": [
            {
                "api": api,
                "kind": kind,
                "name": f"part-{name}",
                "spec": {"podSelector": {}, "list": [chance.randint(1, 3)]},
            }
            for api, kind in kinds
            for name in names
            if chance.random() < 0.5
        ],
    }


@pytest.mark.parametrize("seed", range(4))
def test_whatever_environments_say_each_builds_what_helm_renders(place: Place, seed: int) -> None:
    """Values by chance, laid over shared ones, in three environments of which one may lack the chart."""
    chance = random.Random(seed)
    archive = place.repository.publish("mixed", "1.0.0", MIXED)
    shared = mixed_values(chance)
    fixed = chance.random() < 0.3
    names = ["dev", "prod", "test"][: chance.randint(2, 3)]
    said: dict[str, Any] = {"name": "mixed", "repository": place.url, "environments": names, "values": shared}
    said |= {"namespace": "fixed"} if fixed else {}
    place.write({
        "envc.yaml": dump({"charts": [said]}),
        "overlays/common/environment.yaml": environment("abstract: true\n"),
    })
    own = {name: {key: item for key, item in mixed_values(chance).items() if chance.random() < 0.6} for name in names}
    for name in ("dev", "prod", "test"):
        charts = {"charts": {"mixed": {"values": own[name]}}} if name in names else {}
        head = load_all(environment(f"namespace: ns-{name}\n").encode(), "x")[0]
        place.write({f"overlays/{name}/environment.yaml": dump({**head, **charts})})
    place.charts("update")
    for name in names:
        values = {**shared, **own[name]}
        for key in ("config", "labels"):
            values[key] = {**shared[key], **own[name].get(key, {})}
        wanted = rendered(place, "fixed" if fixed else f"ns-{name}", values, archive=archive, release="mixed")
        built = {key: value for key, value in place.built(name).items() if key[1] != "none"}
        assert built.keys() == wanted.keys()
        assert [key for key in wanted if not same(built[key], wanted[key])] == []
    assert all(place.built(name) == {} for name in {"dev", "prod", "test"} - {*names})
    assert "nothing changed" in place.charts("vendor")
