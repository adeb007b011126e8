"""Repositories of charts on 127.0.0.1: over HTTP with an index, and a real registry of OCI artifacts."""

from __future__ import annotations

import base64
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.harness.repository import write_files
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder, to those who know the password where there is one."""

    password = ""

    def do_GET(self) -> None:
        """Answer a request."""
        wanted = "Basic " + base64.b64encode(f"user:{self.password}".encode()).decode()
        if self.password and self.headers.get("Authorization") != wanted:
            self.send_error(401)
            return
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Nothing is logged."""


@contextmanager
def serving(folder: Path, password: str = "") -> Generator[str]:
    """A repository over HTTP; its address."""
    handler = type("Handler", (_Handler,), {"password": password})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running_registry(program: Path) -> Generator[str]:
    """A registry of OCI artifacts; its host and port."""
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(timeout=10)


class Repository:
    """Charts that a test publishes.

    Args:
        helm: the real helm, which packages them.
        folder: where they are served from.
    """

    def __init__(self, helm: Path, folder: Path) -> None:
        self._helm = helm
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sources = folder.parent / f"{folder.name}-sources"

    def publish(self, name: str, version: str, files: Mapping[str, str], **chart: str) -> Path:
        """Package a chart, and put it into the index; its archive.

        Args:
            name: of the chart.
            version: of the chart.
            files: templates and all else by path.
            chart: further lines of Chart.yaml.
        """
        source = self._sources / f"{name}-{version}" / name
        said = "".join(f"{key}: {text}\n" for key, text in chart.items())
        head = f"apiVersion: v2\nname: {name}\nversion: {version}\n{said}"
        write_files(source, {"Chart.yaml": head, "values.yaml": "{}\n", **files})
        run(self._helm, "package", source, "--destination", self.folder).expect_success()
        run(self._helm, "repo", "index", self.folder).expect_success()
        return self.folder / f"{name}-{version}.tgz"
