// Interpolation by an integer factor along one axis, with half-pixel centres.

const cubic = (b, c) => (t) => {
  const d = Math.abs(t);
  if (d < 1) return (((12 - 9 * b - 6 * c) * d - (18 - 12 * b - 6 * c)) * d * d + (6 - 2 * b)) / 6;
  if (d >= 2) return 0;
  return (((-(b + 6 * c) * d + 6 * b + 30 * c) * d - (12 * b + 48 * c)) * d + 8 * b + 24 * c) / 6;
};

const lanczos = (n) => (t) => {
  if (t === 0) return 1;
  const u = Math.PI * t;
  return Math.abs(t) < n ? (n * Math.sin(u) * Math.sin(u / n)) / (u * u) : 0;
};

// The full width in input pixels, and the kernel at a distance in input pixels.
const INTERPOLATIONS = {
  nearest: { diameter: 1, phi: (t) => (t >= -0.5 && t < 0.5 ? 1 : 0), interpolates: true },
  bilinear: { diameter: 2, phi: (t) => Math.max(1 - Math.abs(t), 0), interpolates: true },
  bicubic: { diameter: 4, phi: cubic(0, 0.5), interpolates: true },
  mitchell: { diameter: 4, phi: cubic(1 / 3, 1 / 3), interpolates: false },
  lanczos3: { diameter: 6, phi: lanczos(3), interpolates: true },
  lanczos5: { diameter: 10, phi: lanczos(5), interpolates: true },
};

/**
 * What pixel `n` of the upsampled axis reads: `[{input, factor}]`, factors of sum 1.
 *
 * Its centre lies at `(2 n + 1 - s) / 2 s`. Pixels outside of an axis of `size` weigh nothing; an
 * endless axis (`size` is infinite) has none.
 */
function pixelsRead(interpolation, s, n, size) {
  const { diameter, phi } = INTERPOLATIONS[interpolation];
  const [numerator, denominator] = [2 * n + 1 - s, 2 * s];
  const first = Math.floor((2 * numerator - diameter * denominator) / (2 * denominator)) + 1;
  const read = range(diameter)
    .map((tap) => first + tap)
    .filter((input) => size === Infinity || (input >= 0 && input < size))
    .map((input) => ({ input, factor: phi((numerator - denominator * input) / denominator) }));
  const total = sum(read.map(({ factor }) => factor));
  return read
    .map(({ input, factor }) => ({ input, factor: factor / total }))
    .filter(({ factor }) => Math.abs(factor) > 1e-12);
}

/** The blur `q` that turns nearest into an interpolation: `h = box * q`, divided exactly. */
function blurOf(interpolation, s) {
  const taps = range(s).flatMap((phase) =>
    pixelsRead(interpolation, s, phase, Infinity).map(({ input, factor }) => [
      phase - s * input,
      factor,
    ]),
  );
  const first = Math.min(...taps.map(([place]) => place));
  const last = Math.max(...taps.map(([place]) => place));
  const h = range(last - first + 1).map(() => 0);
  taps.forEach(([place, factor]) => {
    h[place - first] = factor;
  });
  const differences = h.map((number, n) => number - (h[n - 1] ?? 0));
  const quotient = range(h.length - s + 1).map((n) =>
    sum(range(Math.floor(n / s) + 1).map((back) => differences[n - s * back])),
  );
  return quotient.map((number, n) => (number + quotient[quotient.length - 1 - n]) / 2);
}
