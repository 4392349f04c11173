"""Pictures of what a coach sees, to be looked at."""
