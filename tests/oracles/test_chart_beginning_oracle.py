"""A repository that begins with a chart of others, with the real helm: values as written, and the way to updates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from envcompile.values import same
from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import read_files, write_files
from tests.oracles.chart_repository import Repository, running_registry, serving
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, labels: {app: {{ .Release.Name }}}}
data: {{ toJson .Values.said }}
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
data: {password: {{ .Values.password | b64enc | quote }}}
"""
FILES = {"values.yaml": "said: {a: default}\n", "templates/a.yaml": CONFIG}
COMMON = """\
# What all have.
---
said:
    shown: "${{ text }}"   # shown as it is
    size: "2"
"""
PROD = """\
# Much more.
said:
  size: "9"

  text: |
    one
      two
"""


@pytest.fixture
def url(helm4: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """The address of a repository with two versions of `greeter`; the current folder is an empty one."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/helm").symlink_to(helm4)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"HELM_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    repository = Repository(helm4, tmp_path / "served")
    repository.publish("greeter", "1.0.0", FILES)
    repository.publish("greeter", "1.1.0", {**FILES, "templates/b.yaml": CONFIG.replace("Name }},", "Name }}-b,")})
    repository.publish("locked", "1.0.0", {"values.yaml": "password: ''\n", "templates/a.yaml": SECRET})
    with serving(repository.folder) as address:
        yield address


def test_the_values_are_the_author_s_text_and_updates_come_later(url: str, tmp_path: Path, helm4: Path) -> None:
    """Comments, blank lines and what looks like a parameter stay; the build is what helm prints with these files."""
    write_files(tmp_path, {"common.yaml": COMMON, "dev.yaml": "{}\n", "prod.yaml": PROD})
    given = [f"--env={name}={file}.yaml" for name in ("dev", "prod") for file in ("common", name)]
    spaces = ("--namespace", "shop", "--namespace", "dev=shop-dev", "--release", "hello")
    done = run_envc(tmp_path, "init", "new", "--from-helm", f"{url}/greeter", "--version", "1.0.0", *given, *spaces)
    assert done.code == 0, done.err
    assert "the chart stays one: version 1.0.0 under `charts:` of envc.yaml" in done.err
    assert "release `hello` in namespaces shop-dev (dev), shop (prod)" in done.err
    assert "proven: the build equals the source, 2 of 2 objects" in done.out
    said = (tmp_path / "new/envc.yaml").read_text(encoding="utf-8")
    assert said.endswith(
        "    values:\n      # What all have.\n      said:\n"
        '          shown: "${{ params.dollar }}{{ text }}"   # shown as it is\n          size: "2"\n'
    )
    own = (tmp_path / "new/overlays/prod/environment.yaml").read_text(encoding="utf-8")
    assert own.endswith("".join(f"      {line}\n" if line else "\n" for line in PROD.splitlines()))
    assert run_envc(tmp_path / "new", "build").code == 0
    for name in ("dev", "prod"):
        values = ("--values", "common.yaml", "--values", f"{name}.yaml", "--version", "1.0.0")
        printed = run(helm4, "template", "hello", "greeter", "--repo", url, *values, cwd=tmp_path)
        (wanted,) = [value for value in load_all(printed.stdout.encode(), "helm") if value is not None]
        (built,) = [
            value
            for path, data in read_files(tmp_path / "new/environments" / name).items()
            if path.endswith(".yaml")
            for value in load_all(data, path)
        ]
        assert same(built["data"], wanted["data"])
    assert run_envc(tmp_path / "new", "charts", "outdated").code == 16
    write_files(tmp_path, {"new/envc.yaml": said.replace("1.0.0", "1.1.0")})
    done = run_envc(tmp_path / "new", "charts", "update")
    assert "hello: greeter 1.0.0 -> 1.1.0" in done.out


def test_a_registry_s_newest_version_is_written_down(url: str, tmp_path: Path, helm4: Path, registry: Path) -> None:
    """Without `--version`; without files of values there is one environment, which is said."""
    assert url
    with running_registry(registry) as host:
        for version in ("1.0.0", "1.1.0"):
            archive = f"served/greeter-{version}.tgz"
            run(helm4, "push", archive, f"oci://{host}/charts", "--plain-http", cwd=tmp_path).expect_success()
        done = run_envc(tmp_path, "init", "new", "--from-helm", f"oci://{host}/charts/greeter", "-o", "json")
        assert done.code == 0, done.err
        answer = json.loads(done.out)
        assert answer["adoption"]["environments"][0]["objects"] == 2
        assert any("there is one environment, `default`" in note for note in answer["adoption"]["notes"])
        assert "base/greeter/vendored/configmap-greeter.yaml" in " ".join(answer["files"])
        settings = load_all((tmp_path / "new/envc.yaml").read_bytes(), "envc.yaml")[0]
        assert settings["charts"] == [{"name": "greeter", "repository": f"oci://{host}/charts", "version": "1.1.0"}]
        done = run_envc(tmp_path, "init", "other", "--from-helm", f"oci://{host}/charts/gretter")
        assert done.code != 0
        assert not (tmp_path / "other").exists(), "a chart that is not there leaves nothing"


def test_a_secret_in_clear_is_mended_in_place(url: str, tmp_path: Path) -> None:
    """The repository is there, its chart is not rendered, and the line to mend is one of its files."""
    write_files(tmp_path, {"prod.yaml": "password: sesame-open\n"})
    done = run_envc(tmp_path, "init", "new", "--from-helm", f"{url}/locked", "--env", "prod=prod.yaml")
    assert done.code == 1
    assert "with `password` in clear\n  --> overlays/prod/environment.yaml:8:17" in done.err
    assert "the repository is in new, but its chart is not rendered yet" in done.err
    assert "sesame" not in done.err
    assert not (tmp_path / "new/base").exists()
    settings = tmp_path / "new/overlays/prod/environment.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("sesame-open", "ref+env://LOCKED"), "utf-8")
    assert run_envc(tmp_path / "new", "charts", "update").code == 0
