"""Duologue's local model server and research tools."""

__version__ = "0.1.0"
