"""Requests that schemathesis makes up from the OpenAPI document: no answer is a fault, and each is as documented."""

from __future__ import annotations

import os

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install '.[dev]'")
from hypothesis import HealthCheck, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = int(os.environ.get("CAPITATE_SCHEMATHESIS_EXAMPLES", "3"))
"""Of each operation, of which there are 27; 80 make some 2,000."""
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def api_schema(served):
    served.made()
    loaded = schemathesis.openapi.from_url(f"{served.url}/v1/openapi.json")
    loaded.config.update(base_url=served.url)
    return loaded


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)
def test_no_request_is_a_fault(case):
    answer = case.call()
    case.validate_response(answer, checks=CHECKS)
