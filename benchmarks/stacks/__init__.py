"""How each compared stack is started on the target's core, fed and asked how far it is."""
