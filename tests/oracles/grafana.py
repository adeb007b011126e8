"""Grafana's published types of a dashboard, and the compiler of TypeScript, which holds a document against them."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.oracles.npm import NpmPackages

PACKAGES: Final = NpmPackages("grafana", ("@grafana/grafana-foundation-sdk@0.0.21", "typescript@5.9.3"))
_KINDS: Final = {"query": "Query", "datasource": "Datasource", "custom": "Custom", "textbox": "Textbox"}


def complaints(dashboard: Mapping[str, Any], folder: Path, environ: Mapping[str, str]) -> list[str]:
    """What the compiler finds wrong with a dashboard; nothing when it is of the published type.

    Queries belong to the plugin of their data source, whose type of them is open: they are left out.

    Args:
        dashboard: the document.
        folder: an empty one, to work in.
        environ: where the packages are found.
    """
    modules = PACKAGES.node_modules(environ)
    (folder / "node_modules").symlink_to(modules)
    document = json.loads(json.dumps(dashboard))
    for panel in document.get("panels", ()):
        panel.pop("targets", None)
    for one in document.get("annotations", {}).get("list", ()):
        one.pop("target", None)
    text = json.dumps(document, indent=1)
    for kind, name in _KINDS.items():
        text = text.replace(f'"type": "{kind}"', f'"type": VariableType.{name}')
    (folder / "dashboard.ts").write_text(
        "import { type Dashboard, VariableType } from '@grafana/grafana-foundation-sdk/dashboard';\n"
        f"export const dashboard: Dashboard = {text};\n",
        encoding="utf-8",
    )
    options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    compiler = modules / "typescript" / "bin" / "tsc"
    command = ["node", str(compiler), *options, "--pretty", "false", "dashboard.ts"]
    done = subprocess.run(command, cwd=folder, env=dict(environ), capture_output=True, text=True, check=False)
    return done.stdout.splitlines()
