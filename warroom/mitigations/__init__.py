"""One file a kind: actions that change a system, previewed on a card before they run."""
