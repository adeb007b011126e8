"""Requests from outside: where Ingresses and routes lead, and what their controllers make of them."""
