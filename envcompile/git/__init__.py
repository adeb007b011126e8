"""The one door to git: how it is started, what a repository holds, and the files of a commit or the index."""
