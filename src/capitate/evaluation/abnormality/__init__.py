"""How right the abnormality screen is: studies with a reading against its probabilities."""
