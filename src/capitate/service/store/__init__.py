"""Films, assessments, revisions, idempotency keys and audit, in SQLite or PostgreSQL and one folder; no HTTP.

`Store.open` is where to begin. Everything that a call returned without an error survives a crash of the machine.
"""

from __future__ import annotations

from capitate.service.store.records import (
    AuditAction,
    AuditEntry,
    BackedUp,
    Claim,
    ClaimState,
    FilmRef,
    Found,
    NewAssessment,
    Order,
    Page,
    Pruned,
    Record,
    Revision,
    Search,
    Status,
    StoreProblem,
)
from capitate.service.store.store import Store

__all__ = [
    "AuditAction",
    "AuditEntry",
    "BackedUp",
    "Claim",
    "ClaimState",
    "FilmRef",
    "Found",
    "NewAssessment",
    "Order",
    "Page",
    "Pruned",
    "Record",
    "Revision",
    "Search",
    "Status",
    "Store",
    "StoreProblem",
]
