"""What every benchmark needs: cores, processes, a load generator, a provider that costs nothing, and a report."""
