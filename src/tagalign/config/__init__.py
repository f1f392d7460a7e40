"""Configuration: the schemas, loading and checking, and the key table of ``config/README.md``."""
