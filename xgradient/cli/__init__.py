"""The command line: a client of the operators, which nothing else imports."""
