import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TraceView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACE_VIEW_UNSPECIFIED: _ClassVar[TraceView]
    TRACE_VIEW_BASIC: _ClassVar[TraceView]
    TRACE_VIEW_FULL: _ClassVar[TraceView]

class TraceOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACE_ORDER_UNSPECIFIED: _ClassVar[TraceOrder]
    TRACE_ORDER_START_TIME: _ClassVar[TraceOrder]
    TRACE_ORDER_END_TIME: _ClassVar[TraceOrder]
    TRACE_ORDER_NAME: _ClassVar[TraceOrder]
    TRACE_ORDER_LATENCY: _ClassVar[TraceOrder]
    TRACE_ORDER_STATUS: _ClassVar[TraceOrder]

class TraceStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACE_STATUS_UNSPECIFIED: _ClassVar[TraceStatus]
    TRACE_STATUS_RUNNING: _ClassVar[TraceStatus]
    TRACE_STATUS_COMPLETED: _ClassVar[TraceStatus]
    TRACE_STATUS_ERROR: _ClassVar[TraceStatus]

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    KIND_OTHER: _ClassVar[Kind]
    KIND_AGENT: _ClassVar[Kind]
    KIND_LLM: _ClassVar[Kind]
    KIND_TOOL: _ClassVar[Kind]
    KIND_RETRIEVER: _ClassVar[Kind]
    KIND_CHAIN: _ClassVar[Kind]
    KIND_EMBEDDING: _ClassVar[Kind]
    KIND_RERANKER: _ClassVar[Kind]
    KIND_GUARDRAIL: _ClassVar[Kind]
    KIND_EVALUATOR: _ClassVar[Kind]

class StatusCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_CODE_UNSET: _ClassVar[StatusCode]
    STATUS_CODE_OK: _ClassVar[StatusCode]
    STATUS_CODE_ERROR: _ClassVar[StatusCode]
TRACE_VIEW_UNSPECIFIED: TraceView
TRACE_VIEW_BASIC: TraceView
TRACE_VIEW_FULL: TraceView
TRACE_ORDER_UNSPECIFIED: TraceOrder
TRACE_ORDER_START_TIME: TraceOrder
TRACE_ORDER_END_TIME: TraceOrder
TRACE_ORDER_NAME: TraceOrder
TRACE_ORDER_LATENCY: TraceOrder
TRACE_ORDER_STATUS: TraceOrder
TRACE_STATUS_UNSPECIFIED: TraceStatus
TRACE_STATUS_RUNNING: TraceStatus
TRACE_STATUS_COMPLETED: TraceStatus
TRACE_STATUS_ERROR: TraceStatus
KIND_UNSPECIFIED: Kind
KIND_OTHER: Kind
KIND_AGENT: Kind
KIND_LLM: Kind
KIND_TOOL: Kind
KIND_RETRIEVER: Kind
KIND_CHAIN: Kind
KIND_EMBEDDING: Kind
KIND_RERANKER: Kind
KIND_GUARDRAIL: Kind
KIND_EVALUATOR: Kind
STATUS_CODE_UNSET: StatusCode
STATUS_CODE_OK: StatusCode
STATUS_CODE_ERROR: StatusCode

class GetTraceRequest(_message.Message):
    __slots__ = ("trace_id", "view")
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    view: TraceView
    def __init__(self, trace_id: _Optional[str] = ..., view: _Optional[_Union[TraceView, str]] = ...) -> None: ...

class GetTraceResponse(_message.Message):
    __slots__ = ("trace",)
    TRACE_FIELD_NUMBER: _ClassVar[int]
    trace: Trace
    def __init__(self, trace: _Optional[_Union[Trace, _Mapping]] = ...) -> None: ...

class ListTracesRequest(_message.Message):
    __slots__ = ("page_size", "limit", "session_id", "user_id", "name", "tags", "status", "started_after", "started_before", "order", "ascending")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AFTER_FIELD_NUMBER: _ClassVar[int]
    STARTED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    ASCENDING_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    limit: int
    session_id: str
    user_id: str
    name: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    status: TraceStatus
    started_after: _timestamp_pb2.Timestamp
    started_before: _timestamp_pb2.Timestamp
    order: TraceOrder
    ascending: bool
    def __init__(self, page_size: _Optional[int] = ..., limit: _Optional[int] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., name: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[TraceStatus, str]] = ..., started_after: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., started_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., order: _Optional[_Union[TraceOrder, str]] = ..., ascending: _Optional[bool] = ...) -> None: ...

class ListTracesResponse(_message.Message):
    __slots__ = ("traces",)
    TRACES_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedCompositeFieldContainer[TraceSummary]
    def __init__(self, traces: _Optional[_Iterable[_Union[TraceSummary, _Mapping]]] = ...) -> None: ...

class DeleteTraceRequest(_message.Message):
    __slots__ = ("trace_id",)
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    def __init__(self, trace_id: _Optional[str] = ...) -> None: ...

class DeleteTraceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TraceSummary(_message.Message):
    __slots__ = ("trace_id", "name", "status", "start_time", "end_time", "latency", "root_span_id", "service_name", "environment", "release", "session_id", "user_id", "tags", "span_count", "error_count", "input_tokens", "output_tokens", "cost_total", "unpriced_spans")
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    ROOT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NAME_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_COUNT_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_SPANS_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    name: str
    status: TraceStatus
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    latency: _duration_pb2.Duration
    root_span_id: str
    service_name: str
    environment: str
    release: str
    session_id: str
    user_id: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    span_count: int
    error_count: int
    input_tokens: int
    output_tokens: int
    cost_total: str
    unpriced_spans: int
    def __init__(self, trace_id: _Optional[str] = ..., name: _Optional[str] = ..., status: _Optional[_Union[TraceStatus, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., root_span_id: _Optional[str] = ..., service_name: _Optional[str] = ..., environment: _Optional[str] = ..., release: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., span_count: _Optional[int] = ..., error_count: _Optional[int] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cost_total: _Optional[str] = ..., unpriced_spans: _Optional[int] = ...) -> None: ...

class Trace(_message.Message):
    __slots__ = ("summary", "spans", "resources")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    summary: TraceSummary
    spans: _containers.RepeatedCompositeFieldContainer[Span]
    resources: _containers.RepeatedCompositeFieldContainer[Resource]
    def __init__(self, summary: _Optional[_Union[TraceSummary, _Mapping]] = ..., spans: _Optional[_Iterable[_Union[Span, _Mapping]]] = ..., resources: _Optional[_Iterable[_Union[Resource, _Mapping]]] = ...) -> None: ...

class Resource(_message.Message):
    __slots__ = ("attributes",)
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.MessageMap[str, Value]
    def __init__(self, attributes: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("span_id", "parent_span_id", "span_uuid", "name", "kind", "status_code", "status_message", "error", "error_type", "start_time", "end_time", "latency", "time_to_first_token", "operation", "provider", "request_model", "response_model", "response_id", "session_id", "user_id", "agent_name", "tool_name", "tool_call_id", "finish_reasons", "tags", "prompt_name", "prompt_version", "service_tier", "usage", "cost", "evaluations", "input", "output", "system_instructions", "tool_definitions", "tool_calls", "model_parameters", "metadata", "attributes", "events", "links", "scope", "resource", "cut")
    class ModelParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_UUID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    STATUS_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_FIRST_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_NAME_FIELD_NUMBER: _ClassVar[int]
    TOOL_NAME_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_ID_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASONS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_NAME_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIER_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    TOOL_DEFINITIONS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    MODEL_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    span_id: str
    parent_span_id: str
    span_uuid: str
    name: str
    kind: Kind
    status_code: StatusCode
    status_message: str
    error: str
    error_type: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    latency: _duration_pb2.Duration
    time_to_first_token: _duration_pb2.Duration
    operation: str
    provider: str
    request_model: str
    response_model: str
    response_id: str
    session_id: str
    user_id: str
    agent_name: str
    tool_name: str
    tool_call_id: str
    finish_reasons: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    prompt_name: str
    prompt_version: str
    service_tier: str
    usage: Usage
    cost: Cost
    evaluations: _containers.RepeatedCompositeFieldContainer[Evaluation]
    input: str
    output: str
    system_instructions: str
    tool_definitions: str
    tool_calls: _containers.RepeatedCompositeFieldContainer[ToolCall]
    model_parameters: _containers.MessageMap[str, Value]
    metadata: _containers.MessageMap[str, Value]
    attributes: _containers.MessageMap[str, Value]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    scope: Scope
    resource: int
    cut: Cut
    def __init__(self, span_id: _Optional[str] = ..., parent_span_id: _Optional[str] = ..., span_uuid: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[Kind, str]] = ..., status_code: _Optional[_Union[StatusCode, str]] = ..., status_message: _Optional[str] = ..., error: _Optional[str] = ..., error_type: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., time_to_first_token: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., operation: _Optional[str] = ..., provider: _Optional[str] = ..., request_model: _Optional[str] = ..., response_model: _Optional[str] = ..., response_id: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., agent_name: _Optional[str] = ..., tool_name: _Optional[str] = ..., tool_call_id: _Optional[str] = ..., finish_reasons: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., prompt_name: _Optional[str] = ..., prompt_version: _Optional[str] = ..., service_tier: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., cost: _Optional[_Union[Cost, _Mapping]] = ..., evaluations: _Optional[_Iterable[_Union[Evaluation, _Mapping]]] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., system_instructions: _Optional[str] = ..., tool_definitions: _Optional[str] = ..., tool_calls: _Optional[_Iterable[_Union[ToolCall, _Mapping]]] = ..., model_parameters: _Optional[_Mapping[str, Value]] = ..., metadata: _Optional[_Mapping[str, Value]] = ..., attributes: _Optional[_Mapping[str, Value]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., scope: _Optional[_Union[Scope, _Mapping]] = ..., resource: _Optional[int] = ..., cut: _Optional[_Union[Cut, _Mapping]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "token_basis", "problem", "counts")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_BASIS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    token_basis: str
    problem: str
    counts: bool
    def __init__(self, input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., token_basis: _Optional[str] = ..., problem: _Optional[str] = ..., counts: _Optional[bool] = ...) -> None: ...

class Cost(_message.Message):
    __slots__ = ("total", "input", "output", "reported", "source", "unpriced_reason", "price")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORTED_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_REASON_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    total: str
    input: str
    output: str
    reported: str
    source: str
    unpriced_reason: str
    price: Price
    def __init__(self, total: _Optional[str] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., reported: _Optional[str] = ..., source: _Optional[str] = ..., unpriced_reason: _Optional[str] = ..., price: _Optional[_Union[Price, _Mapping]] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("provider", "model", "version", "tier", "effective_date")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_DATE_FIELD_NUMBER: _ClassVar[int]
    provider: str
    model: str
    version: str
    tier: str
    effective_date: str
    def __init__(self, provider: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[str] = ..., tier: _Optional[str] = ..., effective_date: _Optional[str] = ...) -> None: ...

class ToolCall(_message.Message):
    __slots__ = ("id", "name", "arguments")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    arguments: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., arguments: _Optional[str] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("name", "score", "label", "explanation")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    label: str
    explanation: str
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ..., label: _Optional[str] = ..., explanation: _Optional[str] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("time", "name", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    TIME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    name: str
    attributes: _containers.MessageMap[str, Value]
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., name: _Optional[str] = ..., attributes: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("trace_id", "span_id", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    span_id: str
    attributes: _containers.MessageMap[str, Value]
    def __init__(self, trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., attributes: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class Scope(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Cut(_message.Message):
    __slots__ = ("attributes", "values", "events", "links")
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    attributes: int
    values: int
    events: int
    links: int
    def __init__(self, attributes: _Optional[int] = ..., values: _Optional[int] = ..., events: _Optional[int] = ..., links: _Optional[int] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("string_value", "bool_value", "int_value", "double_value", "array_value", "kvlist_value", "bytes_value")
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    INT_VALUE_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_VALUE_FIELD_NUMBER: _ClassVar[int]
    ARRAY_VALUE_FIELD_NUMBER: _ClassVar[int]
    KVLIST_VALUE_FIELD_NUMBER: _ClassVar[int]
    BYTES_VALUE_FIELD_NUMBER: _ClassVar[int]
    string_value: str
    bool_value: bool
    int_value: int
    double_value: float
    array_value: ArrayValue
    kvlist_value: KeyValueList
    bytes_value: bytes
    def __init__(self, string_value: _Optional[str] = ..., bool_value: _Optional[bool] = ..., int_value: _Optional[int] = ..., double_value: _Optional[float] = ..., array_value: _Optional[_Union[ArrayValue, _Mapping]] = ..., kvlist_value: _Optional[_Union[KeyValueList, _Mapping]] = ..., bytes_value: _Optional[bytes] = ...) -> None: ...

class ArrayValue(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class KeyValueList(_message.Message):
    __slots__ = ("values",)
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.MessageMap[str, Value]
    def __init__(self, values: _Optional[_Mapping[str, Value]] = ...) -> None: ...
