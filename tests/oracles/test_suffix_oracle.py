"""The hash behind names is kustomize's own, character for character."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcompile import yamlio
from envcompile.compose.suffixes import content_hash
from tests.oracles.tools import run

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)
SAMPLES = st.sampled_from([
    "<a href='x'>&amp;</a>",
    "\u2028 line",
    "a\\b",
    "tab\there",
    "é\U0001f600",
    "",
    "true",
    "01",
])
DATA = st.dictionaries(st.from_regex(r"[a-z][a-z0-9._-]{0,6}", fullmatch=True), st.one_of(SAMPLES, TEXTS), max_size=4)


@given(st.sampled_from(["ConfigMap", "Secret"]), DATA, st.sampled_from(["Opaque", "kubernetes.io/tls", ""]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_hash_of_a_content_is_kustomizes(
    kustomize: Path, tmp_path: Path, kind: str, data: dict[str, str], secret_type: str
) -> None:
    """Whatever the content, of a generated object and its type."""
    entry: dict[str, Any] = {"name": "web", "literals": []}
    for number, text in enumerate(data.values()):
        (tmp_path / f"f{number}").write_bytes(text.encode())
    entry["files"] = [f"{key}=f{number}" for number, key in enumerate(data)]
    if kind == "Secret" and secret_type:
        entry["type"] = secret_type
    field = "configMapGenerator" if kind == "ConfigMap" else "secretGenerator"
    (tmp_path / "kustomization.yaml").write_text(json.dumps({field: [entry]}), encoding="utf-8")
    (made,) = yamlio.load_all(run(kustomize, "build", tmp_path).expect_success().stdout.encode(), "kustomize")
    name = made["metadata"].pop("name")
    assert name == f"web-{content_hash(made)}"
