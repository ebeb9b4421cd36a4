"""Letta's API: a step is a model call, with the request and the response of its provider."""
