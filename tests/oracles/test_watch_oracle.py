"""`envc watch` against a real API server that is restarted and compacted, killed itself over and over: nothing is lost.

`--torture ROUNDS` plays more rounds; with more than three there are 170 objects of each of the 12 kinds instead of 12.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from envcompile.actions.live_objects import encoded, seen_of
from envcompile.cluster.answers import ApiError, NoAnswerError
from envcompile.cluster.client import Cluster
from envcompile.cluster.kubeconfig import find_access
from envcompile.errors import UnavailableError
from envcompile.history.database import connect
from envcompile.history.livedoctor import examine
from envcompile.history.livereading import LiveReader
from envcompile.kubernetes.observed import observed
from envcompile.secrets.identity import load_identity
from tests.harness.command import PACKAGE_ROOT, PATIENCE
from tests.history import postgres

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.oracles.cluster import Cluster as Server

GROUP: Final = "torture.example.com"
KEY: Final = "k" * 40
SPACE: Final = "torture"


class Store(NamedTuple):
    """A database and the watcher that fills it."""

    url: str
    log: Path
    name: str


def _definition(kind: str, **more: Any) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": name, "served": True, "storage": name == "v1", "schema": schema} for name in ("v1", "v2")]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": versions,
            **more,
        },
    }


_POD: Final[dict[str, Any]] = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"restartPolicy": "Always", "containers": [{"name": "c", "image": "i:1"}]},
}
_JOB: Final = {"template": {**_POD, "spec": {**_POD["spec"], "restartPolicy": "Never"}}}
_SELECTOR: Final = {"matchLabels": {"a": "b"}}
_RBAC: Final = "rbac.authorization.k8s.io"
BODIES: Final[dict[str, dict[str, Any]]] = {
    "ConfigMap": {"apiVersion": "v1"},
    "Secret": {"apiVersion": "v1"},
    "ServiceAccount": {"apiVersion": "v1"},
    "Service": {"apiVersion": "v1", "spec": {"ports": [{"port": 80}]}},
    "Deployment": {"apiVersion": "apps/v1", "spec": {"selector": _SELECTOR, "template": _POD}},
    "CronJob": {"apiVersion": "batch/v1", "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": _JOB}}},
    "Role": {"apiVersion": f"{_RBAC}/v1", "rules": []},
    "RoleBinding": {"apiVersion": f"{_RBAC}/v1", "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "r"}},
    "NetworkPolicy": {"apiVersion": "networking.k8s.io/v1", "spec": {"podSelector": {}}},
    "PodDisruptionBudget": {"apiVersion": "policy/v1", "spec": {"selector": _SELECTOR, "minAvailable": 1}},
    "Gear": {"apiVersion": f"{GROUP}/v1", "spec": {}},
    "Cog": {"apiVersion": f"{GROUP}/v1", "spec": {}},
}


class Changer:
    """Makes, changes and deletes objects of twelve kinds at random, the same for a seed; `made` is by uid."""

    def __init__(self, client: Cluster, seed: int, names: int) -> None:
        self.client = client
        self.names = names
        self.chance = random.Random(seed)
        self.there: dict[tuple[str, str], int] = {}
        self.secrets: list[str] = []
        self.made: dict[str, list[bytes]] = {}
        key = load_identity({"ENVC_IDENTITY_KEY": KEY})
        assert key is not None
        self._keyed = key.digest_of

    def change(self, times: int, kinds: tuple[str, ...] = tuple(BODIES)) -> None:
        """So many changes."""
        for _ in range(times):
            kind, name = self.chance.choice(kinds), f"t-{self.chance.randrange(self.names)}"
            self._change(kind, name)

    def make_all(self) -> None:
        """Every object of every kind."""
        for number in range(self.names):
            for kind in BODIES:
                self._change(kind, f"t-{number}")

    def _change(self, kind: str, name: str) -> None:
        found = self.client.discover().of(BODIES[kind]["apiVersion"], kind)
        assert found is not None
        if (kind, name) in self.there and self.chance.random() < 0.3:
            self.client.request("DELETE", found.path(SPACE, name), what="delete")
            del self.there[kind, name]
            return
        number = self.there[kind, name] = self.there.get((kind, name), 0) + 1
        annotations = {"number": str(number), "chance": str(self.chance.randrange(10**9))}
        value = {
            **BODIES[kind],
            "kind": kind,
            "metadata": {"name": name, "namespace": SPACE, "annotations": annotations},
        }
        if kind == "Secret":
            self.secrets.append(f"secret-value-{self.chance.randrange(10**12)}")
            value["data"] = {"password": base64.b64encode(self.secrets[-1].encode()).decode()}
        seen = seen_of(self.client.apply(found, value, dry_run=False), self._keyed, is_gone=False)
        self.made.setdefault(seen.uid, []).append(seen.digest)


@contextmanager
def _watching(server: Server, store: Store) -> Generator[subprocess.Popen[bytes]]:
    """A watcher of its own process; it is killed when the block ends, as by a machine that loses its power."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(server.folder),
        "KUBECONFIG": str(server.kubeconfig),
        "ENVC_HISTORY_URL": store.url,
        "ENVC_IDENTITY_KEY": KEY,
        "ENVC_LOG": "debug",
        "PYTHONPATH": str(PACKAGE_ROOT),
    }
    command: list[str | Path] = [sys.executable, "-m", "envcompile", "watch", "--name", store.name]
    with store.log.open("ab") as log:
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _state_of_store(store: Store) -> dict[tuple[str, str], bytes]:
    database = connect(store.url)
    try:
        reader = LiveReader(database)
        clusters = {one.name: one.number for one in reader.clusters()}
        if store.name not in clusters:
            return {}
        found = reader.at(clusters[store.name], time.time_ns(), namespace=SPACE)
        bodies = reader.bodies({one.content for one in found})
        return {(one.object.kind, one.object.name): bodies[one.content] for one in found if one.object.kind in BODIES}
    finally:
        database.close()


def _state_if_reached(store: Store) -> dict[tuple[str, str], bytes]:
    """The same; nothing while a busy machine takes too long to connect."""
    try:
        return _state_of_store(store)
    except UnavailableError:
        return {}


def _state_of_cluster(client: Cluster) -> dict[tuple[str, str], bytes]:
    key = load_identity({"ENVC_IDENTITY_KEY": KEY})
    assert key is not None
    client.forget()
    found = {}
    for kind, body in BODIES.items():
        served = client.discover().of(body["apiVersion"], kind)
        assert served is not None
        for live in client.objects(served, namespace=SPACE).items:
            found[kind, live["metadata"]["name"]] = encoded(observed(live, key.digest_of))
    return found


def _wait_until_equal(client: Cluster, *stores: Store) -> None:
    wanted = _state_of_cluster(client)
    deadline = time.monotonic() + PATIENCE
    for store in stores:
        while (found := _state_if_reached(store)) != wanted and time.monotonic() < deadline:
            time.sleep(0.3)
        differing = {key for key in {*found, *wanted} if found.get(key) != wanted.get(key)}
        assert not differing, f"{store.name}: {sorted(differing)}\n{store.log.read_text('utf-8')[-2000:]}"


def _versions(store: Store) -> dict[str, list[bytes]]:
    """The contents of each object's versions, in order, by its uid."""
    database = connect(store.url)
    try:
        rows = database.rows(
            "SELECT o.uid, c.digest FROM live_version v JOIN live_object o ON o.id = v.object_id "
            "JOIN live_content c ON c.id = v.content_id WHERE o.namespace = ? ORDER BY v.object_id, v.valid_from",
            (SPACE,),
        )
        assert examine(database).damage == ()
    finally:
        database.close()
    found: dict[str, list[bytes]] = {}
    for uid, digest in rows:
        found.setdefault(uid, []).append(bytes(digest))
    return found


def _ready(client: Cluster, seconds: float = PATIENCE) -> None:
    """Wait until the server answers, and serves the custom kinds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            client.forget()
            if all(client.discover().of(body["apiVersion"], kind) for kind, body in BODIES.items()):
                for kind in ("Gear", "Cog"):
                    client.objects(client.discover().find(kind))
                return
        except (ApiError, NoAnswerError):
            pass
        assert time.monotonic() < deadline, "the API server does not come back"
        time.sleep(0.1)


def _define(client: Cluster) -> None:
    definitions = client.discover().find("crd")
    # The webhook that should convert is not there: what is stored can be read, every other version cannot.
    dead = {"clientConfig": {"url": "https://127.0.0.1:1/convert"}, "conversionReviewVersions": ["v1"]}
    for value in (
        _definition("Gear"),
        _definition("Cog", conversion={"strategy": "Webhook", "webhook": dead}),
    ):
        if client.get(definitions, value["metadata"]["name"]) is None:
            client.create(definitions, value, dry_run=False)
    _ready(client)


def _compact(etcd: str) -> None:
    """Forget all that is not of now, as etcd does every five minutes."""

    def ask(path: str, body: dict[str, Any]) -> Any:
        connection = http.client.HTTPConnection(etcd.removeprefix("http://"), timeout=30)
        try:
            connection.request("POST", path, json.dumps(body))
            return json.load(connection.getresponse())
        finally:
            connection.close()

    revision = ask("/v3/kv/range", {"key": base64.b64encode(b"x").decode()})["header"]["revision"]
    ask("/v3/kv/compaction", {"revision": revision, "physical": True})


@pytest.fixture
def database() -> Iterator[tuple[Path, str]]:
    """A PostgreSQL server and the address of a database in it."""
    if reason := postgres.missing():
        pytest.skip(reason)
    import psycopg

    with postgres.server() as socket:
        with psycopg.connect(postgres.url(socket, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE torture")
        yield socket, postgres.url(socket, "torture")


@contextmanager
def _away(socket: Path) -> Generator[None]:
    """The database takes no connections, and has cut those that there were."""
    import psycopg

    with psycopg.connect(postgres.url(socket, "postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE torture ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'torture'")
        try:
            yield
        finally:
            connection.execute("ALTER DATABASE torture ALLOW_CONNECTIONS true")


def test_nothing_is_lost_and_nothing_is_there_twice(
    empty_cluster: Server, database: tuple[Path, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Killed, with the database away, etcd compacted, the API server restarted, a definition taken away and put back.

    As long as the server remembers, a watcher that is killed has every version that a healthy one has; after a restart
    of the server nobody can know what was between, and what there is, is right.
    """
    rounds: int = request.config.getoption("--torture")
    away = 30.0 if rounds > 3 else 2.0
    socket, url = database
    tortured = Store(url, tmp_path / "tortured.log", "tortured")
    healthy = Store(f"sqlite:///{tmp_path / 'healthy.db'}", tmp_path / "healthy.log", "healthy")
    with Cluster(find_access(None, {"KUBECONFIG": str(empty_cluster.kubeconfig)})) as client:
        client.create(client.discover().find("ns"), {"metadata": {"name": SPACE}}, dry_run=False)
        _define(client)
        changer = Changer(client, seed=7, names=12 if rounds <= 3 else 170)
        with _watching(empty_cluster, healthy):
            # Each object once: of what changes before the first look only the healthy watcher has both versions.
            if rounds > 3:
                changer.make_all()
            else:
                changer.change(24)
            _wait_until_equal(client, healthy)
            for number in range(rounds):
                with _watching(empty_cluster, tortured):
                    # In every third round it is killed whatever it has come to, as early as at its start; were it never
                    # waited for, a busy machine might let the server forget what it never came to read.
                    if number % 3 == 0 or (rounds > 3 and number % 3 == 1):
                        _wait_until_equal(client, tortured)
                    changer.change(40)
                    with _away(socket) if number == 1 else nullcontext():
                        changer.change(30)
                        time.sleep(away if number == 1 else 0)
                    if number == rounds - 1:
                        _compact(empty_cluster.etcd_url)
                        _wait_until_equal(client, tortured)
                changer.change(40)  # nobody looks
            with _watching(empty_cluster, tortured):
                _wait_until_equal(client, tortured, healthy)
                first, second = _versions(tortured), _versions(healthy)
                assert sum(map(len, first.values())) > 100
                assert first == {uid: second[uid] for uid in first}, _forgotten(tortured)
                # What was made and deleted before the first look, or while nobody looked, only the healthy one saw.
                empty_cluster.restart("kube-apiserver")
                _ready(client)
                changer.change(30)
                _wait_until_equal(client, tortured, healthy)
                client.request("DELETE", f"{client.discover().find('crd').path()}/gears.{GROUP}", what="delete")
                changer.there = {key: held for key, held in changer.there.items() if key[0] != "Gear"}
                changer.change(20, tuple(kind for kind in BODIES if kind != "Gear"))
            time.sleep(1)
            _define(client)
            changer.change(40)
            with _watching(empty_cluster, tortured):
                _wait_until_equal(client, tortured, healthy)
        # Either watcher may have missed what the other saw while the server was away; nothing is there that was not
        # made, nothing twice, and nothing in another order.
        for store in (tortured, healthy):
            for uid, contents in _versions(store).items():
                rest = iter(changer.made[uid])
                wrong = f"{store.name}, {uid}: {contents} of {changer.made[uid]}"
                assert all(content in rest for content in contents), wrong
    _no_secret(changer.secrets, tortured, healthy)


def _forgotten(store: Store) -> list[str]:
    """What the log says of versions that the server did not remember."""
    lines = store.log.read_text("utf-8").splitlines()
    return [line for line in lines if "forgotten" in line or "waiting" in line][-50:]


def _no_secret(secrets: list[str], *stores: Store) -> None:
    """No value, nor its base64, is in a table, a stored text or a log."""
    assert len(secrets) > 10
    words = [word for value in secrets for word in (value.encode(), base64.b64encode(value.encode()).rstrip(b"="))]
    for store in stores:
        database = connect(store.url)
        try:
            reader = LiveReader(database)
            numbers = [row[0] for row in database.rows("SELECT id FROM live_content")]
            texts = [store.log.read_bytes(), *reader.bodies(numbers).values()]
            for table in ("live_object", "live_field", "live_version", "live_event", "live_position"):
                texts += [repr(tuple(row)).encode() for row in database.rows(f"SELECT * FROM {table}")]  # ruff: ignore[hardcoded-sql-expression] - tables of ours
        finally:
            database.close()
        everything = b"\n".join(texts)
        assert not [word for word in words if word in everything]
