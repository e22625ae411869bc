"""The ledger and its queries on real databases, with schema and migrations."""
