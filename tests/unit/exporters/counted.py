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
    groups = [[one] for one in sorted(counted, key=_order) if one["kind"] in MODEL_CALLS]
    order = {one["span_id"]: number for number, one in enumerate(sorted(by_id.values(), key=_order))}
    pairs = [(one, other) for [one] in groups for [other] in groups if _is_one(one, other, by_id)]
    for pair in sorted(pairs, key=lambda pair: (_distance(*pair), *sorted(order[one["span_id"]] for one in pair))):
        first, second = (next(group for group in groups if one in group) for one in pair)
        together = [*first, *second]
        if first is second or len({one["scope_name"] for one in together}) < len(together):
            continue
        if len({one["response_id"] for one in together} - {""}) > 1:
            continue
        groups = [group for group in groups if group is not first and group is not second] + [together]
    for group in groups:
        *worse, _ = sorted(group, key=lambda one: (*_worth(one), bool(one["response_id"]), *_order(one)))
        ids -= {one["span_id"] for one in worse}
    return ids


def _worth(span: Row) -> tuple[Any, ...]:
    return tuple(-int(doubt) for doubt in _doubt_of_usage(span))


def _is_one(outer: Row, inner: Row, by_id: ById) -> bool:
    alike = all(outer[name] == inner[name] for name in ("kind", "service_name"))
    models = [{one["request_model"], one["response_model"]} - {""} for one in (outer, inner)]
    lines = [[one] + [by_id[above] for above in _above(one, by_id)] for one in (outer, inner)]
    top = lines[1][0]
    for above in lines[1][1:]:
        if above["kind"] != inner["kind"]:
            break
        top = above
    places = {one["parent_span_id"] for one in lines[0]} - {""}
    return bool(
        alike
        and outer["scope_name"] != inner["scope_name"]
        and not (outer["response_id"] and inner["response_id"])
        and models[0] & models[1]
        and _same(_usage(outer), _usage(inner))
        and top["parent_span_id"] in places
        and _at_one_time(outer, inner)
    )


def _at_one_time(one: Row, other: Row) -> bool:
    start, end, first, last = one["start_time"], _end(one), other["start_time"], _end(other)
    common = min(end, last) - max(start, first)
    nearly = common > 0 and common >= 0.9 * max(end - start, last - first)
    return bool(start <= first <= last <= end or nearly)


def _distance(one: Row, other: Row) -> int:
    return int(abs(one["start_time"] - other["start_time"]) + abs(_end(one) - _end(other)))


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
