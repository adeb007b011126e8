"""Tests of the unit of work: plan, compile, link, and what is remembered of them."""
