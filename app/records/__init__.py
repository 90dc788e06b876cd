"""Single things read from Postgres, in the workspaces of one viewer: what lies behind a figure."""
