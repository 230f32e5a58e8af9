"""The service: assessments kept in a database, made by worker processes, spoken to over HTTP and a page.

- `settings`: what can be set, by option, environment or default.
- `problems`: answers that say what went wrong and what to do (RFC 9457).
- `store`: films, assessments, revisions, audit, backup; SQLite or PostgreSQL, no HTTP.
- `work`: worker processes that read and assess films; no HTTP, no database.
- `api`: the HTTP interface.
- `page`: the page that readers see, static files.

It needs `pip install 'capitate[serve]'`.
"""
