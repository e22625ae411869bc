"""Files of organizations: receiving, serving, examining and keeping them; the store and the records behind one service."""
