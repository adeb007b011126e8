"""The rule `pdb-blocks-drain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.pods import SCALED
from envcompile.check.reading import map_at, scalar_at
from envcompile.check.rule import Rule
from envcompile.check.suggestions import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput


_BUDGET: Final = "PodDisruptionBudget"


def _percent(value: Any) -> int | None:
    return int(value[:-1]) if isinstance(value, str) and value.endswith("%") and value[:-1].isdigit() else None


def _kept(value: Any, pods: int) -> int | None:
    """How many of so many pods `minAvailable` keeps; a share is rounded up (kubernetes.io, Disruptions)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    share = _percent(value)
    return None if share is None else -(-share * pods // 100)


def _blocks(inputs: CheckInput) -> Iterator[Hit]:
    for budget in inputs.of_kind("policy", _BUDGET):
        spec = map_at(budget.value, "spec")
        most = scalar_at(spec, "maxUnavailable")
        if most in {0, "0", "0%"}:
            what = f"`maxUnavailable: {most}` lets no pod go: no node that runs one can be drained"
            yield Hit(budget.id, ("spec", "maxUnavailable"), what, "write 1 or more")
            continue
        least = scalar_at(spec, "minAvailable")
        if least is None:
            continue
        if _percent(least) == 100:
            what = "`minAvailable: 100%` lets no pod go: no node that runs one can be drained"
            yield Hit(budget.id, ("spec", "minAvailable"), what, "write `maxUnavailable: 1`")
            continue
        held = (
            (pods.name, (pods, fewest, kept))
            for pods in inputs.selected(budget.id.namespace, spec.get("selector"))
            if pods.kind in SCALED
            and (fewest := inputs.fewest(pods))
            and (kept := _kept(least, fewest)) is not None
            and kept >= fewest
        )
        for name, first, (pods, fewest, kept) in told(held):
            is_scaled = any(scaler.changes_number for scaler in inputs.scalers_of(pods.resource.id))
            when = "while it is scaled down to " if is_scaled else "with its "
            yield Hit(
                budget.id,
                ("spec", "minAvailable"),
                f"`minAvailable: {least}` lets no pod of {name} go {when}{fewest} pod{'s'[: fewest != 1]}: no"
                " node that runs one can be drained",
                "write `maxUnavailable: 1`" + ("" if _percent(least) else f", or run {kept + 1} pods or more"),
                "warning" if is_scaled else None,
                value=first,
            )


RULE: Final = Rule(
    "pdb-blocks-drain",
    "error",
    "A PodDisruptionBudget lets at least one pod go, or nodes can never be drained.",
    "kubernetes.io, Specifying a Disruption Budget; kube-linter pdb-max-unavailable, Polaris pdbDisruptionsIsZero",
    _blocks,
    why="A node that runs such a pod cannot be drained: upgrades of the cluster stop there.",
    fix="Write `maxUnavailable: 1`, or run one pod more than must stay.",
    links=("https://kubernetes.io/docs/tasks/run-application/configure-pdb/",),
    fires="""\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {maxUnavailable: 0}
""",
    silent="""\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {maxUnavailable: 1}
""",
)
