"""Traces: what a request did and how long each step took, on both sides of the queue.

`spans` has the names and what a span may say, `open_tracing` decides whether traces are recorded, and `otel` records them.

Why one module knows OpenTelemetry: the library is optional. All other code calls `spans`, whose classes record nothing; where
an endpoint is set, `otel` puts its own in their place.
"""
