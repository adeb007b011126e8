"""The HorizontalPodAutoscaler v2 controller as pure functions.

Source: k8s.io/kubernetes v1.37.2, pkg/controller/podautoscaler, feature gates at their defaults.
`reconcile` decides what one reconciliation does; what the real controller remembers between two of them is in
`Memory`.
"""
