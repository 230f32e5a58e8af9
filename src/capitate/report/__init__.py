"""What an assessment looks like to an eye, a spreadsheet or another program."""

from capitate.report.files import USUAL, Format, write
from capitate.report.html import to_html
from capitate.report.map_names import MapKind, named_maps
from capitate.report.parsed import from_json
from capitate.report.pdf import require_pdf, to_pdf
from capitate.report.reading import assessments_of, read_assessments
from capitate.report.structured import dumps, schema, to_json
from capitate.report.table import COLUMNS, TableWriter, table_row
from capitate.report.text import to_text
from capitate.report.wording import Language

__all__ = [
    "COLUMNS",
    "USUAL",
    "Format",
    "Language",
    "MapKind",
    "TableWriter",
    "assessments_of",
    "dumps",
    "from_json",
    "named_maps",
    "read_assessments",
    "require_pdf",
    "schema",
    "table_row",
    "to_html",
    "to_json",
    "to_pdf",
    "to_text",
    "write",
]
