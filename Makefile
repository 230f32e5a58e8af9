# Two commands: `make demo` and `make test`. Without make: `python tasks.py demo` and `python tasks.py test`.
PYTHON ?= python3

.PHONY: demo test check soak
demo test check soak:
	$(PYTHON) tasks.py $@ $(ARGS)
