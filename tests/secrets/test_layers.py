"""One cluster's secrets are that cluster's: what a layer below sealed, and where `fetch-cert` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile import yamlio
from envcompile.secrets.ciphertext import label
from envcompile.secrets.sealing import open_sealed
from tests.harness.command import run_envc
from tests.secrets.repository import Repository, certificate_pem, fingerprint, key_pem, private_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.harness.command import Outcome

HEAD = "apiVersion: envcompile.dev/v1\nkind: Environment\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {alpha: 'ref+env://ALPHA'}\n"


class Clusters:
    """A project whose `prod-us` extends `prod`, and the keys of two clusters."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.repository = Repository(root / "project")
        self.root = self.repository.root
        self.first: RSAPrivateKey = private_key(4096, 21)
        self.second: RSAPrivateKey = private_key(4096, 22)
        monkeypatch.setenv("HOME", str(root / "home"))
        monkeypatch.setenv("ALPHA", "one")
        monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setenv("ENVC_IDENTITY_KEY", "0" * 64)
        (root / "home").mkdir()
        for name, key in (("a", self.first), ("b", self.second)):
            (root / f"{name}.pem").write_bytes(certificate_pem(key, days=3650))
        self.pems = {name: str(root / f"{name}.pem") for name in "ab"}
        self.repository.write("base/web/s.yaml", SECRET)

    def run(self, *arguments: str, code: int = 0) -> Outcome:
        """Run a command that ends with this code."""
        done = run_envc(self.root, *arguments)
        assert done.code == code, done.err
        return done

    def overlay(self, name: str, text: str = "") -> None:
        """Write an environment.yaml."""
        self.repository.write(f"overlays/{name}/environment.yaml", HEAD + text)

    def text(self, file: str) -> str:
        """A file of the project."""
        return (self.root / file).read_text()

    def opens(self, environment: str, key: RSAPrivateKey) -> bytes:
        """What the cluster with this key makes of the built SealedSecret."""
        built = (self.root / f"environments/{environment}/web/sealedsecret-db.yaml").read_bytes()
        sealed = yamlio.load_all(built, "built")[0]["spec"]["encryptedData"]["alpha"]
        return open_sealed([key], sealed, label("strict", "shop", "db")).reveal()


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clusters:
    """`prod` is sealed for the first cluster; `prod-us` extends it."""
    made = Clusters(tmp_path, monkeypatch)
    made.overlay("prod", "namespace: shop\n")
    made.run("secrets", "fetch-cert", "prod", made.pems["a"])
    made.run("secrets", "seal")
    made.overlay("prod-us", "extends: [../prod]\n")
    return made


def test_second_cluster_extends_a_real_environment(clusters: Clusters) -> None:
    """Case second-cluster-extends-a-real-environment: no build is green with what the cluster cannot open."""
    clusters.run("secrets", "fetch-cert", "prod-us", clusters.pems["b"], "--accept")
    done = clusters.run("build", code=1)
    assert "environment prod-us: Secret/db: `alpha` has no sealed value in overlays/prod-us/sealed.yaml" in done.err
    assert "run `envc secrets seal prod-us db`" in done.err
    assert "environment prod:" not in done.err
    assert "missing" in clusters.run("secrets", "status", "prod-us", code=1).out
    assert "is declared but not sealed" in clusters.run("secrets", "verify", "prod-us", code=1).out
    clusters.run("secrets", "seal", "prod-us")
    clusters.run("build")
    assert clusters.opens("prod", clusters.first) == b"one"
    assert clusters.opens("prod-us", clusters.second) == b"one"
    assert "unchanged" in clusters.run("secrets", "status", "prod-us").out


def test_fetch_cert_replaces_parents_certificate(clusters: Clusters, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case fetch-cert-replaces-parents-certificate: the child gets its own, the parent stays as it was."""
    before = {file: clusters.text(f"overlays/prod/{file}") for file in ("sealed-secrets.pem", "environment.yaml")}
    done = clusters.run("secrets", "fetch-cert", "prod-us", clusters.pems["b"], "--accept")
    assert "written to overlays/prod-us/sealed-secrets.pem and pinned" in done.err
    assert {file: clusters.text(f"overlays/prod/{file}") for file in before} == before
    assert fingerprint(clusters.second) in clusters.text("overlays/prod-us/environment.yaml")
    monkeypatch.setenv("ALPHA", "two")
    clusters.run("secrets", "seal", "prod")
    clusters.run("secrets", "seal", "prod-us")
    clusters.run("build")
    assert clusters.opens("prod", clusters.first) == b"two"
    assert clusters.opens("prod-us", clusters.second) == b"two"


def test_a_certificate_that_the_parent_names_is_left_to_it(clusters: Clusters) -> None:
    """`sealing.certificate` of a layer below: the child names its own."""
    clusters.repository.write("overlays/prod/certs/x.pem", certificate_pem(clusters.first))
    (clusters.root / "overlays/prod/sealed-secrets.pem").unlink()
    pin = fingerprint(clusters.first)
    clusters.overlay("prod", f"namespace: shop\nsealing: {{certificate: certs/x.pem, fingerprint: '{pin}'}}\n")
    clusters.run("secrets", "fetch-cert", "prod-us", clusters.pems["b"], "--accept")
    settings = yamlio.load_all(clusters.text("overlays/prod-us/environment.yaml").encode(), "e")[0]
    assert settings["sealing"] == {"certificate": "sealed-secrets.pem", "fingerprint": fingerprint(clusters.second)}
    clusters.run("secrets", "seal", "prod-us")
    clusters.run("build")
    assert clusters.opens("prod-us", clusters.second) == b"one"


def test_the_same_certificate_changes_nothing(clusters: Clusters) -> None:
    """A child of the same cluster shares pin, certificate and sealed values, also after a renewal."""
    before = clusters.repository.files()
    done = clusters.run("secrets", "fetch-cert", "prod-us", clusters.pems["a"])
    assert done.out.startswith("same: ")
    assert clusters.repository.files() == before
    clusters.run("build")
    assert clusters.opens("prod-us", clusters.first) == b"one"
    clusters.run("secrets", "fetch-cert", "prod", clusters.pems["b"], "--accept")
    clusters.run("build")
    assert clusters.opens("prod-us", clusters.first) == b"one"
    assert "unchanged" in clusters.run("secrets", "status", "prod-us").out


def test_an_abstract_layer_is_seen_by_every_command(clusters: Clusters) -> None:
    """Build, status, verify, audit and unseal read the same stores; a leak is listed from each of them."""
    common = clusters.root / "overlays/common"
    (clusters.root / "overlays/prod").rename(common)
    text = (common / "environment.yaml").read_text()
    (common / "environment.yaml").write_text(f"{text}abstract: true\n")
    clusters.overlay("prod-us", "extends: [../common]\n")
    clusters.run("build")
    assert clusters.opens("prod-us", clusters.first) == b"one"
    clusters.run("secrets", "verify")
    assert "it was sealed in the layer `common`" in clusters.run("secrets", "status").out
    listed = clusters.run("secrets", "audit", "--compromised", fingerprint(clusters.first), code=1).out
    assert "prod-us  shop/db/alpha  error  compromised" in listed
    key = clusters.repository.write("first.key", key_pem(clusters.first))
    assert "shop/db/alpha" in clusters.run("secrets", "unseal", "prod-us", "--private-key", str(key)).out
    clusters.run("secrets", "fetch-cert", "prod-us", clusters.pems["b"], "--accept")
    assert clusters.run("build", code=1).err.count("has no sealed value") == 1
    # What leaked was readable, whether the environment still builds from it or not.
    listed = clusters.run("secrets", "audit", "--compromised", fingerprint(clusters.first), code=1).out
    assert "compromised" in listed


def test_a_record_of_exactly_the_pinned_certificate_counts_wherever_it_stands(clusters: Clusters) -> None:
    """The pin decides: two environments may pin one certificate each by themselves."""
    pin = fingerprint(clusters.first)
    clusters.overlay("prod-us", f"extends: [../prod]\nsealing: {{fingerprint: '{pin}'}}\n")
    clusters.run("build")
    assert clusters.opens("prod-us", clusters.first) == b"one"


def test_a_diamond_takes_each_layers_own_cluster(clusters: Clusters) -> None:
    """A pin that another parent sets above a layer makes that layer's records another cluster's."""
    clusters.repository.write("overlays/us/sealed-secrets.pem", certificate_pem(clusters.second))
    pin = fingerprint(clusters.second)
    clusters.overlay("us", f"abstract: true\nsealing: {{fingerprint: '{pin}'}}\n")
    clusters.overlay("prod-us", "extends: [../prod, ../us]\n")
    assert "has no sealed value" in clusters.run("build", "prod-us", code=1).err
    clusters.run("secrets", "seal", "prod-us")
    clusters.run("build")
    assert clusters.opens("prod-us", clusters.second) == b"one"
