"""`envc drift` as people call it: formats, exit codes, mistakes, and the way back into git."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions import drift
from tests.cluster.drift.fake import applied, fake_cluster, wrote
from tests.cluster.servers import Says, serving, write_kubeconfig
from tests.forge.receivers import running_webhook
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cluster.servers import Answers

    Value = dict[str, Any]
    Live = Callable[..., None]

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: swordfish}\n"
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  source: {path: environments/prod}
  ignoreDifferences:
  - {group: apps, kind: Deployment, jsonPointers: [/spec/replicas], jqPathExpressions: [.spec | keys]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of three objects, built."""
    root = write_files(
        tmp_path / "project",
        {
            "envc.yaml": "environments: [dev, prod]\n",
            "base/web/deployment.yaml": deployment(),
            "base/web/settings.yaml": config_map("settings", color="red"),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment(
                "namespace: production\nlabels: {environment: prod}\nreplicas: {web: 2}\n"
            ),
        },
    )
    assert run_envc(root, "build").code == 0
    return root


@pytest.fixture
def live(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Value]], None]]:
    """Runs a cluster with these objects that the kubeconfig leads to, until the test ends."""
    from contextlib import ExitStack

    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    del project
    with ExitStack() as stack:

        def run(objects: list[Value]) -> None:
            write_kubeconfig(tmp_path / "kubeconfig", stack.enter_context(fake_cluster(objects)).url)

        yield run


def shown(root: Path) -> list[Value]:
    """The compiled objects of production as a server has them."""
    from tests.cluster.drift.fake import compiled

    return [applied(value) for value in compiled(root / "environments" / "prod")]


def edited(root: Path) -> list[Value]:
    """The same, after somebody scaled the Deployment and changed a key."""
    objects = shown(root)
    web = next(value for value in objects if value["kind"] == "Deployment")
    web["spec"]["replicas"] = 9
    wrote(web, "kubectl", {"f:spec": {"f:replicas": {}}})
    settings = next(value for value in objects if value["kind"] == "ConfigMap")
    settings["data"]["color"] = "blue"
    wrote(settings, "kubectl-edit", {"f:data": {"f:color": {}}})
    return objects


@pytest.mark.parametrize("method", ["read", "dry-run"])
def test_what_was_applied_is_no_drift(project: Path, live: Live, method: str) -> None:
    """Exit 0, and one line that says so."""
    live(shown(project))
    done = run_envc(project, "drift", "prod", "--method", method)
    how = "by reading" if method == "read" else "2 by dry run"
    assert (done.code, done.err) == (0, "")
    assert done.out == f"prod: no drift; 2 objects compared with test, {how}\n"


@pytest.mark.parametrize("method", ["read", "dry-run"])
def test_a_difference_names_who_and_where(project: Path, live: Live, method: str) -> None:
    """The manager with the time, and the line that wants otherwise; exit 16."""
    live(edited(project))
    done = run_envc(project, "drift", "prod", "--method", method)
    assert done.code == 16
    assert done.out.splitlines()[1:] == [
        "",
        "ConfigMap/settings (namespace production)",
        '  data.color: "red" -> "blue"',
        "      kubectl-edit at 2026-03-04T17:30:00Z; base/web/settings.yaml:6:10 wants otherwise",
        "",
        "Deployment.apps/web (namespace production)",
        "  spec.replicas: 2 -> 9",
        "      kubectl at 2026-03-04T17:30:00Z; overlays/prod/environment.yaml:5:17 wants otherwise",
    ]


def test_missing_and_extra(project: Path, live: Live) -> None:
    """An object with the environment's labels is its own; others only count with --all."""
    objects = [value for value in shown(project) if value["kind"] == "ConfigMap"]
    old: Value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old", "namespace": "production"}}
    own: Value = {**old, "metadata": {**old["metadata"], "name": "own", "labels": {"environment": "prod"}}}
    live([*objects, applied(old, manager="someone"), applied(own, manager="someone")])
    done = run_envc(project, "drift", "prod", "-o", "json")
    assert done.code == 16
    (found,) = json.loads(done.out)["environments"]
    assert [(each["drift"], each["resource"]["name"]) for each in found["objects"]] == [
        ("extra", "own"),
        ("missing", "web"),
    ]
    every = json.loads(run_envc(project, "drift", "prod", "-o", "json", "--all").out)["environments"][0]
    assert [each["resource"]["name"] for each in every["objects"]] == ["old", "own", "web"]


def test_ignore_differences_of_the_repository_are_honoured(project: Path, live: Live) -> None:
    """Of an Application that reads the environment's folder; what is not understood is told."""
    write_files(project, {"argocd/shop.yaml": APPLICATION})
    live(edited(project))
    done = run_envc(project, "drift", "prod")
    assert "spec.replicas" not in done.out
    assert "data.color" in done.out
    assert "ignoreDifferences: .spec | keys (`keys` is not understood) is not understood and was left out" in done.err


SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd, labels: {app.kubernetes.io/part-of: argocd}}
data:
  resource.customizations.ignoreDifferences.apps_Deployment: |
    jsonPointers: [/spec/replicas]
"""


def _settings(**data: str) -> Value:
    metadata = {"name": "argocd-cm", "namespace": "argocd"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _by_argo_cd(objects: list[Value], label: str = "") -> list[Value]:
    """The same objects, as Argo CD had applied them."""
    for value in objects:
        value["metadata"]["managedFields"][0]["manager"] = "argocd-controller"
        if label:
            value["metadata"].setdefault("labels", {})[label] = "shop"
            owned = value["metadata"]["managedFields"][0]["fieldsV1"]
            owned["f:metadata"].setdefault("f:labels", {})[f"f:{label}"] = {}
    return objects


def test_settings_of_argo_cd_in_the_repository(project: Path, live: Live) -> None:
    """Fields that `argocd-cm` takes out of every comparison; they hold before those of the cluster."""
    write_files(project, {"argocd/settings.yaml": SETTINGS})
    color = {"resource.customizations.ignoreDifferences.ConfigMap": "jsonPointers: [/data/color]"}
    live([*edited(project), _settings(**color)])
    done = run_envc(project, "drift", "prod")
    assert done.code == 16
    assert "spec.replicas" not in done.out
    assert "data.color" in done.out


def test_settings_of_argo_cd_in_the_cluster(project: Path, live: Live) -> None:
    """Asked for only where Argo CD applies the environment's objects."""
    color = {"resource.customizations.ignoreDifferences.all": "jsonPointers: [/data/color]"}
    live([*edited(project), _settings(**color)])
    assert "data.color" in run_envc(project, "drift", "prod").out
    live([*_by_argo_cd(edited(project)), _settings(**color)])
    done = run_envc(project, "drift", "prod")
    assert (done.code, done.err) == (16, "")
    assert "data.color" not in done.out
    assert "spec.replicas" in done.out


def test_kinds_that_argo_cd_excludes(project: Path, live: Live) -> None:
    """It never applies them: they are not compared, and that is told."""
    write_files(project, {"a.yaml": SETTINGS.replace("ignoreDifferences.apps_Deployment: |", "health.x_Y: |")})
    live([*_by_argo_cd(edited(project))])
    assert "Deployment.apps/web" in run_envc(project, "drift", "prod").out
    write_files(
        project, {"a.yaml": f"{SETTINGS}  resource.exclusions: '[{{apiGroups: [apps], kinds: [Deployment]}}]'\n"}
    )
    done = run_envc(project, "drift", "prod")
    assert "Deployment" not in done.out
    assert "data.color" in done.out
    assert "1 object of Deployment was not compared: by `resource.exclusions`" in done.err


def test_an_instance_label_of_ones_own(project: Path, live: Live) -> None:
    """Argo CD's mark is no drift, and what only it marks is extra."""
    method = "application.resourceTrackingMethod: label\n  application.instanceLabelKey: example.com/app"
    write_files(project, {"a.yaml": f"{SETTINGS}  {method}\n"})
    old: Value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "old", "namespace": "production"}}
    live(_by_argo_cd([*shown(project), applied(old)], "example.com/app"))
    done = run_envc(project, "drift", "prod")
    assert done.code == 16
    assert done.out.splitlines()[2:4] == [
        "ConfigMap/old (namespace production) is extra",
        "    Argo CD's Application shop tracks it",
    ]
    assert "example.com/app" not in done.out


def test_a_trusted_manager_may_write(project: Path, live: Live) -> None:
    """Both edits are somebody's who is trusted."""
    live(edited(project))
    assert run_envc(project, "drift", "prod", "--trust", "kubectl*").code == 0


def test_sarif_points_at_the_sources(project: Path, live: Live) -> None:
    """One result a difference, at the line that wants otherwise."""
    live(edited(project))
    run = json.loads(run_envc(project, "drift", "prod", "-o", "sarif").out)["runs"][0]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places] == [
        ("base/web/settings.yaml", 6),
        ("overlays/prod/environment.yaml", 5),
    ]
    assert {one["ruleId"] for one in run["results"]} == {"drift-changed"}


def test_markdown_is_a_table(project: Path, live: Live) -> None:
    """For an issue, or the summary of a job."""
    live(edited(project))
    done = run_envc(project, "drift", "prod", "-o", "markdown")
    assert done.out.startswith("## prod\n\n2 changed; 2 objects compared with test, by reading\n\n| resource | field |")
    assert '| data.color (changed) | "red" | "blue" | kubectl-edit at' in done.out


def test_no_secret_is_printed(project: Path, live: Live) -> None:
    """Neither a Secret's value nor a password that somebody wrote into a Deployment; nor is one adopted."""
    write_files(
        project,
        {
            "base/web/secret.yaml": SECRET.replace(
                "{name: key}", "{name: key, annotations: {envcompile.dev/plaintext: '*'}}"
            )
        },
    )
    assert run_envc(project, "build").code == 0
    objects = shown(project)
    secret = next(value for value in objects if value["kind"] == "Secret")
    secret["data"] = {"password": "aHVudGVyMg=="}
    secret.pop("stringData")
    web = next(value for value in objects if value["kind"] == "Deployment")
    container = web["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}]
    tree: dict[str, Any] = {
        "f:containers": {
            f'k:{{"name":"{container["name"]}"}}': {"f:env": {".": {}, 'k:{"name":"DB_PASSWORD"}': {".": {}}}}
        }
    }
    wrote(web, "kubectl-set", {"f:spec": {"f:template": {"f:spec": tree}}})
    live(objects)
    for form in ("text", "json", "markdown", "sarif"):
        done = run_envc(project, "drift", "prod", "-o", form)
        assert done.code == 16
        assert "data.password" in done.out
        assert "PASSWORD" in done.out
        assert "redacted" in done.out
        for value in ("swordfish", "hunter2", "aHVudGVyMg"):
            assert value not in done.out + done.err
    adopted = run_envc(project, "drift", "prod", "--adopt", "deployment/web")
    assert "it holds a secret, or looks like one" in adopted.err
    assert not any(b"hunter2" in data for data in read_files(project / "overlays").values())


def test_adopting_leads_to_no_drift(project: Path, live: Live) -> None:
    """What was live is what the sources say afterwards; other environments stay as they were."""
    live(edited(project))
    before = read_files(project / "environments" / "dev")
    for resource in ("deployment/web", "configmap/settings"):
        assert run_envc(project, "drift", "prod", "--adopt", resource).code == 0
    assert run_envc(project, "drift", "prod").code == 0
    assert "web: 9" in (project / "overlays/prod/environment.yaml").read_text("utf-8")
    assert run_envc(project, "build").code == 0
    assert read_files(project / "environments" / "dev") == before
    again = run_envc(project, "drift", "prod", "--adopt", "deployment/web")
    assert (again.code, again.err) == (0, "prod already says what is live of deployment/web\n")


def test_what_is_gone_can_be_adopted(project: Path, live: Live) -> None:
    """The environment leaves it out."""
    live([value for value in shown(project) if value["kind"] == "ConfigMap"])
    assert run_envc(project, "drift", "prod", "--adopt", "deployment/web").code == 0
    assert run_envc(project, "drift", "prod").code == 0


def test_adopting_needs_one_environment(project: Path) -> None:
    """Which one is not guessed."""
    done = run_envc(project, "drift", "--adopt", "deployment/web")
    assert done.code == 2
    assert "--adopt needs one environment" in done.err


def _always(said: Says) -> Answers:
    return lambda _: said


def test_mistakes_have_clear_words(project: Path, live: Live, tmp_path: Path) -> None:
    """No kubeconfig, no such context, nobody listening, a web page, an expired token: usage is 2, the outside is 4."""
    done = run_envc(project, "drift", "prod")
    assert (done.code, "there is no kubeconfig" in done.err) == (2, True)
    live(shown(project))
    done = run_envc(project, "drift", "prod", "--context", "tset")
    assert (done.code, "did you mean `test`" in done.err) == (2, True)
    write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9")
    done = run_envc(project, "drift", "prod")
    assert (done.code, "cannot be reached" in done.err) == (4, True)
    for said, words in (
        (Says(200, "<html><body>Sign in</body></html>"), "it is no Kubernetes API server"),
        (Says(401, {"kind": "Status", "code": 401, "message": "Unauthorized"}), "does not take the credentials"),
    ):
        with serving(_always(said)) as server:
            write_kubeconfig(tmp_path / "kubeconfig", server.url)
            done = run_envc(project, "drift", "prod")
        assert (done.code, words in done.err) == (4, True), done.err


def test_what_may_not_be_read_is_told(project: Path, live: Live, tmp_path: Path) -> None:
    """A kind that the cluster forbids to list is neither missing nor forgotten."""
    from tests.cluster.drift import fake

    objects = shown(project)

    def answers(asked: Any) -> Says:
        if "deployments" in asked.path:
            return Says(
                403, {"kind": "Status", "code": 403, "reason": "Forbidden", "message": "cannot list deployments"}
            )
        return fake._answer(asked, objects)

    del live
    with serving(answers) as server:
        write_kubeconfig(tmp_path / "kubeconfig", server.url)
        done = run_envc(project, "drift", "prod")
    assert done.code == 0
    assert "deployments.apps in production could not be read" in done.err


def test_people_are_told_of_drift(project: Path, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody whom `notify` names for the environment: names of resources, fields and managers, no value."""
    write_files(
        project,
        {"envc.yaml": "environments: [dev, prod]\nnotify: [{kind: webhook, address: HOOK, environments: [prod]}]\n"},
    )
    commit(project, "start")
    live(edited(project))
    with running_webhook() as inbox:
        monkeypatch.setenv("HOOK", inbox.address)
        done = run_envc(project, "notify", "prod", "--drift")
    assert (done.code, done.err) == (0, "1 message sent\n")
    ((_, body),) = inbox.received
    assert body == {
        "environment": "prod",
        "context": "test",
        "changed": 2,
        "missing": 0,
        "extra": 0,
        "resources": [
            "changed ConfigMap/settings (namespace production) in data.color by kubectl-edit",
            "changed Deployment.apps/web (namespace production) in spec.replicas by kubectl",
        ],
    }


def test_watching_tells_what_changed_and_ends_when_interrupted(
    project: Path, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that finds the same says nothing; Ctrl-C is exit 130."""
    objects = edited(project)
    live(objects)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            next(value for value in objects if value["kind"] == "ConfigMap")["data"]["color"] = "red"
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("envcompile.cli.commands.drift._pause", sleep)
    done = run_envc(project, "drift", "prod", "--watch", "30")
    assert done.code == 130
    assert slept == [30, 30, 30]
    first, second = (line for line in done.out.splitlines() if line.startswith("prod: "))
    assert first.startswith("prod: 2 changed")
    assert second.startswith("prod: 1 changed")


def test_drift_is_recorded(project: Path, live: Live) -> None:
    """What is new and what is gone is told; a Secret's values are not in the database."""
    write_files(
        project,
        {
            "overlays/prod/key.yaml": SECRET.replace(
                "stringData: {password: swordfish}", "data: {password: c3dvcmRmaXNo}"
            )
        },
    )
    with (project / "overlays/prod/environment.yaml").open("a", encoding="utf-8") as file:
        file.write("secretBackend: plaintext\n")
    git(project, "init", "--quiet")
    commit(project)
    assert run_envc(project, "build").code == 0
    objects = edited(project)
    key = next(value for value in objects if value["kind"] == "Secret")
    key["data"] = {"password": "c2Vjb25k"}
    wrote(key, "kubectl", {"f:data": {"f:password": {}}})
    live(objects)
    done = run_envc(project, "drift", "prod", "--record")
    assert (done.code, done.err) == (16, "recorded: 3 new, 0 gone\n")
    live(shown(project))
    done = run_envc(project, "drift", "prod", "--record")
    assert (done.code, done.err) == (0, "recorded: 0 new, 3 gone\n")
    held = b"".join(file.read_bytes() for file in (project / ".envc").glob("history.db*"))
    assert b"spec.replicas" in held
    for word in (b"swordfish", b"c3dvcmRmaXNo", b"second", b"c2Vjb25k"):
        assert word not in held


def test_what_could_not_be_compared_is_not_gone(project: Path, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody saw whether it is."""
    git(project, "init", "--quiet")
    commit(project)
    live(edited(project))
    assert run_envc(project, "drift", "prod", "--record").err == "recorded: 2 new, 0 gone\n"
    find_drift = drift.find_drift

    def blind(*given: Any) -> drift.EnvironmentDrift:
        return find_drift(*given)._replace(objects=(), remarks=("the cluster forbids to list configmaps",))

    monkeypatch.setattr(drift, "find_drift", blind)
    said = run_envc(project, "drift", "prod", "--record").err
    assert said.endswith("recorded: 0 new, 0 gone\n")
