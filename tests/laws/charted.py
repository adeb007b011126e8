"""Random projects with a chart, and random edits of which most say another value and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.harness.repository import LINK
from tests.laws import documents, edits
from tests.laws.documents import FINGERPRINT, SEPARATOR, TEAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from tests.laws.repositories import Files

APPS: Final = ("api", "web", "web-admin", "jobs", "mail", "search", "billing")
ENVIRONMENTS: Final = ("dev", "test", "prod")
LAYER: Final = "common"
PARTED: Final = "api"
"""The service that environments add parts to."""
_SECRETS: Final = ("api", "web", "mail")
_TEXTS: Final = (
    *('"true"', "'{{ .x }}'", '"ü€"', "''", '"0123"', '"1e3"', "plain words", "'a: b # c'", '"$HOME"', "'${{'"),
    *('"line\\nline\\n"', f'"{"long " * 60}"', '"\\t"', "nginx:1.27", '"null"', "' x '"),
)
_ENTRY: Final = re.compile(r"(value|plain|extra|level|key|COLOR|LOG): (\"[^\"\n]*\"|'[^'\n]*'|[^,}\n\s]+)")
_REPLICAS: Final = re.compile(r"replicas: \d+")
_IMAGE: Final = re.compile(r"image: (\S+?):[^\s}]+")


def charted_project(chance: Random, *, is_plain: bool) -> Files:
    """A project of some services in two or three environments, with all that decides what a chart contains.

    Args:
        chance: decides everything.
        is_plain: leave out the settings with which no chart is revised.
    """
    apps = APPS[: chance.randrange(4, len(APPS) + 1)]
    environments = ENVIRONMENTS[-chance.randrange(2, 4) :]
    backend = chance.choice(["plaintext", "plaintext", "sealed", "mixed", "mixed" if is_plain else "external"])
    rollout = chance.choice(["none", "reloader"] if is_plain else ["", "none", "checksum", "suffix", "reloader"])
    files: Files = {".gitignore": ".envc/\n", "envc.yaml": project_settings(chance, environments, is_plain=is_plain)}
    for app in apps:
        files |= service(app, chance, backend, is_plain=is_plain)
    files["crds/gadget.yaml"] = definition(chance) if is_plain else documents.definition("Gadget", chance)
    files["base/web/binding.yaml"] = binding(environments[0])
    files["base/web/gadget.yaml"] = documents.custom_resource("Gadget", "g", chance)
    if chance.random() < 0.4:
        files["base/platform/widget-crd.yaml"] = documents.definition("Widget", chance)
        files["base/api/widget.yaml"] = documents.custom_resource("Widget", "w", chance)
    files[f"overlays/{LAYER}/environment.yaml"] = (
        "apiVersion: envcompile.dev/v1\nkind: Environment\nabstract: true\n"
        + _common(chance, apps, may_annotate=not is_plain or backend == "sealed")
    )
    if chance.random() < 0.6:
        files[f"overlays/{LAYER}/web.yaml"] = documents.overlay_patch("web", chance)
    for name in environments:
        files[f"overlays/{name}/environment.yaml"] = _settings(name, chance, apps, backend, rollout, is_plain=is_plain)
        files |= overlay(name, chance, apps)
        files[f"overlays/{name}/grown.yaml"] = grown(chance)
        files[f"overlays/{name}/sealed.yaml"] = documents.sealed_store(_SECRETS, environments, chance)
    return files


def project_settings(chance: Random, environments: tuple[str, ...], *, is_plain: bool) -> str:
    """An envc.yaml that asks for a chart of random options."""
    options = [
        "nameOverride: false" if is_plain or chance.random() < 0.5 else "nameOverride: true",
        chance.choice(["", "", "crds: crds", "crds: templates", "crds: skip"]),
        chance.choice(["", "", "testImage: 'busybox:1.36'"]),
        chance.choice(["", "", f"defaults: {environments[0]}"]),
        chance.choice(["", f"version: 1.{chance.randrange(9)}.0"]),
        chance.choice(["", "description: 'A shop: of all'", "annotations: {a: b}"]),
    ]
    chart = ", ".join(option for option in ("name: laws", *options) if option)
    merge = chance.choice(["", "", "configMerge: replace\n"])
    return f"chart: {{{chart}}}\ncrds: [crds]\nenvironments: [{', '.join(environments)}]\n{merge}"


def definition(chance: Random) -> str:
    """A CRD whose list merges item by item, so that no patch of it is warned of."""
    found = documents.definition("Gadget", chance)
    while "list-map-keys" not in found or "scope: Cluster" in found:
        found = documents.definition("Gadget", chance)
    return found


def _common(chance: Random, apps: tuple[str, ...], *, may_annotate: bool) -> str:
    """What all environments that extend the layer say; of annotated Secrets in clear nothing is remembered."""
    return "".join(
        chance.sample(
            [
                f"labels: {{l: v{chance.randrange(3)}}}\n",
                f"podLabels: {{p: v{chance.randrange(3)}}}\n",
                f"annotations: {{a: v{chance.randrange(3)}}}\n" if may_annotate else "",
                f"images: [{{name: example.com/{chance.choice(apps)}, newTag: t{chance.randrange(5)}}}]\n",
                f"replicas: {{{chance.choice(apps)}: {chance.randrange(1, 9)}}}\n",
            ],
            chance.randrange(3),
        )
    )


def _settings(name: str, chance: Random, apps: tuple[str, ...], backend: str, rollout: str, *, is_plain: bool) -> str:
    own = chance.choice(["plaintext", "sealed"]) if backend == "mixed" else backend
    lines = [
        "apiVersion: envcompile.dev/v1\nkind: Environment\n",
        chance.choice(["", "", f"extends: [../{LAYER}]\n"]),
        f"namespace: {chance.choice([name, name, 'prod'])}\n",
        f"sealing: {{fingerprint: '{FINGERPRINT}'}}\n" if own == "sealed" else "",
        f"secretBackend: {own}\n" if own != "sealed" else "",
        "externalSecrets: {store: vault}\n" if own == "external" else "",
        f"rollout: {rollout}\n" if rollout else "",
        chance.choice(["", "", "" if is_plain else "syncWaves: true\n"]),
    ]
    extras = [
        f"images: [{{name: example.com/{chance.choice(apps)}, newTag: t{chance.randrange(5)}}}]\n",
        f"replicas: {{{chance.choice(apps)}: {chance.randrange(1, 9)}}}\n",
        f"podAnnotations: {{b: v{chance.randrange(3)}}}\n",
        f"exclude: [{{kind: Service, name: {chance.choice(apps)}}}]\n",
        f"params: {{color: {chance.choice(TEAMS)}}}\n",
    ]
    return "".join([*lines, *chance.sample(extras, chance.randrange(3))])


def service(app: str, chance: Random, backend: str, *, is_plain: bool) -> Files:
    """The files of one service below `base/`: what it runs, its configuration, a port, a Secret.

    Args:
        app: its name.
        chance: decides everything.
        backend: how environments show Secrets.
        is_plain: it reads its own configuration, and no other's.
    """
    files = {f"base/{app}/deployment.yaml": documents.deployment(app, chance)}
    if is_plain:
        text = re.sub(
            r"(configMapRef|secretKeyRef): \{name: [\w-]+", rf"\1: {{name: {app}", files[f"base/{app}/deployment.yaml"]
        )
        files[f"base/{app}/deployment.yaml"] = re.sub(r"  annotations: \{envcompile.dev/depends-on.*\n", "", text)
    if is_plain or chance.random() < 0.8:
        files[f"base/{app}/config.yaml"] = configuration(app, chance)
    if chance.random() < 0.6:
        files[f"base/{app}/service.yaml"] = documents.service(app, chance)
    if chance.random() < 0.2:
        files[f"base/{app}/made.jsonnet"] = (
            f"{{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {{ name: '{app}-made' }}, "
            f"data: {{ v: '{chance.randrange(9)}' }} }}\n"
        )
    if app in _SECRETS:
        files[f"base/{app}/secret.yaml"] = secret(app, chance, backend)
    if chance.random() < 0.3:  # several documents in one file
        joined = (files.pop(f"base/{app}/config.yaml", ""), documents.service(f"{app}-two", chance))
        files[f"base/{app}/deployment.yaml"] += "".join(SEPARATOR + text for text in joined if text)
    return files


def configuration(app: str, chance: Random) -> str:
    """A ConfigMap with texts of several formats, sometimes with one so long that the chart has it as a file."""
    long = "".join(f"    key.{at}={chance.randrange(50) if chance.random() < 0.1 else at}\n" for at in range(70))
    more = chance.choice(["", "", f"  long.txt: |\n{long}", f"  long.properties: |\n{long}", '  empty: ""\n'])
    return documents.config_map(app, chance, more=more)


def secret(app: str, chance: Random, backend: str) -> str:
    """A Secret: in clear where every environment shows it, else of a reference that a store of sealed values knows."""
    if backend != "plaintext":
        return (
            f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {app}}}\ntype: Opaque\n"
            f"stringData:\n  token: ref+vault://secret/data/{app}#/token\n"
        )
    binary = chance.choice(["", "data: {cert: YWJjZA==}\n"])
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {app}}}\ntype: Opaque\n"
        f"stringData:\n  key: in-clear-{chance.randrange(1000)}\n  level: '{chance.randrange(9)}'\n{binary}"
    )


def part(app: str, chance: Random) -> str:
    """A patch of what not every environment has: variables, containers, probes, places, labels that others share."""
    blocks = [
        f"      nodeSelector: {{disk: {chance.choice(['ssd', 'hdd'])}}}\n",
        f"      tolerations: [{{key: a, operator: Exists, tolerationSeconds: {chance.randrange(9)}}}]\n",
        f"      terminationGracePeriodSeconds: {chance.randrange(60)}\n",
        f"      initContainers: [{{name: first, image: 'busybox:{chance.randrange(3)}'}}]\n",
        (
            "      topologySpreadConstraints:\n"
            "      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, "
            f"labelSelector: {{matchLabels: {{l: v{chance.randrange(3)}, app: {app}}}}}}}\n"
        ),
        f"      volumes: [{{name: v{chance.randrange(2)}, emptyDir: {{}}}}]\n",
    ]
    variables = [f'        - {{name: MORE_{at}, value: "{chance.randrange(3)}"}}\n' for at in range(4)]
    own = [
        "        env:\n" + "".join(chance.sample(variables, chance.randrange(1, 4))),
        f"        resources: {{requests: {{cpu: {chance.randrange(1, 9)}00m}}}}\n",
        "        livenessProbe: {httpGet: {path: /, port: 80}}\n",
    ]
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {app}}}\nspec:\n  template:\n    spec:\n"
        + "".join(chance.sample(blocks, chance.randrange(3)))
        + f"      containers:\n      - name: {app}\n"
        + "".join(chance.sample(own, chance.randrange(3)))
    )


def binding(namespace: str) -> str:
    """A RoleBinding of an account in a namespace, which may be one that many resources share."""
    return (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: web}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
        f"subjects: [{{kind: ServiceAccount, name: web, namespace: {namespace}}}]\n"
    )


def grown(chance: Random) -> str:
    """A text that decides which environment is the largest: of that one the size of a release is told."""
    text = chance.randbytes(chance.choice([8, 200, 700, 1500])).hex()
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata: {{grown: '{text}'}}\n"


def overlay(name: str, chance: Random, apps: tuple[str, ...]) -> Files:
    """Patches of each form for one environment, and resources that only it has."""
    files: Files = {f"overlays/{name}/part.yaml": part(PARTED, chance)} if chance.random() < 0.7 else {}
    if chance.random() < 0.7:
        files[f"overlays/{name}/binding.yaml"] = binding(chance.choice([name, name, *ENVIRONMENTS]))
    for app in chance.sample([app for app in apps if app != PARTED], chance.randrange(1, 4)):
        files[f"overlays/{name}/{app}.yaml"] = documents.overlay_patch(app, chance)
    if chance.random() < 0.3:
        files[f"overlays/{name}/everywhere.yaml"] = documents.wide_patch(chance, apps)
    if chance.random() < 0.3:
        files[f"overlays/{name}/extra.yaml"] = configuration("extra", chance)
    if chance.random() < 0.3:
        files[f"overlays/{name}/gadget.yaml"] = documents.custom_resource("Gadget", "g", chance)
    return files


# ------------------------------------------------------------------ edits


def _manifests(files: Files) -> list[str]:
    return edits.manifests(files)


def _substituted(chance: Random, files: Files, pattern: re.Pattern[str], to: Callable[[re.Match[str]], str]) -> str:
    """Some match in some manifest becomes another text."""
    choice = [path for path in _manifests(files) if pattern.search(files[path])]
    if not choice:
        return ""
    path = chance.choice(choice)
    match = chance.choice(list(pattern.finditer(files[path])))
    new = to(match)
    files[path] = files[path][: match.start()] + new + files[path][match.end() :]
    return f"{path}: `{match[0][:40]}` is `{new[:40]}`"


def change_number(chance: Random, files: Files) -> str:
    """A number in a manifest: a value, a port, a text's, a limit."""
    return _substituted(chance, files, edits.NUMBER, lambda _: str(chance.choice([0, 1, 2, 3, 7, 12, 80, 8080])))


def change_image(chance: Random, files: Files) -> str:
    """An image, of base or of one environment."""
    return _substituted(
        chance, files, _IMAGE, lambda match: f"image: {match[1]}:{chance.choice(['1', '2', '1.25.3-alpine', '7'])}"
    )


def change_replicas(chance: Random, files: Files) -> str:
    """How many pods a workload has."""
    return _substituted(chance, files, _REPLICAS, lambda _: f"replicas: {chance.randrange(5)}")


def change_text(chance: Random, files: Files) -> str:
    """A text of a variable, a ConfigMap or a Secret becomes one that is hard to quote, long, or empty."""
    return _substituted(chance, files, _ENTRY, lambda match: f"{match[1]}: {chance.choice(_TEXTS)}")


def change_configuration(chance: Random, files: Files) -> str:
    """The keys and texts of a ConfigMap are other ones."""
    choice = [path for path in _manifests(files) if path.endswith("/config.yaml")]
    if not choice:
        return ""
    path = chance.choice(choice)
    files[path] = configuration(path.split("/")[1], chance)
    return f"{path} has other texts"


def add_comment(chance: Random, files: Files) -> str:
    """A comment, in front or behind."""
    choice = _manifests(files)
    if not choice:
        return ""
    path = chance.choice(choice)
    note = f"# note {chance.randrange(100)}\n"
    files[path] = files[path] + note if chance.random() < 0.7 else note + files[path]
    return f"{path} has a comment"


def as_another(chance: Random, files: Files) -> str:
    """What one environment says of a service another one says, too."""
    choice = [path for path in _manifests(files) if path.startswith("overlays/")]
    pairs = [
        (one, other)
        for one in choice
        for other in choice
        if one != other and one.split("/")[2:] == other.split("/")[2:] and files[one] != files[other]
    ]
    if not pairs:
        return ""
    one, other = chance.choice(pairs)
    files[one] = files[other]
    return f"{one} says what {other} does"


def as_value_of_another(chance: Random, files: Files) -> str:
    """A number of one file becomes one that another file has."""
    choice = [path for path in _manifests(files) if edits.NUMBER.search(files[path])]
    if not choice:
        return ""
    other = chance.choice(choice)
    number = chance.choice(edits.NUMBER.findall(files[other]))
    told = _substituted(chance, files, edits.NUMBER, lambda _: number)
    return f"{told}, as in {other}"


def change_patch(chance: Random, files: Files) -> str:
    """A patch of an environment is one of another form."""
    choice = [path for path in _manifests(files) if path.startswith("overlays/") and path.count("/") == 2]
    choice = [path for path in choice if path.split("/")[2].removesuffix(".yaml") in APPS]
    if not choice:
        return ""
    path = chance.choice(choice)
    files[path] = documents.overlay_patch(path.split("/")[2].removesuffix(".yaml"), chance)
    return f"{path} is another patch"


def change_part(chance: Random, files: Files) -> str:
    """An environment adds other parts to a service."""
    choice = [path for path in _manifests(files) if path.endswith("/part.yaml")]
    if not choice:
        return ""
    path = chance.choice(choice)
    files[path] = part(PARTED, chance)
    return f"{path} adds other parts"


def outgrow(chance: Random, files: Files) -> str:
    """An environment grows or shrinks, so that another one may be the largest."""
    choice = [path for path in _manifests(files) if path.endswith("/grown.yaml")]
    if not choice:
        return ""
    path = chance.choice(choice)
    files[path] = grown(chance)
    return f"{path} has {len(files[path])} characters"


def change_binding(chance: Random, files: Files) -> str:
    """A binding names another namespace: one that its environment has, or that others have."""
    choice = [path for path in _manifests(files) if path.endswith("/binding.yaml")]
    if not choice:
        return ""
    path = chance.choice(choice)
    files[path] = binding(chance.choice([*ENVIRONMENTS, path.split("/")[1]]))
    return f"{path} names another namespace"


def change_resource(chance: Random, files: Files) -> str:
    """A custom resource, or a port, is written anew."""
    if chance.random() < 0.5 and "base/web/gadget.yaml" in files:
        files["base/web/gadget.yaml"] = documents.custom_resource("Gadget", "g", chance)
        return "base/web/gadget.yaml is written anew"
    choice = [path for path in _manifests(files) if path.endswith("/service.yaml")]
    if not choice:
        return ""
    path = chance.choice(choice)
    files[path] = documents.service(path.split("/")[1], chance)
    return f"{path} is written anew"


def change_team(chance: Random, files: Files) -> str:
    """A label, or a text that is like one: what is shared may be so no longer."""
    return _substituted(chance, files, edits.TEAM, lambda _: chance.choice(TEAMS))


def change_chart(chance: Random, files: Files) -> str:
    """The chart has other options."""
    environments = tuple(re.findall(r"\w+", files["envc.yaml"].split("environments:")[-1].split("\n")[0]))
    is_plain = "nameOverride: true" not in files["envc.yaml"] and chance.random() < 0.8
    files["envc.yaml"] = project_settings(chance, environments, is_plain=is_plain)
    return "the chart has other options"


def change_anything(chance: Random, files: Files) -> str:
    """Whatever else people do, but for symlinks: with one in the project nothing is revised until it is gone."""
    told = edits.random_edit(chance, after := dict(files))
    if any(text.startswith(LINK) for text in after.values()):
        return ""
    files.clear()
    files.update(after)
    return told


VALUES: Final[tuple[tuple[int, Callable[[Random, Files], str]], ...]] = (
    (10, change_number),
    (6, change_image),
    (4, change_replicas),
    (8, change_text),
    (4, change_configuration),
    (3, add_comment),
    (3, as_another),
    (4, as_value_of_another),
    (4, change_patch),
    (3, change_resource),
    (6, change_part),
    (5, change_binding),
    (5, outgrow),
)
"""Edits after which most charts are revised, with how often each is chosen."""
OTHERS: Final[tuple[tuple[int, Callable[[Random, Files], str]], ...]] = (
    (4, change_team),
    (2, change_chart),
    (3, change_anything),
)


def edit(chance: Random, files: Files, before: Mapping[str, str]) -> str:
    """Edit the files in place; what was done, in words.

    Args:
        chance: decides what.
        files: the sources.
        before: an earlier state of them, some of which may come back.
    """
    if chance.random() < 0.15:
        again = [path for path in _manifests(files) if before.get(path, files[path]) != files[path]]
        if again:
            path = chance.choice(again)
            files[path] = before[path]
            return f"{path} is what it was"
    kinds = VALUES if chance.random() < 0.85 else OTHERS
    for _ in range(20):
        told = chance.choices([one for _, one in kinds], [weight for weight, _ in kinds])[0](chance, files)
        if told:
            return told
    return "nothing is edited"
