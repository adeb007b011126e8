"""Which fields the API server leaves out when they are empty, read from the Go types of the pinned k8s.io/api.

`python -m tests.oracles.absent_fields` writes `zero` and `structs` of envcompile/check/policy/defaults.json anew. A
field that is no pointer and says `omitempty` is gone when it is false, 0 or an empty text; one that is a struct of its
own is always there.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.oracles.build import require_go
from tests.oracles.catalogue import BUILD_ENVIRONMENT, CEL_MODULE

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "envcompile" / "check" / "policy" / "defaults.json"
SCALARS = {"bool", "int", "int32", "int64", "uint32", "float64", "string"}
FIELD = re.compile(r'^\t(\w+)\s+([\w.\[\]*]+)\s+`json:"([\w$]*)(,[^"]*)?"')


def module_folder() -> Path:
    """Where the sources of the pinned k8s.io/api are."""
    environ = {**os.environ, **BUILD_ENVIRONMENT}
    go = require_go(CEL_MODULE, environ)
    question = [go, "list", "-mod=mod", "-m", "-f", "{{.Dir}}", "k8s.io/api"]
    answer = subprocess.run(question, cwd=CEL_MODULE, env=environ, capture_output=True, text=True, check=True)
    return Path(answer.stdout.strip())


def types_of(text: str) -> Iterator[tuple[str, list[tuple[str, str, bool]]]]:
    """Each struct with its fields: name in JSON, Go type, and whether it is left out when empty."""
    for match in re.finditer(r"^type (\w+) struct \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL):
        fields = []
        for line in match[2].splitlines():
            found = FIELD.match(line)
            if found is not None and found[3]:
                fields.append((found[3], found[2], "omitempty" in (found[4] or "")))
        yield match[1], fields


def tables(api: Path) -> dict[str, dict[str, str]]:
    """`zero` and `structs`: type -> its fields, one blank between them."""
    zero: dict[str, str] = {}
    structs: dict[str, str] = {}
    for file in sorted(api.glob("*/v?/types.go")):
        group = ".".join(file.parent.relative_to(api).parts)
        text = file.read_text(encoding="utf-8")
        named = re.findall(r"^type (\w+) (\w+)$", text, re.MULTILINE)
        scalars = SCALARS | {name for name, kind in named if kind in SCALARS}
        known = {name for name, _ in types_of(text)}
        for name, fields in types_of(text):
            gone = [field for field, kind, omitted in fields if omitted and kind in scalars]
            kept = [
                field
                for field, kind, _ in fields
                if (kind in known or kind in {"v1.PodTemplateSpec", "corev1.PodTemplateSpec", "metav1.ObjectMeta"})
                and field != "status"
            ]
            if gone:
                zero[f"{group}.{name}"] = " ".join(gone)
            if kept:
                structs[f"{group}.{name}"] = " ".join(kept)
    return {"zero": zero, "structs": structs}


def main() -> int:
    """Write the table anew."""
    known = json.loads(TABLE.read_text(encoding="utf-8"))
    made = {**known, **tables(module_folder())}
    TABLE.write_text(json.dumps(made, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
