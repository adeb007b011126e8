"""The steps that bring a history database from one version of its tables to the next; run by alembic."""
