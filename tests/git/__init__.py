"""The one door to git, with real repositories of every kind."""
