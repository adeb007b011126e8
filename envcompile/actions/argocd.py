"""What Argo CD needs to know about a repository: Applications, an ApplicationSet, an AppProject, a plugin.

Source: argo-cd v3, docs/user-guide/directory.md, docs/operator-manual/applicationset/Generators-Matrix.md,
docs/operator-manual/config-management-plugins.md, docs/user-guide/projects.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.emit.manifests import stream
from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.git.discovery import prefix_of
from envcompile.git.refs import remote_url
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.kubernetes import KubeApi
    from envcompile.model import Resource
    from envcompile.settings import Layout
    from envcompile.units.project import Project

API_VERSION = "argoproj.io/v1alpha1"
IN_CLUSTER = "https://kubernetes.default.svc"
"""Argo CD's own cluster."""
PLUGIN = "envcompile"
_LABEL = "envcompile.dev/environment"
_MOST_NAME = 53
"""Characters of an Application's name that leave room for what Argo CD adds to it."""
_PATTERN = re.compile(r"[*?\[\\]")
"""What is not itself in Argo CD's patterns for names, which are those of Go's filepath.Match."""


class _Parts(NamedTuple):
    """How Argo CD finds the applications of an environment with one layout; texts are Go templates."""

    found_by: str
    """Which of git's generators finds them; none when an environment is a whole."""
    glob: str
    name: str
    """What the name of an Application ends with."""
    watched: str
    """What it is made from, below its path or absolute."""
    directory: Mapping[str, Any]


_FILE = "{{ .path.filename }}"
_PARTS: Mapping[Layout, _Parts] = {
    "resource": _Parts("directories", "/*", "-{{ .path.basenameNormalized }}", ".", {"recurse": True}),
    # Directories' patterns (Go's doublestar) do not reach names that begin with a dot: the index is none of them.
    "app": _Parts(
        "files",
        "/*.yaml",
        '-{{ trimSuffix ".yaml" .path.filename | normalize }}',
        f"/{{{{ .path.path }}}}/{_FILE}",
        {"include": _FILE},
    ),
    "environment": _Parts("", "", "", ".", {"recurse": True}),
}


class Origin(NamedTuple):
    """Where Argo CD finds the repository, and how things are called there."""

    repository: str
    revision: str
    name: str
    """First part of the names of all Applications, and the AppProject's name."""
    argocd_namespace: str
    prefix: str
    """The project's folder inside of the repository, with a slash at its end; empty at the top."""
    automated: bool
    """True for Applications that sync and prune by themselves."""


def find_origin(
    project: Project,
    *,
    repository: str | None,
    revision: str,
    name: str | None,
    argocd_namespace: str,
    automated: bool,
) -> Origin:
    """Complete what the command line says by what git knows.

    Raises:
        UsageError: the repository's address is neither given nor known to git.
    """
    address = repository or remote_url(project.root)
    if not address:
        fix = "name it with --repo, or add the remote `origin`"
        raise UsageError([Problem("the repository's address is not known: git has no remote `origin` here", fix)])
    return Origin(
        repository=address,
        revision=revision,
        name=name or address.rstrip("/").removesuffix(".git").replace(":", "/").rpartition("/")[2].lower(),
        argocd_namespace=argocd_namespace,
        prefix=prefix_of(project.root),
        automated=automated,
    )


def application(project: Project, origin: Origin, environment: str, *, plugin: bool = False) -> dict[str, Any]:
    """One Application for a whole environment: its folder as it stands, or compiled in the repo server.

    Raises:
        UsageError: no such environment.
        EnvcError: its sources are wrong.
    """
    (name,) = project.choose([environment])
    namespace = project.sources_of(name).settings.namespace or "default"
    source: dict[str, Any] = {"repoURL": origin.repository, "targetRevision": origin.revision}
    if plugin:
        source["path"] = origin.prefix.rstrip("/") or "."
        source["plugin"] = {"name": PLUGIN, "env": [{"name": "ENVIRONMENT", "value": name}]}
    else:
        source["path"] = f"{origin.prefix}environments/{name}"
        source["directory"] = {"recurse": True}
    watched = f"/{origin.prefix}base;/{origin.prefix}overlays;/{origin.prefix}envc.yaml" if plugin else "."
    return {
        "apiVersion": API_VERSION,
        "kind": "Application",
        "metadata": {
            "name": _short(f"{origin.name}-{name}"),
            "namespace": origin.argocd_namespace,
            "labels": {_LABEL: name},
            "annotations": {"argocd.argoproj.io/manifest-generate-paths": watched},
        },
        "spec": {
            "project": origin.name,
            "source": source,
            "destination": {**_cluster(project, name), "namespace": namespace},
            "syncPolicy": _sync_policy(origin),
        },
    }


def application_set(project: Project, origin: Origin, environments: Sequence[str] = ()) -> dict[str, Any]:
    """One ApplicationSet that makes an Application for each application of each environment.

    A matrix of two generators: the list of environments with their clusters, and what git has in the folder of each: a
    folder an application, or a file. With `layout: environment` there is one Application an environment.

    Raises:
        UsageError: no such environment.
        EnvcError: its sources are wrong.
    """
    names = project.choose(environments)
    clusters = {name: _cluster(project, name) for name in names}
    fields = [field for field in ("server", "name") if any(field in cluster for cluster in clusters.values())]
    elements = [
        {
            "env": name,
            "namespace": project.sources_of(name).settings.namespace or "default",
            **{f"cluster{field.capitalize()}": clusters[name].get(field, "") for field in fields},
        }
        for name in names
    ]
    parts = _PARTS[project.settings.layout]
    folder = f"{origin.prefix}environments/{{{{ .env }}}}"
    each: dict[str, Any] = {"list": {"elements": elements}}
    if parts.found_by:
        git = {
            "repoURL": origin.repository,
            "revision": origin.revision,
            parts.found_by: [{"path": folder + parts.glob}],
        }
        each = {"matrix": {"generators": [each, {"git": git}]}}
    path = "{{ .path.path }}" if parts.found_by else folder
    label = "{{ .env }}"
    return {
        "apiVersion": API_VERSION,
        "kind": "ApplicationSet",
        "metadata": {"name": origin.name, "namespace": origin.argocd_namespace},
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [each],
            "template": {
                "metadata": {
                    "name": f"{origin.name}-{{{{ .env }}}}{parts.name}",
                    "labels": {_LABEL: label},
                    "annotations": {"argocd.argoproj.io/manifest-generate-paths": parts.watched},
                },
                "spec": {
                    "project": origin.name,
                    "source": {
                        "repoURL": origin.repository,
                        "targetRevision": origin.revision,
                        "path": path,
                        "directory": parts.directory,
                    },
                    "destination": {
                        **{field: f"{{{{ .cluster{field.capitalize()} }}}}" for field in fields},
                        "namespace": "{{ .namespace }}",
                    },
                    "syncPolicy": _sync_policy(origin),
                },
            },
            # Else Argo CD deletes what runs together with an Application whose folder has gone.
            **({} if origin.automated else {"syncPolicy": {"preserveResourcesOnDeletion": True}}),
        },
    }


def app_project(project: Project, origin: Origin) -> dict[str, Any]:
    """The AppProject that allows what the environments hold and nothing else.

    Its destinations are the namespaces of the Applications and of the compiled resources, its cluster-wide resources
    those that occur, by name.

    Raises:
        EnvcError: an environment does not compile.
    """
    destinations: list[dict[str, str]] = []
    cluster_wide: set[tuple[str, str, str]] = set()
    for name in project.environments:
        built = project.compile_with_sources(name)
        own = built.compiled.namespace or "default"
        namespaces = {own, *(each.id.namespace for each in built.compiled.resources if each.id.namespace)}
        cluster = _cluster(project, name)
        destinations += [{**cluster, "namespace": namespace} for namespace in sorted(namespaces)]
        cluster_wide |= {
            (each.id.group, each.id.kind, each.id.name)
            for each in built.compiled.resources
            if _is_cluster_wide(built.composed.api, each)
        }
        # `CreateNamespace=true` creates the Application's namespace, which the project has to allow as well.
        cluster_wide.add(("", "Namespace", own))
    unique = [entry for position, entry in enumerate(destinations) if entry not in destinations[:position]]
    return {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": {"name": origin.name, "namespace": origin.argocd_namespace},
        "spec": {
            "description": f"Compiled by envc from {origin.repository}",
            "sourceRepos": [origin.repository],
            "destinations": unique,
            "clusterResourceWhitelist": [
                {"group": group, "kind": kind, "name": _PATTERN.sub(r"\\\g<0>", name)}
                for group, kind, name in sorted(cluster_wide)
            ],
        },
    }


def plugin_definition() -> dict[str, Any]:
    """The config management plugin: `plugin.yaml` of a sidecar that has `envc` installed.

    It discovers nothing: an Application names it, so that a directory source is never taken for it by accident.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": "ConfigManagementPlugin",
        "metadata": {"name": PLUGIN},
        "spec": {
            "generate": {"command": ["envc", "argocd", "generate"]},
            "parameters": {
                "static": [
                    {
                        "name": "environment",
                        "title": "Environment",
                        "tooltip": "The environment to compile.",
                        "required": False,
                        "collectionType": "string",
                    }
                ]
            },
        },
    }


def generate(project: Project, environ: Mapping[str, str], *, allow_empty: bool = False) -> str:
    """What the plugin prints: one environment as a stream of manifests.

    The environment is named by the plugin's env `ENVIRONMENT` (Argo CD adds the prefix `ARGOCD_ENV_`), by its
    parameter `environment`, or by the Application's path when that is `overlays/<env>` or `environments/<env>`.

    Raises:
        UsageError: no environment is named, or there is no such one.
        EnvcError: it does not compile, or to nothing: with pruning on, that would delete everything.
    """
    wanted = environ.get("ARGOCD_ENV_ENVIRONMENT") or environ.get("PARAM_ENVIRONMENT")
    if not wanted:
        parts = environ.get("ARGOCD_APP_SOURCE_PATH", "").strip("/").split("/")
        wanted = parts[-1] if len(parts) > 1 and parts[-2] in {"overlays", "environments"} else ""
    if not wanted:
        fix = "set the plugin's env ENVIRONMENT: spec.source.plugin.env of the Application"
        raise UsageError([Problem("the Application names no environment", fix)])
    if wanted not in project.environments:
        advice = did_you_mean(wanted, project.environments, f"environments are {', '.join(project.environments)}")
        raise UsageError([Problem(f"the Application names the environment `{wanted}`, which does not exist", advice)])
    compiled = project.compile(wanted)
    if not compiled.resources and not allow_empty:
        what = f"{wanted} compiles to nothing; Argo CD would delete everything that is there"
        raise UsageError([Problem(what, "add --allow-empty to the plugin's command if that is what you want")])
    return stream(compiled.resources, Renderer())


def _cluster(project: Project, environment: str) -> dict[str, str]:
    """The cluster as Argo CD knows it: by its server, else by its name, which `argocd cluster add CONTEXT` sets."""
    cluster = project.sources_of(environment).settings.cluster
    if cluster is not None and cluster.server:
        return {"server": cluster.server}
    if cluster is not None and cluster.context:
        return {"name": cluster.context}
    return {"server": IN_CLUSTER}


def _is_cluster_wide(api: KubeApi, resource: Resource) -> bool:
    """Whether a resource is in no namespace; one of an unknown kind is taken at its word."""
    namespaced = api.is_namespaced(resource.id.group, resource.id.kind)
    return not resource.id.namespace if namespaced is None else not namespaced


def _sync_policy(origin: Origin) -> dict[str, Any]:
    policy: dict[str, Any] = {"syncOptions": ["CreateNamespace=true"]}
    return {"automated": {"prune": True, "selfHeal": True}, **policy} if origin.automated else policy


def _short(name: str) -> str:
    return name[:_MOST_NAME].rstrip("-.")
