"""`envc argocd …`: what Argo CD needs to know about this repository."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from envcompile.cli.arguments import Env, Envs, make_group, project_of

Repo = Annotated[
    str | None,
    typer.Option("--repo", metavar="URL", help="The repository; default: git's remote origin.", show_default=False),
]
Revision = Annotated[str, typer.Option("--revision", metavar="REV", help="The branch or tag that Argo CD follows.")]
Named = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="Of the AppProject; default: the repository's.", show_default=False),
]
Namespace = Annotated[str, typer.Option("--argocd-namespace", metavar="NS", help="Where Argo CD runs.")]
Automated = Annotated[bool, typer.Option("--automated", help="Sync and prune without being asked.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = make_group("argocd", "Write what Argo CD needs to know about this repository.")

    @group.command("app", epilog="Example: envc argocd app prod | kubectl apply -f -")
    def application(
        context: typer.Context,
        environment: Env,
        *,
        repository: Repo = None,
        revision: Revision = "HEAD",
        name: Named = None,
        argocd_namespace: Namespace = "argocd",
        automated: Automated = False,
        plugin: Annotated[bool, typer.Option("--plugin", help="Compile in the repo server.")] = False,
    ) -> None:
        """Print one Application for a whole environment."""
        from envcompile.actions import argocd

        project, origin = _origin(context, repository, revision, name, argocd_namespace, automated=automated)
        _print(argocd.application(project, origin, environment, plugin=plugin))

    @group.command("appset", epilog="Example: envc argocd appset --automated | kubectl apply -f -")
    def application_set(
        context: typer.Context,
        environments: Envs = None,
        *,
        repository: Repo = None,
        revision: Revision = "HEAD",
        name: Named = None,
        argocd_namespace: Namespace = "argocd",
        automated: Automated = False,
    ) -> None:
        """Print an ApplicationSet: one Application for each application of each environment."""
        from envcompile.actions import argocd

        project, origin = _origin(context, repository, revision, name, argocd_namespace, automated=automated)
        _print(argocd.application_set(project, origin, environments or ()))

    @group.command("project", epilog="Example: envc argocd project | kubectl apply -f -")
    def app_project(
        context: typer.Context,
        *,
        repository: Repo = None,
        name: Named = None,
        argocd_namespace: Namespace = "argocd",
    ) -> None:
        """Print the AppProject: only this repository, these namespaces, these cluster-wide resources."""
        from envcompile.actions import argocd

        project, origin = _origin(context, repository, "HEAD", name, argocd_namespace, automated=False)
        _print(argocd.app_project(project, origin))

    @group.command("plugin", epilog="Example: envc argocd plugin > plugin.yaml")
    def plugin() -> None:
        """Print plugin.yaml: the config management plugin that compiles in the repo server."""
        from envcompile.actions import argocd

        _print(argocd.plugin_definition())

    @group.command("generate", epilog="Example: ARGOCD_ENV_ENVIRONMENT=prod envc argocd generate")
    def generate(
        context: typer.Context,
        *,
        allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Accept an environment of nothing.")] = False,
        trusted: Annotated[bool, typer.Option("--trusted", help="The repository's own `limits` count.")] = False,
    ) -> None:
        """Print the environment that an Application names: the command of the plugin.

        Whoever may push to the branch decides what is compiled, so that it is not trusted with the repo server.
        """
        import os

        from envcompile.actions import argocd
        from envcompile.cli.output import raw

        with project_of(context, untrusted=not trusted) as project:
            raw(argocd.generate(project, os.environ, allow_empty=allow_empty))

    app.add_typer(group)


def _origin(
    context: typer.Context,
    repository: str | None,
    revision: str,
    name: str | None,
    argocd_namespace: str,
    *,
    automated: bool,
) -> tuple[Any, Any]:
    from envcompile.actions.argocd import find_origin
    from envcompile.units.project import Project

    project = Project.open(context.obj.project)
    origin = find_origin(
        project,
        repository=repository,
        revision=revision,
        name=name,
        argocd_namespace=argocd_namespace,
        automated=automated,
    )
    return project, origin


def _print(value: Any) -> None:
    from envcompile.cli.output import raw
    from envcompile.yamlio import dump

    raw(dump(value))
