// The same operator in another form: its kernel, its output, and how far both outputs differ.

/** One transposed convolution of `k + s - 1` taps: `W[q] = sum over r of w[r - q + k - 1]`. */
function asTransposed(axis, before) {
  const { s, k, length } = axis;
  const map = table(k + s - 1, k, (q, a) => (a + q >= k - 1 && a + q < k - 1 + s ? 1 : 0));
  return {
    map,
    axis: { ...transposed({ s, k: k + s - 1, crop: k - 1 - before, length }), size: axis.size },
  };
}

const between = (down, kernel, across) =>
  multiplied(multiplied(down, kernel), transposedTable(across));

// Of a signal the vertical axis stays as it is, in every form.
const UNCHANGED = { map: [[1]], order: [0] };
const parted = (axes, part) =>
  axes.map((axis) => (axis.still ? { ...UNCHANGED, axis } : part(axis)));
const axesOfParts = (parts) => parts.map(({ axis }) => axis);

const EQUALS = {
  interpolate: blurred,
  interpolate_conv(layer, axes, kernel, x, output) {
    if (layer.interpolation !== "nearest") return blurred(layer, axes, kernel, x, output);
    const [down, across] = parted(axes, (axis) =>
      asTransposed(axis, zerosBefore(layer.k, layer.padding)),
    );
    const wide = between(down.map, kernel, across.map);
    return compared("transposed", axesOfParts([down, across]), wide, x, output);
  },
  conv_transpose(layer, axes, kernel, x, output) {
    const phases = inPhases(axes, kernel, x, output);
    if (layer.k < layer.s) return { kind: "upsampled", phases, kernel: null };
    const { crop } = transposedSize(1, layer);
    const [down, across] = parted(axes, (axis) => upsampledAxis(layer, axis, crop));
    const small = between(pseudoInverse(down.map), kernel, pseudoInverse(across.map));
    const back = between(down.map, small, across.map);
    const distance = norm(mapped(back, (number, r, c) => number - kernel[r][c]));
    const residual = norm(kernel) === 0 ? 0 : distance / norm(kernel);
    return {
      ...compared("upsampled", axesOfParts([down, across]), small, x, output),
      phases,
      residual,
    };
  },
  sub_pixel(layer, axes, kernel, x, output) {
    const [down, across] = parted(axes, (axis) => wovenAxis(layer, axis));
    const wide = down.order.map((r) => across.order.map((c) => kernel[r][c]));
    return compared("transposed", axesOfParts([down, across]), wide, x, output);
  },
};

/** The transposed convolution of `s k` taps that a sub-pixel convolution is. */
function wovenAxis({ k, s, padding }, { length, size }) {
  const order = range(s * k).map((tap) => (tap % s) * k + k - 1 - Math.floor(tap / s));
  const crop = s * (k - 1 - zerosBefore(k, padding));
  return { order, axis: { ...transposed({ s, k: s * k, crop, length }), size } };
}

/** Nearest upsampling and the convolution whose transposed form a kernel may be. */
function upsampledAxis({ s, k }, axis, crop) {
  const taps = k - s + 1;
  const convolution = interpolated({
    interpolation: "nearest",
    s,
    k: taps,
    before: taps - 1 - crop,
    length: axis.length,
  });
  return { map: asTransposed({ s, k: taps }, 0).map, axis: { ...convolution, size: axis.size } };
}

function compared(kind, axes, kernel, x, output) {
  const other = applied(axes, kernel, x);
  return { kind, axes, kernel, output: other, difference: greatestDifference(output, other) };
}

/** Nearest instead, then the blur; both are compared where no tap looks outside of the image. */
function blurred(layer, axes, kernel, x, output) {
  const q = blurOf(layer.interpolation, layer.s);
  const rank = axes[0].still ? 1 : 2;
  const plain = applied(
    axesOf({ ...layer, interpolation: "nearest" }, shapeOf(x), rank),
    kernel,
    x,
  );
  const radius = (q.length - 1) / 2;
  const along = (numbers) =>
    numbers.map((row) =>
      row.map((_, n) => sum(q.map((weight, tap) => weight * (row[n + tap - radius] ?? 0)))),
    );
  const across = along(plain);
  const other = rank === 2 ? transposedTable(along(transposedTable(across))) : across;
  const margins = axes.map((axis) => borderOf(layer, axis, radius));
  const inner = mapped(output, (_, r, c) =>
    [r, c].every((n, i) => n >= margins[i][0] && n < axes[i].length - margins[i][1]),
  );
  const kept = (numbers) => mapped(numbers, (number, r, c) => (inner[r][c] ? number : 0));
  const difference = greatestDifference(kept(output), kept(other));
  return {
    kind: "blurred",
    q,
    output: other,
    inner,
    within: inner.flat().some(Boolean),
    difference,
  };
}

/** How many outputs, before and after, are not nearest's, blurred: the blur meets the padding. */
function borderOf(layer, axis, radius) {
  if (radius === 0 || axis.still) return [0, 0];
  const before = layer.kind === "interpolate" ? 0 : zerosBefore(layer.k, layer.padding);
  const all = layer.padding === "valid" || layer.kind === "interpolate" ? 0 : layer.k - 1;
  return [radius + before, radius + all - before];
}

/** A transposed convolution as a convolution per phase, put side by side. */
function inPhases(axes, kernel, x, output) {
  const phases = phasesOf(axes, kernel);
  const [, columns] = axes.map(({ s }) => s);
  const woven = mapped(output, (_, r, c) => {
    const { first, taps } = phases[(r % axes[0].s) * columns + (c % columns)];
    const place = [Math.floor(r / axes[0].s), Math.floor(c / columns)];
    return sum(
      taps.flatMap((row, a) =>
        row.map(
          (weight, b) => weight * (x[place[0] + first[0] + a]?.[place[1] + first[1] + b] ?? 0),
        ),
      ),
    );
  });
  return { count: phases.length, difference: greatestDifference(output, woven) };
}
