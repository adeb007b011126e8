"""Costs worked out by hand: cores x 23.07603 + GiB x 3.09301 dollars a month, and what comes to it.

CPU, memory and the rest are each rounded to a millionth, halves to the even one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from envcompile.cost.estimate import Parts, is_gpu
from envcompile.cost.prices import Facts, Observed, Rates, factor_of
from tests.cost.samples import (
    CORE,
    GIB,
    LIST,
    container,
    cron_job,
    deployment,
    priced,
    resource,
    scaler,
    totals,
    workload,
)

if TYPE_CHECKING:
    from envcompile.cost.estimate import Estimate
    from envcompile.model import Resource

WEB: Final = container(cpu="500m", memory="1Gi")
"""Half a core and a GiB: 11.538015 + 3.09301 = 14.631025 dollars a month."""
WEB_COSTS: Final = 14_631_025


class Case(NamedTuple):
    """Resources, what is known of the environment, and what they cost by hand, in millionths of a dollar a month."""

    resources: list[Resource]
    expected: int
    most: int | None = None
    """Where it is more than expected."""
    least: int | None = None
    """Where it is less."""
    facts: Facts = Facts()
    notes: tuple[str, ...] = ()


def claim(size: str, storage_class: str | None = None, name: str = "data") -> dict[str, Any]:
    """A template of a claim."""
    named = {} if storage_class is None else {"storageClassName": storage_class}
    return {"metadata": {"name": name}, "spec": {**named, "resources": {"requests": {"storage": size}}}}


SIDECAR: Final = container("proxy", cpu="100m", restartPolicy="Always")

CASES: Final[dict[str, Case]] = {
    "one core": Case([deployment(container(cpu="1"))], CORE, notes=("no memory is requested",)),
    "one GiB": Case([deployment(container(memory="1Gi"))], GIB, notes=("no cpu is requested",)),
    "a GB is less than a GiB": Case(  # 10^9 / 2^30 = 0.931322574615478515625 x 3.09301
        [deployment(container(memory="1G"))], 2_880_590, notes=("no cpu is requested",)
    ),
    "replicas": Case([deployment(WEB, replicas=3)], 43_893_075),
    "replicas are one where nothing is said": Case([deployment(WEB, replicas=None)], WEB_COSTS),
    "no replicas": Case([deployment(WEB, replicas=0)], 0),
    "containers are added up": Case([deployment(WEB, container("proxy", cpu="100m", memory="128Mi"))], 17_325_254),
    "an init container that asks for less": Case(
        [deployment(WEB, initContainers=[container("init", cpu="200m")])], WEB_COSTS
    ),
    "an init container that asks for more": Case(  # 2 cores + 1 GiB
        [deployment(WEB, initContainers=[container("init", cpu="2", memory="512Mi")])], 49_245_070
    ),
    "of two init containers the larger": Case(  # 1.5 cores + 1 GiB
        [deployment(WEB, initContainers=[container("a", cpu="1500m"), container("b", cpu="1")])], 37_707_055
    ),
    "a sidecar is added": Case([deployment(WEB, initContainers=[SIDECAR])], 16_938_628),
    "a sidecar before an init container is added to it": Case(  # 2.1 cores + 1 GiB
        [deployment(WEB, initContainers=[SIDECAR, container("init", cpu="2")])], 51_552_673
    ),
    "a sidecar after it is not": Case(  # 2 cores + 1 GiB
        [deployment(WEB, initContainers=[container("init", cpu="2"), SIDECAR])], 49_245_070
    ),
    "a limit without a request is one": Case(
        [deployment(container(resources={"requests": {}, "limits": {"cpu": "1", "memory": "1Gi"}}))], CORE + GIB
    ),
    "pod overhead": Case(  # 0.75 cores are 17.3070225, 1.125 GiB are 3.47963625
        [deployment(WEB, overhead={"cpu": "250m", "memory": "128Mi"})], 20_786_658
    ),
    "the pod's own resources count": Case(
        [deployment(WEB, resources={"requests": {"cpu": "2", "memory": "2Gi"}})], 2 * (CORE + GIB)
    ),
    "a LimitRange fills in": Case(
        [
            deployment(container()),
            resource(
                "LimitRange",
                "limits",
                api="v1",
                spec={"limits": [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}}]},
            ),
        ],
        11_538_015,
        notes=("no memory is requested",),
    ),
    "nothing is requested": Case([deployment(container())], 0, notes=("no cpu is requested", "no memory is requested")),
    "an autoscaler": Case([deployment(WEB, replicas=None), scaler(2, 10)], 2 * WEB_COSTS, 10 * WEB_COSTS),
    "an autoscaler without a minimum": Case(
        [deployment(WEB, replicas=None), scaler(None, 4)], WEB_COSTS, 4 * WEB_COSTS
    ),
    "an autoscaler of which the average is known": Case(  # 3.5 pods
        [deployment(WEB, replicas=None), scaler(2, 10)],
        51_208_587,  # 40.3830525 + 10.825535
        10 * WEB_COSTS,
        2 * WEB_COSTS,
        Facts(observed={"deployment/web": Observed(pods=Fraction(7, 2))}),
    ),
    "an autoscaler of another workload": Case(
        [deployment(WEB, replicas=3), scaler(1, 9, target="other")], 3 * WEB_COSTS
    ),
    "an autoscaler does not wake what is at none": Case([deployment(WEB, replicas=0), scaler(2, 10)], 0),
    "KEDA goes down to none": Case(
        [
            deployment(WEB, replicas=None),
            resource(
                "ScaledObject", api="keda.sh/v1alpha1", spec={"scaleTargetRef": {"name": "web"}, "maxReplicaCount": 30}
            ),
        ],
        0,
        30 * WEB_COSTS,
    ),
    "KEDA has a hundred at most where nothing is said": Case(
        [
            deployment(WEB, replicas=None),
            resource(
                "ScaledObject", api="keda.sh/v1alpha1", spec={"scaleTargetRef": {"name": "web"}, "minReplicaCount": 1}
            ),
        ],
        WEB_COSTS,
        100 * WEB_COSTS,
    ),
    "jobs of KEDA": Case(
        [
            resource(
                "ScaledJob",
                api="keda.sh/v1alpha1",
                spec={"maxReplicaCount": 5, "jobTargetRef": {"template": {"spec": {"containers": [WEB]}}}},
            )
        ],
        0,
        5 * WEB_COSTS,
    ),
    "a DaemonSet runs on every node": Case([workload("DaemonSet", WEB)], 6 * WEB_COSTS, facts=Facts(nodes=6)),
    "a DaemonSet of a cluster that nobody counted": Case(
        [workload("DaemonSet", WEB)], WEB_COSTS, notes=("the number of nodes is not known: counted for one",)
    ),
    "a CronJob by the hour": Case(  # 730 runs of 6 minutes are 73 hours: 1.1538015 + 0.309301
        [cron_job("0 * * * *", WEB)], 1_463_103, facts=Facts(job_minutes=Fraction(6))
    ),
    "a CronJob by the day with a run of its own length": Case(  # 365 / 12 runs of 2 hours: 60.8333 h of 730, a twelfth
        [cron_job("0 3 * * *", WEB)],
        1_219_252,
        facts=Facts(job_minutes=Fraction(6), observed={"cronjob/report": Observed(minutes=Fraction(120))}),
    ),
    "a CronJob of several pods": Case(  # as by the hour, times four
        [cron_job("0 * * * *", WEB, completions=4, parallelism=2)], 5_852_410, facts=Facts(job_minutes=Fraction(6))
    ),
    "a CronJob that is suspended": Case(
        [
            resource(
                "CronJob",
                "report",
                api="batch/v1",
                spec={
                    "schedule": "* * * * *",
                    "suspend": True,
                    "jobTemplate": {"spec": {"template": {"spec": {"containers": [WEB]}}}},
                },
            )
        ],
        0,
        facts=Facts(job_minutes=Fraction(1)),
        notes=("suspended",),
    ),
    "a Job runs once": Case(  # 10 minutes of 730 hours: 14.631025 / 4380
        [workload("Job", WEB, api="batch/v1")],
        3_340,
        notes=("counted for one run a month", "how long a run takes is not known: counted for 10 minutes"),
    ),
    "claims of a StatefulSet": Case(  # 3 x (14.631025 + 20 x 0.0399999996)
        [workload("StatefulSet", WEB, replicas=3, volumeClaimTemplates=[claim("20Gi")])], 46_293_075
    ),
    "a claim": Case(  # 100 x 0.0399999996
        [resource("PersistentVolumeClaim", api="v1", spec=claim("100Gi")["spec"])], 4_000_000
    ),
    "volumes that live as long as their pods": Case(  # 2 x (14.631025 + 10 x 0.0399999996)
        [deployment(WEB, replicas=2, volumes=[{"name": "tmp", "ephemeral": {"volumeClaimTemplate": claim("10Gi")}}])],
        30_062_050,
    ),
    "a load balancer": Case(  # 0.025 x 730
        [resource("Service", api="v1", spec={"type": "LoadBalancer"}), resource("Service", "b", api="v1", spec={})],
        18_250_000,
    ),
    "an Ingress with a load balancer of its own": Case(
        [
            resource("Ingress", api="networking.k8s.io/v1", spec={"ingressClassName": "alb"}),
            resource("Ingress", "b", api="networking.k8s.io/v1", spec={"ingressClassName": "nginx"}),
        ],
        18_250_000,
    ),
    "a GPU": Case(  # 2 x 0.95 x 730 + 14.631025
        [deployment(container(cpu="500m", memory="1Gi", resources={"limits": {"nvidia.com/gpu": 2}}))],
        14_631_025 + 1_387_000_000,
    ),
    "what is used and more than requested": Case(  # 0.75 cores, and the GiB that is requested
        [deployment(WEB, replicas=2)],
        40_800_065,  # 2 x (17.3070225 + 3.09301)
        facts=Facts(observed={"deployment/web": Observed(cpu=Fraction(3, 4), memory=Fraction(2**29))}),
    ),
    "a pod of its own": Case([resource("Pod", api="v1", spec={"containers": [WEB]})], WEB_COSTS),
    "a custom kind with a pod template": Case(
        [workload("Rollout", WEB, api="argoproj.io/v1alpha1", replicas=2)], 2 * WEB_COSTS
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_costs_what_is_worked_out_by_hand(name: str) -> None:
    """To the millionth of a dollar."""
    case = CASES[name]
    found = priced(*case.resources, facts=case.facts)
    expected = case.expected
    least, most = (expected if value is None else value for value in (case.least, case.most))
    assert totals(found) == (least, expected, most)
    assert tuple(note for item in found.items for note in item.notes) == case.notes


def test_there_are_enough_cases() -> None:
    """The issue asks for twenty-five."""
    assert len(CASES) >= 25


def test_the_sum_is_that_of_its_items_and_parts() -> None:
    """Whatever is added up, it is the same figure."""
    resources = [
        resource for name in ("replicas", "a GPU", "a claim", "a load balancer") for resource in CASES[name].resources
    ]
    found = priced(*resources)
    assert found.money.expected.total == sum(item.money.expected.total for item in found.items)
    assert found.money.expected == Parts(46_152_060, 12_372_040, 1_387_000_000, 4_000_000, 18_250_000)


def test_discount_and_overhead() -> None:
    """A tenth less, and of that a twentieth more: 0.945."""
    factor = factor_of(Fraction(10), Fraction(5))
    assert factor == Fraction(945, 1000)
    assert totals(priced(deployment(container(cpu="1")), factor=factor))[1] == 21_806_848  # 21.80684835


def test_what_has_no_price_is_said() -> None:
    """It is not silently free."""
    found = priced(*CASES["a GPU"].resources, *CASES["a claim"].resources, rates=Rates(cpu=LIST.cpu))
    assert found.money.expected.total == 11_538_015
    notes = [note for item in found.items for note in item.notes]
    assert notes == ["no price for memory", "no price for nvidia.com/gpu", "no price for storage of class ``"]


def test_prices_by_name() -> None:
    """Storage classes and GPUs have prices of their own."""
    rates = Rates(storage={"default": Fraction(1, 1000), "fast": Fraction(1, 100)}, gpu={"nvidia.com/gpu": Fraction(2)})
    fast = resource("PersistentVolumeClaim", api="v1", spec=claim("10Gi", "fast")["spec"])
    slow = resource("PersistentVolumeClaim", "b", api="v1", spec=claim("10Gi", "slow")["spec"])
    assert [item.money.expected.total for item in priced(fast, slow, rates=rates).items] == [73_000_000, 7_300_000]


def test_what_operators_make_is_named() -> None:
    """Their pods are in no manifest, so they are not in the sum, and that is said."""
    found = priced(resource("Cluster", "db", api="postgresql.cnpg.io/v1", spec={"instances": 3}))
    assert [identity.short for identity in found.unseen] == ["Cluster/db"]
    assert found.money.expected.total == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nvidia.com/gpu", True),
        ("amd.com/gpu", True),
        ("nvidia.com/mig-1g.5gb", True),
        ("gpu.intel.com/i915", True),
        ("nvidia.com/gpu.shared", True),
        ("cpu", False),
        ("hugepages-2Mi", False),
        ("example.com/fpga", False),
    ],
)
def test_what_is_a_gpu(name: str, expected: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument] - a case
    """By the names that drivers give."""
    assert is_gpu(name) is expected


def test_odd_shapes_cost_nothing() -> None:
    """What is no manifest at all is `envc check`'s affair."""
    odd = [
        resource("Deployment", spec="none"),
        resource("Deployment", "b", spec={"template": {"spec": {"containers": "none"}}}),
        resource(
            "StatefulSet",
            "c",
            spec={"replicas": "3", "volumeClaimTemplates": [1], "template": {"spec": {"volumes": 3}}},
        ),
        resource(
            "CronJob",
            "d",
            api="batch/v1",
            spec={"schedule": "never", "jobTemplate": {"spec": {"template": {"spec": {"containers": [WEB]}}}}},
        ),
        resource("Service", "e", api="v1", spec=[]),
    ]
    found: Estimate = priced(*odd)
    assert found.money.expected.total == 0
    assert "`never` is no schedule" in [note for item in found.items for note in item.notes]
