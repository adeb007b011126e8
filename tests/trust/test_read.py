"""What is read is what the project's commits can hold, whatever points at it, in the folder, the index and a commit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from envcompile import yamlio
from envcompile.secrets.certificate import read_certificates
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment, git, write_files
from tests.secrets.repository import certificate_pem, private_key

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "c4n4ry-0f-s0mebody"
SECRET = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: leak}}\ndata: {{a: {CANARY}}}\n"
DEFINITION = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
    f"metadata: {{name: {CANARY}}}\nspec: {{group: x.example.com}}\n"
)
HIDDEN = {
    ".hidden/file.yaml": SECRET,
    ".hidden/file.env": f"A={CANARY}\n",
    ".hidden/crds/x.yaml": DEFINITION,
    "visible/.in/file.yaml": SECRET,
    "visible/.in/file.env": f"A={CANARY}\n",
}
"""Committed, all below names that begin with a dot."""
IGNORED = {"local/file.yaml": SECRET, "local/file.env": f"A={CANARY}\n", "local/crds/x.yaml": DEFINITION}
"""On one machine only."""

GENERATE = "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: made}\n"

WAYS = {
    "a link to a file": {"base/app/x.yaml": "-> ../../PLACE/file.yaml"},
    "a link to a folder": {"base/app/x": "-> ../../PLACE"},
    "a link to a link": {"base/app/x.yaml": "-> ../../step.yaml", "step.yaml": "-> PLACE/file.yaml"},
    "a linked application": {"base/linked": "-> ../PLACE"},
    "a linked overlay": {"overlays/dev/x": "-> ../../PLACE"},
    "settings of the project": {"envc.yaml": "-> PLACE/file.yaml"},
    "settings of an environment": {"overlays/dev/environment.yaml": "-> ../../PLACE/file.yaml"},
    "crds": {"envc.yaml": "crds: [PLACE/crds]\n"},
    "crds, one file": {"envc.yaml": "crds: [PLACE/crds/x.yaml]\n"},
    "crds, a link": {"envc.yaml": "crds: [definitions]\n", "definitions": "-> PLACE/crds"},
    "an import": {"base/app/x.jsonnet": "{a: importstr '../../PLACE/file.yaml'}"},
    "a linked import": {
        "base/app/x.jsonnet": "{a: importstr 'linked.yaml'}",
        "lib/linked.yaml": "-> ../PLACE/file.yaml",
    },
    "a generated ConfigMap": {"base/app/x.yaml": f"{GENERATE}configMap: {{files: [../../PLACE/file.yaml]}}\n"},
    "a generated Secret": {
        "base/app/x.yaml": f"{GENERATE}secret: {{files: [../../PLACE/file.yaml]}}\n",
        "overlays/dev/environment.yaml": environment("secretBackend: plaintext\n"),
    },
    "entries of an env file": {"base/app/x.yaml": f"{GENERATE}configMap: {{envs: [../../PLACE/file.env]}}\n"},
    "a linked file of a ConfigMap": {
        "base/app/x.yaml": f"{GENERATE}configMap: {{files: [../../files/linked]}}\n",
        "files/linked": "-> ../PLACE/file.yaml",
    },
    "sealed values": {"overlays/dev/sealed.yaml": "-> ../../PLACE/file.yaml"},
}
"""How a branch may point at a file: by each of them nothing of it is shown."""


def project(root: Path, files: dict[str, str], place: str) -> Path:
    """A repository with hidden and ignored files, and something that points at them."""
    own = {"base/app/own.yaml": config_map(), "overlays/dev/environment.yaml": environment("namespace: dev\n")}
    write_files(root, {".gitignore": "/local/\n.envc/\n", **own, **HIDDEN})
    commit(root)
    write_files(root, IGNORED)
    named = {path: content.replace("PLACE", place) for path, content in files.items()}
    for path in named:
        (root / path).unlink(missing_ok=True)
    write_files(root, named)
    git(root, "add", "--all")
    return root


@pytest.mark.parametrize(
    "words", [("show", "dev"), ("build", "--check", "--staged"), ("check",), ("build", "--stdout")]
)
@pytest.mark.parametrize("files", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("place", [".hidden", "visible/.in", "local"])
def test_nothing_that_no_commit_holds_is_read(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...], place: str
) -> None:
    """Neither below a name that begins with a dot nor what git ignores: an error with the place, not a word of it."""
    if place == "visible/.in" and not any("file.yaml" in content for content in files.values()):
        place = ".hidden"
    done = run_envc(project(tmp_path, files, place), *words)
    assert CANARY not in done.out + done.err
    # The index has a link to nothing there: no settings are read.
    is_nothing = place == "local" and "envc.yaml" in files and "crds" not in files["envc.yaml"] and "--staged" in words
    assert done.code == (0 if is_nothing else 1), done.out + done.err
    assert "bug in envc" not in done.err


@pytest.mark.parametrize("files", WAYS.values(), ids=WAYS.keys())
def test_a_commit_shows_nothing_hidden_either(tmp_path: Path, files: dict[str, str]) -> None:
    """What is committed below a dot is no source: the commit says what the folder says."""
    root = project(tmp_path, files, ".hidden")
    commit(root)
    for words in (("build", "--check", "--at", "HEAD"), ("diff", "--from", "HEAD", "--to", "HEAD")):
        done = run_envc(root, *words)
        assert CANARY not in done.out + done.err
        assert done.code == 1, done.out + done.err


@pytest.mark.parametrize("target", ["/etc/hostname", "../../../outside/file.yaml"])
@pytest.mark.parametrize("words", [("show", "dev"), ("build", "--check", "--staged")])
def test_nothing_outside_is_read(tmp_path: Path, target: str, words: tuple[str, ...]) -> None:
    """An import or a link out of the repository is an error in the index as in the folder."""
    write_files(tmp_path / "outside", {"file.yaml": SECRET})
    root = project(tmp_path / "shop", {"base/app/x.yaml": f"-> {target}"}, "")
    done = run_envc(root, *words)
    assert done.code == 1
    assert "`base/app/x.yaml` leaves the repository" in done.err
    assert CANARY not in done.out + done.err


CERTIFICATE = "overlays/dev/sealed-secrets.pem"
SEALED = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: 'ref+env://PW'}\n"


@pytest.mark.parametrize(
    ("files", "ignored"),
    [
        ({".hidden/file.pem": "CERTIFICATE"}, ""),
        ({"linked.pem": "-> .hidden/file.pem", ".hidden/file.pem": "CERTIFICATE"}, ""),
        ({"linked.pem": "-> local/file.pem", "local/file.pem": "CERTIFICATE"}, "/local/\n"),
        ({CERTIFICATE: "-> ../../.hidden/file.pem", ".hidden/file.pem": "CERTIFICATE"}, ""),
        ({CERTIFICATE: "CERTIFICATE"}, "*.pem\n"),
    ],
)
def test_a_certificate_is_read_from_what_commits_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], ignored: str
) -> None:
    """Neither a hidden one nor one that git ignores, nor a link to such: nothing is sealed for its key."""
    monkeypatch.setenv("PW", "a-password-of-some-length")
    pem = certificate_pem().decode()
    (named, *_) = files
    pin = fingerprint_of(pem)
    settings = f"namespace: dev\nsealing: {{certificate: ../../{named}, fingerprint: {pin}}}\n"
    root = write_files(tmp_path / "shop", {"overlays/dev/environment.yaml": environment(settings)})
    write_files(root, {".gitignore": f".envc/\n{ignored}", "base/app/s.yaml": SEALED})
    write_files(root, {path: content.replace("CERTIFICATE", pem) for path, content in files.items()})
    commit(root)
    (tmp_path / "other.pem").write_bytes(certificate_pem(private_key(serial=1)))
    for words in (("seal", "dev"), ("verify", "dev"), ("fetch-cert", "dev", str(tmp_path / "other.pem"))):
        done = run_envc(root, "secrets", *words)
        assert (done.code, pin in done.out + done.err) == (1, False), (words, done)
        assert words[0] == "verify" or re.search(
            r"so that no commit holds it|only what commits of the project", done.err
        )
    assert not (root / "overlays/dev/sealed.yaml").exists()
    (root / CERTIFICATE).unlink(missing_ok=True)
    write_files(root, {"overlays/dev/open.pem": pem, ".gitignore": ".envc/\n"})
    named = "open.pem"
    settings = settings.partition("sealing")[0] + f"sealing: {{certificate: {named}, fingerprint: {pin}}}\n"
    write_files(root, {"overlays/dev/environment.yaml": environment(settings)})
    assert run_envc(root, "secrets", "seal", "dev").code == 0


def fingerprint_of(pem: str) -> str:
    """What pins a certificate."""
    (certificate,) = read_certificates(pem.encode(), "x.pem")
    return certificate.fingerprint


@pytest.mark.parametrize(
    "words", [("show", "dev"), ("build", "--check"), ("check",), ("diff",), ("pr", "comment", "--dry-run")]
)
@pytest.mark.parametrize("place", ["base/app/mine.yaml", "base/mine/own.json", "overlays/dev/mine.yaml"])
def test_what_git_ignores_among_the_sources_of_a_stranger_is_not_read(
    tmp_path: Path, words: tuple[str, ...], place: str
) -> None:
    """Somebody's own file counts where they compile what they trust, and only there."""
    root = project(tmp_path, {}, "")
    commit(root)
    write_files(root, {place: json.dumps(yamlio.load_all(SECRET.encode(), place)[0])})
    (root / ".gitignore").write_text(f".envc/\n/{place}\n/local/\n")
    given = words if words[0] == "pr" else (*words, "--untrusted")
    done = run_envc(root, *given)
    assert "is ignored by git" in (done.out if words[0] == "pr" else done.err)
    assert CANARY not in done.out + done.err
    assert done.code == (0 if words[0] == "pr" else 1)
    assert CANARY in run_envc(root, "show", "dev").out


def test_links_among_what_is_committed_are_followed(tmp_path: Path) -> None:
    """The rule refuses nothing of ordinary kind: shared folders are linked as before."""
    files = {
        "shared/x.yaml": config_map("shared"),
        "base/app/x.yaml": "-> ../../shared/x.yaml",
        "base/linked": "-> ../shared",
    }
    root = project(tmp_path, {**files, "base/linked": "-> ../other", "other/y.yaml": config_map("other")}, "")
    assert run_envc(root, "show", "dev", "--list").out.count("ConfigMap") == 3
    assert run_envc(root, "build", "--check", "--staged").code == 0


KUSTOMIZED = {
    "kustomization.yaml": "resources: [app.yaml]\nconfigMapGenerator:\n- {name: c, files: [PLACE]}\n",
    "app.yaml": config_map(),
}


@pytest.mark.parametrize("place", ["../secret.txt", "link.txt"])
def test_kustomize_inputs_are_read_by_kustomize_only(tmp_path: Path, place: str) -> None:
    """`envc init --from-kustomize` reads nothing outside by itself; what kustomize refuses is told."""
    write_files(tmp_path, {"secret.txt": CANARY})
    named = {name: content.replace("PLACE", place) for name, content in KUSTOMIZED.items()}
    write_files(tmp_path / "source", {**named, "link.txt": "-> ../secret.txt"})
    done = run_envc(None, "init", "--from-kustomize", str(tmp_path / "source"), str(tmp_path / "made"))
    assert CANARY not in done.out + done.err
    written = [path for path in (tmp_path / "made").rglob("*") if path.is_file()]
    assert not [path for path in written if CANARY in path.read_text(errors="replace")]


@pytest.mark.parametrize(
    "link", [{"CODEOWNERS": "-> /etc/hostname"}, {".github": "-> ../outside"}, {"docs/CODEOWNERS": "-> ../x"}]
)
def test_owners_are_read_and_written_through_no_link(tmp_path: Path, link: dict[str, str]) -> None:
    """Neither is a file of somebody copied into the repository, nor one written outside."""
    (tmp_path / "outside").mkdir()
    root = project(tmp_path / "shop", {"overlays/dev/environment.yaml": environment("owners: ['@a/b']\n"), **link}, "")
    for words in (("owners",), ("owners", "--check"), ("owners", "--write")):
        done = run_envc(root, *words)
        assert done.code == 2
        assert "symbolic link" in done.err
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("text", ['{"a":' * 100_000, '{"version": ' + "9" * 6_000 + "}", "[]", "-> /etc/hostname"])
def test_a_damaged_baseline_is_an_error_with_its_place(tmp_path: Path, text: str) -> None:
    """Whatever a branch puts there: never "a bug in envc", and no word of another file."""
    root = project(tmp_path, {".envc-baseline.json": text}, "")
    done = run_envc(root, "check")
    assert done.code == 1
    assert ".envc-baseline.json:1:1" in done.err
