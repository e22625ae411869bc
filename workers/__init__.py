"""The five workers: stateless services, one per capability, that call providers and forget."""
