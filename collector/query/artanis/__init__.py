"""Artanis' API: whole traces with what reviewers say about them."""
