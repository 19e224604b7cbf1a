"""The motion tokenizer: an RQ-VAE that turns one person's motion into discrete codes and back."""
