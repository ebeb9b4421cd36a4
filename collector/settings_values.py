"""What a configuration key may hold, and how people write it: sizes, durations, counts, choices, endpoints, paths.

The configuration file gives text only (`collector.settings_file`), so each kind of value has one reader here and a
value means the same in the file, in ``--set`` and in an environment variable. A reader that refuses raises ValueError;
its text continues the sentence ``KEY is VALUE: ...``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from pydantic import BeforeValidator

KIB, MIB, GIB, TIB = 1024, 1024**2, 1024**3, 1024**4
MILLISECOND, SECOND, MINUTE, HOUR, DAY = 10**6, 10**9, 60 * 10**9, 3600 * 10**9, 86400 * 10**9

KEY_PREFIX = "spanledger_"
"""How an API key begins, so that people, and programs that look for secrets, know one when they see it."""

# Ascending: the formatters take the last unit that divides the amount.
_BINARY_UNITS = {"B": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB, "TiB": TIB}
_SIZE_UNITS = {"": 1, **_BINARY_UNITS, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_DURATION_UNITS = {"ns": 1, "us": 10**3, "ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}

# Eighteen digits are beyond every limit below, and keep the arithmetic small whatever the file holds.
_NUMBER_AND_UNIT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,18})?) ?([A-Za-z]*)")
_BRACKETED = re.compile(r"\[([^\[\]]+)\]:([0-9]{1,5})")
_UNBRACKETED = re.compile(r"([^:\[\]]+):([0-9]{1,5})")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# A name that ends in a number is a mistyped IPv4 address, which resolvers read in surprising ways (127.1, 0).
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+$){_LABEL}")
_USER_PASSWORD = re.compile(r"(://[^:@]*:).*@", re.DOTALL)
_SECRET_PARAMETER = re.compile(r"([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&#]*", re.IGNORECASE)
_OWN_KEY = re.compile(rf"({KEY_PREFIX})[A-Za-z0-9_-]{{43}}")

_AMOUNT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,18})?")
_DAY = re.compile(r"(?:19[789]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2}")

LONGEST_NAME = 256
MOST_USD = 100_000

LONGEST_SHOWN = 120
"""Characters of a value that a message repeats."""


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens: an IP address or host name, and a port; the system picks the port when it is 0.

    `str()` gives the text it was read from, with the brackets that an IPv6 address needs, as gRPC wants it too.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read ``host:port`` or ``[ipv6]:port``; ValueError says what is allowed."""
        bracketed = _BRACKETED.fullmatch(text)
        match = bracketed or _UNBRACKETED.fullmatch(text)
        if match is not None and int(match[2]) <= 65535:
            host, port = match[1], int(match[2])
            if _is_ip_address(host, version=6 if bracketed else 4) or (not bracketed and _HOST_NAME.fullmatch(host)):
                return cls(host, port)
        raise ValueError("allowed is HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317, with a port from 0 to 65535")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it. Of host names only ``localhost`` is trusted to be so."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def _is_ip_address(host: str, version: int) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # The zone of a link-local address (fe80::1%eth0) may hold anything, and is printed in messages.
    zone = address.scope_id if isinstance(address, IPv6Address) else None
    return address.version == version and (zone is None or re.fullmatch(r"[A-Za-z0-9._-]+", zone) is not None)


def size(low: int, high: int) -> BeforeValidator:
    """Read a size in bytes, from `low` to `high`: a number alone, or with B, KiB .. TiB (1024) or kB .. TB (1000)."""
    between = f"from {format_size(low)} to {format_size(high)}"
    return _quantity(_SIZE_UNITS, low, high, f"allowed is a size {between}, written like 4096, 10MB or 64MiB")


def duration(low: int, high: int) -> BeforeValidator:
    """Read a duration in nanoseconds, from `low` to `high`: a number with a unit from ns to d, never a bare number."""
    between = f"from {format_duration(low)} to {format_duration(high)}"
    return _quantity(_DURATION_UNITS, low, high, f"allowed is a duration {between}, written like 200ms, 10m or 30d")


def count(low: int, high: int) -> BeforeValidator:
    """Read a whole number from `low` to `high`."""
    return _quantity({"": 1}, low, high, f"allowed is a whole number from {low} to {high}")


def _quantity(units: Mapping[str, int], low: int, high: int, allowed: str) -> BeforeValidator:
    return BeforeValidator(_reader(units, low, high, allowed))


def _reader(units: Mapping[str, int], low: int, high: int, allowed: str) -> Callable[[object], int]:
    def read(value: object) -> int:
        text = str(value) if isinstance(value, int) else value
        match = _NUMBER_AND_UNIT.fullmatch(text) if isinstance(text, str) else None
        if match is not None and match[2] in units:
            amount = Fraction(match[1]) * units[match[2]]
            if amount.denominator == 1 and low <= amount <= high:
                return int(amount)
        raise ValueError(allowed)

    return read


def size_or_auto(low: int, high: int) -> BeforeValidator:
    """Read a size from `low` to `high`, or ``auto``, which is 0."""
    between = f"from {format_size(low)} to {format_size(high)}"
    read_size = _reader(_SIZE_UNITS, low, high, f"allowed is auto, or a size {between}, written like 512MiB")
    return BeforeValidator(lambda value: 0 if value in ("auto", 0) else read_size(value))


def format_size_or_auto(amount: int) -> str:
    """Write what `size_or_auto` reads."""
    return format_size(amount) if amount else "auto"


def choice(*allowed: str) -> BeforeValidator:
    """Read one of these words."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        raise ValueError(f"allowed are {', '.join(allowed)}")

    return BeforeValidator(read)


def read_name(value: object) -> str:
    """Read a name, such as that of a model: up to 256 printable characters."""
    if isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= LONGEST_NAME:
        return value.strip()
    raise ValueError(f"allowed is a name of up to {LONGEST_NAME} characters")


def read_amount(value: object) -> Decimal:
    """Read an amount of money: USD, from 0 to 100000, with at most 18 decimal places."""
    text = value if isinstance(value, str) else str(value)
    if _AMOUNT.fullmatch(text) and Decimal(text) <= MOST_USD:
        return Decimal(text)
    between = f"from 0 to {MOST_USD} with at most 18 decimal places"
    raise ValueError(f"allowed is an amount in USD {between}, written like 2.5 or 0.075")


def read_day(value: object) -> date:
    """Read a day of the calendar, from 1970-01-01 to 2099-12-31."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("allowed is a day from 1970-01-01 to 2099-12-31, written like 2026-01-31")


def read_list(value: object) -> object:
    """Read a list; its entries are read by their own type. One whose entries are all commented out reads as null."""
    if value is None or isinstance(value, list | tuple):
        return value or ()
    raise ValueError("allowed is a list, with each entry on a line that begins with -")


def read_flag(value: object) -> bool:
    """Read true or false, in any case; not yes, on or 1, which YAML versions read differently."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError("allowed are true, false")


def read_endpoint(value: object) -> Endpoint:
    """Read an `Endpoint` from its text."""
    return value if isinstance(value, Endpoint) else Endpoint.parse(value if isinstance(value, str) else "")


def read_directory(value: object) -> Path:
    """Read the path of a directory; a relative one starts at the working directory."""
    if isinstance(value, str | Path) and is_path(str(value)):
        return Path(value)
    raise ValueError("allowed is a path, such as ./data/journal; for the home directory write ${env:HOME}")


def read_path(value: object) -> Path | None:
    """Read the path of a file; empty for none."""
    if value is None or value == "":
        return None
    if isinstance(value, str | Path) and is_path(str(value)):
        return Path(value)
    raise ValueError("allowed is a path, such as /etc/ssl/ca.pem; for the home directory write ${env:HOME}")


def is_path(text: str) -> bool:
    """Say whether a text can be taken as a path."""
    # Nothing here expands "~": taken as it is, it would make a directory of that name.
    return text != "" and text.isprintable() and not text.startswith("~")


def format_size(amount: int) -> str:
    """Write bytes in the largest binary unit that keeps them exact: 67108864 is ``64MiB``."""
    return _format(amount, _BINARY_UNITS)


def format_duration(amount: int) -> str:
    """Write nanoseconds in the largest unit that keeps them exact: 200000000 is ``200ms``."""
    return _format(amount, _DURATION_UNITS)


def _format(amount: int, units: Mapping[str, int]) -> str:
    unit = [name for name, factor in units.items() if factor <= max(amount, 1) and amount % factor == 0][-1]
    return f"{amount // units[unit]}{unit}"


def masked(text: str) -> str:
    """Replace what may be a secret by ``***``: password and parameters such as ``password=`` of a URL, and API keys."""
    return _OWN_KEY.sub(r"\1***", _SECRET_PARAMETER.sub(r"\1***", _USER_PASSWORD.sub(r"\1***@", text)))


def shown(text: str) -> str:
    """Return text as a message may repeat it: on one line, without control characters or secrets, not too long."""
    cut = masked(text)
    cut = cut if len(cut) <= LONGEST_SHOWN else cut[: LONGEST_SHOWN - 3] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
