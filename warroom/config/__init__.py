"""Frozen settings: found, loaded, validated with positions, trusted."""
