"""What the linter knows. A file is a family: `of_step(step)` or `of_runbook(runbook)` yields
findings, and `lint` asks every file."""
