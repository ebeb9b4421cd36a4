"""What a dialect is: a table from our field names to attribute keys, and where it takes more than that, a reader of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.enrich.span_view import SpanView

Keys = tuple[str, ...]
Reader = Callable[[SpanView], Mapping[str, Any]]


@dataclass(frozen=True)
class Dialect:
    """How one family of instrumentations writes what we store, and how its spans are recognised.

    Each of the tables below holds, for a field of ours, the attribute keys that may hold it; the first key that a span
    has wins. Behind the keys of a dialect stand those of the semantic conventions (`dialects.genai`): a span that has
    none of the former is read by the latter. The tables differ in how a value is read.
    """

    name: str
    """Stored with every span that is read by it."""
    scopes: Keys = ()
    """Names of instrumentation scopes; one that ends in ``*`` is a prefix. They decide before any marker does."""
    markers: Keys = ()
    """Attribute keys whose presence on a span shows the dialect where its scope does not; ``*`` as above."""
    inclusive: bool | None = None
    """Whether input tokens include cached ones; None where senders differ, and a span's own numbers have to tell."""
    passes_on: bool = False
    """Whether token counts are those of the provider's own API, whatever it counts as input: see
    `tokens.EXCLUSIVE_PROVIDERS`."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Values of the text field `kind_name`, in lower case -> kind."""
    operations: Mapping[str, str] = field(default_factory=dict)
    """Values of the text field `kind_name`, in lower case -> operation, for the spans that name none."""
    kinds_of_names: Mapping[str, str] = field(default_factory=dict)
    """Exact names of spans, where the instrumentation documents them as its span types -> kind."""
    text: Mapping[str, Keys] = field(default_factory=dict)
    """Strings; an empty one counts as absent."""
    content: Mapping[str, Keys] = field(default_factory=dict)
    """What may be large: strings or structured values (kept as JSON text), already in canonical form. It is moved out
    of the attributes."""
    tokens: Mapping[str, Keys] = field(default_factory=dict)
    """Token counts: integers, whole doubles, or digits in a string."""
    seconds: Mapping[str, Keys] = field(default_factory=dict)
    """Durations in seconds."""
    milliseconds: Mapping[str, Keys] = field(default_factory=dict)
    """Durations in milliseconds, of the same fields."""
    lists: Mapping[str, Keys] = field(default_factory=dict)
    """Arrays of strings, structured or as JSON text."""
    amounts: Mapping[str, Keys] = field(default_factory=dict)
    """Money in USD: doubles, integers or decimal numbers in a string."""
    flags: Mapping[str, Keys] = field(default_factory=dict)
    """Booleans, or "true" and "false" as text."""
    read: Reader | None = None
    """Reads what no table can: flattened or encoded messages, objects that hold several fields. It is called for each
    span of the dialect; of a field that it returns, the table's value is not used. See `enrich.rows.FIELDS`."""
