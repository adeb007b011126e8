"""Random edits of a repository's sources, each a function of chance: what people do to files, right or wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.check.baseline import FILE, KnownFinding
from envcompile.check.baseline import write_baseline as baseline_text
from envcompile.check.finding import fingerprint
from envcompile.model import ResourceId
from tests.harness.repository import LINK
from tests.laws import additions, documents, repositories
from tests.laws.documents import SEPARATOR, TEAMS
from tests.laws.repositories import APPS, ENVIRONMENTS, LAYERS, NAMESPACES, SECRET_APPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tests.laws.repositories import Files

    Edit = Callable[[Random, Files], str]

RULES: Final = (
    "run-as-root", "pdb-missing", "requests-missing", "config-ref-missing", "config-no-rollout", "hpa-min-max",
)  # fmt: skip
"""Rules about one resource and about several, some of which find something in nearly every repository."""
GRADES: Final = ("off", "info", "warning", "error")

NUMBER: Final = re.compile(r"\b\d+\b")
TEAM: Final = re.compile(rf"\b({'|'.join(TEAMS)})\b")
METADATA_NAME: Final = re.compile(r"(metadata:(?: \{|\n  )name: )([a-z0-9-]+)")


def manifests(files: Files) -> list[str]:
    """The files that hold resources or patches, sorted."""
    return sorted(path for path, text in files.items() if is_manifest(path) and not text.startswith(LINK))


def is_manifest(path: str) -> bool:
    """Tell whether a file of base or an overlay holds resources or patches as YAML."""
    return (
        path.startswith(("base/", "overlays/"))
        and path.endswith(".yaml")
        and not path.endswith(("/environment.yaml", "/sealed.yaml"))
    )


def overlays(files: Files, *, abstract: bool) -> list[str]:
    """The names of the overlay folders that have settings, with or without those that are only extended."""
    names = sorted(
        path.split("/")[1] for path in files if path.startswith("overlays/") and path.endswith("/environment.yaml")
    )
    return [name for name in names if abstract or name not in LAYERS]


def change_number(chance: Random, files: Files) -> str:
    """A value: some number of some file becomes another one of the same length or not."""
    return _change_word(chance, files, NUMBER, lambda _: str(chance.choice([0, 1, 2, 5, 7, 12, 80, 8080])))


def change_team(chance: Random, files: Files) -> str:
    """A label, the selector that looks for it, a parameter or a value of configuration text."""
    return _change_word(chance, files, TEAM, lambda _: chance.choice(TEAMS))


def rename_resource(chance: Random, files: Files) -> str:
    """The name of a resource in its file."""
    return _change_word(
        chance,
        files,
        METADATA_NAME,
        lambda match: match[1] + chance.choice([f"{match[2]}-2", *APPS]),
        manifests(files),
    )


def _change_word(
    chance: Random,
    files: Files,
    pattern: re.Pattern[str],
    to: Callable[[re.Match[str]], str],
    paths: list[str] | None = None,
) -> str:
    choice = [path for path in (sorted(files) if paths is None else paths) if pattern.search(files[path])]
    choice = [path for path in choice if not path.endswith("sealed.yaml")]
    if not choice:
        return ""
    path = chance.choice(choice)
    match = chance.choice(list(pattern.finditer(files[path])))
    new = to(match)
    files[path] = files[path][: match.start()] + new + files[path][match.end() :]
    return f"{path}: `{match[0]}` is `{new}`"


def write_anew(chance: Random, files: Files) -> str:
    """A file of an application with other keys and documents."""
    app = chance.choice(APPS)
    fresh = repositories.application(app, chance)
    path = chance.choice(sorted(fresh))
    files[path] = fresh[path]
    return f"{path} is written anew"


def write_overlay_anew(chance: Random, files: Files) -> str:
    """The documents of an overlay, or some of them."""
    names = overlays(files, abstract=True)
    if not names:
        return ""
    fresh = repositories.overlay(chance.choice(names), chance)
    if not fresh:
        return ""
    path = chance.choice(sorted(fresh))
    files[path] = fresh[path]
    return f"{path} is written anew"


def add_document(chance: Random, files: Files) -> str:
    """A patch, a wide Patch or a new resource behind what a file holds already."""
    names = [path for path in manifests(files) if path.startswith("overlays/")]
    if not names:
        return ""
    path = chance.choice(names)
    text = chance.choice([
        documents.overlay_patch(chance.choice(APPS), chance),
        documents.wide_patch(chance, APPS),
        documents.config_map(f"more-{chance.randrange(3)}", chance),
        documents.custom_resource(chance.choice(["Gadget", "Widget"]), chance.choice(["g", "w"]), chance),
        additions.generator(chance, folder=path.rpartition("/")[0]),
        documents.marked_config_map(f"marked-{chance.choice(ENVIRONMENTS)}", chance),
    ])
    files[path] = f"{files[path]}{SEPARATOR}{text}"
    return f"{path} has another document"


def remove_document(chance: Random, files: Files) -> str:
    """One document of a file goes; an empty file may be what is left."""
    names = manifests(files)
    if not names:
        return ""
    path = chance.choice(names)
    parts = files[path].split(SEPARATOR)
    gone = chance.randrange(len(parts))
    files[path] = SEPARATOR.join(parts[:gone] + parts[gone + 1 :])
    return f"{path} lost document {gone}"


def move_document(chance: Random, files: Files) -> str:
    """A document goes from one file into another, or into a file of its own in some folder."""
    names = manifests(files)
    if not names:
        return ""
    path = chance.choice(names)
    parts = files[path].split(SEPARATOR)
    text = parts.pop(chance.randrange(len(parts)))
    layer = path.rpartition("/")[0]
    others = [name for name in names if name != path and name.split("/")[:1] == path.split("/")[:1]]
    target = chance.choice([*others[:4], f"{layer}/moved.yaml", f"base/{chance.choice(APPS)}/moved.yaml"])
    if parts:
        files[path] = SEPARATOR.join(parts)
    else:
        del files[path]
    files[target] = f"{files[target]}{SEPARATOR}{text}" if files.get(target) else text
    return f"a document of {path} is in {target} now"


def copy_document(chance: Random, files: Files) -> str:
    """A resource twice, in two files or one: wrong on purpose."""
    names = [path for path in manifests(files) if path.startswith("base/")]
    if not names:
        return ""
    path, target = chance.choice(names), chance.choice(names)
    files[target] = f"{files[target]}{SEPARATOR}{files[path].split(SEPARATOR)[0]}"
    return f"{target} repeats what {path} has"


def rename_file(chance: Random, files: Files) -> str:
    """A file gets another name, or lies in another folder or layer."""
    names = sorted(
        path for path in files if path.startswith(("base/", "overlays/", "lib/")) and "environment.yaml" not in path
    )
    if not names:
        return ""
    path = chance.choice(names)
    folder, _, name = path.rpartition("/")
    target = chance.choice([
        f"{folder}/z-{name}",
        f"{folder}/a-{name}",
        f"{folder}/deep/{name}",
        f"base/{chance.choice(APPS)}/{name}",
    ])
    if target in files:
        return ""
    files[target] = files.pop(path)
    return f"{path} is {target} now"


def empty_file(chance: Random, files: Files) -> str:
    """A file without documents: empty, or commented out."""
    names = manifests(files)
    if not names:
        return ""
    path = chance.choice(names)
    files[path] = chance.choice(["", "# nothing\n", "".join(f"# {line}\n" for line in files[path].splitlines())])
    return f"{path} is emptied"


def remove_file(chance: Random, files: Files) -> str:
    """A file goes, be it a resource, a patch, a library, a store or settings."""
    path = chance.choice(sorted(path for path in files if path != ".gitignore"))
    del files[path]
    return f"{path} is removed"


def file_becomes_folder(chance: Random, files: Files) -> str:
    """A folder in the place of a file, with the same documents in it."""
    names = manifests(files)
    if not names:
        return ""
    path = chance.choice(names)
    text = files.pop(path)
    target = f"{chance.choice([path, path.removesuffix('.yaml')])}/inside.yaml"
    files[target] = text
    return f"{path} is the folder of {target} now"


def add_environment(chance: Random, files: Files) -> str:
    """One more environment, with settings and documents of its own."""
    missing = [name for name in ENVIRONMENTS if f"overlays/{name}/environment.yaml" not in files]
    name = chance.choice(missing or ["new"])
    files[f"overlays/{name}/environment.yaml"] = repositories.environment_settings(name, chance)
    files[f"overlays/{name}/sealed.yaml"] = repositories.sealed_values(files, chance)
    files |= {path: text for path, text in repositories.overlay(name, chance).items() if path not in files}
    return f"environment {name} is added"


def rename_environment(chance: Random, files: Files) -> str:
    """The whole folder of an overlay gets another name."""
    names = overlays(files, abstract=chance.random() < 0.2)
    if not names:
        return ""
    name, new = chance.choice(names), chance.choice(["prod", "live", "common"])
    before, after = f"overlays/{name}/", f"overlays/{new}/"
    if any(path.startswith(after) for path in files):
        return ""
    for path in [path for path in files if path.startswith(before)]:
        files[after + path.removeprefix(before)] = files.pop(path)
    return f"overlay {name} is {new} now"


def remove_environment(chance: Random, files: Files) -> str:
    """A whole overlay goes."""
    names = overlays(files, abstract=chance.random() < 0.2)
    if len(names) < 2:
        return ""
    name = chance.choice(names)
    for path in [path for path in files if path.startswith(f"overlays/{name}/")]:
        del files[path]
    return f"overlay {name} is removed"


def change_settings(chance: Random, files: Files) -> str:
    """The settings of an overlay: most of them at once."""
    names = overlays(files, abstract=True)
    if not names:
        return ""
    name = chance.choice(names)
    files[f"overlays/{name}/environment.yaml"] = repositories.environment_settings(name, chance)
    return f"overlay {name} has other settings"


def add_setting(chance: Random, files: Files) -> str:
    """One line of an overlay's settings comes, or goes."""
    names = overlays(files, abstract=True)
    if not names:
        return ""
    path = f"overlays/{chance.choice(names)}/environment.yaml"
    lines = files[path].splitlines(keepends=True)
    app = chance.choice(APPS)
    new = chance.choice([
        "forceNamespace: true\n",
        f"labels: {{x: v{chance.randrange(3)}}}\n",
        f"images: [{{name: example.com/{app}, newTag: n{chance.randrange(3)}}}]\n",
        f"replicas: {{{app}: {chance.randrange(3)}}}\n",
        f"exclude: [{{name: {app}}}]\n",
        "rollout: checksum\n",
        "syncWaves: true\n",
        "secretBackend: plaintext\n",
        'kubernetesVersion: "1.34"\n',
        f"checks: {{{chance.choice(RULES)}: {chance.choice(GRADES)}}}\n",
    ])
    key = new.partition(":")[0]
    kept = [line for line in lines if not line.startswith(f"{key}:")]
    added = len(kept) == len(lines) or chance.random() < 0.5
    files[path] = "".join([*kept, *([new] if added else [])])
    return f"{path} has `{new.strip()}`" if added else f"{path} lost `{key}`"


def change_project(chance: Random, files: Files) -> str:
    """Another envc.yaml: chart on or off, checks, merge keys, promotion order."""
    files["envc.yaml"] = repositories.project_settings(chance)
    return "envc.yaml is written anew"


def change_suppression(chance: Random, files: Files) -> str:
    """A Deployment sets another finding aside, with a reason or without, or none any more."""
    paths = sorted(path for path, text in files.items() if "\nkind: Deployment\n" in text)
    if not paths:
        return ""
    path = chance.choice(paths)
    said = chance.choice(["", *(f"{rule}: {reason}" for rule in (*RULES, "no-such-rule") for reason in ("", "so"))])
    note = f"  annotations: {{envcompile.dev/ignore: '{said}'}}\n" if said else ""
    lines = [line for line in files[path].splitlines(keepends=True) if "envcompile.dev/ignore" not in line]
    at = lines.index("kind: Deployment\n") + 1
    if lines[at : at + 1] != ["metadata:\n"] or any("annotations:" in line for line in lines[at:]):
        return ""
    files[path] = "".join([*lines[: at + 1], note, *lines[at + 1 :]])
    return f"{path} ignores `{said}`"


def write_baseline(chance: Random, files: Files) -> str:
    """A baseline that some run of the checks may have written, another one, or none any more."""
    if FILE in files and chance.random() < 0.3:
        del files[FILE]
        return f"{FILE} is removed"
    entries = []
    for environment in overlays(files, abstract=False):
        for app in APPS:
            resource = ResourceId("apps", "Deployment", environment, app)
            rule = chance.choice(RULES)
            print_ = fingerprint(rule, environment, resource, "", None)
            entries.append(KnownFinding(print_, environment, rule, str(resource), ""))
    files[FILE] = baseline_text([], entries)
    return f"{FILE} holds {len(entries)} findings"


def change_library(chance: Random, files: Files) -> str:
    """What jsonnet reads, or a nearer file of the same name."""
    fresh = repositories.libraries(chance)
    path = chance.choice(sorted(fresh))
    target = chance.choice([path, path, path, f"base/{chance.choice(APPS)}/{path.rpartition('/')[2]}"])
    files[target] = fresh[path]
    return f"{target} is written anew"


def write_addition(chance: Random, files: Files) -> str:
    """What is generated, what generators read, rules of one's own, or a policy; or it goes."""
    fresh = repositories.further(chance, APPS)
    path = chance.choice(sorted(fresh))
    if path in files and chance.random() < 0.2:
        del files[path]
        return f"{path} is removed"
    files[path] = fresh[path]
    return f"{path} is written anew"


def change_private(chance: Random, files: Files) -> str:
    """A file that git ignores: it comes, goes, or holds another value or name; with or without values for others."""
    paths = [path for path in sorted(files) if path.endswith(f"/{additions.PRIVATE}")]
    if paths and chance.random() < 0.4:
        del files[paths[0]]
        return f"{paths[0]} is removed"
    path = paths[0] if paths else f"base/{chance.choice(APPS)}/{additions.PRIVATE}"
    name = chance.choice([additions.NOBODYS, additions.NOBODYS, "web"])
    files[path] = additions.private_secret(name, chance)
    if chance.random() < 0.7:
        for store in [path for path in files if path.endswith("/sealed.yaml")]:
            files[store] = repositories.sealed_values(files, chance)
    return f"{path} has {name}"


def change_ignored(chance: Random, files: Files) -> str:
    """Git ignores a source that it had, or ignores nothing but private files any more."""
    if files[".gitignore"] != additions.IGNORED:
        files[".gitignore"] = additions.IGNORED
        return "git ignores private files alone"
    path = chance.choice(sorted(path for path in files if path.startswith(("base/", "overlays/", "lib/", "files/"))))
    files[".gitignore"] = f"{additions.IGNORED}/{path}\n"
    return f"git ignores {path}"


def file_becomes_link(chance: Random, files: Files) -> str:
    """A file lies elsewhere in the project, and a symlink leads there."""
    names = manifests(files)
    if not names:
        return ""
    path = chance.choice(names)
    target = f"files/{path.replace('/', '-')}"
    files[target] = files[path]
    files[path] = f"{LINK}{'../' * path.count('/')}{target}"
    return f"{path} leads to {target} now"


def change_pin(chance: Random, files: Files) -> str:
    """The versions of envc that may compile the repository: this one, or others alone."""
    if "envc.yaml" not in files:
        return ""
    lines = [line for line in files["envc.yaml"].splitlines(keepends=True) if not line.startswith("envc:")]
    pin = chance.choice(["", "envc: '>=0.1'\n", "envc: '<0.1'\n"])
    files["envc.yaml"] = "".join([*lines, pin])
    return f"envc.yaml has `{pin.strip()}`"


def change_definition(chance: Random, files: Files) -> str:
    """A CRD of the project or of base: another scope or list type, removed, or moved between the two."""
    path, kind = chance.choice([("crds/gadget.yaml", "Gadget"), ("base/platform/widget-crd.yaml", "Widget")])
    if path in files and chance.random() < 0.25:
        del files[path]
        return f"{path} is removed"
    files[path] = documents.definition(kind, chance)
    return f"{path} is written anew"


def seal_again(chance: Random, files: Files) -> str:
    """The sealed values of an environment are other ones, or some of them are gone."""
    stores = sorted(path for path in files if path.endswith("/sealed.yaml"))
    if not stores:
        return ""
    path = chance.choice(stores)
    apps = chance.choice([SECRET_APPS, SECRET_APPS, SECRET_APPS[:1]])
    if chance.random() < 0.3:
        files[path] = documents.sealed_store(apps, NAMESPACES, chance)
    else:
        files[path] = repositories.sealed_values(files, chance)
    return f"{path} has other values for {' and '.join(apps)}"


def break_file(chance: Random, files: Files) -> str:
    """A file that cannot be read: YAML, settings or jsonnet."""
    path = chance.choice(sorted(path for path in files if path != ".gitignore" and not files[path].startswith(LINK)))
    files[path] += chance.choice(["a: [\n", "\ta: b\n", "}{\n", "namespce: x\n"])
    return f"{path} is broken"


EDITS: Final[tuple[tuple[int, Edit], ...]] = (
    (12, change_number),
    (6, change_team),
    (2, rename_resource),
    (4, write_anew),
    (4, write_overlay_anew),
    (6, add_document),
    (3, remove_document),
    (3, move_document),
    (1, copy_document),
    (2, rename_file),
    (2, empty_file),
    (2, remove_file),
    (1, file_becomes_folder),
    (1, add_environment),
    (1, rename_environment),
    (1, remove_environment),
    (2, change_settings),
    (4, add_setting),
    (2, change_project),
    (3, change_suppression),
    (1, write_baseline),
    (3, change_library),
    (3, change_definition),
    (3, seal_again),
    (3, write_addition),
    (2, change_private),
    (1, change_ignored),
    (1, file_becomes_link),
    (1, change_pin),
    (1, break_file),
)
"""Every edit with how often it is chosen."""


def random_edit(chance: Random, files: Files) -> str:
    """Edit the files in place; what was done, in words."""
    edits = [edit for _, edit in EDITS]
    for _ in range(20):
        told = chance.choices(edits, [weight for weight, _ in EDITS])[0](chance, files)
        if told:
            _drop_what_lies_below_files(files)
            return told
    return "nothing is edited"


def _drop_what_lies_below_files(files: Files) -> None:
    """A path cannot be a file and a folder: the file stays."""
    for path in sorted(files):
        parts = path.split("/")
        if any("/".join(parts[:count]) in files for count in range(1, len(parts))):
            del files[path]
