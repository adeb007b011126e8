"""The Common Expression Language as the API server of Kubernetes speaks it.

An engine parses and checks (`engine`, the one door to it); what it hands on is the standard tree of a checked
expression (`tree`), which is evaluated here: with the server's function libraries, limits and words for errors.
"""
