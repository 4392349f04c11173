"""Raw logs as they were received, and the store that is derived from them."""
