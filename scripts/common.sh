# shellcheck shell=bash
# What the scripts beside this one share. They are bash, and run in the folder of the project.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() { printf '%s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# is_python PROGRAM MINOR: whether it runs, and is CPython 3.MINOR.
is_python() {
    "$1" -c "import sys; sys.exit(sys.implementation.name != 'cpython' or sys.version_info[:2] != (3, $2))" 2>/dev/null
}

# find_python MINOR: print a Python 3.MINOR of this machine: on the PATH, or as pyenv and uv install them.
find_python() {
    local candidate
    for candidate in "python3.$1" python3 \
        "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$1".*/bin/python3 \
        "${XDG_DATA_HOME:-$HOME/.local/share}/uv/python/cpython-3.$1".*/bin/python3; do
        if is_python "$candidate" "$1"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

# fill ENVIRONMENT: install the locked packages and openvoice itself, unless that is done already.
# The lock is complete. Asked to look for dependencies itself, an older pip would find releases newer than the lock.
fill() {
    local stamp state
    stamp="$1/.openvoice"
    state="$(cksum requirements.lock pyproject.toml) $PWD"
    if [ "$(cat "$stamp" 2>/dev/null)" = "$state" ]; then
        return
    fi
    say "Installing the Python packages of requirements.lock into $1 ..."
    .venv/bin/python -m pip --python "$1/bin/python" install -qq \
        --require-hashes --no-deps --only-binary :all: --requirement requirements.lock
    .venv/bin/python -m pip --python "$1/bin/python" check >/dev/null ||
        fail "requirements.lock is not complete: '$1/bin/python -m pip check' says what is missing"
    .venv/bin/python -m pip --python "$1/bin/python" install -qq --no-deps --no-build-isolation --editable .
    printf '%s\n' "$state" >"$stamp"
}
