"""Run by a newer Python: compiles every module with warnings as errors, and looks for what they take of its library."""

import ast
import contextlib
import importlib
import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("error")
refused: list[str] = []
wanted: dict[str, set[str]] = {}
modules = [path for top in ("envcompile", "tests") for path in sorted(Path("/src", top).rglob("*.py"))]
for path in modules:
    text = path.read_text("utf-8")
    try:
        compile(text, str(path), "exec")
    except (SyntaxError, Warning) as error:
        refused.append(f"{path}: {error!r}")
        continue
    if path.parts[2] != "envcompile":
        continue
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                wanted.setdefault(alias.name, set())
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            wanted.setdefault(node.module, set()).update(alias.name for alias in node.names)
gone: list[str] = []
for name, members in sorted(wanted.items()):
    if name.partition(".")[0] not in sys.stdlib_module_names or name == "__future__":
        continue
    try:
        module = importlib.import_module(name)
    except (ImportError, Warning):
        gone.append(name)
        continue
    for member in sorted(members):
        if not hasattr(module, member):
            with contextlib.suppress(ImportError):
                importlib.import_module(f"{name}.{member}")
                continue
            gone.append(f"{name}.{member}")
json.dumps({"python": list(sys.version_info[:2]), "modules": len(modules), "refused": refused, "gone": gone})
