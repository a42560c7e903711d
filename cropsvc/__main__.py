"""`python -m cropsvc`: the command line client."""

from cropsvc.cli.main import main

if __name__ == "__main__":
    main(prog_name="python -m cropsvc")
