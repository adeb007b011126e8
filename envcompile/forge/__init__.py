"""Hosts outside: pull requests on GitHub and GitLab, and receivers of messages."""
