"""Hypothesis strategies for environments that differ in every way and hold whatever YAML and Go templates trip over."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from tests.strategies import HOSTILE_TEXTS

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

    from tests.chart.samples import Environments, Resource

TEMPLATE_TEXTS: Final = (
    "{{",
    "}}",
    "{{{",
    "{{{{",
    "{{ x }}",
    "{{ `a` }}",
    "``{{`",
    "{{- end }}",
    "{{/* c */}}",
    '"{{"',
    "{{ $labels.pod }}\nand {{ .Value }}",
    "%!s(MISSING)",
    "$x ${Y} $(Z)",
)
"""Texts that mean something to Go's templates."""

BLOCK_TEXTS: Final = (
    "a\n",
    "a\n\n",
    "a\n\n\n",
    "\na",
    "\n\na\n",
    " \n a\n",
    " a\n  b\n\n c",
    "a\r\nb\r\n",
    "a\rb",
    "x\x85y",
    "x\u2028y\u2029z",
    "\ufeffbom",
    "\x01\x02\x1b\x7f",
    "tab\tin",
    "x\n\t\n",
    "trail \nblank",
    "last line \n",
    "no newline\n  x ",
    "---\na: b\n",
    "a\n---\nb\n",
    "...",
    "key: |\n  x\n",
    "#!/bin/sh\nset -e\nawk '/^  HTTP/{print $2}'\ncut -d ' ' -f 2\n",
    "foo=bar\nbaz={{ qux }}\n",
    "a=1\nb=2\n\n# c\nd.e=3",
    "server:\n  port: 80\n  host: a.b\n",
    "{\n  a: 1,\n  b: {\n  c: 2\n}}\n",
    "x {\n  # only {\n  a = 1\n  b = {{c}}\n}\n",
    "x {\n  a = 2\n  b = {\n}\n",
    "word " * 60 + "end",
    "a" * 300,
    "é ü 漢字 😀",
    "\u200b",
    "\u0080\u009f",
)
"""Texts that YAML's block scalars and Helm's cutting of documents get wrong."""

KEYS: Final = (
    *("a", "b", "name", "a.b", "a-b", "a_b", "A_B", "example.com/x", "app.kubernetes.io/name", "yes", "y", "no", "on"),
    *("null", "true", "8080", "1e3", "0755", "x y", "{{k}}", "`", "key:", "-dash", "é", "$ref", "~", "=", "<<"),
    *("a/b/c", "enabled", "variant", "image", "env", "#c", "labels", "namespace", "data", "foo.properties", "app.env"),
    *("values", "global", "end", "range", '"q"', "it's", "a" * 140, "N", "?", "[x]", "{x}"),
)
"""Keys of maps: some collide as camelCase, some are words of YAML, of Go or of the chart itself."""

NUMBERS: Final = (
    *(0, 1, -1, 80, 1_000_000, 1_000_770_000, 20_161_216, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53), 2**63 - 1),
    *(-(2**63), 2**64 - 1, 0.5, -0.25, 1e21, 1e-7, 1_234_567.5, 1.0, 3.25, 1e300, 123_456_789_012.5),
)
"""Numbers that a float cannot hold, or that Go prints in ways of its own."""

IMAGES: Final = (
    "nginx",
    "nginx:1.20",
    "registry:5000/a/b:12e03",
    "x@sha256:" + "ab" * 32,
    "registry.io/a:v1@sha256:" + "0f" * 32,
    "",
    "{{img}}",
    "nginx:",
    "a b",
    "${IMAGE}",
    "x:0755",
    "UP/x:1e6",
)
"""Images as the world writes them."""


def texts() -> SearchStrategy[str]:
    """A hostile text, or two in a row."""
    one = st.sampled_from((*HOSTILE_TEXTS, *TEMPLATE_TEXTS, *BLOCK_TEXTS))
    return one | st.tuples(one, one).map("".join)


def scalars() -> SearchStrategy[Any]:
    """A hostile scalar of any type."""
    return texts() | st.sampled_from(NUMBERS) | st.booleans() | st.none()


def trees() -> SearchStrategy[Any]:
    """Nested maps and lists, empty ones included."""
    keys = st.sampled_from(KEYS)
    named = st.lists(st.sampled_from(("n0", "n1", "n2", "n3")), unique=True, max_size=3)
    return st.recursive(
        scalars(),
        lambda inner: (
            st.dictionaries(keys, inner, max_size=4)
            | st.lists(inner, max_size=3)
            | st.tuples(named, inner).map(lambda made: [{"name": name, "x": made[1]} for name in made[0]])
        ),
        max_leaves=8,
    )


@st.composite
def changed(draw: DrawFn, value: Any) -> Any:
    """A value that is like the given one, but for what one environment sets differently."""
    how = draw(st.integers(0, 9))
    if isinstance(value, dict):
        found = {key: draw(changed(item)) for key, item in value.items() if draw(st.integers(0, 11))}
        if how == 0:
            found[draw(st.sampled_from(KEYS))] = draw(trees())
        return found
    if isinstance(value, list):
        items = [draw(changed(item)) for item in value if draw(st.integers(0, 11))]
        return draw(st.permutations(items)) if how == 0 else items
    return draw(scalars()) if how <= 1 else value


@st.composite
def _container(draw: DrawFn, name: str) -> Resource:
    found: Resource = {"name": name, "image": draw(st.sampled_from(IMAGES))}
    names = draw(st.lists(st.sampled_from(("A", "B_C", "b-c", "b.c", "FOO", "Y", "NO")), unique=True, max_size=4))
    if names:
        found["env"] = [{"name": item, "value": draw(texts())} for item in names]
    if draw(st.booleans()):
        limits: Resource = {"limits": {"cpu": draw(st.sampled_from(("1", "0.5", 1, 0.5, "1000m")))}}
        found["resources"] = draw(st.sampled_from(({}, limits, None)))
    if draw(st.booleans()):
        ports = draw(st.lists(st.sampled_from((80, 8080, 443)), unique=True, min_size=1, max_size=3))
        found["ports"] = [{"containerPort": port} for port in ports]
    if draw(st.booleans()):
        found["args"] = draw(st.lists(texts(), max_size=3))
    return found


@st.composite
def _workload(draw: DrawFn, name: str) -> Resource:
    labels = {"app": name, "env": "x"}
    containers = [draw(_container(f"c{number}")) for number in range(draw(st.integers(1, 2)))]
    template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": containers}}
    spec = {"selector": {"matchLabels": dict(labels)}, "template": template}
    kind = draw(st.sampled_from(("Deployment", "StatefulSet", "DaemonSet")))
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "labels": dict(labels)}, "spec": spec}


@st.composite
def _workload_of(draw: DrawFn, base: Resource, environment: str) -> Resource:
    """A workload as one environment has it."""
    found = copy.deepcopy(base)
    template = found["spec"]["template"]
    for labels in (
        found["metadata"]["labels"],
        found["spec"]["selector"]["matchLabels"],
        template["metadata"]["labels"],
    ):
        labels["env"] = environment
    if draw(st.integers(0, 9)):
        found["metadata"]["namespace"] = f"ns-{environment}"
    containers = template["spec"]["containers"]
    for number, item in enumerate(containers):
        if draw(st.booleans()):
            containers[number] = {**item, **draw(_container(item["name"]))}
    if not draw(st.integers(0, 4)):
        containers.append(draw(_container("sidecar")))
    if draw(st.booleans()):
        found["spec"]["replicas"] = draw(st.sampled_from((0, 1, 5, 2_000_000)))
    if not draw(st.integers(0, 4)):
        template["spec"]["nodeSelector"] = draw(st.dictionaries(st.sampled_from(KEYS), texts(), max_size=3))
    return found


@st.composite
def environments(draw: DrawFn) -> Environments:
    """One to three environments of one system; most resources are in all of them and differ a little."""
    names = draw(st.sampled_from((["dev"], ["dev", "prod"], ["dev", "test", "prod"], ["a-b", "yes", "1"])))
    configs: list[Resource] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": f"config{number}"},
            "data": draw(st.dictionaries(st.sampled_from(KEYS), texts(), max_size=4)),
        }
        for number in range(3)
    ]
    things: list[Resource] = [
        {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": f"thing{number}"}, "spec": draw(trees())}
        for number in range(3)
    ]
    workloads = [draw(_workload(f"w{number}")) for number in range(2)]
    found: Environments = {}
    for name in names:
        resources = [{**item, "data": draw(changed(item["data"]))} for item in configs]
        for item in resources:
            item["data"] = {key: value if isinstance(value, str) else "" for key, value in item["data"].items()}
        resources += [{**item, "spec": draw(changed(item["spec"]))} for item in things]
        resources += [draw(_workload_of(item, name)) for item in workloads]
        kept = [item for item in resources if draw(st.integers(0, 9))]
        found[name] = list(draw(st.permutations(kept)))
    return found
