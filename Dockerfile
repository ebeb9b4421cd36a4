# The collector with the embedded ClickHouse. Build: docker build --tag spanledger .
# Run: docker run --publish 127.0.0.1:4317:4317 --publish 127.0.0.1:4319:4319 --volume spanledger:/var/lib/spanledger spanledger

FROM python:3.11-slim AS builder
WORKDIR /build
RUN python -m venv /opt/venv
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY collector ./collector
COPY exporters ./exporters
COPY config ./config
RUN /opt/venv/bin/pip install --constraint constraints.txt ".[embedded]"

# The same base image: the virtual environment points at its interpreter.
FROM python:3.11-slim
# A fixed uid, so that the owner of a mounted volume can be named in advance.
RUN groupadd --system --gid 10001 spanledger \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/spanledger --shell /usr/sbin/nologin spanledger \
 && install --directory --owner 10001 --group 10001 --mode 0750 /var/lib/spanledger
COPY --from=builder /opt/venv /opt/venv
COPY config/docker.yaml /etc/spanledger/docker.yaml
ENV PATH="/opt/venv/bin:$PATH" PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /var/lib/spanledger
VOLUME /var/lib/spanledger
EXPOSE 4317 4319
# http.client, because it asks no proxy that the environment may name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import http.client; c = http.client.HTTPConnection('127.0.0.1', 4319, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["spanledger"]
CMD ["serve", "--config", "/etc/spanledger/docker.yaml"]
