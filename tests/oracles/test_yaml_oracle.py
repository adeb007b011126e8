"""Values are what Helm's own YAML reader gives: over all documents of the corpora, and over hostile texts."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile.errors import EnvcError
from envcompile.yamlio import dump, load_all
from envcompile.yamlio.nodes import compose
from tests.oracles.tools import run
from tests.strategies import HOSTILE_TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CORPORA: Final = Path(__file__).parents[2].parent / "shared" / "corpora"
BATCH: Final = 400

# Texts and answers go through base64 so that nothing on the way can change a byte of them. Helm reads maps and lists
# by functions of different name; an error comes back as the value {"Error": …} or ["error…"].
TEMPLATE: Final = """\
answers: |
{{- range $path, $_ := .Files.Glob "maps/*" }}
  {{ base $path }} {{ $.Files.Get $path | b64dec | fromYaml | toJson | b64enc }}
{{- end }}
{{- range $path, $_ := .Files.Glob "lists/*" }}
  {{ base $path }} {{ $.Files.Get $path | b64dec | fromYamlArray | toJson | b64enc }}
{{- end }}
"""

REFUSED_BY_ENVC: Final = {
    # Helm renders templates before it reads them, and takes the last of several values of a key in silence.
    "the key `selector` is defined twice in one map",
    "the key `type` is defined twice in one map",
    "the key `storageClassName` is defined twice in one map",
    "the file is a Helm template, not plain YAML",
    "a template stands where YAML needs a value",
}


def ask(helm: Path, questions: Sequence[tuple[str, Any]], folder: Path) -> list[Any]:
    """What Helm makes of each text, which holds a map or a list as the value beside it does."""
    answers: dict[int, Any] = {}
    for first in range(0, len(questions), BATCH):
        chart = folder / f"chart-{first}"
        (chart / "templates").mkdir(parents=True)
        (chart / "maps").mkdir()
        (chart / "lists").mkdir()
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: texts\nversion: 0.0.0\n")
        (chart / "templates" / "answers.yaml").write_text(TEMPLATE)
        for number, (text, value) in enumerate(questions[first : first + BATCH], first):
            kind = "lists" if type(value) is list else "maps"
            (chart / kind / f"{number}").write_bytes(base64.b64encode(text.encode()))
        printed = run(helm, "template", "texts", chart).expect_success().stdout
        for line in printed.splitlines():
            number_and_answer = line.split()
            if len(number_and_answer) == 2 and number_and_answer[0].isdigit():
                answers[int(number_and_answer[0])] = json.loads(base64.b64decode(number_and_answer[1]))
    return [answers[number] for number in range(len(questions))]


def as_floats(value: Any) -> Any:
    """The value with every number as the 64-bit float that Helm makes of it."""
    if type(value) is dict:
        return {key: as_floats(item) for key, item in value.items()}
    if type(value) is list:
        return [as_floats(item) for item in value]
    return float(value) if type(value) is int else value


def differences(left: Any, right: Any, way: str = "") -> Iterator[str]:
    """Where two values differ in type or value."""
    if type(left) is not type(right):
        yield f"{way}: {left!r} is not {right!r}"
    elif type(left) is dict:
        for key in sorted(left.keys() | right.keys()):
            yield from differences(left.get(key, "absent"), right.get(key, "absent"), f"{way}/{key}")
    elif type(left) is list and len(left) == len(right):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, f"{way}/{number}")
    elif left != right:
        yield f"{way}: {left!r} is not {right!r}"


def documents() -> tuple[list[tuple[str, str, Any]], set[str]]:
    """Every document of the corpora as text and value, with the file it is from; and why other files were refused."""
    found: list[tuple[str, str, Any]] = []
    refusals: set[str] = set()
    for path in sorted(path for path in CORPORA.rglob("*") if path.suffix in {".yaml", ".yml", ".json"}):
        name = path.relative_to(CORPORA).as_posix()
        data = path.read_bytes()
        try:
            values = load_all(data, name)
        except EnvcError as error:
            refusals |= {problem.what.split(", first on line")[0] for problem in error.problems}
            if "defined twice" not in error.problems[0].what:
                continue
            values = load_all(data, name, last_wins=True)
        text = data.decode().removeprefix("\ufeff")
        starts = [root.start for root in compose(text)]
        ends = [*starts[1:], len(text)][: len(starts)]
        found += [(name, text[start:end], value) for start, end, value in zip(starts, ends, values, strict=True)]
    return found, refusals


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Path:
    """Each Helm in turn."""
    found: Path = request.getfixturevalue(request.param)
    return found


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora at {CORPORA}")
def test_every_document_of_the_corpora(helm: Path, tmp_path: Path) -> None:
    """No value of any document differs, and the only files refused are those listed with their reason."""
    found, refusals = documents()
    assert refusals == REFUSED_BY_ENVC
    assert {name for name, _, value in found if value is not None and type(value) not in {dict, list}} == set()
    questions = [(text, value) for _, text, value in found if value is not None]
    assert len(questions) > 2000
    names = [name for name, _, value in found if value is not None]
    wrong = [
        f"{name}{difference}"
        for name, (_, value), answer in zip(names, questions, ask(helm, questions, tmp_path), strict=True)
        for difference in differences(as_floats(value), as_floats(answer))
    ]
    assert wrong == []


def test_written_texts(helm: Path, tmp_path: Path) -> None:
    """Hostile texts, numbers and maps that envc writes come back from Helm as what they were."""
    values: list[Any] = [{"value": text, "items": [text], "key": {text: text}} for text in HOSTILE_TEXTS]
    values += [{"a": number} for number in (1.0, -0.0, 1e16, 1e-7, 5e-324, 2**53, -(2**63), 2**64 - 1, 0.1)]
    values += [[None, True, [], {}, [[]], {"a": {}}], {"k" * 2000: {"a": [1]}}]
    questions = [(dump(value), value) for value in values]
    for (_, value), answer in zip(questions, ask(helm, questions, tmp_path), strict=True):
        assert list(differences(as_floats(value), as_floats(answer))) == []


# What the two accept differently, each with its reason. Helm reads the first document of a text only.
ACCEPTED_BY_HELM_ALONE: Final = {
    "a: 1\na: 2\n": "kubectl's server refuses repeated keys; they are mistakes",
    "a: 1\n---\nb: @\n": "Helm does not look at the second document",
    "\ufeffa: 1\n\ufeffb: 2\n": "go-yaml takes the mark for a part of the key, which nobody means",
    "a: " + "[" * 600 + "]" * 600 + "\n": "deeper than 512 levels",
}
ACCEPTED_BY_ENVC_ALONE: Final = {
    'a: "x\\/y"\n': "libyaml knows the escape of YAML 1.2 and JSON, go-yaml v2 does not",
    '{"a": "\\ud83d\\ude00"}': "JSON is read as JSON, as kubectl does",
    f"a: &a [{'x, ' * 200}]\nb: [{'*a, ' * 2000}]\n": "go-yaml refuses when 99 of 100 values come from aliases",
}


def accepts(text: str) -> bool:
    """Whether envc reads the text."""
    try:
        load_all(text.encode(), "f")
    except EnvcError:
        return False
    return True


def test_what_is_accepted_differently(helm: Path, tmp_path: Path) -> None:
    """The lists above are true."""
    texts = [*ACCEPTED_BY_HELM_ALONE, *ACCEPTED_BY_ENVC_ALONE]
    answers = ask(helm, [(text, {}) for text in texts], tmp_path)
    accepted = {text: "Error" not in answer for text, answer in zip(texts, answers, strict=True)}
    assert [text for text in ACCEPTED_BY_HELM_ALONE if not accepted[text] or accepts(text)] == []
    assert [text for text in ACCEPTED_BY_ENVC_ALONE if accepted[text] or not accepts(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("? [a]\n: 1\n", id="list-as-a-key"),
        pytest.param("a: {{ x }}\n", id="template"),
        pytest.param("~: 1\n", id="null-as-a-key"),
        pytest.param("18446744073709551615: 1\n", id="huge-key"),
        pytest.param("a: .inf\n", id="infinity"),
        pytest.param("<<: 1\n", id="merge-of-a-number"),
        pytest.param("a: &x [*x]\n", id="value-in-itself"),
        pytest.param("a: *x\n", id="unknown-alias"),
        pytest.param("a: !!int x\n", id="wrong-tag"),
        pytest.param("a: !!binary '?'\n", id="wrong-base64"),
        pytest.param("a:\n\tb: 1\n", id="tab"),
        pytest.param("a: 1\n  b: 2\n", id="indentation"),
    ],
)
def test_what_both_refuse(helm: Path, tmp_path: Path, text: str) -> None:
    """Where envc is strict above the grammar, Helm is as well."""
    (answer,) = ask(helm, [(text, {})], tmp_path)
    assert "Error" in answer
    assert not accepts(text)
