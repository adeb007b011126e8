"""`envc init` as people call it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.cli import main

if TYPE_CHECKING:
    import pytest

    from tests.adopt.conftest import Write

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {token: hunter2-hunter2}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {stage: %s}\n"


def test_init_names_what_it_wrote_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new repository in the current folder; it builds at once."""
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert capsys.readouterr().out == (
        "created envc.yaml\n"
        "created base/hello/configmap.yaml\n"
        "created base/hello/deployment.yaml\n"
        "created base/hello/service.yaml\n"
        "created overlays/dev/environment.yaml\n"
        "created overlays/staging/environment.yaml\n"
        "created overlays/prod/environment.yaml\n"
        "created overlays/prod/hello.yaml\n"
        "created .schemas/project.json\n"
        "created .schemas/environment.json\n"
        "created .schemas/patch.json\n"
        "created .schemas/generate.json\n"
        "created .gitignore\n"
        "\n"
        "next:\n"
        "  envc build              compile every environment into environments/\n"
        "  envc show prod          print what prod consists of\n"
        "  envc compare dev prod   see how two environments differ\n"
        "  envc guide start        the next ten minutes\n"
    )
    assert main(["build"]) == 0


def test_bringing_manifests_over_says_what_became_of_them(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts for each environment, the proof, and the next steps."""
    write({"dev.yaml": CONFIG % "dev", "prod.yaml": CONFIG % "prod"})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    told = capsys.readouterr()
    assert told.out == (
        "dev (from dev): 1 objects, 1 patched\n"
        "prod (from prod): 1 objects, 1 patched\n"
        "12 lines became 3 in base/ and 18 in overlays/\n"
        "proven: the build equals the source, 2 of 2 objects\n"
        "\n"
        "next:\n"
        "  cd new\n"
        "  envc build              compile every environment into environments/\n"
        "  envc show prod          print what prod consists of\n"
        "  envc compare dev prod   see how two environments differ\n"
        "  envc guide start        the next ten minutes\n"
    )
    assert told.err == ""


def test_secrets_are_spoken_of_loudly_and_never_shown(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning names the environments and how to go on; the value appears nowhere."""
    write({"dev.yaml": SECRET, "prod.yaml": SECRET})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    told = capsys.readouterr()
    assert told.err == (
        "warning: the source holds Secrets in plain text (dev, prod), and so does the new repository: DO NOT COMMIT IT "
        "YET\n"
        "  `secretBackend: plaintext` makes the build equal to the source. To go on, in each of these environments:\n"
        "  1. put references (`ref+env://NAME`, `ref+vault://…`) in the place of the values, see `envc guide secrets`\n"
        "  2. envc secrets fetch-cert dev && envc secrets seal dev\n"
        "  3. take `secretBackend: plaintext` out of its environment.yaml, and rotate what was ever committed\n"
    )
    assert "hunter2" not in told.out + told.err


def test_a_difference_is_listed_and_fails(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, the fields by name, nothing written."""
    marked = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, annotations: {envcompile.dev/replace: x}}\n"
    write({"prod.yaml": marked})
    assert main(["init", "new", "--from-manifests", "old"]) == 1
    assert capsys.readouterr().err == (
        "error: the build would differ from the source, so nothing was written; 1 differences:\n"
        "  prod: ConfigMap/web differs in `metadata.annotations`\n"
        "hint: this is worth a bug report; the objects named can be brought over by hand meanwhile\n"
    )
    assert not Path("new").exists()


def test_only_one_source_can_be_given(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Two sources are wrong usage."""
    write({"prod.yaml": CONFIG % "prod"})
    assert main(["init", "new", "--from-manifests", "old", "--from-kustomize", "old"]) == 2
    assert capsys.readouterr().err == (
        "error: --from-manifests and --from-kustomize exclude each other\nhint: give one of them\n"
    )


REFUSED = (
    "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}\nspec:\n  capacity: {storage: 1Gi}\n"
    "  accessModes: [ReadWriteOnce]\n  nfs: {server: files.example.com, path: YOUR-PATH}\n"
)


def test_what_no_api_server_takes_is_told_and_stops_nothing(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    """Object, field and place are named; the environment that has it, and no other, is graded so that it builds."""
    write({"dev.yaml": CONFIG % "dev", "prod.yaml": (CONFIG % "prod") + "---\n" + REFUSED})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    assert capsys.readouterr().err == (
        "note: no API server takes this of prod: PersistentVolume/disk spec.nfs.path: `path` is no absolute path "
        "(old/prod.yaml:6:1)\n"
        "note: `checks: {schema: warning}` in overlays/prod/environment.yaml lets `envc build` write it as the source "
        "has it: mend it, then take the line out\n"
    )
    assert "checks:\n  schema: warning\n" in Path("new/overlays/prod/environment.yaml").read_text(encoding="utf-8")
    assert "checks" not in Path("new/overlays/dev/environment.yaml").read_text(encoding="utf-8")
    assert main(["--project", "new", "build"]) == 0
    assert main(["--project", "new", "check", "--select", "schema"]) == 0
    assert "warning schema: `path` is no absolute path" in capsys.readouterr().out


def test_a_base_that_no_api_server_takes_is_graded_wherever_it_is_used(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    """A long list of them ends in a count; every environment builds."""
    many = "---\n".join(REFUSED.replace("disk", f"disk-{number}") for number in range(13))
    write({"dev.yaml": many, "prod.yaml": many})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    told = capsys.readouterr().err
    assert told.count("note: no API server takes this of dev: ") == 10
    assert "note: and 3 more in prod: `envc check prod --select schema` lists them\n" in told
    assert main(["--project", "new", "build"]) == 0
