"""Maps that need a network's gradients, and so torch: for research, not for assessments."""
