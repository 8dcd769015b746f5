"""Run a kernel on the GPU: time it, check what it wrote, and set the driver's figures beside irscope's own."""
