// What every output of a layer reads. A layer is, along each axis, a list of entries per output,
// `{input, tap, factor}`; along two axes it is their product: y = sum of factor * kernel[tap] * x.

const zerosBefore = (k, padding) => (padding === "valid" ? 0 : Math.floor((k - 1) / 2));
const convolvedLength = (size, k, padding) => (padding === "valid" ? size - k + 1 : size);
const inside = (input, size) => size === Infinity || (input >= 0 && input < size);

/** Interpolation by `s`, then a convolution of `k` taps with so many zeros before. */
function interpolated({ interpolation, s, k = 1, before = 0, length }) {
  const reads = (n, size) =>
    range(k).flatMap((tap) => {
      const pixel = n - before + tap;
      if (!inside(pixel, s * size)) return [];
      return pixelsRead(interpolation, s, pixel, size).map((one) => ({ ...one, tap }));
    });
  return { s, k, taps: k, length, reads, phaseOf: () => null };
}

/** A transposed convolution of `k` taps and stride `s`, of which `crop` outputs are cut off before. */
function transposed({ s, k, crop, length }) {
  const reads = (n, size) =>
    range(k).flatMap((tap) => {
      const input = (n + crop - tap) / s;
      return Number.isInteger(input) && inside(input, size) ? [{ input, tap, factor: 1 }] : [];
    });
  return { s, k, taps: k, length, reads, phaseOf: (tap) => modulo(tap - crop, s) };
}

/** A convolution into `s` phases of `k` taps each, put side by side: tap `a` of phase `p` is `p k + a`. */
function subPixel({ s, k, before, length }) {
  const reads = (n, size) =>
    range(k).flatMap((tap) => {
      const input = Math.floor(n / s) - before + tap;
      return inside(input, size) ? [{ input, tap: modulo(n, s) * k + tap, factor: 1 }] : [];
    });
  return { s, k, taps: s * k, length, reads, phaseOf: (tap) => Math.floor(tap / k) };
}

// Of a signal the vertical axis: one row that stays as it is.
const STILL = {
  still: true,
  s: 1,
  k: 1,
  taps: 1,
  length: 1,
  phaseOf: () => 0,
  reads: () => [{ input: 0, tap: 0, factor: 1 }],
};

/** Keras' length and crop of a transposed convolution. */
function transposedSize(size, { k, s, padding, outputPadding }) {
  const base = (size - 1) * s;
  if (padding === "valid")
    return { length: base + k + (outputPadding ?? Math.max(s - k, 0)), crop: 0 };
  const kept = outputPadding === null ? s : (k % 2) + outputPadding;
  return { length: base + kept, crop: Math.max(Math.floor((k - kept) / 2), 0) };
}

const AXES = {
  interpolate: ({ interpolation, s }, size) => ({
    ...interpolated({ interpolation, s, length: s * size }),
    alone: true,
  }),
  interpolate_conv: ({ interpolation, s, k, padding }, size) =>
    interpolated({
      interpolation,
      s,
      k,
      before: zerosBefore(k, padding),
      length: convolvedLength(s * size, k, padding),
    }),
  conv_transpose: (layer, size) => transposed({ ...layer, ...transposedSize(size, layer) }),
  sub_pixel: ({ s, k, padding }, size) =>
    subPixel({
      s,
      k,
      before: zerosBefore(k, padding),
      length: s * convolvedLength(size, k, padding),
    }),
};

/** The vertical and the horizontal axis of a layer on an input of this shape. */
function axesOf(layer, [height, width], rank) {
  const across = { ...AXES[layer.kind](layer, width), size: width };
  const down =
    rank === 2 ? { ...AXES[layer.kind](layer, height), size: height } : { ...STILL, size: 1 };
  return [down, across];
}

const entries = (axis) => range(axis.length).map((n) => axis.reads(n, axis.size));

/** The output of a layer. */
function applied(axes, kernel, x) {
  const [down, across] = axes.map(entries);
  return down.map((row) =>
    across.map((column) => {
      let total = 0;
      for (const r of row) {
        for (const c of column) {
          total += r.factor * c.factor * kernel[r.tap][c.tap] * x[r.input][c.input];
        }
      }
      return total;
    }),
  );
}

/** What one output is made of: its inputs with their weights, and the taps that are used. */
function termsOf(axes, kernel, x, [row, column]) {
  const terms = new Map();
  const taps = new Set();
  for (const r of axes[0].reads(row, axes[0].size)) {
    for (const c of axes[1].reads(column, axes[1].size)) {
      const place = `${r.input},${c.input}`;
      const term = terms.get(place) ?? {
        place: [r.input, c.input],
        weight: 0,
        input: x[r.input][c.input],
      };
      term.weight += r.factor * c.factor * kernel[r.tap][c.tap];
      terms.set(place, term);
      taps.add(`${r.tap},${c.tap}`);
    }
  }
  const inOrder = [...terms.values()].sort(
    (a, b) => a.place[0] - b.place[0] || a.place[1] - b.place[1],
  );
  return { terms: inOrder, taps };
}

/** The outputs that read one input, with the weight that it has in each. */
function reachOf(axes, kernel, [row, column]) {
  const readers = axes.map((axis, i) =>
    entries(axis)
      .map((read, n) => [n, read.filter(({ input }) => input === [row, column][i])])
      .filter(([, read]) => read.length),
  );
  return readers[0].flatMap(([r, down]) =>
    readers[1].map(([c, across]) => ({
      place: [r, c],
      weight: sum(
        down.flatMap((a) => across.map((b) => a.factor * b.factor * kernel[a.tap][b.tap])),
      ),
    })),
  );
}

/** How many taps an axis has at every output, and how many if the input had no end. */
function tapCounts(axis) {
  const different = (read) =>
    new Set(read.map(({ input, tap }) => (axis.alone ? input : tap))).size;
  return {
    here: entries(axis).map(different),
    endless: range(axis.length).map((n) => different(axis.reads(n, Infinity))),
  };
}

/** How many taps each output gets, and whether some of them lie outside of the input. */
function overlaps(axes) {
  const [down, across] = axes.map(tapCounts);
  const times = (a, b) => a.map((one) => b.map((other) => one * other));
  const [counts, endless] = [times(down.here, across.here), times(down.endless, across.endless)];
  return { counts, border: mapped(counts, (number, r, c) => number < endless[r][c]) };
}

/** The small kernel of every phase: `{phase, first, taps, gain}`, offsets from the input's position. */
function phasesOf(axes, kernel) {
  const [down, across] = axes.map((axis) => range(axis.s).map((p) => axis.reads(p, Infinity)));
  return down.flatMap((row, p) => across.map((column, q) => phaseOf([p, q], row, column, kernel)));
}

function phaseOf(phase, row, column, kernel) {
  const first = [row, column].map((read) => Math.min(...read.map(({ input }) => input)));
  const last = [row, column].map((read) => Math.max(...read.map(({ input }) => input)));
  if (!row.length || !column.length) return { phase, first: [0, 0], taps: [], gain: 0 };
  const taps = table(last[0] - first[0] + 1, last[1] - first[1] + 1, () => 0);
  row.forEach((r) =>
    column.forEach((c) => {
      taps[r.input - first[0]][c.input - first[1]] += r.factor * c.factor * kernel[r.tap][c.tap];
    }),
  );
  return { phase, first, taps, gain: sum(taps.flat()) };
}

/** The gains of the phases as a table, their chi, and what a constant comes out as. */
function constantOf(axes, phases) {
  const [rows, columns] = axes.map(({ s }) => s);
  const gains = table(rows, columns, (p, q) => phases[p * columns + q].gain);
  const mean = sum(gains.flat()) / (rows * columns);
  const spread = Math.sqrt(sum(gains.flat().map((gain) => (gain - mean) ** 2)) / (rows * columns));
  const chi = mean === 0 ? (spread === 0 ? 0 : Infinity) : spread / Math.abs(mean);
  return { gains, mean, chi, pattern: mean === 0 ? null : mapped(gains, (gain) => gain / mean) };
}

/** Which phase a tap of the kernel belongs to; null where all phases share it. */
function phaseOfTap(axes, [row, column]) {
  const phase = [axes[0].phaseOf(row), axes[1].phaseOf(column)];
  return phase.includes(null) ? null : phase;
}
