"""Galtea's API: single spans, which it calls traces."""
