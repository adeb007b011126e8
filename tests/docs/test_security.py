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
FURTHER: Final = {
    "`envc pr comment`, the GitHub action and the Argo CD plugin do not trust by themselves (`--trusted` says "
    "otherwise)": ("test_the_plugin_and_the_action_trust_nobody",),
    "Who raises limits is never the branch: `limits:` of its envc.yaml only lowers them, while that of the commit "
    "where the change began counts for `envc diff` and `envc pr comment`, and `ENVC_LIMITS` for all": (
        "test_every_command_that_compiles_keeps_limits_that_the_tree_cannot_raise",
        "test_a_tree_lowers_its_limits",
        "test_where_the_change_began_raises_limits_of_a_comment",
        "test_where_the_change_began_lowers_nothing",
    ),
    "Nothing that is compiled or found comes from what is kept in `.envc`": (
        "test_nothing_kept_below_the_own_folder_is_taken_up",
    ),
    "A change that does not compile, or that reaches a limit, gets its comment all the same, which says so; "
    "`--fail-on-env` fails the job then": ("test_a_comment_is_written_when_the_change_does_not_compile",),
    "A branch that is checked out or pulled runs nothing: the hooks of `envc hook install` lie in the git folder, and "
    "import nothing from the working folder": (
        "test_a_branch_cannot_change_what_hooks_do",
        "test_no_module_of_a_branch_is_imported",
    ),
    "A virtual environment inside of the work tree can be written by a branch: hooks refuse to start one in which git "
    "tracks a file": ("test_an_environment_that_a_branch_writes_into_runs_nothing",),
    "The job of a fork cannot write the comment; the comparison is in the job's summary and in the artifact": (
        "test_a_fork_may_only_read_and_gets_the_summary_and_the_artifact",
    ),
}
"""The other sentences of the guide that promise something."""
ADVICE: Final = {
    "These take `--untrusted`: …": "test_every_command_that_takes_the_flag_is_tried reads them",
    "Other commands are for people who trust what they have checked out": "says what is not promised",
    "It decides what is compiled": "says what is not promised",
    "So it can change every environment, …": "says what is not promised",
    "It can also write anything into names, …": "says what is not promised",
    "Other steps of such a job that compile say so: …": "what to write",
    "Commands that resolve references or ask a cluster …": "what not to write",
    "Where your `core.hooksPath` leads into the checkout, …": "says what is not promised",
    "Install `envc` outside of repositories …": "what to do",
}
"""Sentences that promise nothing, by their beginnings."""
POLICY: Final = {
    "a program or a module of the checkout runs (but rules in Python whose very bytes the user allowed outside "
    "of it)": (
        "test_no_module_of_a_branch_is_imported",
        "test_no_command_of_the_configuration_runs",
        "test_no_python_of_a_checkout_runs_unasked",
        "test_bytes_are_allowed_and_not_names",
    ),
    "a file outside of the project, or one that git ignores, is read into an output": (
        "test_nothing_outside_is_read",
        "test_nothing_that_no_commit_holds_is_read",
    ),
    "a token, a key or a message goes to an address that the checkout chose": (
        "test_an_address_in_the_file_is_no_address",
        "test_vault_token_to_any_address",
        "test_vault_token_follows_redirects",
    ),
    "something is written or deleted outside of `environments/` and `.envc/`, or through a symbolic link": (
        "test_no_command_writes_through_a_link",
        "test_another_layout_writes_and_removes_through_no_link",
    ),
    "a text of the checkout steers the terminal, the job's log or the comment it is shown in": (
        "test_every_command_shows_every_text_inert",
        "test_a_comment_mentions_nobody_and_links_nowhere",
    ),
    "a file of ordinary size takes memory or time without end": (
        "test_every_limit_is_named_and_holds",
        "test_time_and_memory_of_the_whole_are_bounded",
    ),
}
"""What counts as a fault by SECURITY.md, with tests that would find it."""


def test_each_sentence_of_the_guide_has_its_tests() -> None:
    """None is there without a test, and no test is named that is not there."""
    page = (ROOT / "envcompile/guide/untrusted.md").read_text(encoding="utf-8")
    section = page.partition("## What a branch cannot do")[2].partition("\n## ")[0]
    bullets = re.findall(r"^- \*\*.+?\.\*\* (.+?)(?=\n\n|\n- )", section, re.MULTILINE | re.DOTALL)
    sentences = [word.strip(":.") for text in bullets for word in re.split(r"(?<=\.)\s", " ".join(text.split()))]
    assert sorted(sentences) == sorted(GUIDE)
    assert {name for names in GUIDE.values() for name in names} <= every_test()


def test_each_other_sentence_promises_nothing_or_has_its_tests() -> None:
    """Of the whole guide page; what is advice, or says what is not promised, is named as such."""
    page = (ROOT / "envcompile/guide/untrusted.md").read_text(encoding="utf-8").partition("\n## ")[2]
    plain = re.sub(r"(?ms)^```.*?^```$|^\|[^\n]*$|^## [^\n]*$|^What a branch cannot do$", "", page)
    parts = [" ".join(part.split()) for part in plain.split("\n\n") if not part.lstrip().startswith("- **")]
    found = [word.strip(":.") for part in parts for word in re.split(r"(?<=\.)\s", part) if word.strip()]
    begins = tuple(sentence.partition(" …")[0] for sentence in ADVICE)
    promises = [sentence for sentence in found if not sentence.startswith(begins)]
    assert sorted(promises) == sorted(FURTHER)
    assert [begin for begin in begins if not any(sentence.startswith(begin) for sentence in found)] == []
    assert {name for names in FURTHER.values() for name in names} <= every_test()


def test_each_fault_of_the_policy_has_its_tests() -> None:
    """The list of what counts as a fault, as SECURITY.md has it."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## The policy")[2].partition("\nNot faults")[0]
    faults = re.findall(r"^- (.+?)[;.]$", text.replace("\n  ", " "), re.MULTILINE)
    assert sorted(faults) == sorted(POLICY)
    assert {name for names in POLICY.values() for name in names} <= every_test()


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
