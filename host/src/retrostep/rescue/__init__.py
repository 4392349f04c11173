"""Save sessions from a board whose app does not start, or from an image of its flash."""
