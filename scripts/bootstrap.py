"""Makes the virtual environment, or says in one line what this machine lacks for it.

Runs on whatever `python3` there is, so it must parse under an old Python too.
"""

import os
import subprocess
import sys


def main():
    if sys.version_info < (3, 11):
        version = "%d.%d" % sys.version_info[:2]
        sys.exit(
            "gesta needs Python 3.11 or newer; `%s` is %s.\n"
            "Install a newer one, or name it: make PYTHON=/path/to/python3.12 ..."
            % (sys.executable, version)
        )
    target = sys.argv[1]
    if os.path.exists(os.path.join(target, "bin", "pip")):  # the last thing that venv puts there
        return
    try:
        import ensurepip  # noqa: F401 - Debian ships venv without it, and venv then fails late
        import venv  # noqa: F401
    except ImportError:
        sys.exit(
            "This Python has no venv module. On Debian or Ubuntu: apt-get install python3-venv\n"
            "Elsewhere, name a complete Python: make PYTHON=/path/to/python3 ..."
        )
    print("making %s with Python %d.%d ..." % ((target,) + sys.version_info[:2]))
    code = subprocess.call([sys.executable, "-m", "venv", "--clear", target])
    if code:
        sys.exit("python -m venv %s failed (exit %d); its message is above." % (target, code))


if __name__ == "__main__":
    main()
