"""Statistics on figures that are already there: no database, no lake, no interface."""
