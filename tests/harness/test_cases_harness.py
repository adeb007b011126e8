"""The harness of the cases refuses goldens that pin nothing, and never turns a success into a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.cases import read_case, run_case
from tests.harness.goldens import GoldenError, compare_with_goldens
from tests.harness.repository import LINK, config_map, environment, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "case.yaml": "promise: It compiles.\nrun:\n- build\n- show nowhere: 2\n",
    "base/app/config.yaml": config_map(),
    "overlays/prod/environment.yaml": environment(),
}


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    """A case without goldens."""
    return write_files(tmp_path / "case", FILES)


def test_a_case_is_refreshed_on_request_and_then_holds(case_folder: Path, tmp_path: Path) -> None:
    """Without the request a missing golden is a failure."""
    case = read_case(case_folder)
    with pytest.raises(GoldenError, match="not what is expected"):
        run_case(case, tmp_path / "1")
    run_case(case, tmp_path / "2", update=True)
    run_case(case, tmp_path / "3")
    assert read_files(case_folder / "expected").keys() == {
        "transcript.txt",
        "environments/prod/.envc-index",
        "environments/prod/app/configmap-settings.yaml",
    }
    transcript = (case_folder / "expected/transcript.txt").read_text()
    assert transcript == (
        "$ envc build\nexit 0\n----- stderr\nprod: 1 resources, 1 added\n"
        "$ envc show nowhere\nexit 2\n----- stderr\n"
        "error: there is no environment `nowhere`\nhint: environments are prod\n"
    )


def test_a_stale_golden_fails_and_a_superfluous_one(case_folder: Path, tmp_path: Path) -> None:
    """Every file counts, and the difference is shown."""
    case = read_case(case_folder)
    run_case(case, tmp_path / "1", update=True)
    write_files(case_folder, {"expected/environments/prod/more.yaml": "a: b\n"})
    with pytest.raises(GoldenError, match=r"expected/environments/prod/more\.yaml"):
        run_case(case, tmp_path / "2")
    run_case(case, tmp_path / "3", update=True)
    assert not (case_folder / "expected/environments/prod/more.yaml").exists()
    write_files(case_folder, {"base/app/config.yaml": config_map(color="red")})
    with pytest.raises(GoldenError, match=r"\n-  color: blue\n\+  color: red$"):
        run_case(case, tmp_path / "4")


@pytest.mark.parametrize("text", ["a: [\n", ""])
def test_refreshing_never_accepts_another_exit_code(case_folder: Path, tmp_path: Path, text: str) -> None:
    """The code is stated in the case, not recorded."""
    write_files(case_folder, {"overlays/prod/environment.yaml": text})
    with pytest.raises(GoldenError, match="envc build: exit 1, not 0"):
        run_case(read_case(case_folder), tmp_path / "1", update=True)
    assert not (case_folder / "expected").exists()


@pytest.mark.parametrize("files", [{}, {"a.txt": b""}, {"a.txt": b"x", "b.txt": b""}])
def test_an_empty_golden_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    """It would pin nothing."""
    for update in (False, True):
        with pytest.raises(GoldenError, match="pins nothing"):
            compare_with_goldens(tmp_path / "expected", files, update=update)
    assert not (tmp_path / "expected").exists()


def test_files_are_written_and_read_as_they_are(tmp_path: Path) -> None:
    """Bytes, texts, folders and symlinks."""
    files: dict[str, str | bytes] = {"a/b.txt": "größe\n", "c.bin": b"\x00\xff", "d": f"{LINK}a/b.txt", "e": f"{LINK}a"}
    root = write_files(tmp_path / "root", files)
    assert read_files(root) == {
        "a/b.txt": "größe\n".encode(),
        "c.bin": b"\x00\xff",
        "d": b"-> a/b.txt",
        "e": b"-> a",
    }
    assert read_files(tmp_path / "nothing") == {}
