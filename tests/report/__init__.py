"""Tests of `capitate.report`."""
