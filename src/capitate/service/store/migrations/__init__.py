"""How the tables came to be, one step a file; `capitate.service.store.migrating` runs them."""
