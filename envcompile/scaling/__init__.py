"""Autoscaling from recorded load: the controllers' own algorithms as pure functions, and searches over them.

| module | holds |
|---|---|
| `hpa/spec.py` | a HorizontalPodAutoscaler as a value, with the defaults and the validation of the API server |
| `hpa/pods.py` | a pod and a metric as the controller sees them at one instant |
| `hpa/proposal.py` | one metric -> a number of replicas |
| `hpa/limits.py` | stabilisation windows and policies |
| `hpa/reconcile.py` | `reconcile(...)`: one whole reconciliation; the controller's memory goes in and comes out |
| `hpa/clock.py` | when the next reconciliation happens |
| `podworld.py` | pods that start, serve a load and end: what the controller looks at |
| `replay.py` | the exact replay of a scenario: world and controller, step by step |
| `columns.py` | the loads of a replay as arrays |
| `fast.py`, `lanes.py`, `eventlanes.py` | the same sizes as `replay.py` gives, a year at 15 s in under a second |
| `effect.py` | what a course of sizes costs, and how often and how far it was too small |
| `search.py` | the cheapest setting with no more shortage than there is |
| `vpa/` | what the VerticalPodAutoscaler's recommender says of usage |
| `forecast/` | what a load will be, and the floor that has pods ready before it |
| `quantities.py` | quantities of Kubernetes as whole milli-units |

All instants and durations are whole milliseconds unless a name says `_seconds`; amounts are whole milli-units.
"""
