"""Random small repositories that use every feature of the language; most are right, some are wrong on purpose."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.laws import additions, documents
from tests.laws.documents import FINGERPRINT, TEAMS

Files = dict[str, str]
"""Path -> text of every source of a repository."""

APPS: Final = ("web", "api", "jobs")
SECRET_APPS: Final = ("web", "api")
NAMESPACES: Final = ("dev", "prod", "qa", "shop")
ENVIRONMENTS: Final = ("dev", "prod", "qa")
LAYERS: Final = ("common", "nonprod")
"""Folders that are only extended."""
_SETTINGS: Final = ("envc.yaml", "environment.yaml")


def random_repository(seed: int) -> Files:
    """The repository of a seed: two or three applications, two or three environments over layers they share."""
    chance = Random(seed)
    files: Files = {".gitignore": additions.IGNORED, "envc.yaml": project_settings(chance)}
    apps = APPS[: chance.randrange(2, 4)]
    for app in apps:
        files |= application(app, chance)
    files |= libraries(chance)
    files |= further(chance, apps)
    files |= {
        "crds/gadget.yaml": documents.definition("Gadget", chance),
        "base/web/gadget.yaml": documents.custom_resource("Gadget", "g", chance),
    }
    if chance.random() < 0.5:
        files |= {
            "base/platform/widget-crd.yaml": documents.definition("Widget", chance),
            "base/api/widget.yaml": documents.custom_resource("Widget", "w", chance),
        }
    environments = ENVIRONMENTS[: chance.randrange(2, 4)]
    for layer in LAYERS:
        files[f"overlays/{layer}/environment.yaml"] = environment_settings(layer, chance, apps)
        files |= overlay(layer, chance, apps, has_generator="base/web/generate.yaml" in files)
    for name in environments:
        files[f"overlays/{name}/environment.yaml"] = environment_settings(name, chance, apps)
        files |= overlay(name, chance, apps, has_generator="base/web/generate.yaml" in files)
        files[f"overlays/{name}/sealed.yaml"] = sealed_values(files, chance)
    if has_private(files):
        files = {path: _shared(text) if path.endswith(_SETTINGS) else text for path, text in files.items()}
    if chance.random() < 0.3:
        return {path: _plain(text) if path.endswith(_SETTINGS) else text for path, text in files.items()}
    return files


def has_private(files: Files) -> bool:
    """Tell whether some Secret stands in a file that git ignores."""
    return any(path.endswith(f"/{additions.PRIVATE}") for path in files)


def _plain(settings: str) -> str:
    """The settings without what looks at all of an environment: a shortcut may then think that files stand alone."""
    return _without(settings, "chart:", "rollout:", "syncWaves:", "secretBackend:")


def _shared(settings: str) -> str:
    """The settings without what a private Secret would have to be sealed anew for."""
    return _without(settings, "labels:", "annotations:", "secretBackend:", "externalSecrets:")


def _without(settings: str, *keys: str) -> str:
    return "".join(line for line in settings.splitlines(keepends=True) if not line.startswith(keys))


def application(app: str, chance: Random) -> Files:
    """The files of one application below `base/`."""
    config = documents.config_map(app, chance)
    files = {f"base/{app}/deployment.yaml": documents.deployment(app, chance), f"base/{app}/config.yaml": config}
    if chance.random() < 0.5:
        files[f"base/{app}/service.yaml"] = documents.service(app, chance)
    else:
        files[f"base/{app}/config.yaml"] += documents.SEPARATOR + documents.service(app, chance)
    if app == "web" or chance.random() < 0.3:
        files[f"base/{app}/account.yaml"] = documents.account(app, chance.choice(["", "", "build"]))
        files[f"base/{app}/binding.yaml"] = documents.binding(
            app, ["web", app, "stranger"][: chance.randrange(1, 4)], chance
        )
    if app in SECRET_APPS and chance.random() < 0.5:
        files[f"base/{app}/secret.yaml"] = documents.secret(app, chance)
    if chance.random() < 0.5:
        files[f"base/{app}/made.jsonnet"] = documents.jsonnet(app, chance)
    if chance.random() < 0.4:
        color = chance.choice(["${{ params.color }}", "c-${{ params.color }}", "${NOT_MINE}"])
        name = chance.choice([f"{app}-${{{{ params.color }}}}", f"{app}-parameters"])
        files[f"base/{app}/parameters.yaml"] = (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: '{name}'}}\ndata: {{color: '{color}'}}\n"
        )
    return files


def further(chance: Random, apps: tuple[str, ...]) -> Files:
    """What is generated, what is private, rules of one's own, other ways to write what base holds."""
    files = additions.content(chance)
    if chance.random() < 0.6:
        files["base/web/generate.yaml"] = additions.generator(chance)
    if chance.random() < 0.2:
        files["base/api/secret.yaml"] = additions.secret_generator("api")
    if chance.random() < 0.4:
        files |= additions.own_rules(chance)
    if chance.random() < 0.3:
        files["base/platform/policy.yaml"] = additions.admission_policy(chance)
    if chance.random() < 0.3:
        files[f"base/{chance.choice(apps)}/{additions.PRIVATE}"] = additions.private_secret(additions.NOBODYS, chance)
    if chance.random() < 0.3:
        files["base/platform/linked.yaml"] = "-> ../../files/linked.yaml"
        files["files/linked.yaml"] = documents.config_map("linked", chance)
    if chance.random() < 0.3:
        files["base/jobs/extra.json"] = documents.as_json(documents.service("extra", chance))
    return files


def sealed_values(files: Files, chance: Random) -> str:
    """A store of what the Secrets of a repository hold, the private one included if there is one."""
    private = (additions.NOBODYS,) if has_private(files) else ()
    return documents.sealed_store(SECRET_APPS, NAMESPACES, chance, private=private)


def libraries(chance: Random) -> Files:
    """What jsonnet reads: a library of our own, a vendored one, and files beside what is a resource."""
    note = f"note {chance.randrange(9)}\n"
    return {
        "lib/values.libsonnet": f"{{ value: importstr 'value.txt', number: {chance.randrange(9)} }}\n",
        "lib/value.txt": f"value {chance.randrange(9)}\n",
        "vendor/vendored.libsonnet": f"(import 'values.libsonnet') + {{ extra: {chance.randrange(9)} }}\n",
        "base/web/data.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "data"}, '
        f'"data": {{"n": "{chance.randrange(9)}"}}}}\n',
        **{f"base/{app}/note.txt": note for app in APPS},
    }


def project_settings(chance: Random) -> str:
    """An envc.yaml: with and without a chart, checks, promotion order, merge keys, of each layout."""
    lines = [
        "crds: [crds]\n",
        chance.choice(["chart: {name: laws}\n", "chart: {name: laws, crds: templates}\n", "", ""]),
        chance.choice(["environments: [dev, prod]\n", ""]),
        chance.choice([
            "checks: {seccomp: off, run-as-root: info}\n",
            "checks: {config-no-rollout: warning, requests-missing: off}\n",
            "",
        ]),
        chance.choice(["configMerge: replace\n", "", "", ""]),
        chance.choice([
            "mergeKeys: [{kind: Gadget, group: laws.example.com, path: spec.parts, keys: [name]}]\n",
            "",
            "",
        ]),
    ]
    lines += [
        chance.choice(["", "", "layout: app\n", "layout: environment\n"]),
        chance.choice(["", "", "", "envc: '>=0.1'\n", "envc: '>=0.1,<1000'\n"]),
        chance.choice(["", "", "", "limits: {files: 500, seconds: 60}\n"]),
    ]
    return "".join(lines)


def environment_settings(name: str, chance: Random, apps: tuple[str, ...] = APPS) -> str:
    """An environment.yaml; layers are abstract, and environments extend none, one or both of them."""
    lines = ["apiVersion: envcompile.dev/v1\nkind: Environment\n"]
    if name in LAYERS:
        lines.append("abstract: true\n")
        if name == "nonprod":
            lines.append("extends: [../common]\n")
    else:
        lines += [
            chance.choice([
                "extends: [../common]\n",
                "extends: [../nonprod]\n",
                "extends: [../common, ../nonprod]\n",
                "",
            ]),
            chance.choice([f"namespace: {name}\n", f"namespace: {name}\nforceNamespace: true\n", "namespace: shop\n"]),
            f"params: {{color: {chance.choice(TEAMS)}}}\n",
            f"sealing: {{fingerprint: '{FINGERPRINT}'}}\n",
            chance.choice([
                "",
                "",
                "secretBackend: external\nexternalSecrets: {store: vault}\n",
            ]),
        ]
    app = chance.choice(apps)
    extras = [
        f"labels: {{l: v{chance.randrange(3)}}}\n",
        f"podLabels: {{p: v{chance.randrange(3)}}}\n",
        f"selectorLabels: {{s: v{chance.randrange(3)}}}\n",
        f"annotations: {{a: v{chance.randrange(3)}}}\n",
        f"podAnnotations: {{b: v{chance.randrange(3)}}}\n",
        f"images: [{{name: example.com/{app}, newTag: t{chance.randrange(5)}}}]\n",
        f"replicas: {{{app}: {chance.randrange(1, 9)}}}\n",
        chance.choice(["rollout: none\n", "rollout: checksum\n", "rollout: suffix\n", "rollout: reloader\n"]),
        chance.choice(["syncWaves: true\n", "syncWaves: true\n", "syncWaves: false\n"]),
        chance.choice([
            f"exclude: [{{kind: ConfigMap, name: {app}*}}]\n",
            f"exclude: [{{kind: Service, name: {app}}}]\n",
        ]),
        chance.choice(["configMerge: merge\n", "configMerge: replace\n"]),
        "checks: {seccomp: warning}\n",
        'kubernetesVersion: "1.35"\n',
        f"owners: ['@shop/{chance.choice(TEAMS)}']\n",
        f"cluster: {{server: 'https://{chance.choice(TEAMS)}.example.com'}}\n",
    ]
    return "".join([*lines, *chance.sample(extras, chance.randrange(2, 6))])


def overlay(name: str, chance: Random, apps: tuple[str, ...] = APPS, *, has_generator: bool = True) -> Files:
    """The documents of one overlay: patches of each form and resources that only it has.

    Args:
        name: of its folder.
        chance: decides everything.
        apps: the applications there are.
        has_generator: whether base generates what an overlay's generator may replace.
    """
    files: Files = {}
    if name not in LAYERS or chance.random() < 0.5:
        app = chance.choice(apps)
        texts = [documents.overlay_patch(app, chance) for _ in range(chance.randrange(1, 3))]
        files[f"overlays/{name}/{app}.yaml"] = documents.SEPARATOR.join(
            texts[:1] if texts[0][:30] == texts[-1][:30] else texts
        )
    if chance.random() < 0.6:
        files[f"overlays/{name}/everywhere.yaml"] = documents.wide_patch(chance, apps)
    if chance.random() < 0.3:
        files[f"overlays/{name}/more/extra.yaml"] = documents.config_map(f"extra-{name}", chance)
    if chance.random() < 0.2:
        files[f"overlays/{name}/gadget.yaml"] = documents.custom_resource("Gadget", "g", chance)
    if chance.random() < 0.2:
        replacing = "behavior: replace\n" if has_generator else "behavior: merge\n"
        behavior = chance.choice(["", "behavior: merge\n", replacing])
        files[f"overlays/{name}/generate.yaml"] = additions.generator(
            chance, folder=f"overlays/{name}", behavior=behavior
        )
    if chance.random() < 0.2:
        files[f"overlays/{name}/marked.yaml"] = documents.marked_config_map(f"marked-{name}", chance)
    return files
