"""Runs clickhouse-local out of a shared library, with the arguments after its path, until it is killed."""

from __future__ import annotations

import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
arguments = [argument.encode() for argument in ("clickhouse", *sys.argv[2:])]
library.query_stable_v2.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
library.query_stable_v2.restype = ctypes.c_void_p
library.query_stable_v2(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments))
