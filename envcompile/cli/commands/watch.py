"""`envc watch`: clusters, listed and watched into the history database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from envcompile.cli.arguments import Format

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from envcompile.actions.watch import Standing, Watch

EPILOG = """Examples:

  envc watch --once

  envc watch --context prod --context staging --listen 127.0.0.1:9105

  envc watch --manifests | kubectl apply -f -

  envc watch --alerts > rules/envc-watch.yaml
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("watch", epilog=EPILOG)
    def command(
        context: typer.Context,
        *,
        contexts: Annotated[
            list[str] | None,
            typer.Option("--context", metavar="NAME", help="A context of the kubeconfig; default: the current one."),
        ] = None,
        environments: Annotated[
            list[str] | None,
            typer.Option("--env", metavar="ENV", help="The cluster of an environment, as its `cluster:` names it."),
        ] = None,
        kinds: Annotated[
            list[str] | None,
            typer.Option(
                "--kinds", metavar="KIND,…", help="Only these; `all` for heartbeats, too. Default: all but heartbeats."
            ),
        ] = None,
        namespace: Annotated[
            str, typer.Option("--namespace", "-n", metavar="NAME", help="Only what is in this namespace.")
        ] = "",
        once: Annotated[bool, typer.Option("--once", help="Store what there is now, and end.")] = False,
        name: Annotated[
            str, typer.Option("--name", metavar="NAME", help="What the cluster is called; default: as its context.")
        ] = "",
        listen: Annotated[
            str, typer.Option("--listen", metavar="HOST:PORT", help="Answer /metrics, /healthz and /readyz there.")
        ] = "",
        cap: Annotated[
            str, typer.Option("--cap", metavar="SIZE", help="Stop when the database is larger; 0 for no cap.")
        ] = "20Gi",
        prometheus: Annotated[
            str, typer.Option("--prometheus", metavar="URL", help="Take usage from there; default: the metrics API.")
        ] = "",
        manifests: Annotated[
            bool, typer.Option("--manifests", help="Print what runs the watcher inside of a cluster, and end.")
        ] = False,
        image: Annotated[
            str, typer.Option("--image", metavar="IMAGE", help="With --manifests: an image that has envc.")
        ] = "",
        alerts: Annotated[
            bool, typer.Option("--alerts", help="Print rules by which Prometheus looks after watchers, and end.")
        ] = False,
        dashboard: Annotated[
            bool, typer.Option("--dashboard", help="Print a dashboard of watchers for Grafana, and end.")
        ] = False,
        output_format: Format = "text",
    ) -> None:
        """Store what clusters have and had: every version of every object, events and usage, until it is stopped.

        Values of Secrets are stored as keyed digests only. A watcher that was stopped or killed goes on where it was;
        what was deleted meanwhile is found.
        """
        from envcompile.cli.output import raw
        from envcompile.errors import Problem, UsageError

        words = tuple(word for given in kinds or () for word in given.split(",") if word)
        if manifests:
            from envcompile.actions.watch_manifests import manifests as printed

            raw(printed(image=image, name=name, namespace=namespace, kinds=words))
            return
        if alerts or dashboard:
            from envcompile.actions import watch_monitoring

            raw(watch_monitoring.alert_rules() if alerts else watch_monitoring.dashboard())
            return
        if name and len(contexts or ()) + len(environments or ()) > 1:
            raise UsageError([Problem("--name is for one cluster", "watch the others by commands of their own")])
        from envcompile.actions.watch_setup import prepare
        from envcompile.actions.watch_status import host_and_port

        if listen:
            host_and_port(listen)
        watch = prepare(
            context.obj.project,
            contexts=contexts or (),
            environments=environments or (),
            kinds=words,
            namespace=namespace,
            name=name,
            cap=cap,
            prometheus=prometheus,
        )
        standings = _watched(watch, once=once, listen=listen)
        print_standings(standings, output_format)


def _watched(watch: Watch, *, once: bool, listen: str) -> list[Standing]:
    from contextlib import nullcontext

    from envcompile.actions.watch_status import serving
    from envcompile.cli.output import tell

    with (
        serving(listen, watch.standing) if listen else nullcontext("") as url,
        _stopped_by_signals(watch),
        _rarely_collected(),
    ):
        if url:
            tell(f"listening on {url}")
        with _progress(watch):
            return watch.run(once=once)


@contextmanager
def _rarely_collected() -> Generator[None]:
    """Let the garbage collector look at what comes, not at schemas that stay, and not at each hundred objects.

    A hundred events are some ten thousand maps, which are gone by themselves soon after: looking for circles in them
    took half of the time of a watcher that is told of a thousand changes a second.
    """
    import gc

    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _stopped_by_signals(watch: Watch) -> Generator[None]:
    """End gracefully when a person or a kubelet asks for it; a second time at once."""
    import signal

    def stop(number: int, _: Any) -> None:
        signal.signal(number, signal.default_int_handler)
        watch.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress(watch: Watch) -> Generator[None]:
    """How it stands, on one line, where somebody looks at a terminal."""
    import sys
    import threading

    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()

    def show() -> None:
        while not ended.wait(0.5):
            sys.stderr.write("\r\x1b[K" + "; ".join(_line(one) for one in watch.standing())[:150])
            sys.stderr.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        sys.stderr.write("\r\x1b[K")


def _line(standing: Standing) -> str:
    from envcompile.text import one_line

    written = standing.counted.written
    watching = sum(told.state == "watching" for told in standing.kinds.values())
    text = (
        f"{standing.cluster}: {watching} of {len(standing.kinds)} kinds watched, {written.created} new, "
        f"{written.changed} changed, {written.gone} gone, {standing.counted.events} events"
    )
    return one_line(text + "".join(f"; {problem}" for problem in standing.problems))


def print_standings(standings: Sequence[Standing], output_format: str) -> None:
    """What a watch came to."""
    from envcompile.cli.output import answer, data, tell

    if output_format == "json":
        answer(clusters=[_data(one) for one in standings])
        return
    for standing in standings:
        counted, written = standing.counted, standing.counted.written
        there = written.created + written.changed + written.same
        data(
            f"{standing.cluster}: {there} objects of {len(standing.kinds)} kinds, {written.created} new, "
            f"{written.changed} changed, {written.gone} gone, {counted.events} events, {counted.usage} figures of usage"
        )
        for key, told in sorted(standing.kinds.items()):
            if told.problem:
                tell(f"warning: {'.'.join(part for part in reversed(key) if part)}: {told.problem}")
        for problem in standing.problems:
            tell(f"warning: {problem}")


def _data(standing: Standing) -> dict[str, Any]:
    counted = standing.counted
    return {
        "cluster": standing.cluster,
        **counted.written._asdict(),
        "events": counted.events,
        "usage": counted.usage,
        "kinds": [
            {"group": key[0], "resource": key[1], "state": told.state, "problem": told.problem}
            for key, told in sorted(standing.kinds.items())
        ],
        "problems": list(standing.problems),
    }
