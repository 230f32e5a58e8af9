"""Load and faults on the whole service: `make soak`, or `python tests/soak --help`.

`program` runs the parts and writes the tally; `load`, `kills`, `database`, `disk` and `children` are the parts;
`running` is a `capitate serve` in a process of its own, `films` the drawn hands that are sent, `health` the probe.
"""
