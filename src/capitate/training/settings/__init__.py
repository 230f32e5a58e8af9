"""What an experiment may set, one module a part; `capitate.training.config` reads them from TOML."""
