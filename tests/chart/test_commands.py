"""`envc convert` and `envc chart verify`, as people call them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from envcompile.chart.verification import compare, find_helms
from envcompile.cli import main
from envcompile.errors import EXIT_DIFFERENT, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE, EXIT_WRONG, UnavailableError
from tests.chart.samples import config_map

if TYPE_CHECKING:
    from pathlib import Path

_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{KEY: {value}}}\n"

_FAKE_HELM = """\
#!/bin/sh
case "$1" in
version) echo v3.99.0 ;;
template) cat "$FAKE_OUTPUT" ;;
esac
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Manifests of two environments."""
    for name, value in (("dev", "a"), ("prod", "b")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(_CONFIG.format(value=value), encoding="utf-8")
    return tmp_path


@pytest.fixture
def fake_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A helm that prints what dev holds, for any environment."""
    helm = tmp_path / "bin" / "helm"
    helm.parent.mkdir()
    helm.write_text(_FAKE_HELM, encoding="utf-8")
    helm.chmod(helm.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("FAKE_OUTPUT", str(tmp_path / "dev" / "a.yaml"))
    monkeypatch.setenv("PATH", f"{helm.parent}{os.pathsep}{os.environ['PATH']}")
    return helm


def test_several_environments_become_one_chart(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was done is told on stderr."""
    code = main([
        "convert",
        f"dev={sources / 'dev'}",
        f"prod={sources / 'prod'}",
        "-o",
        str(sources / "shop"),
        "--no-verify",
    ])
    said = capsys.readouterr()
    assert (code, said.out) == (EXIT_OK, "")
    assert said.err == f"{sources / 'shop'}: 10 files, objects: 1 in dev, 1 in prod\n"
    assert (sources / "shop" / "values-prod.yaml").read_text(encoding="utf-8") == (
        "# What prod sets differently from values.yaml.\na:\n  config:\n    KEY: b\n"
    )


def test_converting_again_removes_what_is_gone_and_keeps_what_people_edited(
    sources: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only --force overwrites a file that was changed by hand."""
    call = ["convert", str(sources / "dev"), "-o", str(sources / "shop"), "--no-verify"]
    assert main(call) == EXIT_OK
    (sources / "dev" / "a.yaml").write_text(_CONFIG.format(value="a").replace("name: a", "name: b"), encoding="utf-8")
    assert main(call) == EXIT_OK
    assert not (sources / "shop" / "templates" / "a").exists()
    values = sources / "shop" / "values.yaml"
    values.write_text("mine: true\n", encoding="utf-8")
    capsys.readouterr()
    assert main(call) == EXIT_WRONG
    assert capsys.readouterr().err == (
        f"error: {values} was changed by hand or is not envc's\n"
        "hint: move it away, choose another folder, or overwrite with --force\n"
    )
    assert main([*call, "--force"]) == EXIT_OK
    assert "KEY: a" in values.read_text(encoding="utf-8")


def test_a_batch_makes_a_chart_of_each_folder(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that cannot be converted does not keep the others from being made."""
    (sources / "broken").mkdir()
    (sources / "broken" / "a.yaml").write_text("- 1\n", encoding="utf-8")
    code = main(["convert", "--batch", str(sources), "-o", str(sources.parent / "charts"), "--no-verify"])
    assert code == EXIT_WRONG
    assert (sources.parent / "charts" / "prod" / "Chart.yaml").is_file()
    assert f"  --> {sources / 'broken' / 'a.yaml'}:1:1\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: there is nothing to convert\nhint: name a folder of manifests, or `-` for stdin\n"),
        (
            ["x", "--secrets", "hidden"],
            "error: --secrets cannot be `hidden`\nhint: it is one of inline, external, skip\n",
        ),
        (
            ["x", "--batch", "y"],
            "error: --batch takes no further inputs\nhint: give either --batch ROOT or the inputs\n",
        ),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2."""
    assert main(["convert", *arguments, "-o", "chart"]) == EXIT_USAGE
    assert capsys.readouterr().err == message


@pytest.mark.usefixtures("fake_helm")
def test_a_difference_is_a_row_of_the_table_and_exit_code_16(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A helm that renders something else is believed."""
    chart = sources / "shop"
    words = [f"dev={sources / 'dev'}", f"prod={sources / 'prod'}"]
    assert main(["convert", *words, "-o", str(chart), "--no-verify"]) == EXIT_OK
    capsys.readouterr()
    against = [item for word in words for item in ("--against", word)]
    assert main(["chart", "verify", str(chart), *against]) == EXIT_DIFFERENT
    assert capsys.readouterr().out == (
        "environment  helm     objects  equal  first difference\n"
        "dev          v3.99.0  1        1      -\n"
        "prod         v3.99.0  1        0      ConfigMap/a: data.KEY is a string of another value\n"
    )
    assert main(["chart", "verify", str(chart), "dev", *against]) == EXIT_OK
    assert main(["chart", "verify", str(chart), "test", *against]) == EXIT_USAGE
    assert "hint: it has dev, prod\n" in capsys.readouterr().err
    assert main(["convert", *words, "-o", str(chart)]) == EXIT_DIFFERENT


def test_without_helm_there_is_nothing_to_verify_with(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is not the same as a difference."""
    monkeypatch.setenv("PATH", str(sources))
    with pytest.raises(UnavailableError):
        find_helms()
    chart = sources / "shop"
    assert main(["convert", f"dev={sources / 'dev'}", "-o", str(chart)]) == EXIT_OK
    assert main(["chart", "verify", str(chart), "--against", f"dev={sources / 'dev'}"]) == EXIT_UNAVAILABLE


def test_objects_that_should_not_be_there_are_a_difference() -> None:
    """The set must be exactly the same."""
    assert compare([], [config_map("a")]) == (0, 0, "ConfigMap/a should not be there")
    assert compare([config_map("a")], []) == (1, 0, "ConfigMap/a is missing")
