"""The only writers of admin data: one function per change, called by pages, command line and API alike."""
