"""PostgreSQL: many processes at a time, group commits over a few connections, durable before it answers."""
