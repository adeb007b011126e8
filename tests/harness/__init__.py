"""What the tests of whole projects are made with: guards, small repositories, the command, goldens, cases."""
