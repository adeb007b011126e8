"""The compiled chart as an archive and in a registry, by the real helm: who pulls it renders the environments."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.oracles.chart_repository import running_registry

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, helm4: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built project with a chart, and helm on PATH."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "helm").symlink_to(helm4)
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    root = write_files(
        tmp_path / "project",
        {
            "envc.yaml": "environments: [dev, prod]\nchart: {name: shop, version: 1.0.0}\n",
            "base/web/web.yaml": deployment(),
            "base/web/settings.yaml": config_map("settings", color="red"),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\nreplicas: {web: 3}\n"),
        },
    )
    built = run_envc(root, "build")
    assert built.code == 0, built.err
    return root


def test_what_is_pulled_renders_the_environment(project: Path, helm4: Path, registry: Path, tmp_path: Path) -> None:
    """Packed under another version, pushed, pulled by its digest: the objects are those of environments/prod."""
    done = run_envc(
        project, "chart", "package", "--version", "1.2.0", "--app-version", "7", "-d", str(tmp_path / "dist")
    )
    archive = tmp_path / "dist" / "shop-1.2.0.tgz"
    assert (done.code, done.out) == (0, f"{archive}\n")
    assert done.err == f"sha256 {hashlib.sha256(archive.read_bytes()).hexdigest()}\n"
    with tarfile.open(archive) as held:
        assert "shop/.envc-index" not in held.getnames()
    with running_registry(registry) as host:
        done = run_envc(project, "chart", "push", str(archive), f"oci://{host}/charts", "--format", "json")
        assert done.code == 0, done.err
        pushed = json.loads(done.out)
        assert pushed["reference"] == f"oci://{host}/charts/shop:1.2.0"
        named = f"oci://{host}/charts/shop@{pushed['digest']}"
        command = [str(helm4), "pull", named, "--plain-http", "--untar", "-d", str(tmp_path / "pulled")]
        subprocess.run(command, check=True, capture_output=True)
    chart = tmp_path / "pulled" / "shop"
    told = load_all((chart / "Chart.yaml").read_bytes(), "Chart.yaml")[0]
    assert (told["version"], str(told["appVersion"])) == ("1.2.0", "7")
    done = run_envc(project, "chart", "verify", str(chart), "--against", f"prod={project / 'environments' / 'prod'}")
    assert done.code == 0, done.out


def test_a_chart_that_renders_something_else_is_not_packed(project: Path, tmp_path: Path) -> None:
    """Exit 16, with the first difference; the folder stays empty."""
    values = project / "environments/chart/values.yaml"
    values.write_text(values.read_text("utf-8").replace("replicas: 3", "replicas: 4"), "utf-8")
    done = run_envc(project, "chart", "package", "-d", str(tmp_path / "dist"))
    assert done.code == 16
    assert "a number of another value" in done.err
    assert not (tmp_path / "dist").exists()
    assert run_envc(project, "chart", "package", "--no-verify", "-d", str(tmp_path / "dist")).code == 0


def test_a_signature_lies_beside_the_archive_and_is_good(project: Path, helm4: Path, tmp_path: Path) -> None:
    """Helm itself verifies it, and says that it is bad after one byte changed."""
    secret, public = _keys(tmp_path / "gpg")
    dist = tmp_path / "dist"
    done = run_envc(project, "chart", "package", "-d", str(dist), "--key", "Shop Team", "--keyring", str(secret))
    assert done.code == 0, done.err
    assert done.err.endswith(", signed in shop-1.0.0.tgz.prov\n")
    verify = [str(helm4), "verify", str(dist / "shop-1.0.0.tgz"), "--keyring", str(public)]
    good = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert "Shop Team" in good.stdout + good.stderr
    assert good.returncode == 0
    with (dist / "shop-1.0.0.tgz").open("ab") as file:
        file.write(b"\0")
    assert subprocess.run(verify, capture_output=True, check=False).returncode != 0


def _keys(home: Path) -> tuple[Path, Path]:
    """A key pair in the form that helm reads: the rings of secret and of public keys."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--pinentry-mode", "loopback"]
    subprocess.run(
        [*gpg, "--quick-gen-key", "Shop Team <shop@example.com>", "rsa2048"], check=True, capture_output=True
    )
    secret, public = home / "secring.gpg", home / "pubring.gpg"
    subprocess.run([*gpg, "--output", str(secret), "--export-secret-keys"], check=True, capture_output=True)
    subprocess.run([*gpg, "--output", str(public), "--export"], check=True, capture_output=True)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, capture_output=True)
    return secret, public


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("package", "--version", "1.2"), "--version cannot be `1.2`", 2),
        (("package", "--keyring", "ring"), "--keyring needs the name of a key", 2),
        (("package", "--key", "Nobody", "--keyring", "none.gpg"), "helm cannot pack", 1),
        (("package", "nowhere"), "is not a chart", 2),
        (("push", "nothing.tgz", "oci://127.0.0.1:9/x"), "there is no file nothing.tgz", 2),
        (("push", "{here}", "https://u:secret-word@h/x"), "is no address of a registry", 2),
        (("push", "{here}", "oci://u:secret-word@h/x"), "is no address of a registry", 2),
        (("push", "{here}", "oci://127.0.0.1:9/x"), "helm could not push", 4),
    ],
)
def test_mistakes_are_told(project: Path, tmp_path: Path, words: tuple[str, ...], told: str, code: int) -> None:
    """In our words, with helm's below where it is about helm; no password is shown."""
    assert run_envc(project, "chart", "package", "-d", str(tmp_path)).code == 0
    here = str(tmp_path / "shop-1.0.0.tgz")
    done = run_envc(project, "chart", *(word.replace("{here}", here) for word in words))
    assert (done.code, told in done.err) == (code, True), done.err
    assert "secret-word" not in done.err
