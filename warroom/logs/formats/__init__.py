"""Log formats, a module for each family: how lines are recognised, and what their parts mean."""
