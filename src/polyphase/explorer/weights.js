// The numbers in a layer's kernel. A kernel is a table: the taps of a sub-pixel convolution stand
// in blocks, one per phase, side by side.

const TRAINED = JSON.parse(document.getElementById("kernels").textContent);

const tapsPerAxis = (layer) => (layer.kind === "sub_pixel" ? layer.s * layer.k : layer.k);
const kernelShape = (layer, rank) => [rank === 2 ? tapsPerAxis(layer) : 1, tapsPerAxis(layer)];
const hasKernel = (layer) => layer.kind !== "interpolate";
const canBeUneven = (layer) => ["conv_transpose", "sub_pixel"].includes(layer.kind);

const WEIGHTS = {
  random(layer, rank) {
    const drawn = generator(layer.weights.seed);
    const filters = layer.kind === "sub_pixel" ? layer.s ** rank : 1;
    const limit = Math.sqrt(6 / (layer.k ** rank * (1 + filters)));
    return filled(layer, rank, () => Math.round(100 * limit * (2 * drawn() - 1)) / 100);
  },
  ones: (layer, rank) => filled(layer, rank, () => 1),
  bilinear(layer, rank) {
    const across = BILINEAR[layer.kind](layer);
    const down = rank === 2 ? across : [1];
    return filled(layer, rank, (r, c) => down[r] * across[c]);
  },
  trained: ({ k, weights }) => TRAINED[k][weights.epoch],
  hand: ({ weights }) => weights.table,
};

const filled = (layer, rank, value) => table(...kernelShape(layer, rank), value);

// One axis of kernels with which a layer interpolates bilinearly.
const BILINEAR = {
  interpolate_conv({ interpolation, k, s }) {
    const q = blurOf("bilinear", s);
    if (interpolation !== "nearest" || k % 2 === 0 || k < q.length) {
      throw new Wrong(
        `A bilinear start of a convolution by ${s} needs interpolation nearest and an odd kernel of at ` +
          `least ${q.length} taps. Received: ${interpolation}, ${count(k, "tap")}.`,
      );
    }
    return range(k).map((tap) => q[tap - (k - q.length) / 2] ?? 0);
  },
  conv_transpose({ k, s }) {
    requireTaps(k, s, "A bilinear start");
    const triangle = range(k).map((tap) => Math.max(1 - Math.abs(tap - (k - 1) / 2) / s, 0));
    return triangle.map(
      (height, tap) => height / sum(triangle.filter((_, other) => other % s === tap % s)),
    );
  },
  sub_pixel({ k, s }) {
    if (k < 3) {
      throw new Wrong(
        `A bilinear start of a sub-pixel convolution needs at least 3 taps. Received: ${k}.`,
      );
    }
    return range(s).flatMap((phase) => {
      const read = pixelsRead("bilinear", s, phase, Infinity);
      return range(k).map(
        (tap) => read.find(({ input }) => input === tap - zerosBefore(k, "same"))?.factor ?? 0,
      );
    });
  },
};

function requireTaps(k, s, what) {
  if (k < s) {
    throw new Wrong(
      `${what} needs a tap for every phase: a kernel at least as large as the stride. Received: ` +
        `kernel ${k}, stride ${s}.`,
    );
  }
}

/** The kernel of a layer, with its phases made even if that is wanted. */
function kernelOf(layer, rank) {
  if (!hasKernel(layer)) return [[1]];
  const kernel = WEIGHTS[layer.weights.source](layer, rank);
  return layer.even ? evened(layer, kernel, rank) : kernel;
}

/** The least change that gives all phases the same sum: it is spread over the taps of each. */
function evened(layer, kernel, rank) {
  if (layer.kind === "conv_transpose") requireTaps(layer.k, layer.s, "Making phases even");
  const phase = (tap) => (layer.kind === "sub_pixel" ? Math.floor(tap / layer.k) : tap % layer.s);
  const names = mapped(kernel, (_, r, c) =>
    rank === 2 ? `${phase(r)},${phase(c)}` : `${phase(c)}`,
  );
  const [sums, counts] = [new Map(), new Map()];
  kernel.forEach((row, r) =>
    row.forEach((number, c) => {
      sums.set(names[r][c], (sums.get(names[r][c]) ?? 0) + number);
      counts.set(names[r][c], (counts.get(names[r][c]) ?? 0) + 1);
    }),
  );
  const mean = sum([...sums.values()]) / sums.size;
  return mapped(
    kernel,
    (number, r, c) => number + (mean - sums.get(names[r][c])) / counts.get(names[r][c]),
  );
}

/** A kernel set by hand, cut or filled with zeros to another shape. */
function reshaped(numbers, [rows, columns]) {
  return table(rows, columns, (r, c) => numbers[r]?.[c] ?? 0);
}
