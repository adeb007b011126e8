"""The hash behind names is kustomize's own, character for character."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcompile import yamlio
from envcompile.compose.suffixes import content_hash
from envcompile.units.project import Project
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


def test_a_generated_config_map_is_the_one_that_kustomize_makes(kustomize: Path, tmp_path: Path) -> None:
    """Files, env files, literals and options: the object and its name, in text and in bytes."""
    base = tmp_path / "base" / "web"
    base.mkdir(parents=True)
    (base / "long.bin").write_bytes(bytes(range(256)))
    (base / "edge.bin").write_bytes(b"\xff" * 51)
    (base / "app.txt").write_text("a\n<b>\n", encoding="utf-8")
    (base / "vars.env").write_bytes(b"\xef\xbb\xbf# note\nX=1 \r\n\tY = 2\nZ\n".replace(b"Y =", b"Y="))
    content: dict[str, Any] = {
        "literals": ["A='quoted'", 'B="x', "C=", "D=a=b"],
        "files": ["long.bin", "k=edge.bin", "app.txt"],
        "envs": ["vars.env"],
    }
    options = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "immutable": True}
    wanted = {}
    for field, ours in (("configMapGenerator", "configMap"), ("secretGenerator", "secret")):
        (base / "kustomization.yaml").write_text(
            json.dumps({field: [{"name": "web", **content, "options": options}]}), encoding="utf-8"
        )
        (made,) = yamlio.load_all(run(kustomize, "build", base).expect_success().stdout.encode(), "kustomize")
        wanted[made["kind"]] = made
        head = {"apiVersion": "envcompile.dev/v1", "kind": "Generate", "metadata": {"name": "web"}}
        (base / f"{ours}.yaml").write_text(json.dumps({**head, ours: content, "options": options}), encoding="utf-8")
    (base / "kustomization.yaml").unlink()
    overlay = tmp_path / "overlays" / "prod" / "environment.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(
        "apiVersion: envcompile.dev/v1\nkind: Environment\nrollout: suffix\nsecretBackend: plaintext\n",
        encoding="utf-8",
    )
    built = {each.id.kind: each.value for each in Project.open(tmp_path).compile("prod").resources}
    assert built == wanted
