"""Fixtures that several folders share."""

from tests.support.store import database, project

__all__ = ["database", "project"]
