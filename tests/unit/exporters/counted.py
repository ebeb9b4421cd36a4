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
    """Let calls with a price stand in for calls without one that alone are below them and tell of the same answer."""
    for call in sorted((by_id[span_id] for span_id in counted), key=_order):
        if call["kind"] not in MODEL_CALLS or call["cost"] is not None or not call["response_id"]:
            continue
        for wrapper in (by_id[span_id] for span_id in _above(call, by_id)):
            if wrapper["kind"] not in MODEL_CALLS or not _reports(wrapper) or wrapper["cost"] is None:
                continue
            if wrapper["span_id"] in counted or wrapper["response_id"] != call["response_id"]:
                continue
            others = counted - {call["span_id"]}
            if not any(wrapper["span_id"] in _above(by_id[other], by_id) for other in others):
                counted.remove(call["span_id"])
                counted.add(wrapper["span_id"])
            break


def _without_pairs(counted: list[Row], by_id: ById) -> set[str]:
    """The ids of these, without those that tell, lacking a response id, of a call that another scope tells of too."""
    ids = {one["span_id"] for one in counted}
    free = sorted((one for one in counted if one["kind"] in MODEL_CALLS), key=_order)
    for outer in sorted(free, key=lambda one: (_end(one) - one["start_time"], *_order(one))):
        if outer not in free:
            continue
        places = {one["parent_span_id"] for one in (outer, *(by_id[above] for above in _above(outer, by_id)))} - {""}
        alike = [one for one in free if _is_one(outer, one) and one["parent_span_id"] in places]
        if not alike:
            continue
        inner = min(alike, key=lambda one: (_usage(one) != _usage(outer), *_order(one)))
        free = [one for one in free if one not in (outer, inner)]
        ids.remove((inner if _doubt_of_usage(outer) < _doubt_of_usage(inner) else outer)["span_id"])
    return ids


def _is_one(outer: Row, inner: Row) -> bool:
    alike = outer["scope_name"] != inner["scope_name"] and outer["kind"] == inner["kind"]
    during = outer["start_time"] <= inner["start_time"] and _end(inner) <= _end(outer)
    told = outer["response_id"] and inner["response_id"]
    models = [{one["request_model"], one["response_model"]} - {""} for one in (outer, inner)]
    return bool(alike and during and not told and models[0] & models[1] and _shares(_usage(outer), _usage(inner)))


def _shares(one: tuple[int, int], other: tuple[int, int]) -> bool:
    same = one[0] == other[0] > 0 or one[1] == other[1] > 0
    less = one[0] <= other[0] and one[1] <= other[1]
    more = one[0] >= other[0] and one[1] >= other[1]
    return same and (less or more)


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
    return not (generated or looked_up or wraps or _is_around_an_orphan(span, by_id))


def _is_around_an_orphan(span: Row, by_id: ById) -> bool:
    """Whether a call counts that is, or is below, a span whose parent is missing, in the time and service of this one."""
    for call in by_id.values():
        if call["kind"] not in MODEL_CALLS or not _is_candidate(call, by_id):
            continue
        top = ([call] + [by_id[above] for above in _above(call, by_id)])[-1]
        is_orphan = top["parent_span_id"] != "" and (top["parent_span_id"] not in by_id or top.get("cut"))
        during = span["start_time"] <= top["start_time"] and _end(top) <= _end(span)
        if is_orphan and during and top["service_name"] == span["service_name"]:
            return True
    return False


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
