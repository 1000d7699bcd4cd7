"""Clause 82: measurements."""

from __future__ import annotations

from collections.abc import Iterator

from livekit.agents.metrics import RealtimeModelMetrics, STTMetrics

from .generation import conversation
from .probe import Book, NotApplicable, NotExercised
from .witness import Witness

__all__ = ["book"]

book = Book()


@book.watch(
    82,
    "metrics-can-be-attributed",
    "Metrics name the model and its provider, and the response that they measure.",
    story=conversation,
)
def _attributed(seen: Witness) -> Iterator[str]:
    if not seen.generations:
        raise NotExercised("there was nothing to measure")
    told = [one.event for one in seen.named("metrics_collected")]
    if not told:
        raise NotApplicable("it measures nothing")
    responses = {one.event.response_id for one in seen.generations}
    for metrics in told:
        if isinstance(metrics, STTMetrics):
            continue
        if not isinstance(metrics, RealtimeModelMetrics):
            yield f"expected RealtimeModelMetrics; saw {type(metrics).__name__}"
            continue
        known = metrics.metadata
        if known is None or not known.model_name or not known.model_provider:
            yield "expected the names of model and provider in the metrics; they are missing"
        if not metrics.label:
            yield "expected a label in the metrics; it is missing"
        if metrics.request_id and metrics.request_id not in responses:
            yield "expected the id of an announced response in the metrics; it is none"
        if (metrics.ttft < 0 and metrics.ttft != -1) or metrics.duration < 0:
            yield "expected durations of 0 or more, or -1 where unknown; saw another"
