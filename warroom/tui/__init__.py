"""The console. The only place that knows Textual."""
