"""Secrets: none in plain text, every sealed value a ciphertext, one maker for each."""
