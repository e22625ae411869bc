"""The store of files: implementations of the blob store, and the choice between them."""
