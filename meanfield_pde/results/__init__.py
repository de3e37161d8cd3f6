"""What a run leaves behind: frames, solutions, and one HDF5 file a run."""
