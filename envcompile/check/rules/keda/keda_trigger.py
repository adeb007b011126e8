"""The rule `keda-trigger`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.finding import Hit
from envcompile.check.reading import map_at, maps_at, text_at
from envcompile.check.rule import Rule
from envcompile.check.scalers import KEDA
from envcompile.check.suggestions import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.model import Pointer, ResourceId


_WORDS: Final = (
    "activemq apache-kafka arangodb artemis-queue aws-cloudwatch aws-dynamodb aws-dynamodb-streams "
    "aws-kinesis-stream aws-sqs-queue azure-app-insights azure-blob azure-data-explorer azure-eventhub "
    "azure-log-analytics azure-monitor azure-pipelines azure-queue azure-servicebus beanstalkd cassandra "
    "couchdb cpu cron datadog dynatrace elasticsearch etcd external external-push forgejo-runner "
    "gcp-cloudtasks gcp-pubsub gcp-stackdriver gcp-storage github-runner graphite huawei-cloudeye ibmmq "
    "influxdb kafka kubernetes-resource kubernetes-workload liiklus loki memory metrics-api mongodb mssql "
    "mysql nats-jetstream new-relic nsq openstack-metric openstack-swift postgresql predictkube prometheus "
    "pulsar rabbitmq redis redis-cluster redis-cluster-streams redis-sentinel redis-sentinel-streams "
    "redis-streams selenium-grid solace-direct-messaging solace-event-queue solarwinds solr splunk "
    "splunk-observability stan sumologic temporal"
)


_TYPES: Final = frozenset(_WORDS.split())
"""The scalers of KEDA 2.21 (`pkg/scaling/scalers_builder.go`) and of the versions before it."""


_NEEDED: Final = {
    "cron": ("timezone", "start", "end", "desiredReplicas"),
    "prometheus": ("serverAddress", "query", "threshold"),
}


def _triggers(inputs: CheckInput) -> Iterator[Hit]:
    for scaler in inputs.scalers:
        if scaler.kind != KEDA:
            continue
        first: dict[str, int] = {}
        for position, trigger in maps_at(scaler.resource.value, "spec", "triggers"):
            pointer: Pointer = ("spec", "triggers", position)
            yield from _trigger(scaler.resource.id, pointer, trigger)
            name = text_at(trigger, "name")
            if name and first.setdefault(name, position) != position:
                yield Hit(
                    scaler.resource.id,
                    (*pointer, "name"),
                    f"two triggers are called `{name}`: KEDA makes no autoscaler, and nothing scales",
                    "give one another name; when layers add a trigger each, give them different names",
                    value=name,
                )


def _trigger(identity: ResourceId, pointer: Pointer, trigger: dict[str, Any]) -> Iterator[Hit]:
    kind, metadata = text_at(trigger, "type"), map_at(trigger, "metadata")
    if kind and kind not in _TYPES:
        meant = suggestion(kind, sorted(_TYPES))
        yield Hit(
            identity,
            (*pointer, "type"),
            f"KEDA has no scaler of the type `{kind}`: it makes no autoscaler, and nothing scales",
            f"{meant}take a type of keda.sh/docs/scalers",
            # A newer operator may know more types; one that is nearly right is a slip.
            None if meant else "warning",
            value=kind,
        )
    for name, value in metadata.items():
        if not isinstance(value, str):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield Hit(
                identity,
                (*pointer, "metadata", name),
                f"`{name}` is not a text, and the API server takes only texts there: the whole sync fails",
                f'put it in quotes: `{name}: "{text}"`',
                value=str(name),
            )
    for name in _NEEDED.get(kind, ()):
        # Values that come from the environment or from a TriggerAuthentication have other names.
        if name not in metadata and f"{name}FromEnv" not in metadata and "authenticationRef" not in trigger:
            yield Hit(
                identity,
                (*pointer, "metadata"),
                f"a `{kind}` trigger needs `{name}`: KEDA makes no autoscaler, and nothing scales",
                f"add `{name}`",
                value=name,
            )


RULE: Final = Rule(
    "keda-trigger",
    "error",
    "A trigger of a ScaledObject is what KEDA takes: a known type, texts as metadata, all it needs, an own name.",
    "keda.sh, Scalers; KEDA pkg/scaling/scalers_builder.go, the CRD of ScaledObject",
    _triggers,
    why="A trigger that KEDA does not take stops the whole ScaledObject: nothing is scaled, by no trigger.",
    fix="Write the type and the metadata as keda.sh lists them, every value as a text.",
    links=("https://keda.sh/docs/latest/scalers/",),
    fires="""\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec:
  triggers:
  - {type: kafkaa}
""",
    silent="""\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker}
spec:
  triggers:
  - {type: kafka}
""",
)
