"""Where pull requests live: GitHub and GitLab, their comments and their limits."""
