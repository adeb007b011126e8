"""`envc secrets …`: parse, one call, print. Values come by a hidden prompt or stdin, never by an argument."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.pipeline.project import Project
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.origins import Surroundings
    from envcompile.secrets.scene import Scene
    from envcompile.secrets.seal import Result

Env = Annotated[str, typer.Argument(metavar="ENV", help="The environment.")]
Envs = Annotated[
    list[str] | None, typer.Argument(metavar="[ENV]...", help="Environments; default: all.", show_default=False)
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The Secret's name.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key in the Secret.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of Secrets; default: all.", show_default=False)
]
PrivateKeys = Annotated[
    list[Path] | None,
    typer.Option("--private-key", metavar="FILE", help="PEM key, or the controller's backup; can be repeated."),
]
Format = Annotated[str, typer.Option("--format", metavar="text|json", help="How to print.")]
StripNewline = Annotated[
    bool, typer.Option("--strip-newline", help="Take one newline off the end of the value on stdin.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="secrets",
        help="Seal secrets offline, look after what is sealed.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    _register_certificate(group)
    _register_sealing(group)
    _register_watching(group)
    _register_recovery(group)
    _register_scan(group)
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
        output_format: Format = "text",
    ) -> None:
        """Store a cluster's sealing certificate beside its environment, and pin its fingerprint."""
        import os

        from envcompile.cli.output import data, tell
        from envcompile.secrets.fetch import accept_certificate, certificate_from_cluster, certificate_from_url
        from envcompile.settings import Sealing

        project = _open(context)
        (name,) = project.choose([environment])
        composed = project.compose(name)
        settings = composed.sources.settings
        if source is None:
            chosen = kube_context or (settings.cluster.context if settings.cluster else None)
            pem, origin = certificate_from_cluster(os.environ, settings.sealing or Sealing(), chosen), "the cluster"
        elif "://" in source:
            pem, origin = certificate_from_url(source), source
        else:
            pem, origin = _bytes_of(Path(source)), source
        change = accept_certificate(
            project.root, name, settings, pem, origin, accept=accept, now=_now(), wanted=fingerprint,
            file=getattr(composed.sources, "certificate", None),
        )  # fmt: skip
        for warning in change.warnings:
            tell(f"warning: {warning}")
        if output_format == "json":
            _json({
                "state": change.state,
                "fingerprint": change.certificate.fingerprint,
                "before": change.before,
                "file": change.file,
                "notBefore": change.certificate.not_before and change.certificate.not_before.isoformat(),
                "notAfter": change.certificate.not_after and change.certificate.not_after.isoformat(),
            }, output_format)  # fmt: skip
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

        (scene,) = _scenes(_open(context), [environment])
        scene.entry(name, key)
        value = _typed_or_piped(f"{environment} {name} {key}", strip_newline=strip_newline)
        _show(set_value(scene, name, key, value, identity=_identity(create=True), now=_now()), output_format)

    @group.command("seal", epilog="Example: envc secrets seal prod user-service-secret")
    def seal_command(
        context: typer.Context,
        environment: Annotated[
            str | None, typer.Argument(metavar="[ENV]", help="The environment; default: all.", show_default=False)
        ] = None,
        names: Names = None,
        *,
        output_format: Format = "text",
    ) -> None:
        """Read references and encrypt what is new or changed, and nothing else."""
        from envcompile.secrets.seal import seal_environments

        scenes = _scenes(_open(context), [environment] if environment else [])
        surroundings = _surroundings(scenes[0].root)
        result = seal_environments(
            scenes, names or (), surroundings=surroundings, identity=_identity(create=True), now=_now()
        )
        _show(result, output_format)

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

        (scene,) = _scenes(_open(context), [environment])
        declaration, _ = scene.entry(name, key)
        if generate is not None:
            value = make(generate)
        else:
            value = _typed_or_piped(f"{environment} {name} {key}", strip_newline=strip_newline)
        result = set_value(scene, name, key, value, identity=_identity(create=True), now=_now())
        found = readers([resource.value for resource in scene.resources], declaration.namespace, name, key)
        restart = scene.settings.rollout in {"reloader", "checksum"}
        read_by = [
            {"kind": one.kind, "name": one.name, "keys": list(one.keys), "restartsByItself": restart} for one in found
        ]
        _show(result, output_format, readBy=read_by)

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

        (scene,) = _scenes(_open(context), [environment])
        result = reseal(
            scene,
            names or (),
            keys=_keys(private_keys),
            older_than_days=_days(older_than),
            everything=everything,
            surroundings=_surroundings(scene.root),
            identity=_identity(),
            now=_now(),
        )
        _show(result, output_format)
        if any(row.action == "unverified" for row in result.rows):
            raise typer.Exit(1)


def _register_watching(group: typer.Typer) -> None:
    @group.command("status", epilog="Example: envc secrets status prod --format json")
    def status_command(context: typer.Context, environments: Envs = None, *, output_format: Format = "text") -> None:
        """List every value: its certificate, its age, whether its source changed. Exits 1 when something is to do."""
        from envcompile.secrets.status import status

        scenes = _scenes(_open(context), environments or [])
        surroundings, identity = _surroundings(scenes[0].root, ask=False), _identity()
        rows = [
            row for scene in scenes for row in status(scene, surroundings=surroundings, identity=identity, now=_now())
        ]
        _table(
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

        found = audit(_scenes(_open(context), environments or []), compromised=compromised)
        _table(
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

        keys, identity = _keys(private_keys), _identity()
        checks = [
            check
            for scene in _scenes(_open(context), environments or [])
            for check in verify(scene, keys=keys, identity=identity)
        ]
        _table(
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

        from envcompile.errors import Problem, UsageError
        from envcompile.secrets.store import STORE_NAME
        from envcompile.secrets.verify import as_manifests, unseal

        if not private_keys:
            raise UsageError([Problem("unsealing needs the cluster's private key", "give --private-key FILE")])
        project = _open(context)
        (name,) = project.choose([environment])
        if reveal:
            _refuse_output_in(project.root)
        file = f"overlays/{name}/{STORE_NAME}"
        opened = unseal(project.root, file, keys=_keys(private_keys), names=names or ())
        if reveal:
            sys.stdout.flush()
            sys.stdout.buffer.write(as_manifests(opened).reveal())
            return
        _table(
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
        from envcompile.cli.output import data, tell
        from envcompile.errors import EnvcError
        from envcompile.secrets.scan import scan_index

        root, in_clear = context.obj.project, []
        try:
            project = _open(context)
            root = project.root
            in_clear = [
                f"{folder}/{name}"
                for name in project.environments
                for folder in ("overlays", "environments")
                if project.compose(name).sources.settings.secret_backend == "plaintext"
            ]
        except EnvcError:
            # The scan must work on any repository, and on a configuration that does not compose.
            in_clear = []
        found = scan_index(root, staged=staged, exclude=exclude or (), in_clear=in_clear)
        if output_format == "json":
            _json([one._asdict() for one in found], output_format)
        else:
            for one in found:
                data(f"{one.file}:{one.line}: {one.rule}: {one.what}")
                tell(f"hint: {one.fix}")
        if found:
            raise typer.Exit(1)


def _open(context: typer.Context) -> Project:
    from envcompile.pipeline.project import Project

    return Project.open(context.obj.project)


def _scenes(project: Project, wanted: Sequence[str]) -> list[Scene]:
    from envcompile.errors import EnvcError, Problems, UsageError
    from envcompile.pipeline.project import where_of
    from envcompile.secrets.gitfiles import IgnoreRules
    from envcompile.secrets.scene import Composed, gather

    ignored, problems, found = IgnoreRules(project.root), Problems(), []
    for name in project.choose(wanted):
        try:
            composed = project.compose(name)
            resources = [Composed(resource.value, where_of(resource)) for resource in composed.resources]
            certificate = getattr(composed.sources, "certificate", None)
            found.append(gather(project.root, name, composed.sources.settings, resources, ignored, certificate))
        except UsageError:
            raise
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    return found


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _identity(*, create: bool = False) -> IdentityKey | None:
    import os

    from envcompile.cli.output import tell
    from envcompile.secrets.identity import create_identity, load_identity

    found = load_identity(os.environ)
    if found is None and create and (made := create_identity(os.environ)) is not None:
        found, file = made
        tell(
            f"made an identity key in {file}: it tells changed values from unchanged ones; share it with your team, never in git"
        )
    return found


def _surroundings(root: Path, *, ask: bool = True) -> Surroundings:
    import os
    import sys

    from envcompile.secrets.origins import Surroundings

    return Surroundings(root, os.environ, _ask if ask and sys.stdin.isatty() else None)


def _ask(question: str) -> str:
    from getpass import getpass

    return getpass(f"value of {question} (hidden): ")


def _typed_or_piped(question: str, *, strip_newline: bool) -> Any:
    import sys

    from envcompile.cli.output import tell
    from envcompile.secrets.plaintext import Plaintext
    from envcompile.secrets.seal import text_value

    if sys.stdin.isatty():
        return Plaintext(_ask(question).encode())
    value, warnings = text_value(sys.stdin.buffer.read(), strip_newline=strip_newline)
    tell(f"read {value.size} bytes from stdin")
    for warning in warnings:
        tell(f"warning: {warning}")
    return value


def _keys(files: Sequence[Path] | None) -> list[Any]:
    from envcompile.secrets.privatekeys import read_private_keys

    return [key for file in files or () for key in read_private_keys(_bytes_of(file), str(file))]


def _bytes_of(file: Path) -> bytes:
    from envcompile.errors import Problem, UsageError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError([
            Problem(f"{file} cannot be read ({error.strerror})", "give the path of a readable file")
        ]) from None


def _days(text: str | None) -> int | None:
    from envcompile.errors import Problem, UsageError

    if text is None:
        return None
    number = text.removesuffix("d")
    if not number.isdigit():
        raise UsageError([Problem(f"`{text}` is no age", "write days, such as 90d")])
    return int(number)


def _refuse_output_in(root: Path) -> None:
    """Refuse to reveal into a file of the repository: it would be committed one day."""
    import os
    import stat
    import sys

    from envcompile.errors import Problem, UsageError

    try:
        output = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(output.st_mode):
        return
    for folder, _, files in os.walk(root):
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink() and os.path.samestat(path.stat(), output):
                raise UsageError([
                    Problem("stdout is a file of this repository", "pipe the Secrets, or write outside of it")
                ])


def _show(result: Result, output_format: str, **further: Any) -> None:
    """Print what a sealing command did; warnings and counts are for people."""
    from envcompile.cli.output import data, tell

    rows = [
        {"environment": row.environment, "value": str(row.id), "action": row.action, "note": row.note}
        for row in result.rows
    ]
    if output_format == "json":
        _json({"rows": rows, "changed": list(result.changed), **further}, output_format)
    else:
        for row in result.rows:
            data(f"{row.action:<10} {row.environment} {row.id}" + (f"  ({row.note})" if row.note else ""))
        for reader in further.get("readBy", ()):
            how = (
                "restarts by itself"
                if reader["restartsByItself"]
                else "restart it, or set `rollout:` in environment.yaml"
            )
            data(f"read by    {reader['kind']}/{reader['name']}  ({how})")
    for warning in result.warnings:
        tell(f"warning: {warning}")
    tell(f"wrote {', '.join(result.changed)}" if result.changed else "nothing changed")


def _table(rows: Sequence[dict[str, Any]], output_format: str) -> None:
    from envcompile.cli.output import data

    if output_format != "text":
        _json(list(rows), output_format)
        return
    texts = [["-" if cell is None or cell == "" else _word(cell) for cell in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for line in texts:
        data("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _word(cell: Any) -> str:
    return {True: "yes", False: "no"}[cell] if isinstance(cell, bool) else str(cell)


def _json(value: Any, output_format: str) -> None:
    import json

    from envcompile.cli.options import check_format
    from envcompile.cli.output import data

    check_format(output_format, "text", "json")
    data(json.dumps(value, indent=2, ensure_ascii=False))
