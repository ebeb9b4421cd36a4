"""Record Genkit: `python tests/capture/record_genkit.py OUTDIR NODE_PROJECT`.

NODE_PROJECT is a directory in which `npm install genkit @genkit-ai/compat-oai @opentelemetry/exporter-trace-otlp-proto@0.52
@opentelemetry/sdk-trace-node@1.25 @opentelemetry/resources@1.25` was run. Last run on node 20 with genkit 1.42.0 and
@genkit-ai/compat-oai 1.42.0.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from otlp_sink import Sink

from tests.demo.model_server import ModelServer

SCRIPT = Path(__file__).with_name("genkit.mjs")


def main(directory: str, project: str) -> None:
    with ModelServer(first_chunk_delay=0.02) as server, Sink(directory) as sink:
        for case in ("agent", "stream", "retrieve", "embed", "failure"):
            environment = {**os.environ, "MODEL_URL": server.url, "OTLP_URL": sink.url, "CASE": case}
            with SCRIPT.open() as script:
                subprocess.run(
                    ["node", "--input-type=module", "-"], cwd=project, stdin=script, env=environment, check=True
                )
            sink.write(f"genkit_{case}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
