"""Autoscaling from recorded load: the controllers' own algorithms as pure functions, and searches over them."""
