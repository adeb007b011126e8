"""`envc watch`, `envc live` and `envc db` on the command line: mistakes in clear words, manifests without a finding."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.watch import Standing
from envcompile.actions.watch_status import is_healthy, metrics, serving
from envcompile.actions.watch_store import Counted
from envcompile.cluster.reflector import Told
from envcompile.history.live import Written
from tests.cluster.servers import Says, write_kubeconfig
from tests.cluster.servers import serving as serving_api
from tests.harness.command import PATIENCE, run_envc
from tests.harness.repository import environment
from tests.history.clusters import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.servers import Asked
    from tests.conftest import MakeProject

IMAGE = f"registry.example.com/envc@sha256:{'0' * 64}"


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """A project in a git repository, whose environment names a cluster."""
    made = make_project({
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": environment("cluster: {context: test}\n"),
    })
    (made / ".git").mkdir(exist_ok=True)
    return made


def _kinds(asked: Asked) -> Says:
    """A small API server: ConfigMaps only, of which there is one."""
    if asked.path == "/version":
        return Says(200, {"gitVersion": "v1.30.1"})
    if asked.path == "/api":
        version = {
            "version": "v1",
            "resources": [
                {
                    "resource": "configmaps",
                    "responseKind": {"kind": "ConfigMap"},
                    "scope": "Namespaced",
                    "verbs": ["list", "watch"],
                }
            ],
        }
        return Says(200, {"kind": "APIGroupDiscoveryList", "items": [{"metadata": {}, "versions": [version]}]})
    if asked.path == "/apis":
        return Says(200, {"kind": "APIGroupDiscoveryList", "items": []})
    if asked.path == "/api/v1/configmaps":
        metadata = {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "3"}
        return Says(200, {"metadata": {"resourceVersion": "5"}, "items": [{"metadata": metadata, "data": {"a": "1"}}]})
    return Says(404, "404 page not found\n", (("Content-Type", "text/plain"),))


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of its own, named by ENVC_HISTORY_URL."""
    path = tmp_path / "live.db"
    monkeypatch.setenv("ENVC_HISTORY_URL", f"sqlite:///{path}")
    return path


def test_a_snapshot(root: Path, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is, is stored; a second time nothing is new; the environment's context says which cluster."""
    with serving_api(_kinds) as server:
        monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", server.url)))
        said = run_envc(root, "watch", "--once", "--env", "prod")
        assert (said.code, said.out) == (
            0,
            "test: 1 objects of 1 kinds, 1 new, 0 changed, 0 gone, 0 events, 0 figures of usage\n",
        ), said.err
        assert "1 objects of 1 kinds, 0 new" in run_envc(root, "watch", "--once").out
    assert run_envc(root, "live", "get").out.startswith("shop  ConfigMap/a")
    assert history.is_file()


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (Says(200, "<!DOCTYPE html><title>Log in</title>"), 4, "answers a web page"),
        (Says(401, {"kind": "Status", "message": "Unauthorized"}), 4, "does not take the credentials"),
        (Says(503, "service unavailable\n"), 4, "fails to tell its version: status 503"),
    ],
)
def test_a_server_that_is_none(
    root: Path, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Says, code: int, words: str
) -> None:
    """A snapshot of what is no API server fails in clear words."""
    with serving_api(lambda _: answer) as server:
        monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", server.url)))
        said = run_envc(root, "watch", "--once")
    assert said.code == code
    assert words in said.err
    assert history.parent == tmp_path


def test_mistakes(root: Path, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its words, its advice and exit code 2."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert "there is no kubeconfig" in run_envc(root, "watch", "--once").err
    for option, value in (("--cap", "much"), ("--listen", "here"), ("--listen", "127.0.0.1:70000")):
        said = run_envc(root, "watch", "--once", option, value)
        assert (said.code, option in said.err) == (2, True), "what is typed wrong is told before a cluster is needed"
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")))
    for words, told in (
        (("--context", "tset"), "did you mean `test`?"),
        (("--env", "pord"), "pord"),
        (("--cap", "much"), "--cap cannot be `much`"),
        (("--listen", "here"), "--listen cannot be `here`"),
        (("--manifests",), "--manifests needs an image"),
        (("--name", "x", "--context", "test", "--env", "prod"), "--name is for one cluster"),
    ):
        said = run_envc(root, "watch", "--once", *words)
        assert (said.code, told in said.err) == (2, True), said.err
    assert not history.exists()
    said = run_envc(root, "live", "get")
    assert said.code == 2
    assert "nothing was watched yet" in said.err


def test_a_newer_database(root: Path, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of an envc that is not written yet are left alone."""
    fill(f"sqlite:///{history}")
    with sqlite3.connect(history) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")))
    for words in (("watch", "--once"), ("live", "stats"), ("db", "gc"), ("db", "doctor")):
        said = run_envc(root, *words)
        assert (said.code, "was written by a newer one" in said.err) == (4, True), said.err
    assert "tables of version 9999 (this envc writes" in run_envc(root, "db", "status").out


def test_a_database_that_is_full(root: Path, history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above its cap nothing is stored, and that is said."""
    fill(f"sqlite:///{history}")
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")))
    said = run_envc(root, "watch", "--once", "--cap", "1Ki")
    assert said.code == 4
    assert "its cap is 0 MiB: nothing more is stored" in said.err
    assert "`envc db gc`" in said.err


def test_the_manifests_pass_every_check(make_project: MakeProject) -> None:
    """What runs the watcher in a cluster is as envc wants others to run theirs."""
    printed = run_envc(None, "watch", "--manifests", "--image", IMAGE, "--name", "prod", "--kinds", "deploy,svc")
    assert printed.code == 0
    assert "- prod\n" in printed.out
    assert "- deploy,svc\n" in printed.out
    root = make_project({
        "envc.yaml": "environments: [prod]\n",
        "base/watch/watch.yaml": printed.out,
        "overlays/prod/environment.yaml": environment(""),
    })
    found = run_envc(root, "check")
    assert (found.code, found.out) == (0, ""), found.out


def test_upgrade_and_gc(root: Path, history: Path) -> None:
    """An empty database gets its tables; what is old goes."""
    assert "already" in run_envc(root, "db", "upgrade").err
    fill(f"sqlite:///{history}")
    assert "events: 2 would go" in run_envc(root, "db", "gc", "--dry-run").out
    assert "versions: 4 went" in run_envc(root, "db", "gc").out
    assert "nothing is older" in run_envc(root, "db", "gc").err
    assert run_envc(root, "db", "doctor").code == 0
    assert os.environ["ENVC_HISTORY_URL"].endswith("live.db")


def _standing(**more: object) -> Standing:
    told = Told("watching", events=7, lists=1, expired=2, failures=0, problem="")
    counted = Counted(Written(3, 2, 1, 4), events=5, usage=6, batches=2)
    made = Standing('pr"od', True, {("apps", "deployments"): told}, counted, 0, 4096, 100.0, ())
    return made._replace(**more)  # type: ignore[arg-type]  # as the test says


def test_figures_for_prometheus() -> None:
    """Every line is a comment or a figure with its labels; a name with a quote is escaped."""
    text = metrics([_standing()])
    assert 'envc_watch_events_total{cluster="pr\\"od",group="apps",resource="deployments"} 7\n' in text
    assert 'envc_watch_stored_total{cluster="pr\\"od",what="changed"} 2\n' in text
    assert 'envc_watch_kinds{cluster="pr\\"od",state="watching"} 1\n' in text
    assert text.count("# TYPE ") == len({line.split("{")[0] for line in text.splitlines() if not line.startswith("#")})


def test_health() -> None:
    """What waits for long without a reason is no health; a database that is away is no reason to be killed."""
    assert is_healthy([_standing()], 10_000)
    assert not is_healthy([_standing(waiting=3)], 10_000)
    assert is_healthy([_standing(waiting=3, problems=("the database is away",))], 10_000)
    assert is_healthy([_standing(waiting=3)], 200)


def test_endpoints() -> None:
    """`/readyz` is 503 until every kind has been listed; what is not there is 404."""
    import http.client

    states = [_standing(is_ready=False), _standing()]
    with serving("127.0.0.1:0", lambda: states[:1]) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)
        answers = []
        for path in ("/readyz", "/healthz", "/metrics", "/x"):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            answers.append(response.status)
        states.pop(0)
        connection.request("GET", "/readyz")
        answers.append(connection.getresponse().status)
        connection.close()
    assert answers == [503, 200, 200, 404, 200]
