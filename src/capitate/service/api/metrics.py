"""Figures for Prometheus, in a registry of the service's own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from capitate import __version__
from capitate.service.jobs import Jobs

__all__ = ["Metrics"]

_REQUEST_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60)
_FILM_SECONDS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)


class Metrics:
    """What is counted; labels hold no ids and no names."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "capitate_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "capitate_http_request_seconds",
            "Time to answer.",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._films = Counter("capitate_films", "Films that were done with.", ["status"], registry=self.registry)
        self._film_seconds = Histogram(
            "capitate_film_seconds",
            "From queue to result.",
            buckets=_FILM_SECONDS,
            registry=self.registry,
        )
        Gauge("capitate_info", "The version.", ["version"], registry=self.registry).labels(__version__).set(1)

    def watch(self, jobs: Jobs) -> None:
        """Show the queue and the workers, and count films."""
        waiting = Gauge("capitate_films_waiting", "Films that wait for a worker.", registry=self.registry)
        waiting.set_function(lambda: jobs.waiting)
        busy = Gauge("capitate_workers_busy", "Workers that work.", registry=self.registry)
        busy.set_function(lambda: jobs.busy)
        jobs.listeners.append(self._film)

    def request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Write everything in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _film(self, status: str, seconds: float) -> None:
        self._films.labels(status).inc()
        self._film_seconds.observe(seconds)
