"""Arrow tables into ClickHouse, by the statements of the folder sql/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from exporters.clickhouse.client import statement


def insert(client: Client, name: str, arriving: pa.Table, parameters: Mapping[str, Any]) -> None:
    """Run an INSERT whose text names the columns as ``/*columns*/`` and reads them from ``Python(arriving)``."""
    # `arriving` is read by the engine, through its name in the statement.
    columns = ", ".join(arriving.column_names)
    client.command(statement(name).replace("/*columns*/", columns), parameters=dict(parameters))
