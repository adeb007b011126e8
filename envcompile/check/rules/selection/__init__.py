"""Workloads, Services, policies and budgets find their pods by labels: do they, and only theirs?"""
