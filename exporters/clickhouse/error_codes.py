"""The one table of ClickHouse's error codes: whose matter each is, and therefore whether the same batch is sent again.

What was acknowledged must not become a dead letter because a password is wrong. So a batch is refused for good only by a
code that speaks of the data; whatever else happens, and every code that is not here, is tried again until it succeeds. With a
question it is the other way round: it is asked again only by a code that is known to pass.

The names are those of ClickHouse (`SELECT errorCodeToName(241)`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from collector.errors import Misconfigured, Outcome, Permanent, Retryable


class Cause(Enum):
    """Whose matter an error is."""

    STORE = "the store cannot do it now; later it will"
    OPERATOR = "it will be done once a person has mended something"
    DATA = "these rows will never be stored, or not together"


@dataclass(frozen=True)
class ErrorCode:
    """One row of the table."""

    name: str
    cause: Cause
    advice: str = ""
    """What the person has to mend, for `Cause.OPERATOR`."""


_READONLY = 164

_BUSY = {
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    198: "DNS_ERROR",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    225: "NO_ZOOKEEPER",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",  # a replica that has lost Keeper
    243: "NOT_ENOUGH_SPACE",
    252: "TOO_MANY_PARTS",
    254: "NO_ACTIVE_REPLICAS",
    265: "NO_AVAILABLE_REPLICA",
    279: "ALL_CONNECTION_TRIES_FAILED",
    285: "TOO_FEW_LIVE_REPLICAS",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    297: "SHARD_HAS_NO_CONNECTIONS",
    319: "UNKNOWN_STATUS_OF_INSERT",
    364: "RECEIVED_ERROR_TOO_MANY_REQUESTS",
    394: "QUERY_WAS_CANCELLED",
    425: "SYSTEM_ERROR",
    439: "CANNOT_SCHEDULE_TASK",
    499: "S3_ERROR",
    519: "NO_REMOTE_SHARD_AVAILABLE",
    574: "DISTRIBUTED_TOO_MANY_PENDING_BYTES",
    692: "TOO_MANY_MUTATIONS",
    733: "TABLE_IS_BEING_RESTARTED",
    745: "SERVER_OVERLOADED",
    749: "TCP_CONNECTION_LIMIT_REACHED",
    762: "HTTP_CONNECTION_LIMIT_REACHED",
    999: "KEEPER_EXCEPTION",
}

_SCHEMA = (
    "the tables are not those that this program made: restart the collector, which makes what it can and names the rest"
)
_LOGIN = "correct the user and the password in clickhouse.url"
_RIGHTS = "grant the user of clickhouse.url the right to read and write this database"
_VERSION = "this ClickHouse does not know the statement: run a version that this program supports"
_TO_MEND = {
    8: ("THERE_IS_NO_COLUMN", _SCHEMA),
    10: ("NOT_FOUND_COLUMN_IN_BLOCK", _SCHEMA),
    16: ("NO_SUCH_COLUMN_IN_TABLE", _SCHEMA),
    46: ("UNKNOWN_FUNCTION", _VERSION),
    47: ("UNKNOWN_IDENTIFIER", _SCHEMA),
    48: ("NOT_IMPLEMENTED", _VERSION),
    60: ("UNKNOWN_TABLE", _SCHEMA),
    62: ("SYNTAX_ERROR", _VERSION),
    81: ("UNKNOWN_DATABASE", _SCHEMA),
    115: ("UNKNOWN_SETTING", _VERSION),
    _READONLY: ("READONLY", "the user of clickhouse.url may not write: give it a profile without readonly"),
    192: ("UNKNOWN_USER", _LOGIN),
    193: ("WRONG_PASSWORD", _LOGIN),
    194: ("REQUIRED_PASSWORD", _LOGIN),
    195: ("IP_ADDRESS_NOT_ALLOWED", "let the user of clickhouse.url in from this machine"),
    201: ("QUOTA_EXCEEDED", "raise the quota of the user of clickhouse.url"),
    218: ("TABLE_IS_DROPPED", _SCHEMA),
    291: ("DATABASE_ACCESS_DENIED", _RIGHTS),
    344: ("SUPPORT_IS_DISABLED", _VERSION),
    452: ("SETTING_CONSTRAINT_VIOLATION", "lift the constraint on this setting for the user of clickhouse.url"),
    497: ("ACCESS_DENIED", _RIGHTS),
    516: ("AUTHENTICATION_FAILED", _LOGIN),
    720: ("USER_EXPIRED", _LOGIN),
    774: ("TABLE_IS_PERMANENTLY_READ_ONLY", "make the table one that can be written to"),
}

_ABOUT_THE_DATA = {
    6: "CANNOT_PARSE_TEXT",
    19: "SIZE_OF_FIXED_STRING_DOESNT_MATCH",
    25: "CANNOT_PARSE_ESCAPE_SEQUENCE",
    26: "CANNOT_PARSE_QUOTED_STRING",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    53: "TYPE_MISMATCH",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    117: "INCORRECT_DATA",
    128: "TOO_LARGE_ARRAY_SIZE",
    130: "CANNOT_READ_ARRAY_FROM_TEXT",
    131: "TOO_LARGE_STRING_SIZE",
    167: "TOO_DEEP_AST",
    168: "TOO_BIG_AST",
    190: "SIZES_OF_ARRAYS_DONT_MATCH",
    229: "QUERY_IS_TOO_LARGE",
    248: "INVALID_PARTITION_VALUE",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    376: "CANNOT_PARSE_UUID",
    395: "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO",
    407: "DECIMAL_OVERFLOW",
    467: "CANNOT_PARSE_BOOL",
    469: "VIOLATED_CONSTRAINT",
    563: "CANNOT_READ_MAP_FROM_TEXT",
    565: "TOO_MANY_PARTITIONS",
    632: "UNEXPECTED_DATA_AFTER_PARSED_VALUE",
    675: "CANNOT_PARSE_IPV4",
    676: "CANNOT_PARSE_IPV6",
    691: "UNKNOWN_ELEMENT_OF_ENUM",
    760: "UNICODE_ERROR",
}

ERROR_CODES: Mapping[int, ErrorCode] = {
    **{code: ErrorCode(name, Cause.STORE) for code, name in _BUSY.items()},
    **{code: ErrorCode(name, Cause.OPERATOR, advice) for code, (name, advice) in _TO_MEND.items()},
    **{code: ErrorCode(name, Cause.DATA) for code, name in _ABOUT_THE_DATA.items()},
}
"""Every code that is known, by its number."""


def outcome_of_change(code: int | None, sentence: str) -> Outcome:
    """Return what becomes of a statement that changes something; None: the connection broke, it was never judged."""
    known = None if code is None else ERROR_CODES.get(code)
    if known is None or known.cause is Cause.STORE:
        return Retryable(sentence)
    return Permanent(sentence) if known.cause is Cause.DATA else Misconfigured(f"{sentence}: {known.advice}")


def outcome_of_question(code: int | None, sentence: str) -> Outcome:
    """Return what becomes of a statement that only reads, on a client that may do nothing else."""
    if code is not None and (code not in ERROR_CODES or code == _READONLY):
        return Permanent(sentence)
    return outcome_of_change(code, sentence)
