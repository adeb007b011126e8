"""What a shell offers when TAB is pressed: from names of files and a table of the commands, compiling nothing."""
