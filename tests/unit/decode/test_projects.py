"""Which project the records of a request belong to: the sender's, or the one that each resource names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from collector.decode import Decoded, Limits, decode, frame
from collector.errors import TooLarge
from collector.project import LONGEST_PROJECT, of_resources
from collector.signals import Signal
from tests.support.otlp import NOW, request, span
from tests.support.otlp_signals import gauge, log_record, logs, metrics, number

BY_TENANT = of_resources("tenant.id", "sender")
ATTRIBUTE = {"tenant.id": "a"}


def of(tenant: Any, signal: Signal = Signal.TRACES, records: int = 1, **changes: Any) -> Any:
    """A request of one resource; the tenant () has no attribute."""
    resource = {"service.name": "s"} if tenant == () else {"service.name": "s", "tenant.id": tenant}
    if signal is Signal.TRACES:
        return request(*(span(**changes) for _ in range(records)), resource=resource)
    if signal is Signal.LOGS:
        return logs(*(log_record() for _ in range(records)), resource=resource)
    return metrics(gauge("gen_ai.x", *(number(1) for _ in range(records))), resource=resource)


def joined(messages: Sequence[Any]) -> bytes:
    """One request with the resources of all."""
    return b"".join(message.SerializeToString() for message in messages)


def decoded(payload: bytes, project: str = BY_TENANT, signal: Signal = Signal.TRACES) -> Decoded:
    return decode(signal, payload, project=project, received_at=NOW, limits=Limits())


def projects(payload: bytes, project: str = BY_TENANT, signal: Signal = Signal.TRACES) -> list[str]:
    names: list[str] = decoded(payload, project, signal).batch.column("project").to_pylist()
    return names


@pytest.mark.parametrize("signal", Signal)
def test_each_record_belongs_to_the_project_that_its_resource_names(signal: Signal) -> None:
    sent = joined([of("a", signal, 2), of("b", signal), of((), signal), of("a", signal), of("", signal, 0)])
    assert projects(sent, signal=signal) == ["a", "a", "b", "sender", "a"]


@pytest.mark.parametrize("signal", Signal)
def test_without_the_attribute_configured_all_is_of_the_sender(signal: Signal) -> None:
    assert projects(joined([of("a", signal), of("b", signal)]), "shop", signal) == ["shop", "shop"]
    assert decoded(of("\n", signal).SerializeToString(), "shop", signal).misnamed == 0


@pytest.mark.parametrize("signal", Signal)
def test_an_empty_request_has_the_columns_of_any_other(signal: Signal) -> None:
    empty = decoded(b"", signal=signal).batch
    assert empty.columns.schema == decoded(of("a", signal).SerializeToString(), signal=signal).batch.columns.schema


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize(
    "tenant",
    ["", " ", "a\nb", "\x00", "x" * (LONGEST_PROJECT + 1), 7, True, 1.5, None, ["a"], {"a": "b"}, b"a"],
    ids=repr,
)
def test_a_resource_that_names_no_possible_project_is_of_the_sender_and_counted(signal: Signal, tenant: Any) -> None:
    found = decoded(joined([of(tenant, signal), of("a", signal), of((), signal)]), signal=signal)
    assert found.batch.column("project").to_pylist() == ["sender", "a", "sender"]
    assert found.misnamed == (0 if tenant is None else 1), "an attribute without a value is none"


def test_white_space_around_the_name_is_not_part_of_it() -> None:
    assert projects(of(" Café ").SerializeToString()) == ["Café"]


@pytest.mark.parametrize("signal", Signal)
def test_decoding_again_gives_the_same(signal: Signal) -> None:
    sent = joined([of("a", signal), of("\n", signal), of("b", signal)])
    assert decoded(sent, signal=signal).batch.columns.equals(decoded(sent, signal=signal).batch.columns)


def test_the_same_resource_is_remembered_for_each_attribute_apart() -> None:
    sent = request(span(), resource={"tenant.id": "a", "team": "b"}).SerializeToString()
    assert [projects(sent, each) for each in (BY_TENANT, of_resources("team", "sender"), "shop")] == [
        ["a"],
        ["b"],
        ["shop"],
    ]


def test_rejected_spans_are_counted_for_the_project_of_their_resource() -> None:
    sent = [of("a", trace_id=b""), of("b", records=2, start=0), of("b"), of((), span_id=b"")]
    rejections = decoded(joined(sent)).rejections
    assert {name: reasons.total() for name, reasons in rejections.projects.items()} == {"a": 1, "b": 2, "sender": 1}
    assert sum(rejections.projects.values(), start=type(rejections.reasons)()) == rejections.reasons
    assert rejections.count == 4


def test_spans_too_short_to_be_opened_are_counted_likewise() -> None:
    empty = of("a")
    empty.resource_spans[0].scope_spans[0].spans[0].Clear()
    assert dict(decoded(joined([empty, of("b")])).rejections.projects) == {
        "a": {"trace_id is not 16 bytes or all zero": 1}
    }


@pytest.mark.parametrize("signal", Signal)
def test_a_request_of_too_many_projects_is_too_large(signal: Signal) -> None:
    most = joined([of(str(i), signal) for i in range(frame.MAX_PROJECTS)])
    assert len(set(projects(most, signal=signal))) == frame.MAX_PROJECTS
    with pytest.raises(TooLarge, match=f"holds {frame.MAX_PROJECTS + 1} projects; at most {frame.MAX_PROJECTS} are"):
        decoded(most + of("one more", signal).SerializeToString(), signal=signal)
