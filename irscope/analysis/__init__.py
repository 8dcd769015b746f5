"""What follows from a compilation's stages: the resources it takes, the occupancy that they allow."""
