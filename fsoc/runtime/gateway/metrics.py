"""Every metric of a gateway, declared once. A registry of its own: it is another process than a worker.

Institutions are those of the credentials file, codes are our own.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "fsoc_gateway_requests_total",
    "Requests to the gateway, by what became of them: done, or the code of the problem.",
    ["code"],
    registry=REGISTRY,
)
TICKETS = Counter(
    "fsoc_gateway_tickets_total",
    "Lines that Kafka has by way of the gateway: taken, or quarantined where intake will refuse them.",
    ["institution", "outcome"],
    registry=REGISTRY,
)
BYTES = Counter(
    "fsoc_gateway_received_bytes_total",
    "Bytes of the bodies that institutions sent.",
    ["institution"],
    registry=REGISTRY,
)
WRITE_SECONDS = Histogram("fsoc_gateway_write_seconds", "Time until Kafka had a batch durably.", registry=REGISTRY)
REPLAYED = Counter(
    "fsoc_gateway_replayed_total",
    "Batches that were sent again with their Idempotency-Key and were in Kafka already.",
    registry=REGISTRY,
)
CREDENTIALS_REFUSED = Gauge(
    "fsoc_gateway_credentials_refused",
    "1 while the credentials or the certificate on disk are bad and those before are in use.",
    registry=REGISTRY,
)
TAXII_LET_GO = Counter(
    "fsoc_gateway_taxii_let_go_total",
    "Versions of STIX objects that an institution's collection no longer holds because it has too many.",
    registry=REGISTRY,
)
TAXII_UNREADABLE = Counter(
    "fsoc_gateway_taxii_unreadable_total",
    "Records of feedback topics that are none, and of which no collection has anything.",
    registry=REGISTRY,
)
IN_HAND = Gauge("fsoc_gateway_requests_in_hand", "Requests that are being answered.", registry=REGISTRY)
