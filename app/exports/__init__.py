"""Downloads: their addresses, and how answers are written as files."""
