"""The README's comment is a real one, and what it says to write into CI works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.yamlio import load_all
from tests.docs.console import matches, run_page
from tests.forge.composite import Job, run_action
from tests.forge.events import pull_request
from tests.forge.gitlab import run_job
from tests.forge.origin import check_out, make_origin
from tests.forge.server import TOKEN
from tests.harness.repository import commit, deployment

if TYPE_CHECKING:
    from tests.forge.server import State

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BEGIN, END = "<!-- comment.md: begin -->\n", "<!-- comment.md: end -->\n"
IMAGE = {"base/web/deployment.yaml": deployment(image="nginx:1.28")}


def quoted(text: str) -> str:
    """A text as a quotation, in which both hosts show Markdown as it would look in a comment."""
    return "".join(f"> {line}".rstrip() + "\n" for line in text.splitlines())


def test_the_comment_that_is_shown_is_a_real_one(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Word for word, but for the commits; `--update-goldens` writes it."""
    page = README.read_text(encoding="utf-8")
    shop = tmp_path / "shop"
    for name in ("base", "overlays", "environments"):
        shutil.copytree(ROOT / name, shop / name)
    shutil.copy2(ROOT / "envc.yaml", shop)
    commit(shop, "start")
    (block,) = (text for text in re.findall(r"```console\n.*?```\n", page, re.DOTALL) if "pr comment" in text)
    (tmp_path / "home").mkdir()
    assert not run_page(block, shop, tmp_path / "home")
    written, _, _ = (shop / "comment.md").read_text(encoding="utf-8").rpartition("\n<!-- envcompile:pr-diff:")
    before, _, rest = page.partition(BEGIN)
    shown, _, after = rest.partition(END)
    if request.config.getoption("--update-goldens"):
        shown = quoted(re.sub(r"`[0-9a-f]{12}`", "`…`", written))
        README.write_text(before + BEGIN + shown + END + after, encoding="utf-8")
    assert matches(shown.strip(), quoted(written).strip())


def snippet(name: str) -> Any:
    """The value of the YAML that the README says to write into a file."""
    (text,) = re.findall(rf"```yaml\n# {re.escape(name)}\n(.*?)```\n", README.read_text(encoding="utf-8"), re.DOTALL)
    (value,) = load_all(text.encode(), "README.md")
    return value


@pytest.mark.parametrize(
    ("name", "schema"), [(".github/workflows/diff.yml", "github-workflows"), (".gitlab-ci.yml", "gitlab-ci")]
)
def test_what_the_readme_says_to_write_keeps_to_the_hosts_schema(name: str, schema: str, tmp_path: Path) -> None:
    """The texts, as somebody copies them."""
    (text,) = re.findall(rf"```yaml\n# {re.escape(name)}\n(.*?)```\n", README.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "file.yml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", "file.yml"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_workflow_of_the_readme_works(state: State, tmp_path: Path) -> None:
    """The comment is written, and a change of prod fails the job."""
    job = snippet(".github/workflows/diff.yml")["jobs"]["diff"]
    checkout, action = job["steps"]
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert (checkout["uses"].partition("@")[0], action["uses"]) == ("actions/checkout", "OWNER/envcompile@v0")
    origin = make_origin(tmp_path / "origin", IMAGE)
    check_out(origin, tmp_path / "work", "refs/pull/7/merge", checkout["with"]["fetch-depth"])
    event = pull_request(origin)
    ran = run_action(
        Job(tmp_path / "work", tmp_path / "job", "pull_request", event, state.address, TOKEN, origin.merge),
        action["with"],
    )
    assert (ran.code, ran.log) == (16, "\ncomments: 1 written\n")


def test_the_pipeline_of_the_readme_works(state: State, tmp_path: Path) -> None:
    """The template is where the README says, and its variables are the template's."""
    pipeline = snippet(".gitlab-ci.yml")
    assert pipeline["include"][0]["remote"].endswith("/envcompile/v0/.gitlab/diff.yml")
    origin = make_origin(tmp_path / "origin", IMAGE)
    check_out(origin, tmp_path / "work", "refs/merge-requests/7/head", 0)
    predefined = {
        "CI_API_V4_URL": state.address,
        "CI_COMMIT_SHA": origin.head,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": origin.began,
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_PROJECT_ID": "11",
        "CI_PROJECT_ID": "11",
        "GITLAB_TOKEN": TOKEN,
    }
    ran = run_job(tmp_path / "work", tmp_path / "job", predefined, pipeline["variables"])
    assert (ran.code, ran.log) == (16, "comments: 1 written\n")
