"""The recommender of requests, held against recorded answers of the real one."""
