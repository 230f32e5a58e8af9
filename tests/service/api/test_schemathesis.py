"""Requests that schemathesis makes up from the OpenAPI document: no answer is a fault, and each is as documented."""

from __future__ import annotations

import os
from typing import Any

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install '.[dev]'")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from capitate.service.api import create_app  # noqa: E402
from capitate.service.settings import ServiceSettings  # noqa: E402

EXAMPLES = int(os.environ.get("CAPITATE_SCHEMATHESIS_EXAMPLES", "3"))
"""Of each operation, of which there are 27; 80 make some 2,000."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


def operations() -> list[Any]:
    document = create_app(ServiceSettings()).openapi()
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    return [pytest.param(one, id=one.label) for one in found]


@pytest.mark.parametrize("operation", operations())
def test_no_request_is_a_fault(served, operation):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def requests(case: Any) -> None:
        answer = case.call(base_url=served.url)
        case.validate_response(answer, checks=CHECKS)

    requests()
