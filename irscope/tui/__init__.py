"""The terminal interface. Knows panes, keys and colours; knows nothing about compilers."""
