"""Autoscalers: their targets, their bounds, and two that pull at one workload."""
