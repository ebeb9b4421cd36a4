"""What is a review among that which spans carry, and how it goes together with what was given over an API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.query.reviews import shown_output, trace_approvals, trace_feedback
from collector.settings_attributes import Attributes
from tests.unit.query.reviewed import evaluation
from tests.unit.query.rows import ROOT_ID, TRACE_ID, Row, bare_span_row, model_call_row, text_message

ATTRIBUTES = Attributes()
REASONING = {"type": "reasoning", "content": "hm"}


def feedback(*spans: Row, stored: tuple[Row, ...] = ()) -> list[Row]:
    return trace_feedback(TRACE_ID, spans, stored, ATTRIBUTES)


def approved(span: Row, **stored: Any) -> Any:
    rows = [{"span_id": span["span_id"], "user_id": "", "created_at": 5, **stored}] if stored else []
    return trace_approvals([span], rows, ATTRIBUTES).get(span["span_id"], {}).get("output")


def answer(*messages: Row) -> Row:
    return model_call_row(output=json.dumps(messages))


# What a reviewer sees.


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (answer(text_message("assistant", "Paris.", finish_reason="stop")), "Paris."),
        (answer(text_message("assistant", ' {"category": "billing"}')), {"category": "billing"}),
        (answer(text_message("assistant", "[1, 2]")), [1, 2]),
        (answer(text_message("assistant", "5")), "5"),
        (answer(text_message("assistant", "true")), "true"),
        (answer(text_message("assistant", "{not JSON")), "{not JSON"),
        (answer({"role": "assistant", "parts": [REASONING, {"type": "text", "content": "Yes"}]}), "Yes"),
        (
            answer(text_message("assistant", "a"), text_message("assistant", "b")),
            {"messages": [{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]},
        ),
        (
            answer({"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "f", "arguments": {}}]}),
            {
                "messages": [
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                    }
                ]
            },
        ),
        (bare_span_row(kind="TOOL", output="5"), 5),
        (bare_span_row(kind="TOOL", output='{"messages": [{"role": "a", "content": "b"}]}'),
         {"messages": [{"role": "a", "content": "b"}]}),
        (bare_span_row(output='{"category": "billing"}'), {"category": "billing"}),
        (bare_span_row(kind="OTHER", attributes={"artanis.output": '{"a": 1}', "output.value": "no"}), {"a": 1}),
        (bare_span_row(kind="OTHER", attributes={"output.value": "yes"}), "yes"),
        (bare_span_row(kind="OTHER", attributes={"artanis.output": ["a"]}), ["a"]),
        (bare_span_row(), None),
    ],
)  # fmt: skip
def test_the_output_is_what_a_program_takes_from_the_answer(span: Row, shown: Any) -> None:
    assert shown_output(span, ATTRIBUTES) == shown


# Approvals.


@pytest.mark.parametrize(
    ("span", "value", "output"),
    [
        (bare_span_row(output='{"category": "billing"}'), '{"category": "refund"}', {"category": "refund"}),
        (bare_span_row(output='{"category": "billing"}'), '{"category":"billing"}', {"category": "billing"}),
        (answer(text_message("assistant", "5")), "5", "5"),
        (answer(text_message("assistant", "5")), json.dumps([text_message("assistant", "6")]), "6"),
        (answer(text_message("assistant", "yes")), '["a"]', ["a"]),
        (bare_span_row(kind="TOOL", output="5"), "5", 5),
        (bare_span_row(kind="TOOL", output="5"), 6, 6),
        (bare_span_row(), False, False),
        (bare_span_row(), None, None),
    ],
)
def test_an_approved_output_that_came_as_an_attribute_is_in_the_form_of_the_output(
    span: Row, value: Any, output: Any
) -> None:
    assert approved(span | {"attributes": {"review.approved_output": value}}) == output


def test_the_first_name_that_a_span_has_counts() -> None:
    both = {"artanis.approved_output": "second", "review.approved_output": "first"}
    assert approved(bare_span_row(attributes=both)) == "first"
    assert approved(bare_span_row(attributes={"artanis.approved_output": "second"})) == "second"


def test_an_approval_given_over_an_api_stands_above_that_of_the_span() -> None:
    span = bare_span_row(attributes={"review.approved_output": "first", "review.user_id": "ann"})
    assert approved(span, output='"second"') == "second"
    (found,) = trace_approvals([span], [], ATTRIBUTES).values()
    assert (found["user_id"], found["created_at"]) == ("ann", span["end_time"])


# Feedback.


def test_evaluations_under_the_names_of_feedback_are_feedback_and_others_are_not() -> None:
    said = [evaluation(name) for name in ("feedback", "user_feedback", "human_feedback", "relevance", "Feedback", "")]
    assert len(feedback(bare_span_row(evaluations=said))) == 3


def test_an_evaluation_is_told_with_all_that_it_says() -> None:
    said = evaluation(label="thumbs_down", score=0.25, explanation="Wrong.", user_id="ann", time=7)
    (row,) = feedback(bare_span_row(evaluations=[said]))
    assert len(row.pop("feedback_id")) == 36
    assert row == {
        "trace_id": TRACE_ID,
        "span_id": ROOT_ID,
        "user_id": "ann",
        "label": "negative",
        "score": 0.25,
        "content": "Wrong.",
        "tags": [],
        "source": "otlp",
        "created_at": 7,
    }


def test_an_event_of_the_span_is_feedback_as_well() -> None:
    said = {
        "gen_ai.evaluation.name": "feedback",
        "gen_ai.evaluation.score.value": "0.5",
        "gen_ai.evaluation.score.label": "Good",
        "gen_ai.evaluation.explanation": "Fine.",
        "user.id": "ann",
    }
    events = [
        {"time": 7, "name": "gen_ai.evaluation.result", "attributes": said},
        {"time": 8, "name": "exception", "attributes": said},
        {"time": 9, "name": "gen_ai.evaluation.result", "attributes": {}},
    ]
    (row,) = feedback(bare_span_row(events=events))
    shown = {name: row[name] for name in ("user_id", "label", "score", "content", "created_at")}
    assert shown == {"user_id": "ann", "label": "positive", "score": 0.5, "content": "Fine.", "created_at": 7}


@pytest.mark.parametrize("score", [None, True, "x", [1], float("nan"), float("inf"), 10**400])
def test_a_score_that_is_no_number_is_none(score: Any) -> None:
    said = {"gen_ai.evaluation.name": "feedback", "gen_ai.evaluation.score.value": score}
    (row,) = feedback(bare_span_row(events=[{"time": 7, "name": "gen_ai.evaluation.result", "attributes": said}]))
    assert row["score"] is None


def test_a_label_that_is_neither_of_both_is_kept_as_a_tag() -> None:
    (row,) = feedback(bare_span_row(evaluations=[evaluation(label="off topic")]))
    assert (row["label"], row["tags"]) == ("", ["off topic"])


def test_what_an_evaluation_does_not_say_is_taken_from_the_span() -> None:
    span = bare_span_row(evaluations=[evaluation()], attributes={"review.user_id": 7})
    (row,) = feedback(span)
    assert (row["user_id"], row["created_at"]) == ("7", span["end_time"])
    (row,) = feedback(span | {"end_time": None})
    assert row["created_at"] == span["start_time"]


def test_the_id_is_the_same_each_time_and_another_for_whatever_else_is_said() -> None:
    def ids(**said: Any) -> str:
        (row,) = feedback(bare_span_row(evaluations=[evaluation(**said)]))
        return row["feedback_id"]

    assert ids(time=1) == ids(time=1)
    assert len({ids(), ids(time=1), ids(user_id="ann"), ids(label="good"), ids(score=1), ids(explanation="x")}) == 6


def test_feedback_of_all_ways_is_in_the_order_of_its_times_and_what_is_stored_replaces_what_has_its_id() -> None:
    span = bare_span_row(evaluations=[evaluation(explanation=text, time=time) for text, time in (("c", 3), ("a", 1))])
    first, _ = feedback(span)
    stored = ({"feedback_id": "0", "content": "b", "created_at": 2}, {**first, "content": "A"})
    assert [row["content"] for row in feedback(span, stored=stored)] == ["A", "b", "c"]
