"""Where training data comes from: readers of real motion capture, and the choreographer."""
