"""Starts the servers of a test cluster as child processes, waits for them, and ends them and nothing else."""

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

# Servers whose state is thrown away need no long farewell: kube-apiserver would drain its watches for seconds.
GRACE_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.05
LOG_TAIL_BYTES: Final = 3000


class StartError(Exception):
    """A server that ended or did not become ready; the message ends with the last lines of its log."""


class PortTakenError(StartError):
    """A server that lost its port to another process between the choice of the port and its use."""


def free_ports(count: int) -> tuple[int, ...]:
    """Choose free loopback ports, all different because all are held until the last is known."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in sockets)


def dies_with_parent() -> tuple[str, ...]:
    """Return the words to put before a command so that it ends even when its parent is killed outright."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL") if setpriv else ()


class Server:
    """One running child process and its log."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            # A bare environment: neither a proxy nor a KUBECONFIG of the caller may reach a server.
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), **environment},
                start_new_session=True,
            )

    def log_tail(self) -> str:
        """Read the last lines of the log."""
        return self.log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")

    def wait_until(self, ready: Callable[[], bool], *, what: str, seconds: float) -> None:
        """Wait until `ready` says so; a server that ends before that, or takes too long, is an error."""
        deadline = time.monotonic() + seconds
        while not ready():
            ended = self.process.poll()
            if ended is not None:
                refusal = PortTakenError if "address already in use" in self.log_tail().lower() else StartError
                raise refusal(f"{self.name} ended with status {ended} before {what}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name}: not {what} after {seconds:.0f} s:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)


class ServerGroup:
    """The servers of one cluster: leaving the context, or the end of the interpreter, ends them all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._servers: list[Server] = []

    def __enter__(self) -> Self:
        """Have the servers ended at exit too, for runs that are interrupted before the context is left."""
        atexit.register(self.stop)
        return self

    def __exit__(self, *_: object) -> None:
        """End the servers."""
        self.stop()
        atexit.unregister(self.stop)

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Server:
        """Start a server that this group ends."""
        server = Server(name, command, folder=self.folder, environment=environment)
        self._servers.append(server)
        return server

    def restart(self, name: str) -> Server:
        """Kill a server, as a machine that loses its power does, and start it again as it was started."""
        (old,) = (server for server in self._servers if server.name == name)
        old.process.kill()
        old.process.wait()
        self._servers.remove(old)
        return self.start(name, old.command, old.environment)

    def stop(self) -> None:
        """End the servers, the last started first, so that none logs about a peer that has gone."""
        running = list(reversed(self._servers))
        self._servers.clear()
        for server in running:
            server.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for server in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(max(0.0, deadline - time.monotonic()))
        for server in running:
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGKILL)
            server.process.wait()
