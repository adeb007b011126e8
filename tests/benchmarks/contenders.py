"""How each tool compiles a generated repository: its commands, and where they leave what they made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tests.benchmarks.measuring import BenchmarkError, Command
from tests.oracles.tools import Tools

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.measuring import Bench, Cost


class Contender(Protocol):
    """A tool that compiles every environment of a generated repository."""

    name: str

    def compile(self, bench: Bench, repository: Path, environments: Sequence[str]) -> Made:
        """Compile every environment from nothing."""


class Made(NamedTuple):
    """What a run cost, and the file or folder it made for each environment."""

    cost: Cost
    output: dict[str, list[Path]]


def ask_for_chart(project: Path) -> None:
    """Have the builds of a project write the Helm chart, too."""
    with (project / "envc.yaml").open("a", encoding="utf-8") as settings:
        settings.write("chart:\n  name: shop\n")


def leave_out_secrets(project: Path) -> None:
    """Take the Secrets out of a generated project, and the settings that let them stand in clear."""
    for file in [*project.glob("base/**/*.yaml"), *project.glob("overlays/**/*.yaml")]:
        text = file.read_text(encoding="utf-8")
        documents = text.replace("secretBackend: plaintext\n", "").split("---\n")
        kept = "---\n".join([one for one in documents if "kind: Secret\n" not in one])
        if not kept.strip():
            file.unlink()
        elif kept != text:
            file.write_text(kept, encoding="utf-8")


class Envc:
    """`envc build` in a fresh copy of the repository, where nothing was built before.

    Args:
        writes_chart: whether it writes the Helm chart, too.
        layout: what goes into one file, as `layout` of envc.yaml has it.
        after_deletion: whether what it writes was there a moment ago, and was deleted.
    """

    def __init__(self, *, writes_chart: bool = False, layout: str = "", after_deletion: bool = False) -> None:
        self.name = "envc build with chart" if writes_chart else "envc build"
        self._writes_chart = writes_chart
        self._layout = layout
        self._after_deletion = after_deletion

    def compile(self, bench: Bench, repository: Path, environments: Sequence[str]) -> Made:
        """Compile every environment from nothing."""
        project = bench.scratch.copy(repository / "envc", "project")
        if self._writes_chart:
            ask_for_chart(project)
        if self._layout:
            with (project / "envc.yaml").open("a", encoding="utf-8") as settings:
                settings.write(f"layout: {self._layout}\n")
        if self._after_deletion:
            bench.run([bench.envc(project, "build")])
            for made in ("environments", ".envc"):
                shutil.rmtree(project / made)
        cost = bench.run([bench.envc(project, "build")])
        return Made(cost, {name: [project / "environments" / name] for name in environments})


class Kustomize:
    """`kustomize build` of each environment, one process after another."""

    name = "kustomize nested"

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def compile(self, bench: Bench, repository: Path, environments: Sequence[str]) -> Made:
        """Compile every environment."""
        return self.build(bench, {name: repository / "kustomize" / "nested" / name for name in environments})

    def compile_service(self, bench: Bench, repository: Path, environments: Sequence[str], service: str) -> Made:
        """Compile one service of every environment."""
        return self.build(bench, {name: repository / "kustomize" / "svc" / name / service for name in environments})

    def build(self, bench: Bench, folders: Mapping[str, Path]) -> Made:
        """Build the kustomization of each folder."""
        out = bench.scratch.fresh("kustomize")
        out.mkdir()
        output = {name: out / f"{name}.yaml" for name in folders}
        commands = [
            Command((str(self.binary), "build", str(folder)), folder, output[name]) for name, folder in folders.items()
        ]
        return Made(bench.run(commands), {name: [file] for name, file in output.items()})


class Helm:
    """`helm template` of the chart with each environment's values: the fast rival, so it is always shown."""

    name = "helm 4 template"

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def compile(self, bench: Bench, repository: Path, environments: Sequence[str]) -> Made:
        """Compile every environment."""
        out = bench.scratch.fresh("helm")
        out.mkdir()
        folder = repository / "helm"
        output = {name: out / f"{name}.yaml" for name in environments}
        commands = [
            Command((str(self.binary), "template", "shop", "chart", "-f", f"values-{name}.yaml"), folder, file)
            for name, file in output.items()
        ]
        return Made(bench.run(commands), {name: [file] for name, file in output.items()})


class Kapitan:
    """`kapitan compile` with the settings that make it fastest: reclass-rs, go-jsonnet, rapidyaml, two processes."""

    name = "Kapitan tuned"

    def __init__(self, binary: Path) -> None:
        self.binary = binary

    def compile(self, bench: Bench, repository: Path, environments: Sequence[str]) -> Made:
        """Compile every target."""
        out = bench.scratch.fresh("kapitan")
        out.mkdir()
        settings = ("-p", "2", "--inventory-backend", "reclass-rs", "--use-go-jsonnet", "--yaml-use-rapidyaml")
        words = (str(self.binary), "compile", *settings, "--output-path", str(out))
        # It has packages of its own: ours must not be found instead.
        cost = bench.run([Command(words, repository / "kapitan")], {"PYTHONPATH": ""})
        compiled = out / "compiled"
        return Made(cost, {name: sorted(compiled.glob(f"{name}-*")) for name in environments})


def find_peers(names: Sequence[str], kapitan: str | None) -> tuple[dict[str, Contender], list[str]]:
    """The peers that are on this machine, by name, and a line on each that is not.

    Raises:
        BenchmarkError: there is no such peer.
    """
    tools = Tools.locate(os.environ)
    found: dict[str, Contender] = {}
    missing = []
    for name in names:
        if name == "kapitan":
            binary = shutil.which(kapitan or "kapitan")
            if binary is None:
                missing.append("kapitan is not on PATH: give its path with --kapitan")
            else:
                found[name] = Kapitan(Path(binary).absolute())
        elif name in {"kustomize", "helm4"}:
            path = tools.kustomize if name == "kustomize" else tools.helm4
            if not path.is_file():
                missing.append(f"{name} is not built: python -m tests.oracles.build {name}")
            else:
                found[name] = Kustomize(path) if name == "kustomize" else Helm(path)
        else:
            raise BenchmarkError(f"no such peer: {name} (choose from kustomize, helm4, kapitan)")
    return found, missing
