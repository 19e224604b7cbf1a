"""``python -m backend``: the same as ``duologue``."""

from .cli import main

if __name__ == "__main__":
    main()
