"""The example of the README of Artanis' API, run as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.support.collector_process import ROOT, CollectorProcess

README = (ROOT / "collector" / "query" / "artanis" / "README.md").read_text(encoding="utf-8")


def test_the_example_of_the_readme_is_a_reviewed_step(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    with CollectorProcess(tmp_path) as collector:
        environment = {
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.grpc_address}",
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
        trace_id, span_id = done.stdout.split()
        until = time.monotonic() + 30
        while not json.loads(collector.get("/traces"))["total"] and time.monotonic() < until:
            time.sleep(0.05)
        for method, path, body in re.findall(r"^curl -X (\w+) localhost:4319(\S+) .* -d (.*)$", README, re.MULTILINE):
            sent = body.replace("'$SPAN'", span_id).strip("'").encode()
            url = collector.url + path.replace("$TRACE", trace_id).replace("$SPAN", span_id)
            asked = urllib.request.Request(url, sent, {"Content-Type": "application/json"}, method=method)
            with urllib.request.urlopen(asked, timeout=30) as response:
                assert response.status in (200, 201)
        trace = json.loads(collector.get(f"/artanis/api/traces/{trace_id}"))
        listed = json.loads(collector.get("/artanis/api/traces?projectSlug=default"))
    (step,), (feedback,) = trace["spans"], trace["feedback"]
    assert trace["metadata"] == listed["traces"][0]["metadata"] == {"user_id": "user-123"}
    assert {name: step[name] for name in ("stepId", "input", "output", "approvedOutput", "metadata")} == {
        "stepId": "classify",
        "input": {"email": "..."},
        "output": {"category": "billing"},
        "approvedOutput": {"category": "refund"},
        "metadata": {},
    }
    assert (feedback["spanId"], feedback["content"]) == (step["id"], "Not billing.")
