"""Small repositories, what is run in them, and everything that comes out; see `tests/harness/cases.py`."""
