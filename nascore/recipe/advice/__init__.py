"""The nearest request that works, and the texts that explain why one does not."""
