"""The tests of envcompile; the folders mirror the package."""
