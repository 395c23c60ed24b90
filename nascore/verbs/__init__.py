"""The operations of nascore, called from Python and by the command line; importing them needs no torch."""
