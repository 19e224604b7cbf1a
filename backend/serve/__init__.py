"""The server: a socket that never waits on the model, a queue, and one worker that owns the device."""
