"""The service: OTLP spans in, priced and durable, and a read API out. The folders are the data flow."""
