"""Motion clean-up in a stream: roots that follow the feet, persons apart, feet that stand still."""

from .cleaner import Cleaner

__all__ = ["Cleaner"]
