"""The exception tree. Everything that Capitate raises on purpose is one of these.

::

    CapitateError
    +-- UsageError                  the request is wrong: exit code 2
    |   +-- TableError              a CSV or list file: missing column, unknown sex, bad number
    |   |   +-- CellError           one cell of it; knows line, column and the kind of fault
    |   +-- GradeError              a joint, grade, stage or its probabilities that do not exist
    |   +-- MissingExtraError       an optional part is not installed; names the install command
    +-- ReportWriteError            a result cannot be written: folder, permission, full disk
    +-- StoreError                  the service's database or its folder of films
    |   +-- StoreUnavailableError   cannot be reached or is busy; the same request may succeed later
    |   +-- StoreFullError          no room left; nothing was stored
    |   +-- StoreReadOnlyError      the folder or the database may not be written
    |   +-- StoreSchemaError        tables of another version than this program's
    |   +-- StoreDamagedError       a file is missing or its bytes are not those that were stored
    |   +-- RecordNotFoundError     no assessment, film or artifact of that name
    |   +-- RevisionConflictError   somebody changed the assessment since it was read; knows the current record
    |   +-- StatusConflictError     the assessment is in no status that allows this; knows the current record
    |   +-- BackupError             a backup cannot be written, or is damaged, or its target is not empty
    +-- BundleError                 weights
    |   +-- BundleNotFoundError     no bundle of that name
    |   +-- BundleDamagedError      a file is missing or its sha256 differs; names the file
    |   +-- NoMapError              a model that answers, but cannot say what its answer rests on
    +-- FilmError                   one film cannot be assessed: exit code 1, the other films go on
        +-- UnreadablePathError     the path does not exist or may not be read
        +-- UnsupportedFormatError  not a format we read, or a variant that we do not decode
        +-- CorruptFileError        the right format, but damaged, truncated or inconsistent
        +-- FilmTooLargeError       bytes, pixels or frames beyond the limits
        +-- NotARadiographError     decoded, but nothing that could be a hand film: blank, 1 x 1, not finite
        +-- NoHandError             a radiograph, but no single whole hand was found on it

A message says what was wrong, the value received, and what to do.
"""

from __future__ import annotations

__all__ = [
    "BackupError",
    "BundleDamagedError",
    "BundleError",
    "BundleNotFoundError",
    "CapitateError",
    "CellError",
    "CorruptFileError",
    "FilmError",
    "FilmTooLargeError",
    "GradeError",
    "MissingExtraError",
    "NoHandError",
    "NoMapError",
    "NotARadiographError",
    "RecordNotFoundError",
    "ReportWriteError",
    "RevisionConflictError",
    "StatusConflictError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreReadOnlyError",
    "StoreSchemaError",
    "StoreUnavailableError",
    "TableError",
    "UnreadablePathError",
    "UnsupportedFormatError",
    "UsageError",
]


class CapitateError(Exception):
    """Root of the tree. `code` is a stable snake_case identifier for machines."""

    code = "error"


class UsageError(CapitateError):
    """The request itself is wrong."""

    code = "usage"


class TableError(UsageError):
    """A table or list of films cannot be used as it is."""

    code = "table"


class CellError(TableError):
    """One cell of a table cannot be used as it is."""

    def __init__(self, message: str, *, line: int, column: str, value: str, fault: str) -> None:
        """Keep where the cell stands.

        Args:
            message: the whole sentence.
            line: number of the line, the header is line 1.
            column: name of the column.
            value: what stands in the cell.
            fault: kind of fault in snake_case, such as `age_out_of_range`.
        """
        super().__init__(message)
        self.line, self.column, self.value, self.fault = line, column, value, fault


class GradeError(UsageError):
    """A joint, a grade, a stage or probabilities of grades are none that exist."""

    code = "grade"


class MissingExtraError(UsageError):
    """An optional part is needed and not installed."""

    code = "missing_extra"

    def __init__(self, *, what: str, extra: str) -> None:
        """Say what is needed and how to install it.

        Args:
            what: what was asked for, a noun phrase that starts the sentence.
            extra: name of the extra in brackets of `pip install 'capitate[extra]'`.
        """
        super().__init__(f"{what} needs an optional part that is not installed; run: pip install 'capitate[{extra}]'")
        self.extra = extra


class ReportWriteError(CapitateError):
    """A report could not be written to its folder."""

    code = "report_write"


class StoreError(CapitateError):
    """The service's database, or its folder of films, cannot be used as asked."""

    code = "store"


class StoreUnavailableError(StoreError):
    """The database cannot be reached or is busy; the same request may succeed later."""

    code = "store_unavailable"


class StoreFullError(StoreError):
    """There is no room left; nothing was stored."""

    code = "store_full"


class StoreReadOnlyError(StoreError):
    """The folder or the database may not be written."""

    code = "store_read_only"


class StoreSchemaError(StoreError):
    """The tables are of another version than this program's."""

    code = "store_schema"


class StoreDamagedError(StoreError):
    """A stored file is missing, or its bytes are not those that were stored."""

    code = "store_damaged"


class RecordNotFoundError(StoreError):
    """No assessment, film or artifact has this name."""

    code = "not_found"


class RevisionConflictError(StoreError):
    """Somebody changed the assessment since it was read. `current` is its record as it is now."""

    code = "revision_conflict"

    def __init__(self, message: str, *, current: object) -> None:
        """Keep the current record, a `capitate.service.store.Record`."""
        super().__init__(message)
        self.current = current


class StatusConflictError(StoreError):
    """The assessment's status does not allow this. `current` is its record as it is now."""

    code = "status_conflict"

    def __init__(self, message: str, *, current: object) -> None:
        """Keep the current record, a `capitate.service.store.Record`."""
        super().__init__(message)
        self.current = current


class BackupError(StoreError):
    """A backup cannot be written, is damaged, or is to be restored over data that are there."""

    code = "backup"


class BundleError(CapitateError):
    """A model bundle cannot be used."""

    code = "bundle"


class BundleNotFoundError(BundleError):
    """No bundle has this name."""

    code = "bundle_not_found"


class BundleDamagedError(BundleError):
    """A file of a bundle is missing or was changed."""

    code = "bundle_damaged"


class NoMapError(BundleError):
    """A model answers, but cannot say what its answer rests on."""

    code = "no_map"


class FilmError(CapitateError):
    """One film cannot be assessed; other films are not affected."""

    code = "film"


class UnreadablePathError(FilmError):
    """The path does not exist, is no file, or may not be read."""

    code = "unreadable_path"


class UnsupportedFormatError(FilmError):
    """The bytes are of no format, or of no variant of one, that Capitate reads."""

    code = "unsupported_format"


class CorruptFileError(FilmError):
    """The format is known but the bytes are damaged, truncated or contradict themselves."""

    code = "corrupt_file"


class FilmTooLargeError(FilmError):
    """The file or its header announces more than the limits allow."""

    code = "film_too_large"


class NotARadiographError(FilmError):
    """The picture decoded but cannot be a hand radiograph."""

    code = "not_a_radiograph"


class NoHandError(FilmError):
    """No single whole hand was found on the film."""

    code = "no_hand"
