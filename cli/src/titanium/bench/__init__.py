"""The benchmark: measures a platform of its own with wrk and writes docs/performance.md.

`run` orchestrates; `model`, `targets`, `report` and `chart` are pure; the others each do one
thing on the machine (wrk, processes, accounts, mixed traffic).
"""
