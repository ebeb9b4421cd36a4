"""Units of usage, and how the tokens that a rate applies to are found among them.

Counts overlap: input tokens include the cached ones, which include the cached audio tokens. A price has rates for some
of these units, and each token is billed once, at the rate of the most specific unit that has one. The share of a unit
that is billed at its own rate is therefore a sum of counts with whole coefficients (inclusion and exclusion). These
depend only on which units have rates, never on the counts, so that a cost is a linear function of the counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

USAGE_UNITS = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "input_text_tokens": "input_text_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "input_video_tokens": "input_video_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "cache_read_image_tokens": "cache_image_read_tokens",
    "output_tokens": "output_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "output_text_tokens": "output_text_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "output_image_tokens": "output_image_tokens",
    "output_video_tokens": "output_video_tokens",
}
"""Usage column -> unit in genai-prices. The order is the order of the columns in every rate table."""

USAGE_KEYS = tuple(USAGE_UNITS)
INPUT_KEYS = range(USAGE_KEYS.index("output_tokens"))
"""Positions of the columns that count input."""
OUTPUT_KEYS = range(USAGE_KEYS.index("output_tokens"), len(USAGE_KEYS))
"""Positions of the columns that count output."""

PARTS = (
    ("input_tokens", ("cache_read_tokens", "cache_write_tokens")),
    ("input_tokens", ("input_text_tokens", "input_audio_tokens", "input_image_tokens", "input_video_tokens")),
    ("cache_read_tokens", ("cache_read_audio_tokens", "cache_read_image_tokens")),
    ("cache_write_tokens", ("cache_write_1h_tokens",)),
    ("input_audio_tokens", ("cache_read_audio_tokens",)),
    ("input_image_tokens", ("cache_read_image_tokens",)),
    ("output_tokens", ("reasoning_tokens",)),
    ("output_tokens", ("output_text_tokens", "output_audio_tokens", "output_image_tokens", "output_video_tokens")),
)
"""A whole, and parts of it that share no token: their sum cannot exceed it."""

COST_PARTS = {
    "cost_cache_read": "cache_read_tokens",
    "cost_cache_write": "cache_write_tokens",
    "cost_reasoning": "reasoning_tokens",
}
"""Column of a part of the cost -> usage column that counts its tokens."""

Dimensions = frozenset[tuple[str, str]]
"""What a unit counts, as genai-prices says it: {("family", "tokens"), ("direction", "input"), ...}."""


@dataclass(frozen=True)
class Share:
    """The tokens that are billed at the rate of one unit. Positions refer to `USAGE_KEYS`."""

    unit: str
    """Unit in genai-prices."""
    position: int | None
    """Position of the unit's own count; None where no usage column has it."""
    coefficients: tuple[int, ...]
    """The share is the sum of these times the counts."""
    subsets: tuple[int, ...]
    """If one of these is above zero, the unit's own count must be reported."""
    overlaps: tuple[tuple[int, int], ...]
    """If both of a pair are above zero, the unit's own count must be reported: it is what they have in common."""
    parts: tuple[tuple[int, ...], ...]
    """Like `coefficients`, for each of `COST_PARTS`: which tokens of the share belong to it."""


@dataclass(frozen=True, eq=False)
class Breakdown:
    """The shares of all units that a price has rates for; one object for all prices with rates for the same units."""

    shares: tuple[Share, ...] = ()


NOTHING_PRICED = Breakdown()


def breakdown(priced: Mapping[str, Dimensions], usage: Mapping[str, Dimensions]) -> Breakdown:
    """Work out the shares of units with rates.

    `priced` are the token units of a price; `usage` the units of `USAGE_UNITS`, in that order. The rules are those of
    `genai_prices.decompose` and of `genai_prices.types.Usage` for counts that are missing.
    """
    positions = {unit: position for position, unit in enumerate(usage)}
    coefficients = _shares(priced, usage, None)
    parts = [_shares(priced, usage, usage[USAGE_UNITS[name]]) for name in COST_PARTS.values()]
    shares = []
    for unit in coefficients:
        shares.append(
            Share(
                unit=unit,
                position=positions.get(unit),
                coefficients=coefficients[unit],
                subsets=tuple(positions[other] for other in usage if priced[unit] < usage[other]),
                overlaps=_overlaps(priced[unit], usage, positions),
                parts=tuple(part[unit] for part in parts),
            )
        )
    return Breakdown(tuple(shares))


def _shares(
    priced: Mapping[str, Dimensions], usage: Mapping[str, Dimensions], part: Dimensions | None
) -> dict[str, tuple[int, ...]]:
    """Return the coefficients of each unit's share, or of what the share has in common with a part of all tokens.

    What a unit and the part have in common is a unit as well; where no usage column counts it, it is taken to be empty.
    """
    order = sorted(priced, key=lambda unit: (-len(priced[unit]), unit))  # the most specific first
    coefficients: dict[str, tuple[int, ...]] = {}
    for unit in order:
        common = priced[unit] if part is None else priced[unit] | part
        within = [coefficients[other] for other in coefficients if priced[unit] < priced[other]]
        own = [int(dimensions == common) for dimensions in usage.values()]
        coefficients[unit] = tuple(count - sum(counts) for count, *counts in zip(own, *within, strict=True))
    return coefficients


def _overlaps(
    dimensions: Dimensions, usage: Mapping[str, Dimensions], positions: Mapping[str, int]
) -> tuple[tuple[int, int], ...]:
    """Positions of all pairs of units whose common tokens are exactly those with these dimensions."""
    wider = [unit for unit in usage if usage[unit] < dimensions]
    return tuple(
        (positions[left], positions[right])
        for i, left in enumerate(wider)
        for right in wider[i + 1 :]
        if usage[left] | usage[right] == dimensions
    )
