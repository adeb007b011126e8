"""*print*: whatever a text of others holds, and wherever it stands, every command that prints shows it inert.

Hypothesis draws the texts, the places and the commands, with the seed of `--seed`; `pytest tests/trust --sequences 800`
tries a hundred repositories.
"""

# ruff: file-ignore[line-too-long] - texts are written whole

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import contextmanager
from html.parser import HTMLParser
from itertools import count, cycle, islice
from random import Random
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET  # ruff: ignore[suspicious-xml-etree-import] - what envc wrote itself

import hypothesis
import pytest
from hypothesis import strategies as st

from envcompile.log import VARIABLE
from tests.actions.test_simulate import HPA, PRICES, WEB
from tests.harness import command as harness
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files
from tests.trust.test_print import ACTIVE, PIECES, assert_inert
from tests.trust.test_write import CRD

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from tests.harness.command import Outcome

TABLE: Final = harness.PACKAGE_ROOT / "envcompile/cli/completion/commands.tsv"
TEXT: Final = "@TEXT@"
"""Stands for a text of the checkout among the words of a command."""
COMMANDS: Final[Mapping[str, list[tuple[str, ...]]]] = {
    "affected": [(), ("--from", "main"), ("base/app/config.yaml",), (TEXT,)],
    "argocd app": [("prod",), (TEXT,)],
    "argocd appset": [()],
    "argocd generate": [()],
    "argocd plugin": [()],
    "argocd project": [()],
    "build": [(), ("--why",), ("--check",), ("--check", "--at", "HEAD"), ("--check", "--staged"), ("--stdout",), (TEXT,), ("--only", TEXT)],
    "chart verify": [()],
    "charts list": [()],
    "check": [(), ("--at", "HEAD"), (TEXT,)],
    "compare": [("dev", "prod"), ("dev", TEXT)],
    "completion": [("bash",), (TEXT,)],
    "compliance": [()],
    "convert": [("base", "-o", "made", "--no-verify")],
    "cost": [(), ("--prices", "other.yaml")],
    "crds add": [("crd.yaml",), (TEXT,)],
    "db doctor": [()],
    "db gc": [()],
    "db status": [()],
    "db upgrade": [()],
    "diff": [("--from", "main"), ("--from", TEXT)],
    "drift": [("prod",), ("--context", TEXT)],
    "eject": [("ejected",), ("ejected", TEXT)],
    "explain": [("prod", "configmap/c"), ("prod", "configmap/c", "data.k"), ("prod", "configmap/c", "--yaml"), ("prod", TEXT), ("prod", "configmap/c", TEXT)],
    "fix": [()],
    "graph": [("prod",), ()],
    "guide": [("start",), (TEXT,)],
    "history at": [("prod", "2026-01-01"), ("prod", TEXT)],
    "history blame": [("prod", "configmap/c"), ("prod", TEXT)],
    "history dashboard": [("datasette",)],
    "history diff": [("prod", "main", "HEAD"), ("prod", TEXT, "HEAD")],
    "history doctor": [()],
    "history export": [()],
    "history find": [("data.*=*",), ("prod", f"x={TEXT}"), (TEXT,)],
    "history import": [(), (TEXT,)],
    "history log": [("prod",), ("prod", "--all"), (TEXT,)],
    "history prune": [("--unreachable", "--dry-run"), ("--older-than", TEXT)],
    "history rebuild": [("--check",)],
    "history record": [()],
    "history restore": [("prod", "main", "--as-overlay"), ("prod", TEXT)],
    "history show": [("prod",), ("prod", "HEAD", "configmap/c"), ("prod", TEXT)],
    "history stats": [()],
    "history sync": [()],
    "history timeline": [()],
    "history upgrade": [()],
    "hook status": [()],
    "init": [("made-anew", "--from-manifests", "base"), (".",)],
    "list": [(), (TEXT,)],
    "live get": [()],
    "matrix": [()],
    "new app": [("api", "--image", TEXT), (TEXT,)],
    "new env": [(TEXT,)],
    "notify": [("--from", "main", "--to", "HEAD", "--dry-run")],
    "owners": [()],
    "pr comment": [("--dry-run", "--from", "main")],
    "predict": [("prod", "deployment/web", "--load", "load.csv"), ("prod", TEXT)],
    "promote": [("dev", "prod", "--dry-run"), ("dev", TEXT)],
    "recommend": [("prod", "--workload", "deployment/web", "--load", "load.csv"), ("--load", "load.csv", "--workload", TEXT)],
    "report": [()],
    "rule": [(), (TEXT,)],
    "schema": [("environment",), (TEXT,)],
    "secrets audit": [()],
    "secrets fetch-cert": [("prod", "cert.pem")],
    "secrets scan": [()],
    "secrets seal": [("prod",), ("prod", TEXT)],
    "secrets status": [()],
    "secrets verify": [()],
    "show": [("prod",), ("prod", "--list"), ("prod", TEXT)],
    "simulate": [("prod", "deployment/web", "--load", "load.csv"), ("prod", TEXT)],
    "version": [()],
}  # fmt: skip
OTHERS: Final = {
    "chart package": "runs helm", "chart push": "runs helm", "charts outdated": "runs helm", "charts update": "runs helm", "charts vendor": "runs helm",
    "hook install": "says names of hooks", "hook uninstall": "says names of hooks", "hook run": "says what build, check and scan say",
    "live at": "reads what `watch` stored", "live blame": "reads what `watch` stored", "live events": "reads what `watch` stored",
    "live log": "reads what `watch` stored", "live stats": "reads what `watch` stored", "watch": "needs a cluster",
    "lsp": "speaks to an editor, in JSON", "ui": "pages, in tests/pages/test_hostile.py",
    "secrets reseal": "needs certificates", "secrets rotate": "needs certificates", "secrets set": "needs certificates", "secrets unseal": "needs a key",
}  # fmt: skip
"""Commands that are not tried here, with the reason."""


def formats() -> dict[str, tuple[str, ...]]:
    """Each command with the values of its `--format`; none for one that has no such option."""
    found: dict[str, tuple[str, ...]] = {}
    command = ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        kind, name, value, *_ = [*line.split("\t"), "", ""]
        if kind == "command" and name:
            command = name
            found[command] = ()
        elif kind == "option" and name.partition(" ")[0] == "--format":
            found[command] = tuple(value.split("|"))
    return found


def test_every_command_that_prints_is_tried() -> None:
    """A new command has its line in `COMMANDS`, or a reason."""
    groups = {name for name in formats() if any(other.startswith(f"{name} ") for other in formats())}
    assert formats().keys() - groups == COMMANDS.keys() | OTHERS.keys()
    assert not COMMANDS.keys() & OTHERS.keys()


SAFE: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
CONTROL: Final = st.text(
    st.characters(categories=["Cc", "Cf", "Zl", "Zp"], exclude_characters="\0"), min_size=1, max_size=4
)
TEXTS: Final = st.one_of(
    st.lists(st.sampled_from([piece for piece in PIECES if piece not in {"\ud800", "\x00"}]) | SAFE | CONTROL, min_size=1, max_size=6).map("".join),
    st.sampled_from(["x" * 50_000, "\u202e" * 3_000, "@octocat " * 2_000, "\n" * 2_000 + "::error::injected", "a\x1b[2J" * 500, "`" * 3_000]),
)  # fmt: skip
"""What others may write anywhere."""


def in_name(text: str) -> str:
    """The text as a file's name can hold it."""
    return text.replace("/", "_").encode()[:80].decode(errors="ignore").strip(".") or "x"


def in_ref(text: str) -> str:
    """The text as a branch's name can hold it (git-check-ref-format(1))."""
    kept = re.sub(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\.lock", "", text).encode()[:80].decode(errors="ignore")
    return f"f-{kept.strip('./')}-x"


def document(kind: str, name: str, rest: str, api: str = "v1") -> str:
    """A document whose name is written as JSON."""
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\n{rest}"


PLACES: Final[Mapping[str, Callable[[str, str], dict[str, str]]]] = {
    "name": lambda text, _: {"base/app/n.yaml": document("ConfigMap", json.dumps(text), "data: {a: b}\n")},
    "key": lambda text, _: {"base/app/n.yaml": document("ConfigMap", "n", f"data: {{{json.dumps(text)}: x}}\n")},
    "value": lambda text, _: {"overlays/prod/n.yaml": document("ConfigMap", "c", f"data: {{k: {json.dumps(text)}}}\n")},
    "kind": lambda text, _: {"base/app/n.yaml": document(json.dumps(text), "n", "", "example.com/v1")},
    "group": lambda text, _: {"base/app/n.yaml": document("Thing", "n", "", json.dumps(f"{text}/v1"))},
    "namespace": lambda text, _: {"overlays/prod/environment.yaml": environment(f"namespace: {json.dumps(text)}\n")},
    "label": lambda text, _: {"base/app/n.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: n, labels: {{a: {json.dumps(text)}}}, annotations: {{{json.dumps(text)}: b}}}}\n"},
    "image": lambda text, _: {"base/app/web.yaml": deployment("web").replace("nginx:1", json.dumps(text))},
    "quantity": lambda text, _: {"overlays/prod/web.yaml": f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{template: {{spec: {{containers: [{{name: web, resources: {{requests: {{cpu: {json.dumps(text)}}}}}}}]}}}}}}\n"},
    "secret": lambda text, _: {"base/app/s.yaml": document("Secret", "s", f"stringData: {{{json.dumps(text)}: {json.dumps(f'ref+env://{text}')}}}\n")},
    "reference": lambda text, _: {"base/app/s.yaml": document("Secret", "s", f"stringData: {{a: {json.dumps(f'ref+{text}')}}}\n")},
    "config text": lambda text, _: {"base/app/t.yaml": document("ConfigMap", "t", f"data: {{'app.properties': {json.dumps(f'a=1{chr(10)}{text}=2{chr(10)}')}}}\n")},
    "parameter": lambda text, _: {"base/app/p.yaml": document("ConfigMap", "p", f"data: {{a: {json.dumps('${{ params.' + text + ' }}')}}}\n")},
    "parameter's name": lambda text, _: {"overlays/prod/environment.yaml": environment(f"params: {{{json.dumps(text)}: {json.dumps(text)}}}\n")},
    "owner": lambda text, _: {"overlays/prod/environment.yaml": environment(f"owners: [{json.dumps(text)}]\n")},
    "setting": lambda text, _: {"overlays/prod/environment.yaml": environment(f"{json.dumps(text)}: 1\n")},
    "project": lambda text, _: {"envc.yaml": f"{json.dumps(text)}: 1\n"},
    "checks": lambda text, _: {"envc.yaml": f"checks: {{{json.dumps(text)}: off}}\ncrds: [{json.dumps(text)}]\n"},
    "chart": lambda text, _: {"envc.yaml": f"chart: {{name: {json.dumps(text)}}}\n"},
    "charts": lambda text, _: {"envc.yaml": f"charts: [{{name: {json.dumps(text)}, repository: {json.dumps(text)}}}]\n"},
    "suppression": lambda text, _: {"envc.yaml": f"suppress: [{{rule: {json.dumps(text)}, reason: {json.dumps(text)}}}]\n"},
    "own rule": lambda text, _: {"checks/own.yaml": f"apiVersion: envcompile.dev/v1\nkind: Rule\nmetadata: {{name: own}}\nspec: {{expression: 'false', message: {json.dumps(text)}}}\n"},
    "policy": lambda text, _: {"base/app/v.yaml": document("ValidatingAdmissionPolicy", "v", f"spec: {{validations: [{{expression: {json.dumps(text)}, message: {json.dumps(text)}}}]}}\n", "admissionregistration.k8s.io/v1")},
    "definition": lambda text, _: {"crd.yaml": document("CustomResourceDefinition", json.dumps(text), f"spec: {{group: {json.dumps(text)}, names: {{kind: {json.dumps(text)}, plural: x}}, scope: Namespaced, versions: []}}\n", "apiextensions.k8s.io/v1")},
    "patch": lambda text, _: {"overlays/prod/x.yaml": f"apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {{kind: ConfigMap, name: {json.dumps(text)}}}\nmerge: {{a: {json.dumps(text)}}}\n"},
    "json patch": lambda text, _: {"overlays/prod/x.yaml": f"apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {{kind: ConfigMap, name: c}}\njson6902: [{{op: replace, path: {json.dumps(f'/{text}')}, value: 1}}]\n"},
    "generator": lambda text, _: {"base/app/x.yaml": f"apiVersion: envcompile.dev/v1\nkind: Generate\nconfigMap: {{name: g, files: [{json.dumps(text)}]}}\n"},
    "yaml": lambda text, _: {"base/app/x.yaml": f"a: [{text}\n"},
    "yaml tag": lambda text, _: {"base/app/x.yaml": f"a: !<{text}> b\n&{text} c: *{text}\n"},
    "comment": lambda text, _: {"base/app/x.yaml": f"# {text}\n{config_map('commented')}"},
    "jsonnet": lambda text, _: {"base/app/x.jsonnet": f"error {json.dumps(text)}"},
    "jsonnet syntax": lambda text, _: {"base/app/x.jsonnet": f"local {text}"},
    "import": lambda text, _: {"base/app/x.jsonnet": f"import {json.dumps(text)}"},
    "trace": lambda text, _: {"base/app/x.jsonnet": f"std.trace({json.dumps(text)}, {{}})"},
    "template": lambda text, _: {"base/app/x.yaml.tmpl": text},
    "prices": lambda text, _: {"other.yaml": f"{json.dumps(text)}: 1\n", "prices.yaml": PRICES.replace("USD", json.dumps(text))},
    "load": lambda text, _: {"load.csv": f"time,{text}\n2026-01-01,1\n"},
    "certificate": lambda text, _: {"cert.pem": f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"},
    "sealed": lambda text, _: {"overlays/prod/sealed.yaml": f"{json.dumps(text)}: 1\n"},
    "baseline": lambda text, _: {".envc-baseline.json": json.dumps({text: text})},
    "lock": lambda text, _: {"charts.lock.yaml": f"kind: ChartLock\nfiles: {{{json.dumps(text)}: x}}\n"},
    "codeowners": lambda text, _: {".github/CODEOWNERS": f"{text} @x\n"},
    "file": lambda _, name: {f"base/app/{name}.yaml": config_map("named")},
    "broken file": lambda _, name: {f"base/app/{name}.yaml": "kind: [\n"},
    "application": lambda _, name: {f"base/{name}/x.yaml": config_map("named")},
    "environment": lambda _, name: {f"overlays/{name}/environment.yaml": environment()},
    "link": lambda _, name: {"base/app/l.yaml": f"-> {name}"},
    "leaked": lambda text, name: {f"base/app/{name}.txt": f"password={text}\nAKIAIOSFODNN7EXAMPLF\n"},
    "kustomization": lambda text, _: {"base/app/kustomization.yaml": f"resources: [{json.dumps(text)}]\n"},
}  # fmt: skip
"""Where a text of others can stand: the files that it makes."""
HARMLESS: Final = (
    "value",
    "label",
    "config text",
    "owner",
    "comment",
    "definition",
    "load",
    "certificate",
    "codeowners",
    "leaked",
    "trace",
    "baseline",
)
"""With these a project compiles, so that commands say more than an error."""


@contextmanager
def terminal(columns: int) -> Generator[None]:
    """Let the streams be a terminal of so many columns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("LINES", "1000000")
        patch.setenv("TERM", "xterm")
        patch.setenv("PAGER", "cat")
        patch.setattr(harness._Stream, "isatty", lambda _: True)
        yield


class _Tags(HTMLParser):
    """What a page would do."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        addresses = [str(value) for name, value in attrs if name in {"href", "src", "action", "xlink:href"}]
        if tag in {"img", "iframe", "object", "embed"} and not str(given.get("src", "")).startswith("data:"):
            self.acts.append(tag)
        self.acts += [name for name in given if name.startswith("on")]
        self.acts += [
            one
            for one in addresses
            if re.match(r"\s*(javascript|vbscript|data:text)", one, re.IGNORECASE) or "evil" in one
        ]


def assert_readable(outcome: Outcome, form: str, where: str) -> None:
    """What a format promises holds: programs can read it, and nothing acts in a comment or on a page."""
    if not outcome.out.strip():
        return
    if form in {"json", "sarif", "gitlab"}:
        try:
            json.loads(outcome.out)
        except ValueError:
            pytest.fail(f"{where}: no JSON: {outcome.out[:1_000]}")
    elif form == "jsonl":
        [json.loads(line) for line in outcome.out.splitlines()]
    elif form == "junit":
        ET.fromstring(outcome.out)  # ruff: ignore[suspicious-xml-element-tree-usage] - what envc wrote itself
    elif form == "csv":
        [*csv.reader(io.StringIO(outcome.out))]
    elif form in {"html", "svg"}:
        page = _Tags()
        page.feed(outcome.out)
        assert not page.acts, (where, page.acts)
    elif form in {"markdown", "comment"}:
        outside = re.sub(r"(?ms)^(`{3,}).*?^\1$", "", outcome.out)
        outside = re.sub(r"`[^`\n]*`", "", outside.replace(r"\`", ""))
        outside = re.sub(r"<code>[^<\n]*</code>", "", outside)
        assert not ACTIVE.search(outside), (where, ACTIVE.search(outside), outside)


def try_command(root: Path, words: list[str], form: str, columns: int) -> None:
    """Run a command, in a log or on a terminal, and look at everything it says."""
    where = f"{words} at {columns or 'no'} columns"
    if columns:
        with terminal(columns):
            outcome = run_envc(root, *words)
        for text in (outcome.out, outcome.err):
            assert "\x1b[31mX" not in text
        # What envc paints by itself is colour and nothing else.
        outcome = outcome._replace(
            out=re.sub(r"\x1b\[[\d;]*[mK]", "", outcome.out), err=re.sub(r"\x1b\[[\d;]*[mK]", "", outcome.err)
        )
    else:
        outcome = run_envc(root, *words)
    assert_inert(outcome, where)
    assert "\r" not in outcome.out.replace("\r\n", "\n") + outcome.err.replace("\r", "" if columns else "\r"), where
    assert "Traceback" not in outcome.out + outcome.err, (where, outcome)
    assert outcome.code in {0, 1, 2, 4, 16}, (where, outcome)
    if not columns:
        assert_readable(outcome, form, where)


def made(root: Path, texts: Mapping[str, str], branch: str, person: str, message: str) -> None:
    """A repository of two commits that says these texts at these places."""
    write_files(
        root,
        {
            ".gitignore": ".envc/\n",
            "base/app/web.yaml": WEB,
            "base/app/scaler.yaml": HPA,
            "base/app/config.yaml": config_map("c", k="one"),
            "overlays/dev/environment.yaml": environment("namespace: dev\nowners: ['@shop/team']\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\nowners: ['@shop/team']\n"),
            "prices.yaml": PRICES,
            "other.yaml": PRICES,
            "crd.yaml": CRD,
            "load.csv": "time,cpu\n" + "".join(f"2026-03-06T18:{minute:02},3\n" for minute in range(40)),
        },
    )
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "remote", "add", "origin", "https://git.example.com/shop.git")
    assert run_envc(root, "build").code == 0
    commit(root, "start")
    assert run_envc(root, "history", "import").code == 0
    git(root, "checkout", "--quiet", "-b", in_ref(branch))
    for place, text in texts.items():
        write_files(root, PLACES[place](text, in_name(text)))
    git(root, "add", "--all")
    name = re.sub(r"[\n<>\0]", "", person)[:2_000].strip() or "x"
    words = ("commit", "--quiet", "--allow-empty", "--cleanup=verbatim")
    git(root, "-c", f"user.name=x {name}", *words, f"--message=s {message.replace(chr(0), '')[:50_000]}")


def test_every_command_shows_every_text_inert(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of a few places, of the branch, the author and the message, in ten commands, logs and narrow terminals."""
    monkeypatch.setenv(VARIABLE, "debug")
    monkeypatch.setenv("ARGOCD_ENV_ENVIRONMENT", "prod")
    having, numbers = formats(), count()
    every = [
        (name, rest, form)
        for name, rests in COMMANDS.items()
        for rest in rests
        for form in ("", *having[name])
        if form not in {"pdf", "parquet"}  # bytes, which are for files
    ]
    Random(request.config.getoption("seed")).shuffle(every)
    calls = cycle(every)
    tried: set[tuple[str, tuple[str, ...], str]] = set()

    @hypothesis.seed(request.config.getoption("seed"))
    @hypothesis.settings(
        max_examples=max(5, request.config.getoption("sequences") // 8),
        database=None,
        phases=[hypothesis.Phase.generate],  # a failure shows its texts; making them smaller takes longer than a run
        suppress_health_check=[*hypothesis.HealthCheck],
    )
    @hypothesis.given(st.data())
    def tries(data: st.DataObject) -> None:
        root = tmp_path / f"shop{next(numbers)}"
        harmless = st.lists(st.sampled_from(HARMLESS), min_size=2, max_size=6, unique=True)
        places = data.draw(harmless | st.lists(st.sampled_from([*PLACES]), min_size=1, max_size=3, unique=True))
        texts = {place: data.draw(TEXTS) for place in places}
        branch, person, message = (data.draw(TEXTS) for _ in range(3))
        made(root, texts, branch, person, message)
        monkeypatch.chdir(root)
        for name, rest, form in islice(calls, 10):  # what Hypothesis draws by itself repeats a few of them
            columns = data.draw(st.sampled_from([0, 0, 1, 20, 40, 200]))
            chosen = [word.replace(TEXT, texts[places[0]][:1_000]) for word in rest]
            verbose = data.draw(st.sampled_from([[], ["-v"]]))
            said = ["--format", form] if form else []
            tried.add((name, rest, form))
            try_command(
                root, [*verbose, *name.split(), *chosen, *said], "comment" if name == "pr comment" else form, columns
            )

    tries()
    print(f"{next(numbers)} repositories, {len(tried)} of {len(every)} commands and formats")  # ruff: ignore[print] - CI says what it tried
