"""What the documentation site makes at build time: pictures, tables, the commands' help. Used by mkdocs.yml alone."""
