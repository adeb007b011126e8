"""What an editor asks of a project: answered from the memo of builds, with the texts that are not saved yet."""
