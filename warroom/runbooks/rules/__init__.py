"""What the linter knows. `catalogue` has every rule as a record, `tables` what the tools have; a
file is a family: `of_step(step)` or `of_runbook(runbook)` yields findings, and `lint` asks all."""
