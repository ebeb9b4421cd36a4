"""What a statement of people may use. Whatever is not named here is refused, also what a later engine brings."""

from __future__ import annotations

from collections.abc import Iterable

PROJECT_TABLES = (
    "spans", "traces", "span_content", "evaluations", "logs", "metrics", "feedback", "approvals", "trace_tags",
    "span_references", "ledger",
)  # fmt: skip
"""The documented tables whose rows belong to a project. The view `span_messages` reads from them."""

TABLES = frozenset((*PROJECT_TABLES, "span_messages", "prices"))
"""The documented tables and views: the same as the role `asking` in engine.xml may read."""

SYSTEM_TABLES = frozenset(
    {
        "aggregate_function_combinators", "build_options", "columns", "contributors", "data_type_families", "databases",
        "formats", "functions", "keywords", "licenses", "numbers", "numbers_mt", "one", "settings", "table_engines",
        "table_functions", "tables", "time_zones", "zeros", "zeros_mt",
    }
)  # fmt: skip
"""Tables of the engine that clients ask for, and that tell nothing of what others store or ask."""

SIZES = frozenset(
    {
        "total_rows", "total_bytes", "total_bytes_uncompressed", "parts", "active_parts", "total_marks", "lifetime_rows",
        "lifetime_bytes", "data_compressed_bytes", "data_uncompressed_bytes", "marks_bytes", "data_paths", "metadata_path",
        "metadata_modification_time", "loading_dependencies_table", "active_on_fly_data_mutations",
        "active_on_fly_alter_mutations", "active_on_fly_metadata_mutations",
    }
)  # fmt: skip
"""Columns of those tables that count what all projects have."""

TABLE_FUNCTIONS = frozenset({"generate_series", "generateseries", "numbers", "numbers_mt", "zeros", "zeros_mt"})
"""Table functions, in lower case. Not `values`: the columns that it is told of may call functions unseen."""

FORMATS = frozenset(
    {
        "Arrow", "ArrowStream", "Avro", "BSONEachRow", "CSV", "CSVWithNames", "CSVWithNamesAndTypes", "JSON",
        "JSONColumns", "JSONColumnsWithMetadata", "JSONCompact", "JSONCompactColumns", "JSONCompactEachRow",
        "JSONCompactEachRowWithNames", "JSONCompactEachRowWithNamesAndTypes", "JSONCompactStrings",
        "JSONCompactStringsEachRow", "JSONCompactStringsEachRowWithNames", "JSONCompactStringsEachRowWithNamesAndTypes",
        "JSONEachRow", "JSONLines", "JSONObjectEachRow", "JSONStrings", "JSONStringsEachRow", "Markdown", "MsgPack",
        "NDJSON", "Native", "Null", "ORC", "Parquet", "Pretty", "PrettyCompact", "PrettyCompactMonoBlock",
        "PrettyCompactNoEscapes", "PrettyCompactNoEscapesMonoBlock", "PrettyJSONEachRow", "PrettyMonoBlock",
        "PrettyNoEscapes", "PrettyNoEscapesMonoBlock", "PrettySpace", "PrettySpaceMonoBlock", "PrettySpaceNoEscapes",
        "RowBinary", "RowBinaryWithNames", "RowBinaryWithNamesAndTypes", "SQLInsert", "TSKV", "TSV", "TSVRaw",
        "TSVRawWithNames", "TSVRawWithNamesAndTypes", "TSVWithNames", "TSVWithNamesAndTypes", "TabSeparated",
        "TabSeparatedRaw", "TabSeparatedRawWithNames", "TabSeparatedRawWithNamesAndTypes", "TabSeparatedWithNames",
        "TabSeparatedWithNamesAndTypes", "Values", "Vertical", "XML",
    }
)  # fmt: skip
"""Formats of an answer."""

_CATEGORIES = frozenset(
    {
        "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times", "Distance", "Encoding",
        "Financial", "Geo", "Geo Polygon", "Hash", "IP Address", "JSON", "Logical", "Map", "Mathematical", "Null",
        "NumericIndexedVector", "QBit", "Random Number", "Rounding", "String", "String Replacement", "String Search",
        "String Splitting", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
    }
)  # fmt: skip
"""Categories of functions that only compute. Not: AI (asks over the network), Dictionary, Introspection, Other ..."""

_ALONE = frozenset(
    {
        "bar", "blocknumber", "bytesize", "casewithexpression", "countdigits", "cube", "currentdatabase", "currentroles",
        "currentschemas", "currentuser", "defaultvalueofargumenttype", "defaultvalueoftypename", "displayname",
        "dumpcolumnstructure", "enabledroles", "exists", "finalizeaggregation", "formatquery", "formatqueryornull",
        "formatquerysingleline", "formatquerysinglelineornull", "formatreadabledecimalsize", "formatreadablequantity",
        "formatreadablesize", "formatreadabletimedelta", "getsetting", "getsettingordefault", "getsizeofenumtype",
        "getsubcolumn", "grouping", "hostname", "identity", "ignore", "indexhint", "initializeaggregation", "isconstant",
        "isdecimaloverflow", "lambda", "materialize", "neighbor", "nested", "normalizequery", "normalizedqueryhash",
        "parsereadablesize", "parsereadablesizeornull", "parsereadablesizeorzero", "parsetimedelta", "queryid",
        "rollup", "rownumberinallblocks", "rownumberinblock", "runningaccumulate", "runningdifference",
        "runningdifferencestartingwithfirstvalue", "throwif", "tocolumntypename", "totypename", "transform", "untuple",
        "uptime", "varianttype", "variantelement", "version", "visiblewidth", "_cast",
    }
)  # fmt: skip
"""Functions of other categories, and words that the parser makes functions of, in lower case."""

_NOT_AGGREGATES = frozenset({"flamegraph"})  # tells of the addresses of the process

_LONGEST = 128
"""Characters of the longest name of a function."""


class Functions:
    """The functions that a statement may call, as this engine knows them."""

    def __init__(self, rows: Iterable[tuple[str, str, bool, str]], combinators: Iterable[str]) -> None:
        """Take name, original name (of an alias), whether it aggregates, and category of each; and the combinators."""
        known = {name: (alias_to, aggregates, category) for name, alias_to, aggregates, category in rows}
        self._names = set(_ALONE)
        self._aggregates: set[str] = set()
        for name, (alias_to, _, _) in known.items():
            _, aggregates, category = known.get(alias_to or name, ("", False, ""))
            if aggregates:
                self._aggregates.add(name.lower())
            elif category in _CATEGORIES:
                self._names.add(name.lower())
        self._aggregates -= _NOT_AGGREGATES
        self._combinators = tuple(name.lower() for name in combinators)

    def allows(self, name: str) -> bool:
        """Return whether a function may be called; an aggregate function with any combinators behind it, as `sumIf`."""
        lower = name.lower()
        return lower in self._names or (len(lower) <= _LONGEST and self._aggregates_by(lower))

    def _aggregates_by(self, name: str) -> bool:
        if name in self._aggregates:
            return True
        return any(
            name.endswith(suffix) and self._aggregates_by(name.removesuffix(suffix)) for suffix in self._combinators
        )
