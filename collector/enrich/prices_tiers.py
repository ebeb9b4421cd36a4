"""Service tiers: the words that senders use for them, and what they mean for a price.

A tier is a name of ours (`batch`, `flex`, `priority`, `fast`) and the context by which genai-prices picks the rates that
differ. Every other word (`default`, `standard`, `standard_only`, `auto`, `on_demand`, `scale`, `provisioned_throughput`,
one that nobody knows) means the ordinary price: no provider publishes other rates per token for it.
"""

from __future__ import annotations

TIERS = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},  # OpenAI calls it a tier, Anthropic a speed
}
"""Tier -> `price_context` of genai-prices."""

_WORDS = {
    **{tier: tier for tier in TIERS},
    "on_demand_flex": "flex",  # trafficType of Gemini on Vertex AI
    "on_demand_priority": "priority",
}


def pricing_tier(reported: str) -> str:
    """Return the tier that a reported one is billed by, "" for the ordinary price; case and hyphens do not matter."""
    return _WORDS.get(reported.strip().lower().replace("-", "_"), "")
