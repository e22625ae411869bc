"""SQLite: one process at a time, one writing connection, durable before it answers."""
