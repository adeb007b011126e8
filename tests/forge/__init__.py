"""Comments on GitHub and GitLab."""
