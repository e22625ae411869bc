"""What the system talks about: frozen values and state machines as tables, without I/O."""
