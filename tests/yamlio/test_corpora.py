"""Real files: both readers agree, and what is written is read back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from envcompile.errors import EnvcError
from envcompile.yamlio import Renderer, dump, load_all, locate
from envcompile.yamlio.events import load_events
from envcompile.yamlio.lines import UnusualError, load_lines
from tests.yamlio.strictly import same

CORPORA = Path(__file__).parents[2].parent / "shared" / "corpora"
TEMPLATES = {
    "api/krusty/testdata/helmcharts/test-chart/templates/deployment.yaml",
    "api/krusty/testdata/helmcharts/test-chart/templates/tests/test-pod.yaml",
    "functions/examples/fn-framework-application/pkg/exampleapp/v1alpha1/templates/job_worker.template.yaml",
    "functions/examples/fn-framework-application/pkg/exampleapp/v1alpha1/templates/web_worker.template.yaml",
}
REPEATED_KEYS = {"k8s-examples/main.yaml"}

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason=f"there are no corpora at {CORPORA}"),
]


def folders() -> list[Path]:
    """The repositories of the corpora."""
    return sorted(
        path for kind in ("environments", "kustomize") for path in (CORPORA / kind).glob("*") if path.is_dir()
    )


def files(folder: Path) -> list[Path]:
    """The YAML and JSON files of a repository."""
    return sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml", ".json"} and path.is_file())


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_real_files(folder: Path) -> None:
    """Every file loads but for the known templates, and every document survives being written."""
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        data = path.read_bytes()
        if name in TEMPLATES:
            with pytest.raises(EnvcError, match="template"):
                load_all(data, name)
            continue
        documents = load_all(data, name, last_wins=f"{folder.name}/{name}" in REPEATED_KEYS)
        text = data.decode().removeprefix("\ufeff")
        assert same(documents, load_events(text, last_wins=True))
        with suppress(UnusualError):
            assert same(load_lines(text), documents)
        renderer = Renderer()
        for index, document in enumerate(documents):
            written = dump(document)
            assert same(load_all(written.encode(), name), [document])
            assert renderer.render(document, document) == written
            assert locate(data, index, ()) is not None
            if type(document) is dict:
                assert all(locate(data, index, (key,), key=True) for key in document)
