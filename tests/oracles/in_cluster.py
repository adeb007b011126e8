"""Runs a program as if it were in a pod: `unshare --mount python in_cluster.py TOKEN CA PROGRAM...`.

client-go's in-cluster configuration reads fixed paths under /var/run. In the mount namespace that `unshare` made, an
empty file system hides the host's folder, so the files exist for this one program and nothing is left behind. The
file is run by its path, in an isolated interpreter, so it imports nothing but the standard library.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

RUN_FOLDER: Final = Path("/var/run")
ACCOUNT_FOLDER: Final = RUN_FOLDER / "secrets/kubernetes.io/serviceaccount"
NAMESPACE: Final = "kube-system"


def main(token_file: str, authority_file: str, *program: str) -> None:
    """Lay out the service account's files and become the program."""
    # Read before the mount: it may hide the very folder that holds them.
    files = {
        "token": Path(token_file).read_bytes(),
        "ca.crt": Path(authority_file).read_bytes(),
        "namespace": NAMESPACE.encode(),
    }
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", str(RUN_FOLDER.resolve())], check=True)
    ACCOUNT_FOLDER.mkdir(parents=True)
    for name, content in files.items():
        (ACCOUNT_FOLDER / name).write_bytes(content)
    os.execvp(program[0], program)  # ruff: ignore[start-process-with-no-shell] - the program takes this process's place and id


if __name__ == "__main__":
    main(*sys.argv[1:])
