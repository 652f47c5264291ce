"""What stands behind every check: cases, calls with a time limit, comparisons in words."""
