"""Members bring friends: links, guards, and what both get."""
