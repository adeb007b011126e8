"""SECURITY.md and the guide promise what a test proves, and show workflows that are safe to copy."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Final

import pytest

from envcompile.actions.notify import Letter, notify
from envcompile.forge.messages import Message
from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files

ROOT = Path(__file__).parents[2]
SENTENCES = re.findall(
    r"^\| (.+?) \| `(test_\w+)` \|$", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE
)
WORKFLOWS = [
    ROOT / "README.md",
    *sorted((ROOT / "envcompile" / "guide").glob("*.md")),
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
]


def every_test() -> set[str]:
    """The names of all tests."""
    found: set[str] = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return found


def test_each_promise_has_its_test() -> None:
    """A row of SECURITY.md names a test that is there."""
    assert len(SENTENCES) > 10
    missing = {name for _, name in SENTENCES} - every_test()
    assert not missing


GUIDE: Final = {
    "No program and no module of a checkout is run, by a command, a hook, the recorder in the background, the GitHub "
    "action or the GitLab job": (
        "test_no_module_of_a_branch_is_imported",
        "test_no_module_of_the_pull_request_is_imported",
        "test_no_module_of_the_merge_request_is_imported",
        "test_no_python_of_a_checkout_runs_unasked",
    ),
    "Jsonnet is evaluated, and cannot start anything": ("test_imports_see_what_commits_can_hold",),
    "Git gets no configuration from the checkout": (
        "test_files_of_the_project_are_no_repository",
        "test_no_command_of_the_configuration_runs",
    ),
    "What waits to be sent or recorded lies in `.envc`, which is envc's own folder on one machine": (
        "test_a_committed_message_is_never_sent",
    ),
    "A branch that brings it, or a link in its place, is refused until it is gone": (
        "test_what_git_tracks_is_refused",
        "test_a_link_is_refused_and_not_followed",
    ),
    "Commands write `environments/`, `.envc/` and the file that you name, and follow no link out of the repository": (
        "test_no_command_writes_through_a_link",
        "test_every_write_goes_through_the_door",
    ),
    "Building, comparing, checking and commenting need no key and resolve no reference": (
        "test_looking_at_a_branch_resolves_no_reference",
    ),
    "Sources, imports, `crds:`, certificates and the symlinks among them see nothing below a name that begins with a "
    "dot, nothing that git ignores, nothing outside of the repository: in the folder as in the index and in a commit": (
        "test_nothing_outside_is_read",
        "test_nothing_that_no_commit_holds_is_read",
        "test_a_commit_shows_nothing_hidden_either",
        "test_a_certificate_is_read_from_what_commits_hold",
    ),
    "A file of your own that git ignores counts among the sources only where you trust what you compile": (
        "test_what_git_ignores_among_the_sources_of_a_stranger_is_not_read",
    ),
    "Names, messages and values are shown with an escape for every control character; a line that a runner would obey "
    "gets a backslash, and a comment mentions and links nobody": (
        "test_every_text_of_a_checkout_is_inert",
        "test_a_comment_mentions_nobody_and_links_nowhere",
    ),
    "With `--untrusted` the branch has these limits, and cannot raise them": (
        "test_every_limit_is_named_and_holds",
        "test_every_command_that_compiles_keeps_limits_that_the_tree_cannot_raise",
    ),
}
"""Every sentence of the guide about what a branch cannot do, with the tests that fail when it is broken."""


def test_each_sentence_of_the_guide_has_its_tests() -> None:
    """None is there without a test, and no test is named that is not there."""
    page = (ROOT / "envcompile/guide/untrusted.md").read_text(encoding="utf-8")
    section = page.partition("## What a branch cannot do")[2].partition("\n## ")[0]
    bullets = re.findall(r"^- \*\*.+?\.\*\* (.+?)(?=\n\n|\n- )", section, re.MULTILINE | re.DOTALL)
    sentences = [word.strip(":.") for text in bullets for word in re.split(r"(?<=\.)\s", " ".join(text.split()))]
    assert sorted(sentences) == sorted(GUIDE)
    assert {name for names in GUIDE.values() for name in names} <= every_test()


@pytest.mark.parametrize("page", WORKFLOWS, ids=lambda page: page.name)
def test_documented_workflows_keep_no_credentials(page: Path) -> None:
    """Every checkout that is shown, and every one of ours, says `persist-credentials: false`."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".yml":
        examples = [text]
    else:
        examples = [body for body in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "actions/checkout" in body]
    for example in examples:
        (value,) = load_all(example.encode(), page.name)
        assert isinstance(value, dict)
        for job in value["jobs"].values():
            for step in job["steps"]:
                if str(step.get("uses", "")).startswith("actions/checkout"):
                    assert step["with"]["persist-credentials"] is False, f"{page.name}: {step}"


@pytest.mark.parametrize("name", ["setup/action.yml", "action.yml", ".gitlab/diff.yml"])
def test_python_of_the_job_looks_into_no_folder_of_the_checkout(name: str) -> None:
    """Every step says so before it starts anything, and every interpreter is started isolated."""
    text = (ROOT / name).read_text(encoding="utf-8")
    (value,) = load_all(text.encode(), name)
    if name.endswith("action.yml"):
        scripts = [step["run"] for step in value["runs"]["steps"] if "run" in step]
    else:
        scripts = ["\n".join([*job["before_script"], *job["script"]]) for job in value.values() if "script" in job]
    assert scripts
    for script in scripts:
        lines = [line for line in script.splitlines() if not line.lstrip().startswith("#")]
        starts = [
            number
            for number, line in enumerate(lines)
            if re.search(r"\bpython3? -|/pip\" |\bpip install|/envc\"", line)
        ]
        assert lines.index("export PYTHONSAFEPATH=1; unset PYTHONPATH PYTHONHOME") < min(starts, default=len(lines))
    started = re.findall(r"""\bpython3?"? +(-\S+)""", text)
    assert set(started) <= {"-I"}


@pytest.mark.parametrize("name", ["action.yml", ".gitlab/diff.yml"])
def test_git_of_the_job_takes_no_folder_for_a_repository_by_its_looks(name: str) -> None:
    """What CI runs by itself, beside envc, is told so as well."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "GIT_CONFIG_KEY_1=safe.bareRepository GIT_CONFIG_VALUE_1=explicit" in text


def test_looking_at_a_branch_resolves_no_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an env var of the job nor a file beside the sources gets into anything that is written or said."""
    monkeypatch.setenv("GITHUB_TOKEN", "canary-of-the-job")
    root = write_files(
        tmp_path / "shop",
        {
            "secret.txt": "canary-of-a-file",
            ".gitignore": "secret.txt\n.envc/\n",
            "base/app/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n"
            "  token: ref+env://GITHUB_TOKEN\n  file: ref+file://secret.txt\n",
            "base/app/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"
            "  token: ref+env://GITHUB_TOKEN\n  file: ref+file://secret.txt\n  other: ${GITHUB_TOKEN}\n",
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
            "overlays/dev/environment.yaml": environment("secretBackend: plaintext\nnamespace: dev\n"),
        },
    )
    commands = (
        ("build", "--force"),
        ("build", "--stdout"),
        ("show", "dev"),
        ("check",),
        ("explain", "dev", "secret/s"),
        ("compare", "dev", "prod"),
        ("secrets", "status"),
        ("secrets", "verify"),
    )
    said = "".join(outcome.out + outcome.err for outcome in (run_envc(root, *words) for words in commands))
    written = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in root.rglob("*")
        if path.is_file() and path.name != "secret.txt"
    )
    assert "ref+env" in said + written
    assert "canary" not in said + written


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "//collector.example.com", "$PATH", ""])
def test_an_address_in_the_file_is_no_address(tmp_path: Path, address: str) -> None:
    """`notify` of envc.yaml names env vars, so that a branch cannot say where messages go."""
    message = Message("prod: 1 changed", "Deployment/web", {})
    done = notify(tmp_path / ".envc", [Letter("webhook", address, message)], os.environ)
    assert done.sent == 0
    assert [problem.what for problem in done.waiting] == [f"the env var {address} is not set"]
