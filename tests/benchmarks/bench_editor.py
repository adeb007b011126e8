"""How long an editor waits for `envc lsp`: `python -m tests.benchmarks.bench_editor FOLDER` of a generated project.

Times are those of the editor, over the protocol: hovers and ways from every line of a Deployment, completion, and the
first answer after a key, for which the project is looked at anew.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from tests.benchmarks.measuring import processor_of
from tests.editor.client import edit_project
from tests.harness.command import run_envc

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.editor.client import Editor


def main() -> None:
    """Measure, and print a line for each kind of question."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_editor", description=__doc__)
    parser.add_argument("folder", type=Path, help="of `python -m tests.benchmarks.generate`, the part of envc")
    root = parser.parse_args().folder.resolve()
    run_envc(root, "build")
    edit_project(root, _ask)


async def _ask(editor: Editor) -> None:
    file = min(editor.root.glob("base/*/deployment*.yaml"))
    path = file.relative_to(editor.root).as_posix()
    text = await editor.show(path)
    places = [
        lsp.Position(number, len(line) - len(line.lstrip(" -")))
        for number, line in enumerate(text.split("\n"))
        if ":" in line
    ]
    _tell("hover", [await _timed(editor.hover(path, at)) for at in places])
    _tell("definition", [await _timed(editor.definitions(path, at)) for at in places])
    _tell("completion", [await _timed(editor.completions(path, at)) for at in places])
    after_keys = []
    for number in range(3):
        started = time.perf_counter()
        await editor.show(path, f"{text}# {number}\n")
        looked = time.perf_counter() - started
        await editor.hover(path, places[3])
        after_keys.append(looked)
    _tell("a key to its diagnostics, with a pause of 200 ms", after_keys)
    first = []
    # Without the process that looks for what is wrong.
    before = processor_of(editor.process)
    for number in range(10):
        changed = lsp.TextDocumentContentChangeWholeDocument(f"{text}# {number} more\n")
        named = lsp.VersionedTextDocumentIdentifier(100 + number, editor.document(path).uri)
        editor.client.text_document_did_change(lsp.DidChangeTextDocumentParams(named, [changed]))
        first.append(await _timed(editor.hover(path, places[3])))
    _tell("the first hover after a key", first)
    print(f"of which the server computes {(processor_of(editor.process) - before) * 1e3 / len(first):.0f} ms each")


async def _timed(answer: Awaitable[object]) -> float:
    started = time.perf_counter()
    await answer
    return time.perf_counter() - started


def _tell(what: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    median, most = statistics.median(ordered) * 1e3, ordered[int(len(ordered) * 0.95)] * 1e3
    print(f"{what}: {len(ordered)} times, median {median:.1f} ms, 95 % below {most:.1f} ms")


if __name__ == "__main__":
    main()
