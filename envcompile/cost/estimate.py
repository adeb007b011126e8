"""What the resources of an environment cost a month: requests times prices, by OpenCost's rule.

Source: the OpenCost specification, "Workload Costs": max(request, usage) for CPU and memory, the request for GPUs, the
capacity of claims, the number of load balancers; each times hours times the hourly price.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.cost.counts import NONE, Range, always, map_in, pods_of, scaler_of, whole
from envcompile.cost.prices import HOURS_A_MONTH, Observed, by_name
from envcompile.cost.schedule import runs_a_month
from envcompile.kubernetes.podmakers import makes_hidden_pods
from envcompile.kubernetes.podrequests import names_requested, quantity, requested
from envcompile.kubernetes.podspecs import maps_in, template_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from envcompile.cost.counts import Scaler
    from envcompile.cost.prices import Facts, Rates
    from envcompile.model import Resource, ResourceId

GIB: Final = 1024**3
MICRO: Final = 1_000_000
"""Money is counted in millionths of the currency, so that sums are exact."""
ASSUMED_MINUTES: Final = Fraction(10)
"""How long a run of a job is taken to last of which nothing is known."""
_BALANCED_CLASSES: Final = frozenset({"alb", "gce", "gce-internal"})
"""Ingress classes of which each Ingress gets a load balancer of its own (AWS Load Balancer Controller, GKE)."""
_CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
_JOBS: Final = frozenset({"Job", "CronJob"})


class Parts(NamedTuple):
    """An amount of money by what it is for, in millionths of the currency a month."""

    cpu: int = 0
    memory: int = 0
    gpu: int = 0
    storage: int = 0
    load_balancer: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)

    def plus(self, other: Parts) -> Parts:
        """Both together."""
        return Parts(*(left + right for left, right in zip(self, other, strict=True)))

    def minus(self, other: Parts) -> Parts:
        """What this one has more; negative where it has less."""
        return Parts(*(left - right for left, right in zip(self, other, strict=True)))


class Money(NamedTuple):
    """What something costs a month: at least, as expected, at most."""

    least: Parts = Parts()
    expected: Parts = Parts()
    most: Parts = Parts()

    def plus(self, other: Money) -> Money:
        """Both together."""
        return Money(*(left.plus(right) for left, right in zip(self, other, strict=True)))

    def minus(self, other: Money) -> Money:
        """What this one has more; negative where it has less."""
        return Money(*(left.minus(right) for left, right in zip(self, other, strict=True)))


class Demand(NamedTuple):
    """What one pod is billed for."""

    cpu: Fraction = Fraction()
    """Cores: requested, or used where that is known and more."""
    memory: Fraction = Fraction()
    """Bytes, likewise."""
    gpu: Mapping[str, Fraction] = {}
    """GPUs by the name of their resource."""


class Item(NamedTuple):
    """One resource that costs something."""

    resource: ResourceId
    app: str
    pods: Range
    """How many there are at a time; runs a month for a job."""
    hours: Fraction
    """How long each is billed a month."""
    pod: Demand
    storage: Mapping[str, Range]
    """Bytes of claims by storage class."""
    load_balancers: int
    money: Money
    notes: tuple[str, ...]
    """What is not known, or was assumed."""


class Estimate(NamedTuple):
    """What an environment costs a month."""

    environment: str
    items: tuple[Item, ...]
    unseen: tuple[ResourceId, ...]
    """Resources from which operators make pods that no manifest shows; they are not in the sum."""

    @property
    def money(self) -> Money:
        """The sum of all items."""
        found = Money()
        for item in self.items:
            found = found.plus(item.money)
        return found


class Terms(NamedTuple):
    """What holds for every resource of an environment."""

    rates: Rates
    factor: Fraction
    facts: Facts
    defaults: Mapping[tuple[str, str], Fraction]
    """What a LimitRange makes containers ask for: namespace and resource -> amount."""


def estimate(environment: str, resources: Sequence[Resource], rates: Rates, factor: Fraction, facts: Facts) -> Estimate:
    """What the compiled resources of an environment cost a month.

    Args:
        environment: its name.
        resources: all of it.
        rates: prices of an hour.
        factor: by what every amount is multiplied.
        facts: what is known beside the manifests.
    """
    terms = Terms(rates, factor, facts, default_requests(resources))
    scalers = scalers_of(resources)
    items = []
    for resource in resources:
        item = item_of(resource.id, resource.value, resource.app, scalers.get(target_of(resource.id), ()), terms)
        if item is not None:
            items.append(item)
    unseen = [resource.id for resource in resources if makes_hidden_pods(resource.id)]
    priced = {item.resource for item in items}
    return Estimate(environment, tuple(items), tuple(identity for identity in unseen if identity not in priced))


def target_of(resource: ResourceId) -> tuple[str, str, str]:
    """A workload as autoscalers name it."""
    return (resource.kind, resource.namespace, resource.name)


def scalers_of(resources: Iterable[Resource]) -> dict[tuple[str, str, str], list[Scaler]]:
    """Workload -> its autoscalers."""
    found: dict[tuple[str, str, str], list[Scaler]] = {}
    for resource in resources:
        scaler = scaler_of(resource.id, resource.value)
        if scaler is not None:
            found.setdefault(scaler.target, []).append(scaler)
    return found


def default_requests(resources: Iterable[Resource]) -> dict[tuple[str, str], Fraction]:
    """What LimitRanges fill in for containers that ask for nothing: namespace and resource -> amount.

    Source: kubernetes.io, Limit Ranges: `defaultRequest`, else `default`.
    """
    found = {}
    for resource in resources:
        if resource.id.kind != "LimitRange":
            continue
        for limit in maps_in(resource.value, "spec", "limits"):
            if limit.get("type") == "Container":
                for name, amount in {**map_in(limit, "default"), **map_in(limit, "defaultRequest")}.items():
                    found[resource.id.namespace, name] = quantity(amount)
    return found


def item_of(
    resource: ResourceId, value: Mapping[str, Any], app: str, scalers: Iterable[Scaler], terms: Terms
) -> Item | None:
    """What one resource costs a month; None for what costs nothing by itself."""
    pod = pod_spec(resource, value)
    if pod is not None:
        return _workload(resource, value, app, pod, scalers, terms)
    claims: dict[str, Range] = {}
    balancers = 0
    if resource.kind == "PersistentVolumeClaim" and not resource.group:
        claims = {name: always(size) for name, size in _claim(map_in(value, "spec"))}
    elif is_balanced(resource, value):
        balancers = 1
    if not claims and not balancers:
        return None
    notes: list[str] = []
    money = _money(NONE, Fraction(HOURS_A_MONTH), Demand(), claims, balancers, terms, notes)
    return Item(resource, app, NONE, Fraction(HOURS_A_MONTH), Demand(), claims, balancers, money, tuple(notes))


def pod_spec(resource: ResourceId, value: Mapping[str, Any]) -> dict[str, Any] | None:
    """The spec of the pods that a resource makes; None where none can be seen."""
    if (resource.group, resource.kind) == ("", "PodTemplate"):
        return None
    if (resource.group, resource.kind) == ("keda.sh", "ScaledJob"):
        return map_in(value, "spec", "jobTargetRef", "template", "spec") or None
    way = template_path(resource)
    if way is None:
        if not resource.group or not any(maps_in(value, "spec", "template", "spec", "containers")):
            return None
        way = ("spec", "template")
    return map_in(value, *map(str, way), "spec") or None


def is_balanced(resource: ResourceId, value: Mapping[str, Any]) -> bool:
    """Tell whether a load balancer is made for a resource."""
    spec = map_in(value, "spec")
    match (resource.group, resource.kind):
        case ("", "Service"):
            return spec.get("type") == "LoadBalancer"
        case ("networking.k8s.io", "Ingress"):
            named = spec.get("ingressClassName") or map_in(value, "metadata", "annotations").get(_CLASS_ANNOTATION)
            return named in _BALANCED_CLASSES
        case ("gateway.networking.k8s.io", "Gateway"):
            return True
        case _:
            return False


def _workload(
    resource: ResourceId,
    value: Mapping[str, Any],
    app: str,
    pod: Mapping[str, Any],
    scalers: Iterable[Scaler],
    terms: Terms,
) -> Item:
    notes: list[str] = []
    observed = _observed(resource, terms.facts)
    cpu, memory = (requested(pod, name, terms.defaults.get((resource.namespace, name))) for name in ("cpu", "memory"))
    demand = Demand(
        cpu if observed.cpu is None else max(cpu, observed.cpu),
        memory if observed.memory is None else max(memory, observed.memory),
        {name: requested(pod, name) for name in sorted({*names_requested(pod)}) if is_gpu(name)},
    )
    notes += [f"no {name} is requested" for name in ("cpu", "memory") if not getattr(demand, name)]
    pods, hours = _pods_and_hours(resource, value, scalers, terms.facts, observed, notes)
    claims: dict[str, Range] = {}
    templates = list(maps_in(value, "spec", "volumeClaimTemplates"))
    for volume in maps_in(pod, "volumes"):
        template = map_in(volume, "ephemeral", "volumeClaimTemplate")
        templates += [template] if template and resource.kind not in _JOBS else []
    for template in templates:
        for name, size in _claim(map_in(template, "spec")):
            before = claims.get(name, NONE)
            claims[name] = Range(*(held + more for held, more in zip(before, pods.times(size), strict=True)))
    money = _money(pods, hours, demand, claims, 0, terms, notes)
    return Item(resource, app, pods, hours, demand, claims, 0, money, tuple(notes))


def _pods_and_hours(
    resource: ResourceId,
    value: Mapping[str, Any],
    scalers: Iterable[Scaler],
    facts: Facts,
    observed: Observed,
    notes: list[str],
) -> tuple[Range, Fraction]:
    """How many pods there are, and how many hours of a month each is there."""
    whole_month = Fraction(HOURS_A_MONTH)
    spec = map_in(value, "spec")
    match (resource.group, resource.kind):
        case ("apps", "DaemonSet"):
            if facts.nodes is None:
                notes.append("the number of nodes is not known: counted for one")
            return always(facts.nodes if facts.nodes is not None else 1), whole_month
        case ("batch", "CronJob"):
            job = map_in(spec, "jobTemplate", "spec")
            runs = runs_a_month(str(spec.get("schedule")))
            if runs is None:
                notes.append(f"`{spec.get('schedule')}` is no schedule")
            if spec.get("suspend") is True:
                notes.append("suspended")
            is_idle = runs is None or spec.get("suspend") is True
            return always(Fraction() if is_idle else (runs or 0) * _completions(job)), _run(observed, facts, notes)
        case ("batch", "Job"):
            notes.append("counted for one run a month")
            return always(_completions(spec)), _run(observed, facts, notes)
        case ("keda.sh", "ScaledJob"):
            least, most = whole(spec.get("minReplicaCount"), 0), whole(spec.get("maxReplicaCount"), 100)
            expected = observed.pods if observed.pods is not None else Fraction(least)
            return Range(Fraction(least), expected, Fraction(max(least, most))), whole_month
        case ("", "Pod"):
            return always(1), whole_month
        case _:
            return pods_of(resource, value, scalers, observed.pods), whole_month


def _observed(resource: ResourceId, facts: Facts) -> Observed:
    return facts.observed.get(f"{resource.kind.lower()}/{resource.name}", Observed())


def _completions(job: Mapping[str, Any]) -> int:
    """How many pods a Job runs to its end."""
    return whole(job.get("completions"), whole(job.get("parallelism"), 1))


def _run(observed: Observed, facts: Facts, notes: list[str]) -> Fraction:
    """The hours of one run of a job."""
    minutes = observed.minutes if observed.minutes is not None else facts.job_minutes
    if minutes is None:
        minutes = ASSUMED_MINUTES
        notes.append(f"how long a run takes is not known: counted for {minutes} minutes")
    return minutes / 60


def is_gpu(resource: str) -> bool:
    """Tell whether a resource of containers is a GPU, or a part of one (NVIDIA MIG, Intel's driver)."""
    domain, _, name = resource.rpartition("/")
    return bool(domain) and (
        name in {"gpu", "gpu.shared"} or domain == "gpu.intel.com" or (domain == "nvidia.com" and "mig-" in name)
    )


def _claim(spec: Mapping[str, Any]) -> Iterator[tuple[str, Fraction]]:
    """The storage class of a claim, empty for the cluster's own, and its bytes."""
    size = map_in(spec, "resources", "requests").get("storage")
    if size is not None:
        yield str(spec.get("storageClassName") or ""), quantity(size)


def _money(
    pods: Range,
    hours: Fraction,
    demand: Demand,
    claims: Mapping[str, Range],
    balancers: int,
    terms: Terms,
    notes: list[str],
) -> Money:
    rates, month = terms.rates, Fraction(HOURS_A_MONTH)
    cpu = _of(demand.cpu, rates.cpu, "CPU", notes) * hours
    memory = _of(demand.memory / GIB, rates.memory, "memory", notes) * hours
    gpu = sum((_of(count, by_name(rates.gpu, name), name, notes) for name, count in demand.gpu.items()), Fraction())
    storage = [
        (size, _of(Fraction(1, GIB), by_name(rates.storage, name), f"storage of class `{name}`", notes))
        for name, size in claims.items()
    ]
    balanced = _of(Fraction(balancers), rates.load_balancer, "a load balancer", notes) * month
    parts = []
    for index, count in enumerate(pods):
        stored = sum((size[index] * price * month for size, price in storage), Fraction())
        amounts = (cpu * count, memory * count, gpu * hours * count, stored, balanced)
        parts.append(Parts(*(round(amount * terms.factor * MICRO) for amount in amounts)))
    return Money(*parts)


def _of(amount: Fraction, price: Fraction | None, what: str, notes: list[str]) -> Fraction:
    """The price of an amount for an hour; nothing where there is no price, which is noted."""
    if price is None:
        if amount:
            notes.append(f"no price for {what}")
        return Fraction()
    return amount * price
