"""Task `maps`: whether what a map shows is what the model looked at, and whether it is the right place."""

from capitate.evaluation.maps.figures import MapEvaluation, evaluate_maps
from capitate.evaluation.maps.films import MapChecks, measure_maps
from capitate.evaluation.maps.looks import MapSubject
from capitate.evaluation.maps.report import write_maps
from capitate.evaluation.maps.rows import MapRow
from capitate.evaluation.maps.subjects import open_subject, subject_of

__all__ = [
    "MapChecks",
    "MapEvaluation",
    "MapRow",
    "MapSubject",
    "evaluate_maps",
    "measure_maps",
    "open_subject",
    "subject_of",
    "write_maps",
]
