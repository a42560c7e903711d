"""`python -m cropsvc`: the command line client."""

import sys

try:
    from cropsvc.cli.main import main
except ModuleNotFoundError as error:  # an installation of the client alone
    if str(error.name).startswith("cropsvc"):
        raise
    sys.exit(f"The command line needs {error.name}; install this package with the extra `server`")

if __name__ == "__main__":
    main(prog_name="python -m cropsvc")
