"""The room's door: its public names, and what opening it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile import sources
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT

if TYPE_CHECKING:
    from tests.sources.conftest import Write


def test_public_names_are_these() -> None:
    """Other rooms use these names and no others."""
    assert sources.__all__ == [
        "EnvironmentSources",
        "File",
        "FileEntry",
        "ParsedFiles",
        "ProjectSources",
        "Tree",
        "WorkingTree",
        "find_root",
        "new_parsed_files",
        "read_environment",
        "read_project",
    ]
    for name in sources.__all__:
        assert getattr(sources, name).__doc__


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after some code."""
    program = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    repository = Path(sources.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, check=True, text=True)
    return set(done.stdout.split())


def test_importing_the_room_loads_nothing_heavy() -> None:
    """Start-up is part of the product."""
    heavy = {"msgspec", "yaml", "_gojsonnet", "json", "hashlib", "subprocess", "ruamel"}
    assert not heavy & loaded_by("import envcompile.sources")


def test_a_project_without_jsonnet_loads_no_jsonnet(write: Write) -> None:
    """Nor git, when the working folder is compiled."""
    root = write({"overlays/prod/environment.yaml": ENVIRONMENT, "base/a.yaml": CONFIG_MAP})
    loaded = loaded_by(
        "from pathlib import Path\n"
        "from envcompile.sources import WorkingTree, new_parsed_files, read_environment, read_project\n"
        f"project = read_project(WorkingTree(Path({str(root)!r})))\n"
        "read_environment(project, 'prod', new_parsed_files())"
    )
    assert "envcompile.sources.environments" in loaded
    assert not {"_gojsonnet", "envcompile.sources.jsonnetfiles", "envcompile.git.trees", "subprocess"} & loaded
