"""The HTTP interface: OpenAPI under `/v1`, problems by RFC 9457, the page at `/`.

`app` puts it together. Around the routes stand `watch` (figures, log, headers), `gate` (who may come in) and `bodies`
(how much). `forms` and `intake` take films, the modules `routes_*` have a subject each, `schemas` says what goes in and
out.
"""

from capitate.service.api.app import create_app
from capitate.service.api.service import Service

__all__ = ["Service", "create_app"]
