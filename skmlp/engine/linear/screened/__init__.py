"""Wide data: columns screened, working sets of them, and a sparse X that is never centred."""
