"""`envc build --watch` builds whenever a source is saved and prints what changed."""

from __future__ import annotations

import os
import selectors
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import PATIENCE, run_envc, spawn_envc
from tests.harness.repository import config_map, environment

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import MakeProject

SECONDS = PATIENCE
"""Before a test gives up; none waits so long unless something is wrong."""
AGAIN = 3
"""After so many seconds of silence a file is saved again: the watcher's own start cannot be seen."""


class Watching:
    """A running `envc build --watch`; what it says, on either stream, in order."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.said = ""

    def wait_for(self, text: str, again: Callable[[], object] | None = None) -> str:
        """Wait until it has said this since the last time; everything it said meanwhile.

        `again` is called while it says nothing.
        """
        assert self.process.stdout is not None
        selector = selectors.DefaultSelector()
        selector.register(self.process.stdout, selectors.EVENT_READ)
        end = time.monotonic() + SECONDS
        heard = time.monotonic()
        while text not in self.said:
            assert time.monotonic() < end, self.said
            if again is not None and time.monotonic() - heard > AGAIN:
                again()
                heard = time.monotonic()
            if selector.select(timeout=0.5):
                heard = time.monotonic()
                data = os.read(self.process.stdout.fileno(), 65536)
                assert data, self.said
                self.said += data.decode()
        said, _, self.said = self.said.partition(text)
        return said + text


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """A ConfigMap in one environment."""
    return make_project({
        "base/web/config.yaml": config_map(),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


@pytest.fixture
def watching(root: Path) -> Iterator[Watching]:
    """The command, already watching."""
    pytest.importorskip("watchfiles")
    process = spawn_envc(root, "build", "--watch", stderr=-2, env={"PYTHONUNBUFFERED": "1"})
    with process:
        found = Watching(process)
        try:
            found.wait_for("watching base, overlays")
            yield found
        finally:
            process.kill()


def test_a_saved_file_is_built_and_told(watching: Watching, root: Path) -> None:
    """The fields that changed, and the files that were written; a mistake is told and survived; Ctrl-C ends it."""
    source, output = root / "base/web/config.yaml", root / "environments/prod/web/configmap-settings.yaml"
    assert "color: blue" in output.read_text()
    source.write_text(config_map(color="red"))
    said = watching.wait_for("prod: 1 resources, 1 changed\n", again=lambda: source.write_text(config_map(color="red")))
    assert "-- base/web/config.yaml\n" in said
    assert "prod:\n  ~ ConfigMap/settings (namespace prod)\n      data.color: blue -> red\n" in said
    assert "color: red" in output.read_text()

    source.write_text("a: [\n")
    assert "error: " in watching.wait_for("hint: ")
    assert "color: red" in output.read_text()

    source.write_text(config_map(color="green"))
    assert "data.color: red -> green\n" in watching.wait_for("prod: 1 resources, 1 changed\n")
    assert "color: green" in output.read_text()

    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(timeout=SECONDS) == 130
    assert run_envc(root, "build", "--check").code == 0
