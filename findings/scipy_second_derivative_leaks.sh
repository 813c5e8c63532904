#!/usr/bin/env bash
# scipy 1.17.1: the weights of ndimage.gaussian_filter1d(order=2) do not sum to 0.
#
# Expected: a second derivative does not see where a thing is: of something that stands still it is 0,
# as the first derivative is, and adding a constant changes nothing. Of t**2 it is 2 everywhere.
# Seen (Python 3.11, Linux): a part of the value itself leaks into the result, by 4e-5 at sigma 1.2 and
# 4e-4 at sigma 0.8; so t**2 has 1.97 at t = 25 and 1.58 at t = 100. Made an acceleration at 60 frames/s
# (times 60**2), something that rests 1000 pixels from the origin is pulled by 151 pixels/s**2. Only the
# plain Gaussian, cut off at `truncate` (4 sigma), is scaled to a right sum; the others are that times a
# polynomial. truncate=8 helps from sigma 1 on; below it the samples are too few for the curve.
#
# Output seen:
#     sigma 1.2, truncate 4: of 1 order 1 is 0.0e+00, order 2 is -4.2e-05
#     sigma 0.8, truncate 4: of 1 order 1 is 0.0e+00, order 2 is -4.0e-04
#     sigma 0.8, truncate 8: of 1 order 1 is 0.0e+00, order 2 is -2.6e-04
#     sigma 1.2, truncate 8: of 1 order 1 is 0.0e+00, order 2 is -3.6e-11
#     of t**2, order 2 at t = 25 and 100: 1.972 1.579
#     1000 pixels away and at rest, pixels/s**2 at 60 frames/s: -151
#
# PYTHON=python3.11 bash scipy_second_derivative_leaks.sh
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet scipy==1.17.1 numpy==2.4.6

"$folder/venv/bin/python" - <<'PY' | tee "$folder/seen"
import numpy as np
from scipy.ndimage import gaussian_filter1d

ones, times = np.ones(201), np.arange(201.0)
for sigma, truncate in ((1.2, 4), (0.8, 4), (0.8, 8), (1.2, 8)):
    one, two = (gaussian_filter1d(ones, sigma, order=n, truncate=truncate)[100] for n in (1, 2))
    print(f"sigma {sigma}, truncate {truncate}: of 1 order 1 is {abs(one):.1e}, order 2 is {two:.1e}")
bent = gaussian_filter1d(times**2, 1.2, order=2)
print(f"of t**2, order 2 at t = 25 and 100: {bent[25]:.3f} {bent[100]:.3f}")
still = gaussian_filter1d(1000 * ones, 1.2, order=2)[100] * 60**2
print(f"1000 pixels away and at rest, pixels/s**2 at 60 frames/s: {still:.0f}")
PY

grep '^#     ' "$0" | sed 's/^#     //' | diff - "$folder/seen" || {
    echo "changed: see the head of this script" >&2
    exit 1
}
