#!/bin/sh
# Makes ./.venv hold one lock (demo, dev, lint or more) and this checkout; does nothing when it already does.
# uv is used when present, else venv and pip; every package is checked against the hashes of the lock.
set -eu

cd "$(dirname "$0")/.."
kind=${1:?usage: requirements/install.sh demo|dev|lint|more}
lock="requirements/$kind.lock"
stamp=.venv/tenbin-lock
python=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }
fail() { say "tenbin: $*"; exit 1; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null </dev/null; }
has_venv() { "$1" -c 'import venv, ensurepip' 2>/dev/null </dev/null; }

# What the folder must have been made from: the lock, the project's metadata, what is compiled, and this very place (its
# scripts name it).
mark() {
  made_from="requirements/$1.lock pyproject.toml hatch_build.py"
  for source in normal kernel tally sight outlook glance scales pen; do made_from="$made_from src/tenbin/compiled/$source.c"; done
  printf '%s %s %s' "$1" "$(cat $made_from | cksum | tr ' ' '-')" "$PWD"
}

find_python() {
  found_old=""
  found_bare=""
  for name in ${PYTHON:-} python3 python python3.14 python3.13 python3.12 python3.11; do
    command -v "$name" >/dev/null 2>&1 || continue
    if ! new_enough "$name"; then found_old=$name; continue; fi
    if [ -n "$uv" ] || has_venv "$name"; then printf '%s' "$name"; return; fi
    found_bare=$name
  done
  [ -z "$uv" ] || { printf '%s' '>=3.11'; return; }
  [ -z "$found_bare" ] || fail "$found_bare has no venv module with pip in it; install it (Debian, Ubuntu: apt install python3-venv) or install uv, then run make again"
  [ -z "$found_old" ] || fail "$found_old is older than Python 3.11, which Tenbin needs; install Python 3.11 or newer, or name one with PYTHON=..."
  fail "no Python was found; install Python 3.11 or newer, or name one with PYTHON=..."
}

[ -f "$lock" ] || fail "$lock does not exist; the locks are demo, dev, lint and more"
held=$(cat "$stamp" 2>/dev/null || true)
if [ -x "$python" ] && [ -n "$held" ]; then
  # Each of demo, dev, lint, more holds everything of the one before, at the same versions.
  case "$kind" in demo) enough="demo dev lint more" ;; dev) enough="dev lint more" ;; lint) enough="lint more" ;; *) enough=$kind ;; esac
  for name in $enough; do
    [ ! -f "requirements/$name.lock" ] || [ "$held" != "$(mark "$name")" ] || exit 0
  done
fi

uv=$(command -v uv || true)
# uv brings certificates of its own; behind a company's proxy only those of the machine hold, as pip uses them.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-true}"
case "$held" in "" | *" $PWD") ;; *) say "The .venv was made elsewhere: making it anew."; rm -rf .venv ;; esac
if [ -e .venv ] && ! { [ -x "$python" ] && new_enough "$python"; }; then
  fail ".venv is not a working Python 3.11 or newer; remove that folder (rm -r .venv), then run make again"
fi
if [ ! -e .venv ]; then
  chosen=$(find_python)
  say "Making .venv ..."
  if [ -n "$uv" ]; then
    uv venv --quiet --python "$chosen" .venv </dev/null
  else
    "$chosen" -m venv .venv </dev/null
  fi
fi

# The lock is whole but for what nothing here imports (UNUSED in the Makefile), hence --no-deps.
rm -f "$stamp"
say "Installing $lock into .venv (only when it changes) ..."
if [ -n "$uv" ]; then
  uv pip install --quiet --python "$python" --no-deps --require-hashes -r "$lock" </dev/null
  uv pip install --quiet --python "$python" --no-deps --no-build-isolation --reinstall-package tenbin -e . </dev/null
else
  "$python" -m pip --version >/dev/null 2>&1 || "$python" -m ensurepip >/dev/null
  # What is used compiles itself on first use, as with uv.
  set -- -m pip install --quiet --disable-pip-version-check --no-compile
  "$python" "$@" --no-deps --require-hashes -r "$lock" </dev/null
  "$python" "$@" --no-deps --no-build-isolation -e . </dev/null
fi
mark "$kind" >"$stamp"
