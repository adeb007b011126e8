"""`envc secrets status|audit|verify|unseal|scan`: looking after what is sealed."""

from pathlib import Path
from typing import Annotated

import typer

from envcompile.cli.arguments import Env, Envs, Format
from envcompile.cli.output import answer, data, tell
from envcompile.cli.render.secrets import show_table
from envcompile.cli.secret_input import (
    Names,
    PrivateKeys,
    git_folder,
    identity_key,
    now,
    open_project,
    private_keys_of,
    refuse_output_in,
    secret_sets,
    surroundings_of,
)


def register(group: typer.Typer) -> None:
    """Add the commands to the group `envc secrets`."""
    _register_watching(group)
    _register_recovery(group)
    _register_scan(group)


def _register_watching(group: typer.Typer) -> None:
    @group.command("status", epilog="Example: envc secrets status prod --format json")
    def status_command(context: typer.Context, environments: Envs = None, *, output_format: Format = "text") -> None:
        """List every value: its certificate, its age, whether its source changed. Exits 1 when something is to do."""
        from envcompile.secrets.status import status

        found = secret_sets(context, environments or ())
        surroundings, identity = surroundings_of(found[0].root, ask=False), identity_key()
        rows = [
            row
            for secret_set in found
            for row in status(secret_set, surroundings=surroundings, identity=identity, now=now())
        ]
        show_table(
            [
                {
                    "environment": row.environment,
                    "value": str(row.id),
                    "state": row.state,
                    "certificate": row.certificate[:23],
                    "current": row.is_current,
                    "ageDays": row.age_days,
                    "source": row.source,
                    "note": row.note,
                }
                for row in rows
            ],
            output_format,
        )
        if any(row.state in {"changed", "missing", "moved", "undeclared"} for row in rows):
            raise typer.Exit(1)

    @group.command("audit", epilog="Example: envc secrets audit --compromised sha256:0123…")
    def audit_command(
        context: typer.Context,
        environments: Envs = None,
        *,
        compromised: Annotated[
            str | None,
            typer.Option("--compromised", metavar="FINGERPRINT", help="List what a leaked sealing key makes readable."),
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Look for copied ciphertexts, wide scopes, unpinned certificates. Exits 1 when there are errors."""
        from envcompile.secrets.audit import audit

        found = audit(secret_sets(context, environments or ()), compromised=compromised)
        show_table(
            [
                {
                    "environment": one.environment,
                    "value": str(one.id or ""),
                    "severity": one.severity,
                    "rule": one.rule,
                    "note": one.note,
                }
                for one in found
            ],
            output_format,
            what="findings",
        )
        if any(one.severity == "error" for one in found):
            raise typer.Exit(1)


def _register_recovery(group: typer.Typer) -> None:
    @group.command("verify", epilog="Example: envc secrets verify prod --private-key backup.yaml")
    def verify_command(
        context: typer.Context,
        environments: Envs = None,
        *,
        private_keys: PrivateKeys = None,
        output_format: Format = "text",
    ) -> None:
        """Check sealed values offline; with --private-key that each one opens. Exits 1 when one does not."""
        from envcompile.secrets.verify import verify

        keys, identity = private_keys_of(private_keys), identity_key()
        checks = [
            check
            for secret_set in secret_sets(context, environments or ())
            for check in verify(secret_set, keys=keys, identity=identity)
        ]
        show_table(
            [
                {"environment": one.environment, "value": str(one.id), "good": one.is_good, "note": one.note}
                for one in checks
            ],
            output_format,
        )
        if not all(one.is_good for one in checks):
            raise typer.Exit(1)

    @group.command(
        "unseal", epilog="Example: envc secrets unseal prod --private-key backup.yaml --reveal | kubectl apply -f -"
    )
    def unseal_command(
        context: typer.Context,
        environment: Env,
        names: Names = None,
        *,
        private_keys: PrivateKeys = None,
        reveal: Annotated[bool, typer.Option("--reveal", help="Print the Secrets in clear on stdout.")] = False,
        output_format: Format = "text",
    ) -> None:
        """Open sealed values with private keys, for recovery; shows names and sizes unless --reveal is given."""
        import sys

        from envcompile.actions.secrets import store_for_recovery
        from envcompile.errors import Problem, UsageError
        from envcompile.secrets.verify import as_manifests, unseal

        if not private_keys:
            raise UsageError([Problem("unsealing needs the cluster's private key", "give --private-key FILE")])
        project = open_project(context)
        (name,) = project.choose([environment])
        if reveal:
            refuse_output_in(project.root)
        store = store_for_recovery(project, name)
        opened = unseal(store, keys=private_keys_of(private_keys), names=names or ())
        if reveal:
            sys.stdout.flush()
            sys.stdout.buffer.write(as_manifests(opened).reveal())
            return
        show_table(
            [
                {"value": f"{one.namespace}/{one.name}/{key}", "bytes": value.size}
                for one in opened
                for key, value in sorted(one.values.items())
            ],
            output_format,
        )


def _register_scan(group: typer.Typer) -> None:
    @group.command("scan", epilog="Example: envc secrets scan --staged")
    def scan_command(
        context: typer.Context,
        *,
        staged: Annotated[bool, typer.Option("--staged", help="Only what the next commit adds or changes.")] = False,
        exclude: Annotated[
            list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Pass over these files; can be repeated.")
        ] = None,
        output_format: Format = "text",
    ) -> None:
        """Look in git's index for secrets in clear, private keys, unfinished SOPS files. Exits 1 when there are any."""
        from envcompile.secrets.scan import scan_index

        root = git_folder(context)
        found = scan_index(root, staged=staged, exclude=exclude or ())
        if any(one.rule in {"plaintext-secret", "plaintext-value"} for one in found):
            # Settings are read only when there is something that they could excuse.
            clear = _in_clear(root)
            found = scan_index(root, staged=staged, exclude=exclude or (), in_clear=clear)
        if output_format == "json":
            answer(findings=[one._asdict() for one in found])
        else:
            for one in found:
                data(f"{one.file}:{one.line}: {one.rule}: {one.what}")
                tell(f"hint: {one.fix}")
        if found:
            raise typer.Exit(1)


def _in_clear(root: Path) -> list[str]:
    """Folders of environments whose Secrets are throw-away, as the index says; none where its settings are wrong."""
    from envcompile.actions.secrets import folders_in_clear
    from envcompile.errors import EnvcError
    from envcompile.git.discovery import prefix_of
    from envcompile.units.project import Project

    try:
        return [f"{prefix_of(root)}{folder}" for folder in folders_in_clear(Project.of_index(root))]
    except EnvcError:
        return []
