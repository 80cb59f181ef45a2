"""Programs that are really run under injected faults, and what the linter says about them."""
