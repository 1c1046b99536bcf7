"""Reading reasoning paths: steps, the tree that samples make, two paths aligned."""
