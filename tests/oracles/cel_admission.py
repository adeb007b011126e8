"""The API server's own CEL code as an oracle: what it answers to expressions, policies and rules of custom kinds.

`python -m tests.oracles.cel_admission` asks it about tests/check/cel/expressions.txt and writes down what it says.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.oracles.tools import Tools, require

FOLDER = Path(__file__).parents[1] / "check" / "cel"
EXPRESSIONS = FOLDER / "expressions.txt"
ANSWERS = FOLDER / "answers.jsonl"
OBJECT: dict[str, Any] = {
    "apiVersion": "lab.example.com/v1",
    "kind": "Widget",
    "metadata": {"name": "x"},
    "data": {
        "a": "b", "n": 1, "f": 1.5, "l": [1, 2], "nul": None, "m": {"x": 1}, "big": 12345678.5, "long": "a" * 300,
        "yes": True, "words": ["b", "a", "c"], "time": "2026-11-29T10:00:00Z", "span": "90m",
        "deep": [{"k": [1, {"z": 2}]}],
    },
}  # fmt: skip
"""What `object` is."""
USER = {"username": "u", "groups": ["g"]}
ERROR = re.compile(r"expression '.*' resulted in error: (.*)", re.DOTALL)


class CelAdmission:
    """The program, in a process beside."""

    def __init__(self, binary: Path) -> None:
        require(binary)
        self._process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._loaded = 0

    def ask(self, **question: Any) -> dict[str, Any]:
        """One question, one answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise ValueError("the program has ended")
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                end.close()
        self._process.wait()

    def decide(self, spec: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
        """What a policy says of an object that is created; `errors` when it is refused itself."""
        self._loaded += 1
        name = str(self._loaded)
        policy = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "p"},
            "spec": spec,
        }
        loaded = self.ask(op="load", id=name, policy=policy)
        if loaded.get("errors") or loaded.get("failure"):
            return {"errors": loaded.get("errors") or [loaded["failure"]]}
        attributes = {
            "object": value,
            "oldObject": None,
            "Kind": {"Group": "", "Version": "v1", "Kind": "ConfigMap"},
            "Resource": {"Group": "", "Version": "v1", "Resource": "configmaps"},
            "namespace": "n",
            "name": "x",
            "operation": "CREATE",
            **USER,
        }
        return self.ask(op="eval", id=name, attributes=attributes, namespace={"metadata": {"name": "n"}})

    def answer(self, expression: str) -> list[Any]:
        """What an expression comes to: `value`, `error` or `refused`, and the value or the words."""
        if not expression.startswith("TEXT "):
            return self._truth(expression)
        text = expression.removeprefix("TEXT ")
        spec = {"validations": [{"expression": "false", "messageExpression": text, "message": "-"}]}
        found = self.decide(spec, OBJECT)
        if "errors" in found:
            return ["refused", found["errors"][0]]
        said = found["decisions"][0]["message"]
        return self._truth(f"({text}) == 'zz'") if said == "-" else ["value", said]

    def _truth(self, expression: str) -> list[Any]:
        found = self.decide({"validations": [{"expression": expression}]}, OBJECT)
        if "errors" in found:
            return ["refused", found["errors"][0]]
        decision = found["decisions"][0]
        error = ERROR.fullmatch(decision.get("message", ""))
        return ["error", error[1]] if error else ["value", decision["action"] == "admit"]


def expressions() -> list[str]:
    """The expressions that are asked about; a `TEXT` is one for a message."""
    lines = EXPRESSIONS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def main() -> int:
    """Write the answers anew."""
    program = CelAdmission(Tools.locate(os.environ).cel_admission)
    lines = [json.dumps([text, *program.answer(text)], ensure_ascii=False) for text in expressions()]
    ANSWERS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
