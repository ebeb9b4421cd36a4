"""What a project may be called, and how the journal says which project the records of a request belong to.

That is the project of the sender, or, where each resource names its own, `of_resources`: with it goes the attribute that
names it, so that a request is decoded alike however often, also after the configuration has changed.
"""

from __future__ import annotations

import uuid

DEFAULT_PROJECT = "default"
"""The project of every sender, as long as there are no keys to tell them apart."""

LONGEST_PROJECT = 128
"""Characters of the longest name."""

_BETWEEN = "\n"  # not printable, so in no name


def project_name(text: str) -> str:
    """Return the name of a project without the white space around it, or "" if no project may be called so.

    Allowed are up to `LONGEST_PROJECT` printable characters.
    """
    name = text.strip()
    return name if name.isprintable() and len(name) <= LONGEST_PROJECT else ""


def project_uuid(name: str) -> str:
    """Return the UUID that stands for a project in the documented APIs."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"spanledger:project:{name}"))


def of_resources(attribute: str, otherwise: str) -> str:
    """Return what stands for the project of a request whose resources name theirs in this attribute, if they do."""
    return f"{otherwise}{_BETWEEN}{attribute}"


def resource_attribute(project: str) -> tuple[str, str]:
    """Undo `of_resources`: the attribute, and the project of what has none. A plain name has the attribute ""."""
    otherwise, _, attribute = project.partition(_BETWEEN)
    return attribute, otherwise
