"""``python -m backend``: the same as ``duologue``."""

from backend.cli import main

if __name__ == "__main__":
    main()
