"""What can be done: the functions behind Python and the command line. Importing them imports no torch."""
