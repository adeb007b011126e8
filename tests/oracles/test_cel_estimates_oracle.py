"""What is written down of the API server's estimates is what it estimates today."""

import json

from tests.oracles.cel_estimates import ANSWERS, ask
from tests.oracles.cluster import Cluster


def test_the_estimates_are_the_servers(kube_cluster: Cluster) -> None:
    """Every rule is asked about again."""
    known = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").splitlines()]
    assert [[text, length, *ask(kube_cluster, text, length)] for text, length, *_ in known] == known
