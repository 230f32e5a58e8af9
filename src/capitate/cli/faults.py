"""Errors that nobody expected: said in one sentence, without what the error says, which may name a patient."""

from __future__ import annotations

from capitate.errors import CapitateError

__all__ = ["FaultError", "sentence"]


def sentence(error: BaseException) -> str:
    """Ask for a report of a fault."""
    return (
        f"a fault in Capitate itself ({type(error).__name__}); run the command again as `capitate --debug ...` and "
        "report what it prints, without films or names of patients"
    )


class FaultError(CapitateError):
    """A fault in Capitate met while one film was assessed."""

    code = "fault"

    def __init__(self, error: BaseException) -> None:
        """Say what kind of error it was."""
        super().__init__(sentence(error))
