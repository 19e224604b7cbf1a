"""What people do: one file per thing."""
