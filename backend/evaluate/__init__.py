"""Measures of how good motions and captions are: rule-based checks, protocols for each task, and speed."""
