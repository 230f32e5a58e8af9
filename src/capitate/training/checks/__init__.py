"""Is this data set fit to train on? Tables, films, splits and labels looked at; findings with a severity."""
