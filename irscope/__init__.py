"""irscope: what the Triton compiler makes of a GPU kernel, stage by stage."""

__version__ = "0.1.0"
