"""The rules: a folder for each subject, a file for each rule; `catalogue` finds them all."""
