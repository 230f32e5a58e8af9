"""The task `joint-grades`: one ordinal network for the nine joint categories of RUS-CHN."""
