"""A slow, plain reference of which spans of one trace count, one span and one pair at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
ById = Mapping[str, Row]

MODEL_CALLS = ("LLM", "EMBEDDING", "RERANKER")


def counted_ids(by_id: ById) -> set[str]:
    """The ids of the spans of one trace whose usage counts.

    A model call counts unless another of its sort lies below it, with no tool between them; another span counts if nothing
    below it reports usage, where lookups are nothing to a span that reports output. Of those that tell of the same answer,
    the best witness counts.
    """
    by_id = _without_circles(by_id)
    counted = {one["span_id"] for one in by_id.values() if _is_candidate(one, by_id)}
    _replace_unpriced(counted, by_id)
    best: dict[str, Row] = {}
    for one in (by_id[span_id] for span_id in counted):
        answer = one["response_id"] or f"none, of {one['span_id']}"
        best[answer] = min(one, best.get(answer, one), key=_doubt)
    return _without_pairs(list(best.values()), by_id)


def _order(span: Row) -> tuple[Any, ...]:
    return span["start_time"], span["span_id"]


def _doubt(span: Row) -> tuple[Any, ...]:
    return (*_doubt_of_usage(span), *_order(span))


def _doubt_of_usage(span: Row) -> tuple[Any, ...]:
    missing = [span[name] is None for name in ("input_tokens", "output_tokens")]
    return span["kind"] not in MODEL_CALLS, span["cost"] is None, sum(missing)


def _without_circles(by_id: ById) -> ById:
    """The same spans, where the first of each circle of parents has none (but is no root either)."""
    cut = {span_id: dict(span) for span_id, span in by_id.items()}
    for span in sorted(cut.values(), key=_order):
        if span["span_id"] in (span["parent_span_id"], *_above(span, cut)):
            span["cut"] = True
    return cut


def _replace_unpriced(counted: set[str], by_id: ById) -> None:
    """Let calls with a price stand in for calls without one that alone are below them and may be the same call."""
    silenced = set(by_id) - counted
    for call in sorted((by_id[span_id] for span_id in counted), key=_order):
        if call["kind"] not in MODEL_CALLS or call["cost"] is not None:
            continue
        above = [by_id[one] for one in _above(call, by_id) if one in silenced]
        wrappers = [one for one in above if one["kind"] in MODEL_CALLS and _reports(one) and one["cost"] is not None]
        if not wrappers or not _may_be_one(wrappers[0], call):
            continue
        if sum(wrappers[0]["span_id"] in _above(by_id[one], by_id) for one in counted - silenced) == 1:
            counted.remove(call["span_id"])
            counted.add(wrappers[0]["span_id"])


def _may_be_one(wrapper: Row, call: Row) -> bool:
    if wrapper["response_id"] and call["response_id"]:
        return bool(wrapper["response_id"] == call["response_id"])
    return _same(_usage(wrapper), _usage(call))


def _without_pairs(counted: list[Row], by_id: ById) -> set[str]:
    """The ids of these, without those that tell, lacking a response id, of a call that another scope tells of too."""
    ids = {one["span_id"] for one in counted}
    calls = [one for one in sorted(counted, key=_order) if one["kind"] in MODEL_CALLS]
    groups = _Groups(calls, by_id)
    # Nothing is compared in a trace that one scope tells of, or all calls of which have response ids.
    if len({one["scope_name"] for one in counted if one["kind"] in MODEL_CALLS}) > 1:
        for name in ("output_tokens", "input_tokens"):
            alike: dict[tuple[Any, ...], list[Row]] = {}
            for one in calls:
                if one[name] and groups.is_first(one):
                    alike.setdefault((one[name], one["kind"], one["service_name"]), []).append(one)
            for some in alike.values():
                groups.put_together(some)
    for group in groups.all:
        *worse, _ = sorted(group, key=lambda one: (*_worth(one), bool(one["response_id"]), *_order(one)))
        ids -= {one["span_id"] for one in worse}
    return ids


class _Groups:
    """Reports of one call, as far as they are known to be."""

    def __init__(self, calls: list[Row], by_id: ById) -> None:
        self.all = [[one] for one in calls]
        self._by_id = by_id

    def of(self, one: Row) -> list[Row]:
        return next(group for group in self.all if one in group)

    def is_first(self, one: Row) -> bool:
        return self.of(one)[0] is one

    def put_together(self, calls: list[Row]) -> None:
        scopes = list(dict.fromkeys(one["scope_name"] for one in calls))
        first = [one for one in calls if one["scope_name"] == scopes[0]]
        for scope in scopes[1:]:
            other = [one for one in calls if one["scope_name"] == scope]
            taken: list[Row] = []
            pairs = [*self._nested(first, other, taken), *((b, a) for a, b in self._nested(other, first, taken))]
            for one in first:
                for another in other:
                    both_free = one not in taken and another not in taken
                    if both_free and _nearly_coincide(one, another) and self._may_be_one(one, another):
                        taken += [one, another]
                        pairs.append((one, another))
            for one, another in pairs:
                group, added = self.of(one), self.of(another)
                group.extend(added)
                self.all = [each for each in self.all if each is not added]
            joined = [another for _, another in pairs]
            first = sorted([*first, *(one for one in other if one not in joined)], key=lambda one: one["start_time"])

    def _nested(self, outers: list[Row], inners: list[Row], taken: list[Row]) -> list[tuple[Row, Row]]:
        pairs = []
        for outer in [one for one in reversed(outers) if one not in taken]:
            # Of those that end at the same time, the one that was come upon last: the one that begins first.
            within = [one for one in reversed(inners) if one not in taken and _encloses(outer, one)]
            found = [one for one in within if self._may_be_one(outer, one)]
            if found:
                inner = max(enumerate(found), key=lambda place: (_end(place[1]), place[0]))[1]
                taken += [outer, inner]
                pairs.append((outer, inner))
        return pairs

    def _may_be_one(self, one: Row, other: Row) -> bool:
        reports = [*self.of(one), *self.of(other)]
        ids = {each["response_id"] for each in reports} - {""}
        scopes = {each["scope_name"] for each in reports}
        told = one["response_id"] and other["response_id"]
        models = [{each["request_model"], each["response_model"]} - {""} for each in (one, other)]
        above, places = ([look(each, self._by_id) for each in (one, other)] for look in (_all_above, _places))
        return bool(
            not told
            and len(ids) <= 1
            and len(scopes) == len(reports)
            and models[0] & models[1]
            and _same(_usage(one), _usage(other))
            and (above[0] & places[1] or above[1] & places[0])
        )


def _all_above(one: Row, by_id: ById) -> set[str]:
    line = [one, *(by_id[above] for above in _above(one, by_id))]
    return {each["parent_span_id"] for each in line} - {""}


def _places(one: Row, by_id: ById) -> set[str]:
    places = {one["parent_span_id"]}
    for above in (by_id[each] for each in _above(one, by_id)):
        if above["kind"] != one["kind"] and above["scope_name"] != one["scope_name"]:
            break
        places.add(above["parent_span_id"])
    return places - {""}


def _encloses(one: Row, other: Row) -> bool:
    return bool(one["start_time"] <= other["start_time"] and _end(other) <= _end(one))


def _nearly_coincide(one: Row, other: Row) -> bool:
    start, end, first, last = one["start_time"], _end(one), other["start_time"], _end(other)
    common = min(end, last) - max(start, first)
    return bool(common > 0 and common >= 0.9 * max(end - start, last - first))


def _worth(span: Row) -> tuple[Any, ...]:
    return tuple(-int(doubt) for doubt in _doubt_of_usage(span))


def _same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return bool(pairs) and all(a == b for a, b in pairs)


def _usage(span: Row) -> tuple[int, int]:
    return span["input_tokens"] or 0, span["output_tokens"] or 0


def _end(span: Row) -> int:
    end: int = span["start_time"] if span["end_time"] is None else max(span["start_time"], span["end_time"])
    return end


def _is_candidate(span: Row, by_id: ById) -> bool:
    if not _reports(span):
        return False
    reporting = [one for one in by_id.values() if _reports(one)]
    if span["kind"] in MODEL_CALLS:
        alike = [one for one in reporting if _sort(one) == _sort(span)]
        return not any(span["span_id"] in _above(one, by_id, through_tools=False) for one in alike)
    below = [one for one in reporting if span["span_id"] in _above(one, by_id)]
    generated = any(_sort(one) == "generates" for one in below)
    looked_up = any(_sort(one) == "looks up" for one in below) and not span["output_tokens"]
    # Of the others below only those that count for themselves silence it.
    wraps = any(_sort(one) == "wraps" and _is_wrapper_alone(one, by_id) for one in below)
    return not (generated or looked_up or wraps)


def _is_wrapper_alone(span: Row, by_id: ById) -> bool:
    """Whether no model call below the wrapper is what it repeats."""
    below = [one for one in by_id.values() if _reports(one) and span["span_id"] in _above(one, by_id)]
    sorts = {_sort(one) for one in below}
    return "generates" not in sorts and ("looks up" not in sorts or bool(span["output_tokens"]))


def _sort(span: Row) -> str:
    if span["kind"] in MODEL_CALLS:
        return "generates" if span["kind"] == "LLM" else "looks up"
    return "wraps"


def _reports(span: Row) -> bool:
    reported = any(span[name] is not None for name in ("input_tokens", "output_tokens", "cost"))
    return reported and span["operation"] != "fetch_response"


def _above(span: Row, by_id: ById, *, through_tools: bool = True) -> list[str]:
    """The ids of all that lie above a span, from below, up to the first tool or beyond it.

    On a circle of parents that is all of the circle, the span itself too.
    """
    above: list[str] = []
    while True:
        parent = span["parent_span_id"]
        if parent == span["span_id"] or parent not in by_id or parent in above or span.get("cut"):
            return above
        above.append(parent)
        span = by_id[parent]
        if span["kind"] == "TOOL" and not through_tools:
            return above
