"""`python -m envcompile` is the `envc` command."""

if __name__ == "__main__":
    try:
        from envcompile.cli import entry
    except KeyboardInterrupt:  # Ctrl-C before anything was begun
        raise SystemExit(130) from None
    entry()
