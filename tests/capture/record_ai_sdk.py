"""Record the Vercel AI SDK: `python tests/capture/record_ai_sdk.py OUTDIR NODE_PROJECT...`.

Each NODE_PROJECT is a directory where one version of the SDK is installed, in which `ai_sdk.mjs` is run:
`npm install ai@5 @ai-sdk/openai@2 @ai-sdk/anthropic@2 zod @opentelemetry/api @opentelemetry/resources
@opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-proto`, and for version 7 `@ai-sdk/otel`.

Last run on node 20 with

| ai      | @ai-sdk/openai | @ai-sdk/anthropic | @ai-sdk/otel |
|---------|----------------|-------------------|--------------|
| 3.4.33  | 0.0.72         | 0.0.56            |              |
| 4.3.19  | 1.3.24         | 1.2.12            |              |
| 5.0.277 | 2.0.131        | 2.0.112           |              |
| 6.0.326 | 3.0.141        | 3.0.140           |              |
| 7.0.173 | 4.0.118        | 4.0.105           | 1.0.173      |
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from otlp_sink import Sink

from tests.demo.model_server import ModelServer

SCRIPT = Path(__file__).with_name("ai_sdk.mjs")
CASES = ("tools", "stream", "embed", "anthropic", "failure")


def record(sink: Sink, model_url: str, project: str, case: str, *, legacy: bool = False) -> None:
    """Run one case and keep what its exporter sent."""
    environment = {**os.environ, "MODEL_URL": model_url, "OTLP_URL": sink.url, "CASE": case}
    with SCRIPT.open() as script:
        command = ["node", "--input-type=module", "-"]
        subprocess.run(
            command, cwd=project, stdin=script, env=environment | ({"LEGACY": "1"} if legacy else {}), check=True
        )
    version = json.loads(Path(project, "node_modules/ai/package.json").read_text())["version"].partition(".")[0]
    sink.write(f"ai_sdk_v{version}{'_legacy' if legacy else ''}_{case}")


def main() -> None:
    with ModelServer(first_chunk_delay=0.02) as server, Sink(sys.argv[1]) as sink:
        for project in sys.argv[2:]:
            for case in CASES:
                record(sink, server.url, project, case)
            if Path(project, "node_modules/@ai-sdk/otel").exists():
                for case in ("tools", "stream", "anthropic"):
                    record(sink, server.url, project, case, legacy=True)


if __name__ == "__main__":
    main()
