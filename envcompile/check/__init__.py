"""Checks of one compiled environment: rules, what they find, and how findings are graded and set aside."""
