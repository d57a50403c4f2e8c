# SPDX-License-Identifier: Apache-2.0
# Sourced, with `here` and `repository` set: sets `python` to one that has requirements.txt installed.
# ORACLE_PYTHON names it; without that, a virtual environment is built in .deps/oracle at the first call.
python=${ORACLE_PYTHON:-}
if [[ -z $python ]]; then
  environment=$repository/.deps/oracle
  python=$environment/bin/python
  if ! cmp -s "$here/requirements.txt" "$environment/installed.txt"; then
    command -v python3 >/dev/null || { echo "oracle: python3 is missing; install it" >&2; exit 2; }
    python3 -m venv "$environment"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$environment/installed.txt"
  fi
fi

# torchvision and what uses it lie apart, for the scripts that ask for them (common.py): transformers'
# image processors compute with torchvision where they find it. ORACLE_APART names such a folder.
if [[ -z ${ORACLE_APART:-} ]]; then
  export ORACLE_APART=$repository/.deps/oracle-apart
  if ! cmp -s "$here/requirements-apart.txt" "$ORACLE_APART/installed.txt"; then
    rm -rf "$ORACLE_APART"
    "$python" -m pip install --quiet --no-deps --target "$ORACLE_APART" \
      --requirement "$here/requirements-apart.txt"
    cp "$here/requirements-apart.txt" "$ORACLE_APART/installed.txt"
  fi
fi

# One thread and no hash salt: sums keep their order, sets keep theirs.
export OMP_NUM_THREADS=1 PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
export HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 TRANSFORMERS_VERBOSITY=error
