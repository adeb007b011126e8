"""Runs the project's GitLab job as GitLab's runner does, on a machine without a network.

The lines are executed in order in one shell that stops at the first that fails. `apt-get`, and `pip`, which puts an
`envc` there that runs this very source, stand in for the real ones.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.forge.composite import ROOT, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_APT = '#!/bin/sh\necho "apt-get $*" >> {log}\n'
_PIP = """\
#!/bin/sh
echo "pip $*" >> {log}
printf '#!/bin/sh\\nPYTHONPATH=%s exec %s -m envcompile "$@"\\n' {root} {python} > {envc}
chmod +x {envc}
"""
_OPTIONS = "if set -o | grep pipefail > /dev/null; then set -o pipefail; fi; set -o errexit\nset +o noclobber\n"
"""What the runner puts in front of every script, in sh and bash."""
_JOB_KEYS = {"image", "rules", "needs", "interruptible", "variables", "before_script", "script", "artifacts"}


class Ran(NamedTuple):
    """What a job left."""

    code: int
    log: str
    installed: tuple[str, ...]
    """How programs were installed."""
    artifacts: Mapping[str, str]


def template() -> dict[str, Any]:
    """The template's only job."""
    (job,) = read(".gitlab/diff.yml").values()
    assert set(job) <= _JOB_KEYS, f"the harness does not know {set(job) - _JOB_KEYS}"
    return dict(job)


def run_job(
    workspace: Path, folder: Path, predefined: Mapping[str, str], given: Mapping[str, str], shell: str = "bash"
) -> Ran:
    """Run the template's job.

    Args:
        workspace: the checkout.
        folder: for everything that is the runner's.
        predefined: GitLab's own variables.
        given: those of the project, which win over the template's.
        shell: `bash`, or `sh` in an image without it.
    """
    job = template()
    tools = folder / "tools"
    tools.mkdir(parents=True)
    log = folder / "installed"
    log.touch()
    texts = {
        "apt-get": _APT.format(log=shlex.quote(str(log))),
        "pip": _PIP.format(
            log=shlex.quote(str(log)),
            root=shlex.quote(str(ROOT)),
            python=shlex.quote(sys.executable),
            envc=shlex.quote(str(tools / "envc")),
        ),
    }
    for name, text in texts.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    script = _OPTIONS + "".join(f"{line}\n" for line in (*job["before_script"], *job["script"]))
    env = {
        "HOME": str(folder),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PROJECT_DIR": str(workspace),
        **job["variables"],
        **predefined,
        **given,
    }
    done = subprocess.run(
        [shell],
        input=script,
        cwd=workspace,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    kept = {}
    if not done.returncode or job["artifacts"].get("when") == "always":
        for path in job["artifacts"]["paths"]:
            file = workspace / path
            if file.is_file():
                kept[path] = file.read_text(encoding="utf-8")
    return Ran(done.returncode, done.stdout, tuple(log.read_text(encoding="utf-8").splitlines()), kept)
