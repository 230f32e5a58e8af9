"""Requests that schemathesis makes up from the OpenAPI document: no answer is a fault, and each is as documented."""

from __future__ import annotations

import math
import os
from typing import Any

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install '.[dev]'")
from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from capitate.service.api import create_app  # noqa: E402
from capitate.service.settings import ServiceSettings  # noqa: E402

EXAMPLES = int(os.environ.get("CAPITATE_SCHEMATHESIS_EXAMPLES", "50"))
"""Of all operations together, of which each gets as many."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


def operations() -> list[Any]:
    document = create_app(ServiceSettings()).openapi()
    found = [one.ok() for one in schemathesis.openapi.from_dict(document).get_all_operations()]
    return [pytest.param(one, id=one.label) for one in found]


OPERATIONS = operations()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_request_is_a_fault(served, operation):
    @settings(
        max_examples=math.ceil(EXAMPLES / len(OPERATIONS)),
        phases=[Phase.generate, Phase.shrink],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy())
    def requests(case: Any) -> None:
        answer = case.call(base_url=served.url)
        case.validate_response(answer, checks=CHECKS)

    requests()
