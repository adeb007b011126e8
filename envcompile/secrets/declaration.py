"""What a composed `kind: Secret` declares: its keys, where each value comes from, and what is wrong with it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from envcompile.errors import Problems, did_you_mean
from envcompile.model import HARMLESS_ANNOTATION
from envcompile.secrets.ciphertext import SCOPE_ANNOTATION
from envcompile.secrets.declared import Declaration, Place, SecretEntry
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.plaintext_findings import is_listed, listed
from envcompile.secrets.references import BadReferenceError, holds_reference, parse_reference
from envcompile.secrets.secrettypes import ACCOUNT_TOKEN, flaws_of_type
from envcompile.secrets.store import ValueId
from envcompile.settings import Sealing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import Pointer
    from envcompile.secrets.ciphertext import Scope
    from envcompile.secrets.declared import Ignored, Where
    from envcompile.settings import Environment

ALLOW_EMPTY_ANNOTATION = "envcompile.dev/allow-empty"
MASTER_KEY_LABEL = "sealedsecrets.bitnami.com/sealed-secrets-key"
LARGEST_SECRET = 1_048_576
"""Bytes of all decoded values together that the API server still takes (MaxSecretSize)."""

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")


def declare(
    value: dict[str, Any],
    *,
    environment: str,
    settings: Environment,
    where: Where,
    ignored: Ignored,
    sources: Sequence[str] = (),
) -> Declaration:
    """Read a composed Secret.

    Args:
        value: the Secret.
        environment: its environment's name.
        settings: the environment's settings.
        where: gives the source place of a field.
        ignored: tells whether git ignores a file.
        sources: the files that have a say in the Secret; the one it is placed in when left out.

    Raises:
        EnvcError: with every problem that can be known without the values.
    """
    return _DeclarationParser(value, environment, settings, where, ignored, sources).read()


class _DeclarationParser:
    """Reads one Secret and collects what is wrong."""

    def __init__(
        self,
        value: dict[str, Any],
        environment: str,
        settings: Environment,
        where: Where,
        ignored: Ignored,
        sources: Sequence[str],
    ) -> None:
        metadata = value.get("metadata")
        self._value = value
        self._metadata: dict[str, Any] = metadata if isinstance(metadata, dict) else {}
        self._annotations = self._texts("annotations")
        self._environment, self._settings, self._where, self._ignored = environment, settings, where, ignored
        self._sources = tuple(sources)
        self._problems = Problems()
        self._name = str(self._metadata.get("name") or self._metadata.get("generateName", ""))
        self._title = f"environment {environment}: Secret/{self._name}"

    def _texts(self, name: str) -> dict[str, str]:
        found = self._metadata.get(name)
        return (
            {str(key): text for key, text in found.items() if isinstance(text, str)} if isinstance(found, dict) else {}
        )

    def read(self) -> Declaration:
        given = self._metadata.get("namespace")
        namespace = given if isinstance(given, str) else ""
        if not namespace and self._has_secrets():
            self._problems.add(
                f"{self._title} has no namespace",
                f"set `namespace:` in overlays/{self._environment}/environment.yaml; a sealed value is bound to it",
                self._where(()),
            )
        if not self._metadata.get("name") and self._has_secrets():
            self._problems.add(
                f"{self._title} has no name but a generateName",
                "write `name:`; a sealed value is bound to it",
                self._where(("metadata", "generateName")),
            )
        self._refuse_master_key()
        scope = self._scope()
        self._check_names()
        entries = self._entries(namespace)
        self._check_type({entry.id.key for entry in entries})
        immutable = self._value.get("immutable")
        if immutable is not None and not isinstance(immutable, bool):
            self._problems.add(
                f"{self._title}: `immutable` is not true or false", "write `true`", self._where(("immutable",))
            )
        self._problems.raise_any()
        return Declaration(
            environment=self._environment,
            name=self._name,
            namespace=namespace,
            scope=scope,
            type=str(self._value.get("type") or "Opaque"),
            place=Place(self._where, ()),
            entries=entries,
            labels=self._texts("labels"),
            annotations=self._annotations,
            immutable=immutable,
            allow_empty=listed(self._annotations, ALLOW_EMPTY_ANNOTATION),
            sources=self._sources,
            ignored=self._ignored,
        )

    def _has_secrets(self) -> bool:
        """Whether some value is not declared harmless; a Secret without any is emitted as it stands."""
        parts = (values for name in ("data", "stringData") if isinstance(values := self._value.get(name), dict))
        keys = [str(key) for values in parts for key in values]
        return not all(is_listed(key, self._annotations, HARMLESS_ANNOTATION) for key in keys)

    def _refuse_master_key(self) -> None:
        if MASTER_KEY_LABEL in self._texts("labels"):
            self._problems.add(
                f"{self._title} is a private key of the sealed-secrets controller",
                "it opens every secret of its cluster: take it out of the repository and its history, renew the key, "
                "and list what to rotate with `envc secrets audit --compromised FINGERPRINT`",
                self._where(()),
            )

    def _scope(self) -> Scope:
        scope = (self._settings.sealing or Sealing()).scope
        wide: tuple[Scope, ...] = ("cluster-wide", "namespace-wide")
        own = self._annotations
        given = {name: own[SCOPE_ANNOTATION + name] for name in wide if SCOPE_ANNOTATION + name in own}
        settings_file = f"overlays/{self._environment}/environment.yaml"
        mend = f"the scope is one setting: `sealing: {{scope: …}}` in {settings_file}; drop the annotation"
        for name, text in given.items():
            place = self._where(("metadata", "annotations", SCOPE_ANNOTATION + name))
            if text != "true":
                self._problems.add(f'{self._title}: `{SCOPE_ANNOTATION}{name}` is not exactly "true"', mend, place)
            elif name != scope:
                self._problems.add(f"{self._title} is annotated {name}, the environment seals {scope}", mend, place)
        return scope

    def _check_names(self) -> None:
        unowned, managed = SCOPE_ANNOTATION + "skip-set-owner-references", SCOPE_ANNOTATION + "managed"
        if unowned in self._annotations and self._annotations.get(managed) != "true":
            self._problems.add(
                f"{self._title} skips owner references but is not managed: the controller fails at its second look",
                f'add the annotation `{managed}: "true"`',
                self._where(("metadata", "annotations", unowned)),
            )
        parts = [part for name in ("data", "stringData") if isinstance(part := self._value.get(name), dict)]
        known = {str(key) for part in parts for key in part}
        for annotation in (HARMLESS_ANNOTATION, ALLOW_EMPTY_ANNOTATION):
            for key in sorted(listed(self._annotations, annotation) - known - {"*"}):
                self._problems.add(
                    f"{self._title}: `{annotation}` lists `{key}`, which the Secret does not have",
                    did_you_mean(key, known, "take it off the list"),
                    self._where(("metadata", "annotations", annotation)),
                )

    def _entries(self, namespace: str) -> tuple[SecretEntry, ...]:
        found: dict[str, SecretEntry] = {}
        declared = 0
        for part in ("data", "stringData"):
            values = self._value.get(part)
            if values is None:
                continue
            if not isinstance(values, dict):
                self._problems.add(
                    f"{self._title}: `{part}` is not a mapping", "write `KEY: ref+…` lines", self._where((part,))
                )
                continue
            for key, text in values.items():
                declared += 1
                pointer: Pointer = (part, key)
                if not isinstance(key, str) or not _KEY.fullmatch(key):
                    self._problems.add(
                        f"{self._title}: `{key}` cannot be a key",
                        "a key matches [-._a-zA-Z0-9]+ and has 253 characters at most",
                        self._where(pointer),
                    )
                elif key in {".", ".."} or key.startswith(".."):
                    self._problems.add(
                        f"{self._title}: `{key}` cannot be a key",
                        "a key does not begin with `..`",
                        self._where(pointer),
                    )
                elif key in found:
                    self._problems.add(
                        f"{self._title}: `{key}` is in `data` and in `stringData`",
                        "keep one; the API server would silently take the one in `stringData`",
                        self._where(pointer),
                        found[key].where,
                    )
                elif (entry := self._entry(ValueId(namespace, self._name, key), part, text)) is not None:
                    found[key] = entry
        is_filled_later = "*" in listed(self._annotations, ALLOW_EMPTY_ANNOTATION)
        if not declared and not is_filled_later and self._value.get("type") != ACCOUNT_TOKEN:
            self._problems.add(
                f"{self._title} has no keys",
                "declare them: `stringData: {KEY: ref+prompt://}`, or leave the Secret out",
                self._where(()),
            )
        return tuple(found[key] for key in sorted(found))

    def _entry(self, id_: ValueId, part: str, text: Any) -> SecretEntry | None:
        key, place = id_.key, Place(self._where, (part, id_.key))
        if text is None:
            self._problems.add(
                f"{self._title}: `{key}` is null", "give it a reference, or leave the key out", place.find()
            )
            return None
        if not isinstance(text, str):
            kind = {bool: "true or false", int: "a number", float: "a number"}.get(type(text), "not a text")
            self._problems.add(
                f"{self._title}: `{key}` is {kind} to YAML, not a text",
                "put it in quotes, so that it means the same to every reader",
                place.find(),
            )
            return None
        try:
            reference = parse_reference(text)
        except BadReferenceError as error:
            self._problems.add(f"{self._title}: the reference of `{key}` {error}", error.fix, place.find())
            return None
        if reference is not None:
            return SecretEntry(id_, place, reference=reference)
        harmless = is_listed(key, self._annotations, HARMLESS_ANNOTATION)
        if not harmless and not self._ignored(place.find().file):
            self._refuse_literal(key, text, place)
            return None
        if not text and not is_listed(key, self._annotations, ALLOW_EMPTY_ANNOTATION):
            self._problems.add(
                f"{self._title}: `{key}` is empty",
                f'if that is meant, say so: `{ALLOW_EMPTY_ANNOTATION}: "{key}"` in its annotations',
                place.find(),
            )
            return None
        literal = self._decoded(key, part, text, place)
        return None if literal is None else SecretEntry(id_, place, literal=literal, harmless=harmless)

    def _refuse_literal(self, key: str, text: str, place: Place) -> None:
        if holds_reference(text):
            self._problems.add(
                f"{self._title}: `{key}` has a reference inside of other text",
                "a reference is the whole value; keep the full text at its source, or split it into keys",
                place.find(),
            )
            return
        self._problems.add(
            f"{self._title}: `{key}` is written in clear",
            f"write `{key}: ref+prompt://` and run `envc secrets set {self._environment} {self._name} {key}`; if git "
            f'has ever seen the value, rotate it. A harmless value is declared by `{HARMLESS_ANNOTATION}: "{key}"` '
            f"in the annotations",
            place.find(),
        )

    def _decoded(self, key: str, part: str, text: str, place: Place) -> Plaintext | None:
        if part == "stringData":
            return Plaintext(text.encode())
        try:
            return Plaintext(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError):
            self._problems.add(
                f"{self._title}: `{key}` in `data` is not base64",
                "encode it, or move it to `stringData` as plain text",
                place.find(),
            )
            return None

    def _check_type(self, keys: set[str]) -> None:
        if self._problems:
            return  # a key that was refused is not missing too
        for what, fix in flaws_of_type(str(self._value.get("type") or "Opaque"), keys, self._annotations):
            self._problems.add(f"{self._title} {what}", fix, self._where(("type",)))
