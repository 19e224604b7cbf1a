"""The motion language model: one small Llama that reads and writes words and the two persons' motion codes."""
