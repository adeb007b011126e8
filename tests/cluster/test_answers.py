"""Whatever an address answers, the words are clear and nothing breaks."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from envcompile.cluster.answers import ApiError, NoAnswerError
from envcompile.cluster.client import Cluster
from envcompile.cluster.kinds import ApiKind
from envcompile.cluster.kubeconfig import find_access
from envcompile.errors import EXIT_UNAVAILABLE
from tests.cluster.servers import Says, serving, write_kubeconfig
from tests.oracles.certificates import write_pki

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.servers import Asked

PODS = ApiKind("", "v1", "Pod", "pods", namespaced=True)
TEXT = (("Content-Type", "text/plain"),)
EXPIRED = Says(410, {"kind": "Status", "reason": "Expired", "code": 410, "message": "The provided continue is too old"})


def _cluster(tmp_path: Path, url: str) -> Cluster:
    return Cluster(find_access(None, {"KUBECONFIG": str(write_kubeconfig(tmp_path / "config", url))}))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Says(200, "<!DOCTYPE html><title>Log in</title>"), "answers a web page to list pods: it is no Kubernetes"),
        (Says(502, "<html>Bad Gateway</html>"), "answers a web page with status 502"),
        (Says(200, "hello"), "answers no JSON to list pods"),
        (Says(200, "[]"), "answers no JSON to list pods"),
        (Says(302, "", (("Location", "http://127.0.0.1:1/"),)), "refuses to list pods: status 302"),
        (
            Says(403, {"kind": "Status", "message": 'pods is forbidden: User "x"'}),
            "forbids to list pods: pods is forbidden",
        ),
        (Says(404, "404 page not found\n", TEXT), "refuses to list pods: status 404: 404 page not found"),
        (Says(503, "service unavailable\n", TEXT), "fails to list pods: status 503: service unavailable"),
        (
            Says(500, {"kind": "Status", "reason": "StorageReadError", "message": "conversion webhook"}),
            "conversion webhook",
        ),
        (Says(500, "\x1b[31mred\x1b[0m", TEXT), r"\\x1b\[31mred"),
    ],
)
def test_answers_that_are_no_success(tmp_path: Path, said: Says, words: str) -> None:
    """Each has its own words, and exit code 4."""
    with serving(lambda _: said) as server, _cluster(tmp_path, server.url) as cluster:
        with pytest.raises(ApiError, match=words) as refused:
            cluster.objects(PODS)
        assert refused.value.exit_code == EXIT_UNAVAILABLE


def test_too_many_requests_say_when(tmp_path: Path) -> None:
    """How long a server wants to be left alone is known."""
    said = Says(429, "Too many requests, please try again later.\n", (*TEXT, ("Retry-After", "7")))
    with serving(lambda _: said) as server, _cluster(tmp_path, server.url) as cluster:
        with pytest.raises(ApiError, match="asked too much at once") as refused:
            cluster.objects(PODS)
        assert refused.value.wait == pytest.approx(7.0)


def test_a_server_that_is_down(tmp_path: Path) -> None:
    """A closed port is no traceback."""
    with _cluster(tmp_path, "http://127.0.0.1:1") as cluster, pytest.raises(NoAnswerError, match="cannot be reached"):
        cluster.version()


def test_a_server_of_another_authority(tmp_path: Path) -> None:
    """A wrong CA is told as such."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    pki, other = write_pki(tmp_path / "one"), write_pki(tmp_path / "two")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.server.certificate, pki.server.key)
    with serving(lambda _: Says(200, {"gitVersion": "v1"}), context) as server:
        for authority, trusted in ((pki.authority, True), (other.authority, False)):
            file = write_kubeconfig(tmp_path / "config", server.url, cluster={"certificate-authority": str(authority)})
            with Cluster(find_access(None, {"KUBECONFIG": str(file)})) as cluster:
                if trusted:
                    assert cluster.version() == "v1"
                else:
                    with pytest.raises(NoAnswerError, match="certificate that is not trusted"):
                        cluster.version()


def test_a_list_whose_pages_are_forgotten(tmp_path: Path) -> None:
    """410 in the middle of a list begins it anew; nothing is there twice."""
    tries = iter(range(9))

    def answers(asked: Asked) -> Says:
        if "continue" in asked.params:
            return (
                EXPIRED if next(tries) < 2 else Says(200, {"metadata": {"resourceVersion": "9"}, "items": [{"b": 2}]})
            )
        return Says(200, {"metadata": {"resourceVersion": "8", "continue": "more"}, "items": [{"a": 1}]})

    with serving(answers) as server, _cluster(tmp_path, server.url) as cluster:
        listing = cluster.objects(PODS)
        assert server.asked[0].headers["Accept-Encoding"] == "identity"
    assert listing.items == [{"apiVersion": "v1", "kind": "Pod", "a": 1}, {"apiVersion": "v1", "kind": "Pod", "b": 2}]
    assert listing.resource_version == "9"


def test_a_list_that_never_ends_well(tmp_path: Path) -> None:
    """A server that forgets every page is given up in the end."""

    def answers(asked: Asked) -> Says:
        return EXPIRED if "continue" in asked.params else Says(200, {"metadata": {"continue": "x"}, "items": []})

    with serving(answers) as server, _cluster(tmp_path, server.url) as cluster:
        with pytest.raises(ApiError, match="does not know this version"):
            cluster.objects(PODS)
        assert len(server.asked) == 10


def test_a_server_without_aggregated_discovery(tmp_path: Path) -> None:
    """Older servers are asked group by group; a group whose server is silent hurts no other."""
    said = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "groups": [
                {
                    "name": "apps",
                    "preferredVersion": {"version": "v1"},
                    "versions": [{"version": "v1beta1"}, {"version": "v1"}],
                },
                {"name": "broken.example.com", "versions": [{"version": "v1"}]},
            ],
        },
        "/api/v1": {"resources": [{"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["list", "watch"]}]},
        "/apis/apps/v1": {
            "resources": [
                {
                    "name": "deployments",
                    "kind": "Deployment",
                    "namespaced": True,
                    "verbs": ["list"],
                    "shortNames": ["dep"],
                },
                {"name": "deployments/scale", "kind": "Scale", "namespaced": True, "verbs": ["get"]},
            ]
        },
        "/apis/apps/v1beta1": {"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": True}]},
    }

    def answers(asked: Asked) -> Says:
        return Says(200, said[asked.path]) if asked.path in said else Says(503, "service unavailable\n", TEXT)

    with serving(answers) as server, _cluster(tmp_path, server.url) as cluster:
        found = cluster.discover()
    assert [one.title for one in found.kinds] == ["pods", "deployments.apps"]
    assert found.find("dep").version == "v1"
    assert found.silent == ("broken.example.com/v1",)
    assert found.of("apps/v1beta1", "Deployment") is not None
