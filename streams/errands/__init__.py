"""What commands do on the topics beside the worker: look, ask, send, send again, export, describe."""
