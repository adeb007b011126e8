"""`envc live`: what runs in a watched cluster, now or at any time, and who changed it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from envcompile.cli.arguments import Format, make_group

if TYPE_CHECKING:
    from collections.abc import Generator

    from envcompile.actions.live import Live

Context = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="The cluster; default: the only one.", show_default=False),
]
Namespace = Annotated[str, typer.Option("--namespace", "-n", metavar="NAME", help="Only what is in this namespace.")]
Object = Annotated[str, typer.Argument(metavar="KIND/NAME", help="An object, also one that is gone.")]
Wanted = Annotated[
    str, typer.Argument(metavar="[KIND/NAME]", help="An object, or a KIND; default: all.", show_default=False)
]
How = Annotated[
    Literal["text", "yaml", "json"], typer.Option("--format", "-o", metavar="text|yaml|json", help="How to print.")
]
SomeObject = Annotated[
    str, typer.Argument(metavar="[KIND/NAME]", help="Only this object and what it owns.", show_default=False)
]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="From then on, such as 2h, 7d or 2026-11-23.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Before then; default: now.", show_default=False)]
Most = Annotated[
    int | None, typer.Option("--max-count", metavar="N", min=1, help="Only the newest.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = make_group("live", "What runs in a watched cluster, now or at any time, and who changed it.")
    _add_states(group)
    _add_object(group)
    _add_overviews(group)
    app.add_typer(group)


def _add_states(group: typer.Typer) -> None:
    @group.command("get", epilog="Example: envc live get deploy/checkout -o yaml")
    def get_command(
        context: typer.Context,
        thing: Wanted = "",
        *,
        cluster: Context = None,
        namespace: Namespace = "",
        output_format: How = "text",
    ) -> None:
        """Print what there is now: names and since when; one object as YAML."""
        _print_states(context, cluster, "", thing, namespace, output_format)

    @group.command("at", epilog="Example: envc live at 2h deploy/checkout")
    def at_command(
        context: typer.Context,
        time: Annotated[str, typer.Argument(metavar="TIME", help="Such as 2026-11-23T14:30, or 2h for so long ago.")],
        thing: Wanted = "",
        *,
        cluster: Context = None,
        namespace: Namespace = "",
        output_format: How = "text",
    ) -> None:
        """Print what there was at a time: names and since when; one object as YAML."""
        _print_states(context, cluster, time, thing, namespace, output_format)


def _add_object(group: typer.Typer) -> None:
    @group.command("log", epilog="Example: envc live log deploy/checkout")
    def log_command(
        context: typer.Context,
        thing: Object,
        *,
        cluster: Context = None,
        namespace: Namespace = "",
        most: Most = None,
        output_format: Format = "text",
    ) -> None:
        """List the versions of an object, newest first, with the fields that changed and who changed them."""
        from envcompile.cli.output import answer, table
        from envcompile.cli.render.live import entry_data, entry_lines

        with live_of(context, cluster) as live:
            entries = live.log(thing, namespace, most=most)
        if output_format == "json":
            answer(cluster=live.cluster.name, versions=[entry_data(entry) for entry in entries])
        else:
            table(line for entry in entries for line in entry_lines(entry))

    @group.command("blame", epilog="Example: envc live blame deploy/checkout spec.replicas")
    def blame_command(
        context: typer.Context,
        thing: Object,
        field: Annotated[
            str, typer.Argument(metavar="[FIELD]", help="A field; default: all.", show_default=False)
        ] = "",
        *,
        cluster: Context = None,
        namespace: Namespace = "",
        output_format: Format = "text",
    ) -> None:
        """Say for each field of an object who gave it its value, and since when it has it."""
        from envcompile.cli.output import answer, table
        from envcompile.cli.render.live import blamed_data, blamed_lines

        with live_of(context, cluster) as live:
            found = live.blame(thing, namespace, field)
        if output_format == "json":
            answer(cluster=live.cluster.name, fields=[blamed_data(one) for one in found])
        else:
            table(blamed_lines(found))


def _add_overviews(group: typer.Typer) -> None:
    @group.command("events", epilog="Example: envc live events deploy/checkout --since 2h")
    def events_command(
        context: typer.Context,
        thing: SomeObject = "",
        *,
        cluster: Context = None,
        namespace: Namespace = "",
        since: Since = "1d",
        until: Until = "",
        most: Most = 100,
        output_format: Format = "text",
    ) -> None:
        """List events, newest first: of everything, or of an object and of what it owns."""
        from envcompile.cli.output import answer, table
        from envcompile.cli.render.live import event_data, event_lines

        with live_of(context, cluster) as live:
            start, end = _span(since, until)
            found = live.events(wanted=thing, namespace=namespace, since=start, until=end, most=most or 100)
        if output_format == "json":
            answer(cluster=live.cluster.name, events=[event_data(one) for one in found])
        else:
            table(event_lines(found))

    @group.command("stats", epilog="Example: envc live stats --since 7d")
    def stats_command(
        context: typer.Context,
        *,
        cluster: Context = None,
        namespace: Namespace = "",
        since: Since = "1d",
        until: Until = "",
        output_format: Format = "text",
    ) -> None:
        """Count objects by kind and namespace: how many there are, came, changed and went in a time."""
        from envcompile.cli.output import answer, table
        from envcompile.cli.render.live import count_data, count_lines

        with live_of(context, cluster) as live:
            start, end = _span(since, until)
            found = live.reader.counts(live.cluster.number, start, end, namespace=namespace)
        if output_format == "json":
            answer(cluster=live.cluster.name, counts=[count_data(one) for one in found])
        else:
            table(count_lines(found))


@contextmanager
def live_of(context: typer.Context, cluster: str | None) -> Generator[Live]:
    """What is known of the cluster that is meant, closed at the end."""
    from envcompile.actions.live import Live
    from envcompile.actions.live_places import cluster_of, open_live
    from envcompile.actions.watch_setup import KUBERNETES
    from envcompile.history.livereading import LiveReader
    from envcompile.kubernetes.api import load

    database = open_live(context.obj.project)
    try:
        reader = LiveReader(database)
        yield Live(reader, cluster_of(reader, cluster), load(KUBERNETES))
    finally:
        database.close()


def _now() -> int:
    import time

    return time.time_ns() // 1000


def _span(since: str, until: str) -> tuple[int, int]:
    from envcompile.history.times import microseconds_of

    now = _now()
    return microseconds_of(since, now), microseconds_of(until, now) if until else now + 1


def _print_states(
    context: typer.Context, cluster: str | None, time: str, thing: str, namespace: str, output_format: str
) -> None:
    from envcompile.cli.output import answer, raw, table
    from envcompile.cli.render.live import state_data, state_lines
    from envcompile.history.times import microseconds_of
    from envcompile.yamlio import dump

    now = _now()
    moment = microseconds_of(time, now) if time else now
    with live_of(context, cluster) as live:
        found = live.state(moment, wanted=thing, namespace=namespace)
    if output_format == "json":
        objects: list[dict[str, Any]] = [state_data(one) for one in found]
        answer(cluster=live.cluster.name, objects=objects)
    elif output_format == "yaml" or (len(found) == 1 and "/" in thing):
        raw("---\n".join(dump(one.value) for one in found))
    else:
        table(state_lines(found))
