"""What goes to base, what to overlays, and what settings say: small repositories brought over."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from envcompile.adopt import from_manifests
from envcompile.errors import EnvcError
from envcompile.units.project import Project

if TYPE_CHECKING:
    from envcompile.adopt import Adoption
    from tests.adopt.conftest import Write


def adopted(write: Write, files: dict[str, str]) -> Adoption:
    """Bring files over into `new/`; the proof must hold."""
    adoption = from_manifests(write({name: dedent(text) for name, text in files.items()}), Path("new"))
    assert [str(difference) for difference in adoption.proof.differences] == []
    return adoption


def texts() -> dict[str, str]:
    """The new repository's files without what is the same in all: schemas, envc.yaml, first lines for editors."""
    found = {}
    for path in sorted(Path("new").rglob("*.yaml")):
        name = path.relative_to("new").as_posix()
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        found[name] = "".join(line for line in lines if not line.startswith("# yaml-language-server"))
    found.pop("envc.yaml")
    return found


DEPLOYMENT = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      namespace: {namespace}
      labels:
        app: web
        env: {env}
    spec:
      replicas: {replicas}
      selector:
        matchLabels:
          app: web
      template:
        metadata:
          labels:
            app: web
        spec:
          containers:
          - name: web
            image: registry.example.com/web:{tag}
            env:
            - name: LOG
              value: {log}
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: web
      namespace: {namespace}
      labels:
        app: web
        env: {env}
    spec:
      ports:
      - port: 80
"""


def test_two_environments_give_a_small_overlay_each(write: Write) -> None:
    """Namespace, labels, tags and replicas become settings; what else differs is one patch; the rest is base."""
    adoption = adopted(
        write,
        {
            "dev.yaml": DEPLOYMENT.format(namespace="shop-dev", env="dev", replicas=1, tag="v2", log="debug"),
            "prod.yaml": DEPLOYMENT.format(namespace="shop", env="prod", replicas=3, tag="v1", log="warn"),
        },
    )
    assert texts() == {
        "base/web/deployment-web.yaml": dedent("""\
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
              labels:
                app: web
            spec:
              selector:
                matchLabels:
                  app: web
              template:
                metadata:
                  labels:
                    app: web
                spec:
                  containers:
                  - name: web
                    image: registry.example.com/web
                    env:
                    - name: LOG
        """),
        "base/web/service-web.yaml": dedent("""\
            apiVersion: v1
            kind: Service
            metadata:
              name: web
              labels:
                app: web
            spec:
              ports:
              - port: 80
        """),
        "overlays/dev/environment.yaml": dedent("""\
            apiVersion: envcompile.dev/v1
            kind: Environment
            namespace: shop-dev
            labels:
              env: dev
            images:
            - name: registry.example.com/web
              newTag: v2
            replicas:
              web: 1
        """),
        "overlays/dev/web/deployment-web.yaml": dedent("""\
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
            spec:
              template:
                spec:
                  containers:
                  - name: web
                    env:
                    - name: LOG
                      value: debug
        """),
        "overlays/prod/environment.yaml": dedent("""\
            apiVersion: envcompile.dev/v1
            kind: Environment
            namespace: shop
            labels:
              env: prod
            images:
            - name: registry.example.com/web
              newTag: v1
            replicas:
              web: 3
        """),
        "overlays/prod/web/deployment-web.yaml": dedent("""\
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
            spec:
              template:
                spec:
                  containers:
                  - name: web
                    env:
                    - name: LOG
                      value: warn
        """),
    }
    assert [environment[:2] + environment[2:] for environment in adoption.environments] == [
        ("dev", "dev", 2, 1, 0, 0, 0),
        ("prod", "prod", 2, 1, 0, 0, 0),
    ]


def config(name: str, data: str, namespace: str = "", annotations: str = "") -> str:
    """A ConfigMap with a plain entry."""
    place = f"\n  namespace: {namespace}" if namespace else ""
    notes = f"\n  annotations: {annotations}" if annotations else ""
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}{place}{notes}\ndata: {data}\n"


def test_most_environments_decide_about_the_base(write: Write) -> None:
    """Of three environments, only the one that differs has an overlay."""
    adopted(
        write,
        {f"{name}.yaml": config("web", "{log: info}") for name in ("a", "b")}
        | {"c.yaml": config("web", "{log: warn}")},
    )
    assert [name for name in texts() if not name.endswith("environment.yaml")] == [
        "base/platform/configmap-web.yaml",
        "overlays/c/platform/configmap-web.yaml",
    ]


def test_an_object_of_some_environments_is_left_out_by_the_others(write: Write) -> None:
    """`exclude` says what an environment does not have; what only one has lies in its overlay."""
    both, more = config("web", "{log: info}"), config("cache", "{size: '1'}")
    adopted(
        write,
        {
            "dev.yaml": both,
            "staging.yaml": f"{both}---\n{more}",
            "prod.yaml": f"{both}---\n{more}---\n{config('audit', '{}')}",
        },
    )
    found = texts()
    assert "base/platform/configmap-cache.yaml" in found
    assert "overlays/prod/platform/configmap-audit.yaml" in found
    assert found["overlays/dev/environment.yaml"] == (
        "apiVersion: envcompile.dev/v1\nkind: Environment\nexclude:\n- kind: ConfigMap\n  name: cache\n"
    )


def test_embedded_files_keep_only_their_changed_keys(write: Write) -> None:
    """An overlay's app.properties holds what differs; a text that cannot be derived is replaced whole."""
    text = '{app.properties: "# pool\\npool.size=%s\\npool.name=main\\nlog=info\\n", note.ini: %s}'
    adopted(
        write,
        {
            "dev.yaml": config("web", text % (5, '"[a]\\nx=1\\n"')),
            "prod.yaml": config("web", text % (50, '"; other\\n[a]\\nx = 2\\n"')),
        },
    )
    found = texts()
    assert "pool.name=main" in found["base/platform/configmap-web.yaml"]
    assert found["overlays/prod/platform/configmap-web.yaml"].count("pool.") == 1


def test_secrets_stay_as_they_are_and_the_environments_say_so(write: Write) -> None:
    """Imported Secrets are in plain text, which `secretBackend: plaintext` allows; others seal."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\ndata: {token: c2VjcmV0}\n"
    adoption = adopted(write, {"dev.yaml": secret, "prod.yaml": f"{secret}---\n{config('web', '{}')}"})
    assert [environment.secrets for environment in adoption.environments] == [1, 1]
    assert "secretBackend: plaintext\n" in texts()["overlays/prod/environment.yaml"]
    assert "c2VjcmV0" not in repr(adoption)


def test_texts_that_look_like_parameters_come_out_as_they_are(write: Write) -> None:
    """Workflows of CI systems use the spelling of our parameters."""
    adopted(
        write, {"prod.yaml": config("${{ params.a }}", "{'${{params.b}}': '${{ params.host }} and ${{ matrix.x }}'}")}
    )
    found = texts()
    assert "${{ params.dollar }}{{ params.host }} and ${{ matrix.x }}" in next(iter(found.values()))
    assert found["overlays/prod/environment.yaml"].endswith("params:\n  dollar: $\n") or (
        'dollar: "$"' in found["overlays/prod/environment.yaml"]
    )


def test_objects_in_several_namespaces_keep_the_others(write: Write) -> None:
    """The most frequent namespace is the environment's own; others are named."""
    files = {
        f"{env}.yaml": "---\n".join([
            config("a", "{x: '1'}", f"shop-{env}"),
            config("b", "{x: '1'}", f"shop-{env}"),
            config("a", "{x: '2'}", "monitoring"),
        ])
        for env in ("dev", "prod")
    }
    adopted(write, files)
    found = texts()
    assert "namespace" not in found["base/platform/configmap-a.yaml"]
    assert "namespace: monitoring" in found["base/platform/configmap-a.monitoring.yaml"]


def test_objects_without_a_namespace_beside_others_keep_it_so(write: Write) -> None:
    """Then environments cannot have a namespace of their own: a parameter stands for it in the base."""
    files = {f"{env}.yaml": f"{config('a', '{}', f'shop-{env}')}---\n{config('b', '{}')}" for env in ("dev", "prod")}
    adopted(write, files)
    found = texts()
    assert 'namespace: "${{ params.namespace }}"' in found["base/platform/configmap-a.yaml"]
    assert "namespace" not in found["base/platform/configmap-b.yaml"]
    assert "params:\n  namespace: shop-dev\n" in found["overlays/dev/environment.yaml"]


def test_nulls_and_orders_are_kept(write: Write) -> None:
    """What a strategic merge patch cannot say, a JSON patch does."""
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: %s\n  ports: [%s]\n"
    adopted(
        write,
        {
            "dev.yaml": service % ("{app: web}", "{port: 80}, {port: 81}"),
            "prod.yaml": service % ("null", "{port: 81}, {port: 80}"),
        },
    )
    assert texts()["overlays/prod/web/service-web.yaml"].startswith("apiVersion: envcompile.dev/v1\nkind: Patch\n")


def test_a_custom_kind_of_one_environment_is_marked_as_new(write: Write) -> None:
    """The build cannot check its kind, so the overlay says that it is meant; empty annotations survive that."""
    widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: %s%s}\nspec: {size: 1}\n"
    shared = config("web", "{}")
    adopted(
        write,
        {
            "dev.yaml": shared,
            "prod.yaml": f"{shared}---\n{widget % ('a', '')}---\n{widget % ('b', ', annotations: {}')}",
        },
    )
    assert 'envcompile.dev/new: "true"' in texts()["overlays/prod/platform/widget-a.yaml"]


def test_generated_names_are_kept(write: Write) -> None:
    """Jobs that the API server names are told apart by what they are."""
    job = (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-, namespace: %s}\nspec: {template: {spec: %s}}\n"
    )
    web = config("web", "{}", "%s")
    adopted(
        write,
        {
            f"{env}.yaml": f"{web % env}---\n{job % (env, '{containers: []}')}---\n{job % (env, extra)}"
            for env, extra in (("dev", "{hostNetwork: true}"), ("prod", "{hostIPC: true}"))
        },
    )


def test_a_definition_that_others_need_is_in_the_base(write: Write) -> None:
    """All environments read custom resources with the same schema, whoever installs it."""
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tenants.example.com}\n"
        "spec:\n  group: example.com\n  names: {kind: Tenant, plural: tenants}\n  scope: Cluster\n"
        "  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"
    )
    tenant = "apiVersion: example.com/v1\nkind: Tenant\nmetadata: {name: a}\n"
    web = config("web", "{}", "shop")
    adopted(write, {"dev.yaml": f"{web}---\n{tenant}---\n{crd}", "prod.yaml": f"{web}---\n{tenant}"})
    found = texts()
    assert "base/crds/customresourcedefinition-tenants.example.com.yaml" in found
    assert "namespace: shop\n" in found["overlays/prod/environment.yaml"]
    assert "kind: CustomResourceDefinition" in found["overlays/prod/environment.yaml"]


def test_names_with_glob_characters_are_left_out_exactly(write: Write) -> None:
    """`exclude` entries are globs: a name that holds one excludes itself and nothing else."""
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: '%s'}\nrules: []\n"
    one, two = role % "a[b]", role % "ab"
    adopted(write, {"a.yaml": f"{one}---\n{two}", "b.yaml": f"{one}---\n{two}", "c.yaml": two})


def test_applications_come_from_labels_and_names(write: Write) -> None:
    """A file lies in the folder of its application; what belongs to none is grouped by kind."""
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: %s}\nrules: []\n"
    labelled = "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {app: Shop Web}}\nspec: {}\n"
    adopted(
        write,
        {
            "prod.yaml": "---\n".join([labelled, role % "Shop-Web-reader", role % "other:reader", config("x", "{}")]),
        },
    )
    assert [name for name in texts() if name.startswith("base/")] == [
        "base/Shop-Web/role-Shop-Web-reader.yaml",
        "base/Shop-Web/service-web.yaml",
        "base/platform/configmap-x.yaml",
        "base/rbac/role-other%3Areader.yaml",
    ]


def test_the_build_of_the_written_files_is_the_source(write: Write) -> None:
    """The proof speaks of the files on disk: another build of them says the same."""
    adopted(
        write,
        {
            "dev.yaml": DEPLOYMENT.format(namespace="shop-dev", env="dev", replicas=1, tag="v2", log="debug"),
            "prod.yaml": DEPLOYMENT.format(namespace="shop", env="prod", replicas=3, tag="v1", log="warn"),
        },
    )
    values = [resource.value for resource in Project.open("new").compile("prod").resources]
    deployment = next(value for value in values if value["kind"] == "Deployment")
    assert deployment["metadata"] == {"name": "web", "namespace": "shop", "labels": {"app": "web", "env": "prod"}}
    assert deployment["spec"]["replicas"] == 3


def test_a_target_with_sources_is_refused_before_anything_is_read(write: Write) -> None:
    """Files of base/ and overlays/ that are there already would be part of the build."""
    write({"prod.yaml": config("web", "{}")})
    Path("base").mkdir()
    Path("base/kustomization.yaml").write_text("resources: []\n", encoding="utf-8")
    with pytest.raises(EnvcError) as caught:
        from_manifests(Path("old"), Path())
    assert str(caught.value) == (
        "error: `.` is not empty where the new repository belongs: base/kustomization.yaml\n"
        "hint: name another folder, `envc init NEWDIR …`, and move its contents when you are content with them"
    )


def test_what_cannot_be_brought_over_is_named_and_nothing_is_written(write: Write) -> None:
    """Annotations that speak to envc are not data: the proof finds that the build drops them."""
    source = write({"prod.yaml": config("web", "{}", annotations="{envcompile.dev/new: 'true', a: b}")})
    adoption = from_manifests(source, Path("new"))
    assert not adoption.is_equal
    assert [str(difference) for difference in adoption.proof.differences] == [
        "prod: ConfigMap/web differs in `metadata.annotations.envcompile.dev/new`"
    ]
    assert adoption.files == ()
    assert not Path("new").exists()


def test_what_no_build_accepts_is_told_at_its_source(write: Write) -> None:
    """A mistake of the source is reported where the user finds it, not in files that were never written."""
    fine = config("web", "{}")
    wrong = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: api\n  labels: none\n"
    source = write({"dev.yaml": fine, "prod.yaml": f"{fine}---\n{wrong}"})
    with pytest.raises(EnvcError) as caught:
        from_manifests(source, Path("new"))
    assert [str(place) for problem in caught.value.problems for place in problem.where] == ["old/prod.yaml:7:1"]
    assert not Path("new").exists()
