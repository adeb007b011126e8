"""Tests of simulated autoscaling."""
