"""Which model of a provider a name means, by the clauses of genai-prices, read strictly.

A clause of genai-prices may fit a part of a name only (`starts_with: claude-opus-4-5`). Such a fit is taken if the rest
of the name says nothing about the model: a date, a release number, a region. Otherwise it is another model that begins
or ends alike, whose price is unknown. Names that equal a clause, or the id of a model, are found without a search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
)

from collector.enrich.prices_names import core

SAME_PRICE = {
    "claude-2": ("claude-2.0", "claude-2.1"),
    "gemini-live-2.5-flash": ("gemini-live-2.5-flash-native-audio", "gemini-live-2.5-flash-preview-native-audio"),
    "gemma-3": ("gemma-3-1b-it", "gemma-3-4b-it", "gemma-3-12b-it", "gemma-3-27b-it"),
    "gemma-3n": ("gemma-3n-e2b-it", "gemma-3n-e4b-it"),
    "mixtral-8x7b": ("mixtral-8x7b-instruct", "mixtral-8x7b-instruct-v0.1"),
    "moderation": ("omni-moderation", "text-moderation"),
}
"""Model id -> names that a clause fits in part, and that are this model all the same, with or without a date."""


class ModelIndex:
    """The models of one provider, by name."""

    def __init__(self, models: Iterable[ModelInfo]) -> None:
        self._models = tuple(models)
        self._exact: dict[str, int] = {}
        self._ids: dict[str, int] = {}
        self._loose: list[tuple[int, MatchLogic]] = []
        partial: list[MatchLogic] = []
        for position, model in enumerate(self._models):
            self._ids.setdefault(model.id.lower(), position)
            leaves = list(_leaves(model.match))
            for leaf in leaves:
                if isinstance(leaf, ClauseEquals):
                    self._exact.setdefault(leaf.equals.lower(), position)
            rest = [leaf for leaf in leaves if not isinstance(leaf, ClauseEquals)]
            if rest:
                self._loose.append((position, model.match))
                partial += rest
        self._partial = _Partial(partial)

    def find(self, name: str) -> ModelInfo | None:
        """Return the model that a name (in lower case) means: the first one whose clauses fit, as in genai-prices.

        A model whose own clauses do not fit its id is found by it nevertheless.
        """
        exact = self._exact.get(name, len(self._models))
        if self._partial.may_fit(name):
            for position, clause in self._loose:
                if position >= exact:
                    break
                if clause.is_match(name) and self._is_meant(self._models[position], clause, name):
                    return self._models[position]
        if exact == len(self._models):
            exact = self._ids.get(name, exact)
        return self._models[exact] if exact < len(self._models) else None

    @staticmethod
    def _is_meant(model: ModelInfo, clause: MatchLogic, name: str) -> bool:
        start, end = core(name)
        if name[start:end] in SAME_PRICE.get(model.id, ()):
            return True
        return any(first <= start and end <= last for first, last in _spans(clause, name))


class _Partial:
    """Tells quickly that none of many clauses fits a name, which is so for most names that have no price."""

    def __init__(self, leaves: Sequence[MatchLogic]) -> None:
        contained = [leaf.contains.lower() for leaf in leaves if isinstance(leaf, ClauseContains)]
        self._starts = tuple(leaf.starts_with.lower() for leaf in leaves if isinstance(leaf, ClauseStartsWith))
        self._ends = tuple(leaf.ends_with.lower() for leaf in leaves if isinstance(leaf, ClauseEndsWith))
        self._patterns = [re.compile(leaf.regex) for leaf in leaves if isinstance(leaf, ClauseRegex)]
        self._width = min(map(len, contained), default=0)
        heads = {text[: self._width] for text in contained}
        self._by_head = {head: tuple(text for text in contained if text.startswith(head)) for head in heads}

    def may_fit(self, name: str) -> bool:
        """Say whether any of the clauses may fit; False is certain."""
        return (
            name.startswith(self._starts)
            or name.endswith(self._ends)
            or any(pattern.search(name) for pattern in self._patterns)
            or (self._width > 0 and self._contains_any(name))
        )

    def _contains_any(self, name: str) -> bool:
        for start in range(len(name) - self._width + 1):
            texts = self._by_head.get(name[start : start + self._width])
            if texts is not None and name.startswith(texts, start):
                return True
        return False


def rule_of(clause: MatchLogic) -> str:
    """Return a clause in words: `gpt-4o or starts with gpt-4o-2024`."""
    if isinstance(clause, ClauseOr):
        return " or ".join(rule_of(part) for part in clause.or_)
    if isinstance(clause, ClauseAnd):
        return "(" + " and ".join(rule_of(part) for part in clause.and_) + ")"
    if isinstance(clause, ClauseStartsWith):
        return f"starts with {clause.starts_with}"
    if isinstance(clause, ClauseEndsWith):
        return f"ends with {clause.ends_with}"
    if isinstance(clause, ClauseContains):
        return f"contains {clause.contains}"
    return f"matches {clause.regex}" if isinstance(clause, ClauseRegex) else clause.equals


def _leaves(clause: MatchLogic) -> Iterator[MatchLogic]:
    if isinstance(clause, ClauseOr):
        for part in clause.or_:
            yield from _leaves(part)
    elif isinstance(clause, ClauseAnd):
        for part in clause.and_:
            yield from _leaves(part)
    else:
        yield clause


def _spans(clause: MatchLogic, name: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a name that a clause is about, where it fits; one that only excludes names is about nothing."""
    if isinstance(clause, ClauseOr):
        for part in clause.or_:
            yield from _spans(part, name)
    elif not clause.is_match(name):
        return
    elif isinstance(clause, ClauseAnd):
        parts = [span for part in clause.and_ for span in _spans(part, name)]
        if parts:
            yield min(first for first, _ in parts), max(last for _, last in parts)
    elif isinstance(clause, ClauseRegex):
        if (found := re.search(clause.regex, name)) and found.end() > found.start():
            yield found.span()
    else:
        yield _literal_span(clause, name)


def _literal_span(clause: MatchLogic, name: str) -> tuple[int, int]:
    if isinstance(clause, ClauseStartsWith):
        return 0, len(clause.starts_with)
    if isinstance(clause, ClauseEndsWith):
        return len(name) - len(clause.ends_with), len(name)
    if isinstance(clause, ClauseContains):
        first = name.rfind(clause.contains.lower())
        return first, first + len(clause.contains)
    return 0, len(name)
