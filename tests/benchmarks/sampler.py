"""Runs commands one after another and tells what they cost: `python -I sampler.py`, a request on stdin, JSON out.

It is a process of its own and imports next to nothing, because Linux counts the memory of the process that starts a
command as that command's own peak until it has replaced itself.
"""

import json
import os
import sys
import time
from typing import Any


def sample(request: dict[str, Any]) -> dict[str, Any]:
    """Run the commands of a request to their end.

    Args:
        request: `commands`, each with `argv`, `folder` and the files `stdout` and `stderr`; and `environment`.

    Returns:
        `wall` and `cpu` seconds of all together, `peak` KiB of the largest, and the `status` of each.
    """
    wall = cpu = 0.0
    peak = 0
    statuses = []
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for command in request["commands"]:
        os.chdir(command["folder"])
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, command["stdout"], flags, 0o644),
            (os.POSIX_SPAWN_OPEN, 2, command["stderr"], flags, 0o644),
        ]
        started = time.perf_counter()
        process = os.posix_spawn(command["argv"][0], command["argv"], request["environment"], file_actions=actions)
        _, status, usage = os.wait4(process, 0)
        wall += time.perf_counter() - started
        cpu += usage.ru_utime + usage.ru_stime
        peak = max(peak, usage.ru_maxrss)
        statuses.append(os.waitstatus_to_exitcode(status))
    return {"wall": wall, "cpu": cpu, "peak": peak, "status": statuses}


if __name__ == "__main__":
    json.dump(sample(json.load(sys.stdin)), sys.stdout)
