"""Tests of `capitate.service`."""
