"""Which training exceeds a progression limit, and why: training sessions, rules with their sources, and the check."""
