"""Where things run: this machine, or another over SSH; everything outside goes through a host."""
