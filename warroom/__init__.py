"""The incident war room in one terminal."""

__version__ = "0.2.0"
