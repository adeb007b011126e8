"""`envc version`: what this envc is, and which Kubernetes it knows."""

from __future__ import annotations

import typer

from envcompile.cli.arguments import Format


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("version", epilog="Example: envc version -o json")
    def command(*, output_format: Format = "text") -> None:
        """Print the version, its commit where that is known, and the Kubernetes versions that it knows."""
        import platform

        from envcompile import __version__
        from envcompile.cli.output import answer, table
        from envcompile.kubernetes import supported_versions
        from envcompile.settings import DEFAULT_KUBERNETES_VERSION

        versions, commit = list(supported_versions()), _commit()
        if output_format == "json":
            answer(
                version=__version__,
                commit=commit or None,
                kubernetes={"versions": versions, "default": DEFAULT_KUBERNETES_VERSION},
                python=platform.python_version(),
            )
            return
        table((
            f"envc {__version__}" + (f" ({commit[:12]})" if commit else ""),
            f"Kubernetes {versions[0]} to {versions[-1]}, default {DEFAULT_KUBERNETES_VERSION}",
            f"Python {platform.python_version()}",
        ))


def _commit() -> str:
    """The commit that this envc was installed from (PEP 610), or whose checkout it runs from; empty when unknown."""
    import json
    from importlib.metadata import PackageNotFoundError, distribution
    from pathlib import Path

    import envcompile
    from envcompile.errors import EnvcError
    from envcompile.git.repository import open_repository

    try:
        origin = json.loads(distribution("envcompile").read_text("direct_url.json") or "{}")
        if named := origin.get("vcs_info", {}).get("commit_id"):
            return str(named)
    except (PackageNotFoundError, ValueError):
        pass
    folder = Path(envcompile.__file__).parents[1]
    if not (folder / ".git").exists():
        return ""
    try:
        return open_repository(folder).find("HEAD")
    except EnvcError:
        return ""
