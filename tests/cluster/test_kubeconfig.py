"""The context that people mean is found as kubectl finds it, and every mistake has clear words."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.cluster.answers import ApiError
from envcompile.cluster.client import Cluster
from envcompile.cluster.kubeconfig import contexts, find_access
from envcompile.errors import EnvcError, UnavailableError, UsageError
from tests.cluster.servers import Says, serving, write_kubeconfig

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.servers import Asked


def _exec(command: str, version: str = "v1", **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": f"client.authentication.k8s.io/{version}", "command": command, **more}}


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_no_kubeconfig(tmp_path: Path) -> None:
    """Whoever has none is told which file is missing."""
    with pytest.raises(UsageError, match=r"there is no kubeconfig: .*/\.kube/config does not exist"):
        find_access(None, {"HOME": str(tmp_path)})


def test_an_unknown_context(tmp_path: Path) -> None:
    """The nearest name is offered."""
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"no context `tset`.*\n.*did you mean `test`"):
        find_access("tset", {"KUBECONFIG": str(file)})


def test_no_current_context(tmp_path: Path) -> None:
    """Nothing is guessed: the contexts are named."""
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    file.write_text(file.read_text("utf-8").replace('"current-context": "test",', ""), encoding="utf-8")
    with pytest.raises(UsageError, match=r"no current context(?s:.*)--context: test"):
        find_access(None, {"KUBECONFIG": str(file)})


def test_the_home_is_asked_last(tmp_path: Path) -> None:
    """Without KUBECONFIG the usual file is read; namespace and server are those of its current context."""
    write_kubeconfig(tmp_path / ".kube" / "config", "http://127.0.0.1:1")
    access = find_access(None, {"HOME": str(tmp_path)})
    assert (access.context, access.namespace, access.server) == ("test", "shop", "http://127.0.0.1:1")


def test_several_files_are_one(tmp_path: Path) -> None:
    """The first file that has a name has the say, as in kubectl; a file that is not there is passed over."""
    one = write_kubeconfig(tmp_path / "one", "http://127.0.0.1:1")
    two = write_kubeconfig(tmp_path / "two", "http://127.0.0.1:2")
    more = json.loads(two.read_text("utf-8"))
    more["contexts"].append({"name": "other", "context": {"cluster": "far"}})
    more["clusters"].append({"name": "far", "cluster": {"server": "http://127.0.0.1:3"}})
    two.write_text(json.dumps(more), encoding="utf-8")
    environ = {"KUBECONFIG": f"{one}:{tmp_path / 'none'}:{two}"}
    assert contexts(environ) == ["other", "test"]
    assert find_access(None, environ).server == "http://127.0.0.1:1"
    assert find_access("other", environ).server == "http://127.0.0.1:3"


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    """The line of the mistake is told."""
    file = tmp_path / "config"
    file.write_text("clusters:\n  - name: [\n", encoding="utf-8")
    with pytest.raises(EnvcError, match=rf"{file}:\d+:\d+"):
        find_access(None, {"KUBECONFIG": str(file)})


@pytest.mark.parametrize("text", ["[]", "contexts: [{name: a}]", "{clusters: [{name: c, cluster: {server: 1}}]}", "x"])
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str) -> None:
    """What is YAML and no kubeconfig is refused in words, too."""
    file = tmp_path / "config"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(EnvcError, match="this kubeconfig cannot be understood"):
        find_access(None, {"KUBECONFIG": str(file)})


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    """A context that names nothing is told by name."""
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    file.write_text(file.read_text("utf-8").replace('"cluster": "c"', '"cluster": "d"'), encoding="utf-8")
    with pytest.raises(UsageError, match="names the cluster `d`, which is not there"):
        find_access(None, {"KUBECONFIG": str(file)})


def test_certificates_that_are_none(tmp_path: Path) -> None:
    """A broken certificate is told with the context."""
    file = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1", cluster={"certificate-authority-data": "!!"})
    with pytest.raises(EnvcError, match="certificate or key of the context `test` cannot be used"):
        find_access(None, {"KUBECONFIG": str(file)})


def test_auth_providers_are_gone(tmp_path: Path) -> None:
    """What Kubernetes gave up is told as such."""
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user={"auth-provider": {"name": "gcp"}})
    with pytest.raises(UsageError, match="auth-provider, which Kubernetes gave up"):
        find_access(None, {"KUBECONFIG": str(file)})


def test_an_exec_plugin_gives_the_token(tmp_path: Path) -> None:
    """The program of the kubeconfig is started once, told what is asked, and again when its token is refused."""
    log = tmp_path / "log"
    text = f"""echo "$KUBERNETES_EXEC_INFO $MODE" >> {log}
printf '{{"kind":"ExecCredential","status":{{"token":"t%s"}}}}' "$(wc -l < {log})" """
    program = _program(tmp_path / "bin" / "login", text)

    def answers(asked: Asked) -> Says:
        is_new = asked.headers["Authorization"] == "Bearer t2"
        return Says(200, {"gitVersion": "v1.37.2"}) if is_new else Says(401, {"kind": "Status", "message": "no"})

    with serving(answers) as server:
        user = _exec("./bin/" + program.name, env=[{"name": "MODE", "value": "m"}])
        file = write_kubeconfig(tmp_path / "config", server.url, user=user)
        with Cluster(find_access(None, {"KUBECONFIG": str(file)})) as cluster:
            assert cluster.version() == "v1.37.2"
            assert cluster.version() == "v1.37.2"
        assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer t1", "Bearer t2", "Bearer t2"]
    first, _ = log.read_text("utf-8").splitlines()
    assert first.endswith(" m")
    assert json.loads(first.removesuffix(" m"))["spec"] == {"interactive": False}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo no session >&2; exit 3", "ended with status 3: no session"),
        ("echo hello", "gave no ExecCredential with a token"),
    ],
)
def test_an_exec_plugin_that_fails(tmp_path: Path, text: str, words: str) -> None:
    """Its last word is passed on."""
    program = _program(tmp_path / "login", text)
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user=_exec(str(program)))
    with Cluster(find_access(None, {"KUBECONFIG": str(file)})) as cluster, pytest.raises(UnavailableError, match=words):
        cluster.version()


def test_an_exec_plugin_that_is_not_installed(tmp_path: Path) -> None:
    """The hint of the kubeconfig is passed on."""
    user = _exec("no-such-plugin", installHint="get it from the wiki")
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user=user)
    with (
        Cluster(find_access(None, {"KUBECONFIG": str(file)})) as cluster,
        pytest.raises(UnavailableError, match=r"is not installed(?s:.*)get it from the wiki"),
    ):
        cluster.version()


def test_nothing_of_a_checkout_is_started(tmp_path: Path) -> None:
    """Neither a kubeconfig of the checkout nor a program in it brings a program to run."""
    checkout = tmp_path / "checkout"
    program = _program(checkout / "login", f"touch {tmp_path / 'ran'}")
    inside = write_kubeconfig(checkout / "kubeconfig", "http://127.0.0.1:1", user=_exec("login"))
    outside = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user=_exec(str(program)))
    for file in (inside, outside):
        with pytest.raises(UsageError, match="starts no program that a repository names"):
            find_access(None, {"KUBECONFIG": str(file)}, checkout=checkout)
    assert find_access(None, {"KUBECONFIG": str(outside)}).auth is not None
    assert not (tmp_path / "ran").exists()


def test_an_unknown_version_of_exec(tmp_path: Path) -> None:
    """What a later Kubernetes may bring is not guessed."""
    file = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user=_exec("login", "v9"))
    with pytest.raises(UsageError, match=r"speaks client\.authentication.k8s.io/v9"):
        find_access(None, {"KUBECONFIG": str(file)})


def test_a_token_file_is_read_again(tmp_path: Path) -> None:
    """A token that a kubelet renews is taken up when the old one is refused."""
    (tmp_path / "token").write_text("old\n", encoding="utf-8")

    def answers(asked: Asked) -> Says:
        if asked.headers["Authorization"] == "Bearer new":
            return Says(200, {"gitVersion": "v1"})
        (tmp_path / "token").write_text("new\n", encoding="utf-8")
        return Says(401, "Unauthorized")

    with serving(answers) as server:
        file = write_kubeconfig(tmp_path / "config", server.url, user={"tokenFile": "token"})
        with Cluster(find_access(None, {"KUBECONFIG": str(file)})) as cluster:
            assert cluster.version() == "v1"


def test_the_account_of_a_pod(tmp_path: Path) -> None:
    """Inside of a cluster its own account is used when there is no kubeconfig."""
    environ = {
        "HOME": str(tmp_path),
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": "6443",
        "ENVC_SERVICE_ACCOUNT": str(tmp_path),
    }
    with pytest.raises(UsageError, match="the pod has no account of its own"):
        find_access(None, environ)
    for name in ("namespace", "token"):
        (tmp_path / name).write_text("envc", encoding="utf-8")
    with pytest.raises(EnvcError, match="certificate or key of the context `in-cluster` cannot be used"):
        find_access(None, environ)


def test_an_expired_token(tmp_path: Path) -> None:
    """A refused token says so, and that one has to log in."""
    said = Says(401, {"kind": "Status", "message": "Unauthorized", "reason": "Unauthorized", "code": 401})
    with serving(lambda _: said) as server:
        file = write_kubeconfig(tmp_path / "config", server.url, user={"token": "old"})
        with (
            Cluster(find_access(None, {"KUBECONFIG": str(file)})) as cluster,
            pytest.raises(ApiError, match=r"does not take the credentials(?s:.*)log in again") as refused,
        ):
            cluster.version()
    assert refused.value.status == 401
    assert "old" not in str(refused.value)
