"""The process in which jsonnet is evaluated: it reads nothing itself, and may end at any moment without harm.

Messages are JSON behind their length in eight bytes. The parent sends what to evaluate; the worker asks for imports,
and answers with the output, or with jsonnet's message and what a native function said of its failure.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

_WIDTH: Final = 8
_MOST_SAID: Final = 1 << 20
"""Bytes that jsonnet may print beside its output."""
_UNKNOWN: Final = re.compile(r"RUNTIME ERROR: function has no parameter (\w+)")
_LACKS: Final = re.compile(r"RUNTIME ERROR: Missing argument: ")


def send(stream: IO[bytes], message: Any) -> None:
    """Write one message.

    Raises:
        OSError: nobody reads any more.
    """
    data = json.dumps(message).encode()
    stream.write(len(data).to_bytes(_WIDTH, "big") + data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message; None at the end of the stream."""
    head = stream.read(_WIDTH)
    if len(head) < _WIDTH:
        return None
    size = int.from_bytes(head, "big")
    data = stream.read(size)
    return json.loads(data) if len(data) == size else None


def main() -> None:
    """Answer requests from standard input until it ends."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while (request := receive(source)) is not None:
        _limit(request["seconds"], request["bytes"])
        try:
            send(target, _evaluate(request, lambda wanted: _import(source, target, wanted)))
        except OSError:
            return


def _import(source: IO[bytes], target: IO[bytes], wanted: tuple[str, str]) -> tuple[str, bytes]:
    send(target, {"import": wanted})
    answer = receive(source)
    if answer is None:
        raise SystemExit
    return answer["path"], answer["text"].encode("latin-1")


def _limit(seconds: int, size: int) -> None:
    """Bound what the next evaluation may take: seconds of the processor, bytes of memory."""
    try:
        import resource
    except ImportError:  # a system without such limits
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    # What `std.trace` prints goes to a file: what is too much of it is lost, as for Python SIGXFSZ is ignored.
    limits = ((resource.RLIMIT_CPU, until), (resource.RLIMIT_AS, size), (resource.RLIMIT_CORE, 0))
    for what, most in (*limits, (resource.RLIMIT_FSIZE, _MOST_SAID)):
        try:
            _, hard = resource.getrlimit(what)
            resource.setrlimit(what, (most if hard < 0 else min(most, hard), hard))
        except (ValueError, OSError):
            continue


def _evaluate(request: Mapping[str, Any], find: Callable[[tuple[str, str]], tuple[str, bytes]]) -> dict[str, Any]:
    import _gojsonnet  # ruff: ignore[import-private-name] - the wheel has no other module

    said: list[str] = []
    given: dict[str, str] = dict(request["arguments"])
    imports: dict[tuple[str, str], tuple[str, bytes]] = {}

    whole = refused = ""

    def found(folder: str, wanted: str) -> tuple[str, bytes]:
        if whole and wanted == whole:
            return whole, request["text"].encode()
        if (folder, wanted) not in imports:
            imports[folder, wanted] = find((folder, wanted))
        return imports[folder, wanted]

    while True:
        try:
            output = _gojsonnet.evaluate_snippet(
                request["path"],
                f"(import {json.dumps(whole)})()" if whole else request["text"],
                ext_codes=request["variables"],
                tla_codes=given,
                import_callback=found,
                native_callbacks=_natives(said),
            )
        except RuntimeError as error:
            # Which parameters a function has, jsonnet tells only by refusing others.
            unknown = _UNKNOWN.match(str(error))
            if unknown and unknown[1] in given and len(given) > 1:
                del given[unknown[1]]
                continue
            if unknown and unknown[1] in given and not whole:
                # Without arguments jsonnet calls no function, so one that takes none of ours is called in a text.
                whole, given, refused = str(request["path"]), {}, str(error)
                continue
            is_lacking = whole and _LACKS.match(str(error))
            return {"error": refused if is_lacking else str(error), "native": said[0] if said else ""}
        return {"output": output}


def _natives(said: list[str]) -> dict[str, tuple[tuple[str, ...], Callable[..., Any]]]:
    """The native functions; jsonnet loses what a failing one says, so that it is kept here."""
    from envcompile.sources.jsonnetnatives import NATIVES, REFUSED, NativeError

    def kept(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except NativeError as error:
                said.append(f"std.native('{name}'): {error}")
                raise
            except (TypeError, AttributeError, ValueError, OverflowError):
                said.append(f"std.native('{name}'): an argument has another type than the function takes")
                raise

        return called

    def refusing(name: str) -> Callable[..., Any]:
        def called(*_arguments: Any) -> Any:
            said.append(f"std.native('{name}') is not here: {REFUSED[name]}")
            raise NativeError(name)

        return called

    found = {name: (parameters, kept(name, function)) for name, (parameters, function) in NATIVES.items()}
    arity = {"helmTemplate": ("name", "chart", "opts"), "kustomizeBuild": ("path", "opts"), "resolveImage": ("image",)}
    return {**found, **{name: (arity.get(name, ("expr",)), refusing(name)) for name in REFUSED}}
