"""What irscope's speed is measured with. ``python -m benchmarks`` runs all of it and prints one table."""
