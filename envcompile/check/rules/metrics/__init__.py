"""Metrics that autoscalers ask for, and the rules of the Prometheus adapter that serve them."""
