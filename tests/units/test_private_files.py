"""Secrets in files that git ignores: nothing of them is written down, and what git says of them always counts."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.git.blob import blob_id
from tests.harness.command import run_envc
from tests.harness.repository import environment, git, write_files
from tests.secrets.repository import certificate_pem, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

VALUE: Final = "tr0ub4dor-and-3"
SECRET: Final = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{pw: {VALUE}}}\n"
JSONNET: Final = f'{{apiVersion: "v1", kind: "Secret", metadata: {{name: "db"}}, stringData: {{pw: "{VALUE}"}}}}\n'
PATCH: Final = f"""\
apiVersion: envcompile.dev/v1
kind: Patch
target: {{kind: Secret, name: db}}
merge: {{stringData: {{pw: {VALUE}}}}}
"""
PATCH_IN_JSONNET: Final = (
    '{apiVersion: "envcompile.dev/v1", kind: "Patch", target: {kind: "Secret", name: "db"}, '
    f'merge: {{stringData: {{pw: "{VALUE}"}}}}}}\n'
)
MAP: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {c: d}\n"
ELSE: Final = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {pw: other-value-9}\n"
FILES: Final[dict[str, dict[str, str]]] = {
    "a Secret": {"base/web/db.local.yaml": SECRET},
    "a Secret of jsonnet": {"base/web/db.local.jsonnet": JSONNET},
    "a Secret beside what another application has": {"overlays/dev/db/db.local.yaml": f"{MAP}---\n{SECRET}"},
    "a patch": {"base/web/a.local.yaml": ELSE, "overlays/dev/web/db.local.yaml": PATCH},
    "a patch of jsonnet": {"base/web/a.local.yaml": ELSE, "overlays/dev/web/db.local.jsonnet": PATCH_IN_JSONNET},
}


def project(root: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], ignore: str = ".gitignore") -> Path:
    """A project with a sealed Secret whose value stands in a file that git ignores."""
    monkeypatch.setenv("HOME", str(root.parent / "home"))  # the key that tells changed values apart lies there
    monkeypatch.setenv("XDG_CONFIG_HOME", str(root.parent / "home"))
    top = root.parent if ignore == "../.gitignore" else root
    top.mkdir(exist_ok=True)
    git(top, "init", "--quiet")
    write_files(
        root,
        {
            "overlays/dev/environment.yaml": environment(
                f"namespace: dev\nsealing: {{fingerprint: '{fingerprint()}'}}\n"
            ),
            "overlays/dev/sealed-secrets.pem": certificate_pem(),
            "base/web/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n",
            **files,
        },
    )
    place = root / ignore
    place.write_text("*.local.*\n")
    sealed = run_envc(root, "secrets", "seal", "dev")
    assert sealed.code == 0, sealed.err
    return root


@pytest.mark.parametrize("files", FILES.values(), ids=FILES.keys())
def test_nothing_of_a_private_file_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    """Neither the value, nor its base64, nor a digest of its file by which guesses could be checked."""
    root = project(tmp_path / "p", monkeypatch, files)
    for command in (("build",), ("build", "--check"), ("check",), ("affected", "base/web/map.yaml")):
        ran = run_envc(root, *command)
        assert VALUE not in ran.out + ran.err
    forbidden = [VALUE.encode(), base64.b64encode(VALUE.encode())]
    for path in files:
        data = (root / path).read_bytes()
        digests = [blob_id(data), *(hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256"))]
        forbidden += [digest.encode() for digest in digests]
        forbidden += [f"{zlib.crc32(data) + more} {path}".encode() for more in (0, 1)]
    found = [
        (path.relative_to(root).as_posix(), word)
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).as_posix() not in files
        for word in forbidden
        if word in path.read_bytes()
    ]
    assert found == []


def test_a_file_that_git_ignores_no_more_is_refused_by_the_next_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever tells git so: the look that finds "nothing to do" does not know all that git looks at."""
    elsewhere = tmp_path / "excludes"
    for number, ignore in enumerate((".gitignore", "../.gitignore", ".git/info/exclude", "excludes", "index")):
        (tmp_path / str(number)).mkdir()
        root = tmp_path / str(number) / "p"
        is_file = ignore.startswith(".")
        project(root, monkeypatch, FILES["a Secret"], ignore if is_file else ".gitignore")
        if ignore == "excludes":
            (root / ".gitignore").rename(elsewhere)
            git(root, "config", "core.excludesFile", str(elsewhere))
        for _ in range(2):
            assert run_envc(root, "build").code == 0
        if is_file:
            (root / ignore).write_text("")
        elif ignore == "excludes":
            git(root, "config", "--unset", "core.excludesFile")
        else:
            git(root, "add", "--force", "base/web/db.local.yaml")
        for command in (("build", "--check"), ("build",), ("build", "dev")):
            ran = run_envc(root, *command)
            assert ran.code == 1, (ignore, command)
            assert "is written in clear" in ran.err
