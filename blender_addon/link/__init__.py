"""The way to the backend: a process that may have to be started, a socket to it, and the job that runs on it."""
