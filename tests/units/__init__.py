"""Tests of what becomes of compiled resources: names, order, the index, the plan, and the swap into place."""
