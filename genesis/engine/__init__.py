"""The engine: the only code that changes a job. Use cases over ports; decisions are pure functions."""
