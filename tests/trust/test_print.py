"""What a checkout says is shown and does nothing: every text that it can choose, in every place where one is printed.

A bounded part with a fixed seed; `pytest tests/trust --sequences 500 --seed 7` tries more.
"""

# ruff: file-ignore[line-too-long] - texts are written whole

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING

import pytest

from envcompile.log import VARIABLE
from envcompile.text import one_line, visible, without_passwords
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.command import Outcome

PIECES = (
    "\x1b[31m", "\x1b]0;title\x07", "\x07", "\x00", "\b", "\r", "\n", "\n::error::injected", "\n::add-mask::x", "\r::stop-commands::x",
    "\n##vso[task.setvariable variable=a]b", "##[command]x", "\u202e", "\u2066", "\u200f", "\u061c", "\u2028", "\u2029::error::x",
    "\x85", "\x9b31m", "\ufeff", "\ud800", "@octocat", "@org/team", "https://evil.example", "www.evil.example", "<img src=x>",
    "[x](https://evil.example)", "</details>", "-->", "```", "`", "|", "#1", "!1", "&#64;x", "%0A::error::x", "a", " ", "é",
)  # fmt: skip
"""What terminals, runners, hosts and readers obey."""
COMMANDS = "\x1b\x07\x08\x00\x9b\u202e\u2066\u200f\u061c\u2028\u2029\x85"
ACTIVE = re.compile(r"(?<![\w`/<])@(?:octocat|org)|(?<!<!-- --)(?<![`\\\w])(?:https?://|www\.)evil|<img|&#64;")


def nasty(chance: random.Random, *, name: bool = False) -> str:
    """A text of pieces that do something somewhere; of those that a file's name can hold."""
    text = "".join(chance.choices(PIECES, k=chance.randint(1, 6)))
    return text.replace("/", "_").replace("\x00", "").replace("\ud800", "")[:60] or "x" if name else text


def assert_inert(outcome: Outcome, where: str) -> None:
    """No control, no line that a runner obeys; of a report only stderr is for people."""
    for text in (outcome.out, outcome.err):
        found = [sign for sign in COMMANDS if sign in text]
        assert not found, (where, found, text[:2000])
        lines = re.split(r"[\n\r]", text)
        assert not [line for line in lines if line.lstrip().startswith("::") and "injected" in line.split("::")[1]], (
            where
        )
        assert not [line for line in lines if re.match(r"\s*::(add-mask|stop-commands)", line)], where
        assert "##vso[" not in text, where
        assert "##[" not in text, where
    assert "bug in envc" not in outcome.err, (where, outcome.err)


def written(chance: random.Random, root: Path) -> None:
    """A checkout that says such things wherever it can: names, keys, values, settings, errors, commits and branches."""
    quoted = json.dumps(nasty(chance).replace("\ud800", ""))
    files = {
        "base/app/own.yaml": deployment(),
        "base/app/config.yaml": "apiVersion: v1\nkind: ConfigMap\n"
        f"metadata: {{name: c, labels: {{{json.dumps('a')}: {quoted}}}, annotations: {{x: {quoted}}}}}\n"
        f"data: {{{quoted}: {quoted}, k: {quoted}}}\n",
        "base/app/odd.yaml": f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: {quoted}}}\nspec: {{{quoted}: 1}}\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment(
            f"namespace: prod\nowners: [{quoted}]\nparams: {{p: {quoted}}}\n"
        ),
        "overlays/prod/patch.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{k: {quoted}}}\n",
    }
    broken = {
        "key": {"base/app/x.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{{quoted}: '1', {quoted}: '2'}}\n"},
        "kind": {"base/app/x.yaml": f"apiVersion: v1\nkind: {quoted}\nmetadata: {{name: a}}\n"},
        "setting": {"envc.yaml": f"{quoted}: 1\n"},
        "environments": {"envc.yaml": f"environments: [{quoted}]\n"},
        "crds": {"envc.yaml": f"crds: [{quoted}]\n"},
        "checks": {"envc.yaml": f"checks: {{{quoted}: off}}\n"},
        "parameter": {"base/app/x.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: '${{{{ params.{quoted[1:5]} }}}}'}}\n"},
        "jsonnet": {"base/app/x.jsonnet": f"error {quoted}"},
        "import": {"base/app/x.jsonnet": f"import {quoted}"},
        "trace": {"base/app/x.jsonnet": f"std.trace({quoted}, {{}})"},
        "patch": {"overlays/prod/x.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {quoted}}}\n$patch: delete\n"},
        "target": {"overlays/prod/x.yaml": f"apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {{name: {quoted}}}\nmerge: {{a: 1}}\n"},
        "text": {"base/app/x.yaml": f"kind: [\n{nasty(chance, name=True)}\n"},
        "file": {f"base/app/{nasty(chance, name=True)}.yaml": config_map("named")},
        "broken file": {f"base/app/{nasty(chance, name=True)}.yaml": "kind: [\n"},
        "application": {f"base/{nasty(chance, name=True)}/x.yaml": config_map("named")},
        "link": {"base/app/x.yaml": f"-> {nasty(chance, name=True)}"},
        "environment": {f"overlays/{nasty(chance, name=True)}/environment.yaml": environment()},
        "nothing": {},
    }  # fmt: skip
    write_files(root, files)
    commit(root, "start")
    branch = re.sub(r"[^\w@#!|`<>&;.-]", "", nasty(chance, name=True)).strip(".-") or "b"
    git(root, "checkout", "--quiet", "-b", f"f-{branch.replace('@{', '').replace('..', '').replace('.lock', '')}x")
    for path, content in chance.choice(list(broken.values())).items():
        if not (root / path).exists() and not path.startswith(("base//", "overlays//")):
            write_files(root, {path: content})
    write_files(
        root,
        {"base/app/more.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: more}}\ndata: {{{quoted}: x}}\n"},
    )
    git(root, "add", "--all")
    who = nasty(chance).replace("\x00", "").replace("\ud800", "")
    subject = nasty(chance).replace("\x00", "").replace("\ud800", "") or "x"
    person = re.sub(r"[\n<>]", "", who).strip() or "x"
    git(
        root,
        "-c",
        f"user.name=x {person}",
        "commit",
        "--quiet",
        "--allow-empty",
        "--cleanup=verbatim",
        f"--message=s {subject}",
    )


WORDS = (
    ("build",), ("build", "--why"), ("build", "--check", "--at", "HEAD"), ("check",), ("check", "--format", "json"),
    ("check", "--format", "sarif"), ("check", "--format", "junit"), ("diff", "--from", "main"), ("diff", "--from", "main", "--format", "unified"),
    ("diff", "--from", "main", "--format", "json"), ("compare", "dev", "prod"), ("affected",), ("affected", "--from", "main"),
    ("show", "prod", "--list"), ("explain", "prod", "configmap/c"), ("owners",), ("secrets", "scan"), ("secrets", "status"),
    ("history", "record"), ("history", "log", "prod"), ("history", "show", "prod"), ("history", "blame", "prod", "configmap/c"),
    ("history", "diff", "prod", "main", "HEAD"), ("history", "find", "c"), ("build", "nowhere"), ("show", "prod", "configmap/nothing"),
    ("promote", "dev", "prod", "--dry-run"), ("notify", "--from", "main", "--to", "HEAD", "--dry-run"),
)  # fmt: skip


def test_every_text_of_a_checkout_is_inert(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case text-in-control: on a terminal, in a log and in a report, with the log on."""
    monkeypatch.setenv(VARIABLE, "debug")
    seed, count = request.config.getoption("seed"), max(4, request.config.getoption("sequences") // 4)
    for number in range(seed, seed + count):
        chance = random.Random(number)
        root = tmp_path / str(number)
        written(chance, root)
        for words in WORDS:
            assert_inert(run_envc(root, "-v", *words), f"seed {number}: {' '.join(words)}")


def test_a_comment_mentions_nobody_and_links_nowhere(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Outside of code nothing of a checkout is a mention, a link or markup; code cannot be left from inside."""
    seed, count = request.config.getoption("seed"), max(6, request.config.getoption("sequences") // 2)
    for number in range(seed, seed + count):
        chance = random.Random(number)
        root = tmp_path / str(number)
        written(chance, root)
        done = run_envc(root, "pr", "comment", "--dry-run", "--from", "main")
        assert done.code == 0, done.err
        assert_inert(done, f"seed {number}")
        outside = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", done.out)
        outside = re.sub(r"`[^`\n]*`", "", outside.replace(r"\`", ""))
        # A summary is a block of HTML: nothing is linked in it by Markdown, and no filter of a host looks into `code`.
        outside = re.sub(r"(?m)(?<=^<details><summary><b>)<code>[^<\n]*</code>", "", outside)
        assert not ACTIVE.search(outside), (number, ACTIVE.search(outside), outside)
        assert done.out.count("<details>") == len(re.findall(r"(?m)^</details>", outside)), number


@pytest.mark.parametrize(
    "text",
    ["postgresql://u:p4ss@h/d", "https://x:p4ss@h", "could not connect: https://u:p4ss@h:1/x?a=b", "token=p4ss", "postgres://u:p@4ss:p4ss@h"],
)  # fmt: skip
def test_passwords_of_addresses_are_never_shown(text: str) -> None:
    """Whoever quotes them."""
    assert "p4ss" not in without_passwords(text)


@pytest.mark.parametrize(
    "text", ["x" * 2_000_000, "a:" * 500_000, "a:b@" * 300_000, "token='" * 200_000, "::error::" * 200_000]
)
def test_a_long_text_takes_no_more_than_its_length(text: str) -> None:
    """No step of the door looks at a text again and again: what a branch can print, it can print long."""

    def price(length: int) -> float:
        begin = time.process_time()
        assert len(without_passwords(text[:length])) <= length
        assert visible(text[:length])
        assert one_line(text[:length])
        return time.process_time() - begin

    few = max(min(price(20_000), price(20_000)), 0.001)
    assert min(price(160_000), price(160_000)) < 32 * few  # eight times the text; the square would be 64
    price(len(text))


def test_a_remote_with_a_password_is_not_told(tmp_path: Path) -> None:
    """Neither by errors nor by what is written for Argo CD."""
    write_files(
        tmp_path, {"base/app/own.yaml": config_map(), "overlays/dev/environment.yaml": environment("namespace: d\n")}
    )
    commit(tmp_path)
    git(tmp_path, "remote", "add", "origin", "https://user:p4ssw0rd@git.example.com/shop.git")
    for words in (
        ("argocd", "app", "dev"),
        ("argocd", "appset"),
        ("diff", "--from", "nowhere"),
        ("notify", "--from", "x", "--to", "HEAD"),
    ):
        done = run_envc(tmp_path, *words)
        assert "p4ssw0rd" not in done.out + done.err
