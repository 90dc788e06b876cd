"""The Python face of the quota functions in the database, which any product can call as well."""
