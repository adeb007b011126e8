"""What a release is made of is complete, current, and the same each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from envcompile import __version__
from envcompile.yamlio import load_all
from tests.packaging import manifests, notes
from tests.packaging.licences import REPORT, kind, report
from tests.packaging.lock import LOCKS, read

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist and the wheel, built from the source as it stands with the build backend that is installed."""
    folder = tmp_path_factory.mktemp("dist")
    program = "import sys, hatchling.build as b; b.build_sdist(sys.argv[1]); b.build_wheel(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_the_changelog_tells_of_the_version() -> None:
    """A tag without a section does not become a release."""
    said = notes.section(notes.CHANGELOG.read_text(encoding="utf-8"), __version__)
    assert said.strip()
    assert "## " not in re.sub(r"^### ", "", said, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "version", "said"),
    [
        ("# C\n\n## Unreleased\n\n- new\n\n## 0.2.0 - 2026-01-01\n\n- b\n\n## 0.1.0\n\n- a\n", "0.2.0", "- b\n"),
        ("# C\n\n## [0.2.0]\n\n- b\n", "0.2.0", "- b\n"),
        ("# C\n\n## 0.1.0\n\n- a\n", "0.1.0", "- a\n"),
    ],
)
def test_a_section_is_found(text: str, version: str, said: str) -> None:
    """With or without a date or brackets; the last one, too."""
    assert notes.section(text, version) == said


@pytest.mark.parametrize("text", ["# C\n\n## 0.12.0\n\n- a\n", "# C\n\n## 0.1.2\n\n## 0.1.1\n\n- a\n"])
def test_no_section_is_made_up(text: str) -> None:
    """Neither that of a version that only looks alike, nor an empty one."""
    with pytest.raises(notes.NoSectionError):
        notes.section(text, "0.1.2")


def test_the_report_of_licences_is_current() -> None:
    """`python -m tests.packaging.licences` adds nothing; none asks for more than the source of the library.

    A package that only another system or another Python needs is not installed here, and its row is believed.
    """
    told, kept = report().splitlines(), REPORT.read_text(encoding="utf-8").splitlines()
    assert [line for line in told if line not in kept] == []
    names = {canonicalize_name(line.requirement.name) for lock in LOCKS for line in read(lock)}
    assert {line.split("|")[1].strip() for line in kept if line.startswith("| ")} - {"package"} <= names
    assert not [line for line in kept if line.endswith("| look |")]
    plain = kept[: kept.index("## Extras, tests and releases besides")]
    assert not [line for line in plain if line.endswith("| program |")]
    assert len([line for line in told if line.startswith("| ")]) > 40


@pytest.mark.parametrize(
    ("stated", "asks"),
    [
        ("MIT", "permissive"),
        ("Apache-2.0 OR GPL-3.0-only", "permissive"),
        ("MIT AND MPL-2.0", "weak"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "weak"),
        ("GPL-3.0-only", "look"),
        ("MIT AND GPL-2.0-only", "look"),
        ("not stated", "look"),
    ],
)
def test_licences_are_weighed(stated: str, asks: str) -> None:
    """A choice takes the mildest, a sum the strictest."""
    assert kind(stated) == asks


def test_the_wheel_has_what_people_look_for(archives: Path) -> None:
    """Both commands, the manual page where `man` looks, completion where shells look, and no test."""
    with zipfile.ZipFile(archives / f"envcompile-{__version__}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
    inside = f"envcompile-{__version__}.data/data/share"
    assert f"{inside}/man/man1/envc.1" in names
    assert f"{inside}/zsh/site-functions/_envc" in names
    assert f"{inside}/bash-completion/completions/envc" in names
    assert f"{inside}/fish/vendor_completions.d/envc.fish" in names
    assert f"envcompile-{__version__}.data/scripts/envc" in names
    assert "envcompile/py.typed" in names
    assert not [name for name in names if name.startswith("tests/") or "/corpora/" in name]


def test_the_sdist_can_be_built_and_tested(archives: Path) -> None:
    """It holds the lock, the tests, and what the wheel is made of."""
    with tarfile.open(archives / f"envcompile-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"requirements.lock", "pyproject.toml", "LICENSE", "docs/man/envc.1", "tests/conftest.py"}
    assert needed <= names
    assert not [name for name in names if name.startswith((".venv", ".envc", "tests/oracles/bin"))]


def test_manifests_of_package_managers_name_the_archives(archives: Path) -> None:
    """By version, address and digest; the plugin's archive is the same bytes each time."""
    manifests.write(archives)
    source = (archives / f"envcompile-{__version__}.tar.gz").read_bytes()
    formula = (archives / "envc.rb").read_text(encoding="utf-8")
    assert f'sha256 "{hashlib.sha256(source).hexdigest()}"' in formula
    assert (
        f'url "{PROJECT["urls"]["Homepage"]}/releases/download/v{__version__}/envcompile-{__version__}.tar.gz"'
        in formula
    )
    assert "$" not in formula
    (krew,) = load_all((archives / "krew.yaml").read_bytes(), "krew.yaml")
    packed = (archives / "kubectl-envc.tar.gz").read_bytes()
    assert packed == manifests.plugin_archive()
    (platform,) = krew["spec"]["platforms"]
    assert platform["sha256"] == hashlib.sha256(packed).hexdigest()
    assert krew["spec"]["version"] == f"v{__version__}"
    assert len(krew["spec"]["shortDescription"]) <= 50, "krew's own bound"
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        script = archive.extractfile("kubectl-envc")
        assert script is not None
        assert f"envcompile=={__version__}" in script.read().decode()
        assert archive.getmember("kubectl-envc").mode == 0o755
        assert set(archive.getnames()) == {platform["bin"], "LICENSE"}


def test_the_kubectl_plugin_runs_the_envc_that_is_installed(tmp_path: Path) -> None:
    """Else that of uv; without either it says what to install."""
    script = manifests.TEMPLATES / "kubectl-envc"
    tool = tmp_path / "envc"
    tool.write_text('#!/bin/sh\necho "envc $*"\n', encoding="utf-8")
    tool.chmod(0o755)
    found = subprocess.run(
        ["/bin/sh", script, "build", "prod"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (0, "envc build prod\n")
    tool.rename(tmp_path / "uvx")
    by_uv = subprocess.run(
        ["/bin/sh", script, "build"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert by_uv.stdout == "envc --from envcompile== envc build\n"
    (tmp_path / "uvx").unlink()
    lost = subprocess.run(["/bin/sh", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert lost.returncode == 4
    assert "hint: pipx install envcompile" in lost.stderr


def test_the_image_is_not_root_and_takes_only_what_is_locked() -> None:
    """A builder cannot be had from a registry of packages, so the recipe is read: each promise is a line of it."""
    lines = (manifests.TEMPLATES / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    steps = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    known = {"ARG", "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in steps} <= known
    last = max(position for position, (word, _) in enumerate(steps) if word == "FROM")
    final = steps[last:]
    assert ["USER", "999:999"] in final
    assert [word for word, _ in final].index("USER") > [word for word, _ in final].index("RUN")
    installs = [text for word, text in steps if word == "RUN" and "pip install" in text]
    assert installs
    for part in re.findall(r"pip install[^&]*", " ".join(installs)):
        assert "--require-hashes" in part or "--no-deps" in part
    assert not [text for word, text in final if word == "COPY" and not text.startswith("--from=build")]
    assert not [text for word, text in steps if word == "ADD" or "curl" in text or "wget" in text]


@pytest.mark.skipif(sys.platform == "win32", reason="hadolint has no program for Windows")
def test_hadolint_finds_nothing_in_the_images_recipe(tmp_path: Path) -> None:
    """But for a package without a version, of which the recipe says why; without these words it does find it."""
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    recipe = manifests.TEMPLATES / "Containerfile"
    done = subprocess.run([program, "--no-color", str(recipe)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    loose = tmp_path / "Containerfile"
    loose.write_text(recipe.read_text(encoding="utf-8").replace("# hadolint ignore", "#"), encoding="utf-8")
    refused = subprocess.run([program, "--no-color", str(loose)], capture_output=True, text=True, check=False)
    assert "DL3008" in refused.stdout


def test_an_address_is_the_projects_or_a_placeholder() -> None:
    """The policy of CONTRIBUTING.md: the home stands in pyproject.toml, and elsewhere the account is `OWNER`."""
    home = PROJECT["urls"]["Homepage"]
    assert all(url.startswith(home) for url in PROJECT["urls"].values())
    places = [*ROOT.glob("*.md"), *ROOT.glob("envcompile/guide/*.md"), *ROOT.glob("docs/*.md")]
    named = [
        (path.name, owner)
        for path in places
        for owner in re.findall(r"[/ ]([\w.-]+)/envcompile(?:@|/v\d|\.git)", path.read_text(encoding="utf-8"))
    ]
    assert named
    assert {owner for _, owner in named} == {"OWNER"}
