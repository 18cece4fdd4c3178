"""Who takes spans in tests: OTLP over HTTP and gRPC, parsed by the protocol's own classes, and Zipkin's JSON."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def attributes(span: Span) -> dict[str, Any]:
    """Attributes of a span as Python has them."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in span.attributes}


class Traces:
    """What came over OTLP."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []

    def spans(self) -> list[Span]:
        return [span for span, _ in self.told()]

    def told(self) -> list[tuple[Span, dict[str, str]]]:
        """Each span with the resource that it came from."""
        return [
            (span, {item.key: item.value.string_value for item in resource.resource.attributes})
            for request in list(self.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resource(self) -> dict[str, str]:
        return {item.key: item.value.string_value for item in self.requests[0].resource_spans[0].resource.attributes}


class Receiver(Traces):
    """An OTLP collector: takes protobuf over HTTP and keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.delay_s = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                time.sleep(receiver.delay_s)
                assert self.headers["content-type"] == "application/x-protobuf"
                if self.path != "/v1/metrics":  # the same variable has a worker send those here as well
                    assert self.path == "/v1/traces"
                    receiver.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server, self.url = serve(Handler)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class GrpcReceiver(Traces, TraceServiceServicer):
    """An OTLP collector over gRPC."""

    def __init__(self) -> None:
        super().__init__()
        self._server = grpc.server(ThreadPoolExecutor(2))
        add_TraceServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.url = f"http://127.0.0.1:{self.port}"
        self._server.start()

    def Export(self, request: ExportTraceServiceRequest, context: Any) -> ExportTraceServiceResponse:
        self.requests.append(request)
        return ExportTraceServiceResponse()

    def close(self) -> None:
        self._server.stop(0).wait(10)


class ZipkinReceiver:
    """Takes Zipkin v2 JSON and keeps it; answers with `status`."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.status = 202
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/api/v2/spans"
                assert self.headers["content-type"] == "application/json"
                if receiver.status == 202:
                    receiver.spans += json.loads(body)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server, url = serve(Handler)
        self.url = f"{url}/api/v2/spans"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def serve(handler: type[BaseHTTPRequestHandler]) -> tuple[ThreadingHTTPServer, str]:
    """Start a server on any port; give it and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"
