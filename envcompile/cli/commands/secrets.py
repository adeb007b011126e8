"""`envc secrets …`: parse, one call, print. Values come by a hidden prompt or stdin, never by an argument."""

from pathlib import Path
from typing import Annotated

import typer

from envcompile.cli.arguments import Env, Format, days_of, make_group
from envcompile.cli.commands import secrets_inspection
from envcompile.cli.output import answer, data, tell
from envcompile.cli.render.secrets import show_result
from envcompile.cli.secret_input import (
    Key,
    Name,
    Names,
    PrivateKeys,
    StripNewline,
    bytes_of,
    identity_key,
    now,
    open_project,
    private_keys_of,
    secret_sets,
    surroundings_of,
    typed_or_piped,
)
from envcompile.text import address


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = make_group("secrets", "Seal secrets offline, look after what is sealed.")
    _register_certificate(group)
    _register_sealing(group)
    secrets_inspection.register(group)
    app.add_typer(group)


def _register_certificate(group: typer.Typer) -> None:
    @group.command("fetch-cert", epilog="Example: envc secrets fetch-cert prod https://sealed-secrets.example.com")
    def fetch_cert(
        context: typer.Context,
        environment: Env,
        source: Annotated[
            str | None,
            typer.Argument(
                metavar="[URL|FILE]", help="The controller, or a PEM file; default: the cluster by kubeconfig."
            ),
        ] = None,
        *,
        accept: Annotated[bool, typer.Option("--accept", help="Take it although another one is in use.")] = False,
        fingerprint: Annotated[
            str | None, typer.Option("--fingerprint", metavar="sha256:HEX", help="Refuse any other certificate.")
        ] = None,
        kube_context: Annotated[
            str | None,
            typer.Option("--context", metavar="NAME", help="Context of the kubeconfig; default: the environment's."),
        ] = None,
        plain_http: Annotated[
            bool, typer.Option("--plain-http", help="Take it over http from another machine; compare the fingerprint.")
        ] = False,
        output_format: Format = "text",
    ) -> None:
        """Store a cluster's sealing certificate beside its environment, and pin its fingerprint."""
        import os

        from envcompile.secrets.fetch import accept_certificate, certificate_from_cluster, certificate_from_url
        from envcompile.settings import Sealing

        project = open_project(context)
        (name,) = project.choose([environment])
        composed = project.compose(name)
        settings = composed.sources.settings
        if source is None:
            chosen = kube_context or (settings.cluster.context if settings.cluster else None)
            pem, origin = certificate_from_cluster(os.environ, settings.sealing or Sealing(), chosen), "the cluster"
        elif "://" in source:
            pem, origin = certificate_from_url(source, plain_http=plain_http), address(source)
        else:
            pem, origin = bytes_of(Path(source)), source
        named = composed.sources.where(("sealing", "certificate"))
        change = accept_certificate(
            project.root, name, settings, pem, origin, accept=accept, now=now(), wanted=fingerprint,
            file=composed.sources.certificate, named_in=None if named is None else named.file,
        )  # fmt: skip
        for warning in change.warnings:
            tell(f"warning: {warning}")
        if output_format == "json":
            answer(
                state=change.state,
                fingerprint=change.certificate.fingerprint,
                before=change.before,
                file=change.file,
                notBefore=change.certificate.not_before and change.certificate.not_before.isoformat(),
                notAfter=change.certificate.not_after and change.certificate.not_after.isoformat(),
            )
            return
        data(f"{change.state}: {change.certificate}")
        if change.before is not None and change.state == "changed":
            data(f"before: {change.before}")
        tell(f"written to {change.file} and pinned" if change.written else f"{change.file} is as it was")


def _register_sealing(group: typer.Typer) -> None:
    @group.command("set", epilog="Example: envc secrets set prod user-service-secret api_key < value.txt")
    def set_command(
        context: typer.Context, environment: Env, name: Name, key: Key, *, strip_newline: StripNewline = False,
        output_format: Format = "text",
    ) -> None:  # fmt: skip
        """Seal one value that is typed in (hidden) or comes on stdin."""
        from envcompile.secrets.seal import set_value

        (secret_set,) = secret_sets(context, [environment])
        secret_set.entry(name, key)
        value = typed_or_piped(f"{environment} {name} {key}", strip_newline=strip_newline)
        show_result(
            set_value(secret_set, name, key, value, identity=identity_key(create=True), now=now()), output_format
        )

    @group.command("seal", epilog="Example: envc secrets seal prod user-service-secret")
    def seal_command(
        context: typer.Context,
        environment: Annotated[
            str | None,
            typer.Argument(
                metavar="[ENV]",
                help="The environment; default: all.",
                show_default=False,
            ),
        ] = None,
        names: Names = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Read references and encrypt what is new or changed, and nothing else."""
        from envcompile.secrets.seal import seal_environments

        found = secret_sets(context, [environment] if environment else [])
        surroundings = surroundings_of(found[0].root)
        result = seal_environments(
            found, names or (), surroundings=surroundings, identity=identity_key(create=True), now=now()
        )
        show_result(result, output_format)

    @group.command("rotate", epilog="Example: envc secrets rotate prod user-service-secret jwt_secret --generate 32")
    def rotate_command(
        context: typer.Context,
        environment: Env,
        name: Name,
        key: Key,
        *,
        generate: Annotated[
            int | None, typer.Option("--generate", metavar="N", help="Make a random value of N letters and digits.")
        ] = None,
        strip_newline: StripNewline = False,
        output_format: Format = "text",
    ) -> None:
        """Seal a new value, and say which workloads read it."""
        from envcompile.secrets.readers import readers
        from envcompile.secrets.seal import generate as make
        from envcompile.secrets.seal import set_value

        (secret_set,) = secret_sets(context, [environment])
        declaration, _ = secret_set.entry(name, key)
        if generate is not None:
            value = make(generate)
        else:
            value = typed_or_piped(f"{environment} {name} {key}", strip_newline=strip_newline)
        result = set_value(secret_set, name, key, value, identity=identity_key(create=True), now=now())
        found = readers([resource.value for resource in secret_set.resources], declaration.namespace, name, key)
        restart = secret_set.settings.rollout in {"reloader", "checksum"}
        read_by = [
            {"kind": one.kind, "name": one.name, "keys": list(one.keys), "restartsByItself": restart} for one in found
        ]
        show_result(result, output_format, readBy=read_by)

    @group.command("reseal", epilog="Example: envc secrets reseal prod --older-than 90d")
    def reseal_command(
        context: typer.Context,
        environment: Env,
        names: Names = None,
        *,
        older_than: Annotated[
            str | None, typer.Option("--older-than", metavar="DAYS", help="Values committed longer ago, such as 90d.")
        ] = None,
        everything: Annotated[bool, typer.Option("--all", help="Every value.")] = False,
        private_keys: PrivateKeys = None,
        output_format: Format = "text",
    ) -> None:
        """Encrypt again under the present certificate; by default what is under another one."""
        from envcompile.secrets.reseal import reseal

        (secret_set,) = secret_sets(context, [environment])
        result = reseal(
            secret_set,
            names or (),
            keys=private_keys_of(private_keys),
            older_than_days=days_of(older_than),
            everything=everything,
            surroundings=surroundings_of(secret_set.root),
            identity=identity_key(),
            now=now(),
        )
        show_result(result, output_format)
        if any(row.action == "unverified" for row in result.rows):
            raise typer.Exit(1)
