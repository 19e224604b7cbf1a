"""Training: recipes, resumable runs, and the stages."""
