"""Problems, laws and runs that the claims are measured by."""
