"""The localiser of fractures: its labels, films, training and bundle."""
