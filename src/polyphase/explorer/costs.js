// Multiply-adds of every way to compute a layer on an input, counted as polyphase.inspection counts:
// products with zeros around an image are not left out, those with zeros inside it are not made.

/** Interpolation, a pass per axis, vertically first; nearest only copies. */
function passes(interpolation, small, large) {
  if (interpolation === "nearest") return 0;
  const { diameter, interpolates } = INTERPOLATIONS[interpolation];
  const sides = [...small];
  return (
    diameter *
    sum(
      small.map((before, axis) => {
        sides[axis] = large[axis];
        return before !== large[axis] || !interpolates ? product(sides) : 0;
      }),
    )
  );
}

const COSTS = {
  interpolate(layer, small, large) {
    const q = blurOf(layer.interpolation, layer.s);
    const written = ["as written, a pass per axis", passes(layer.interpolation, small, large)];
    if (q.length === 1) return [written];
    return [written, ["nearest, then the blur", product(large) * q.length * small.length]];
  },
  interpolate_conv(layer, small, large) {
    const { interpolation, s, k } = layer;
    const enlarged = small.map((side) => s * side);
    const written = k ** small.length * product(large) + passes(interpolation, small, enlarged);
    const ways = [["as written: upsample, then convolve", written]];
    if (interpolation !== "nearest") return [...ways, blurredCost(layer, small, large, written)];
    const folded = (taps) => taps ** small.length * product(small);
    return [
      ...ways,
      ["in phases, or as one transposed convolution", folded(s + k - 1)],
      ["in difference form", folded(k)],
    ];
  },
  conv_transpose({ k }, small, large) {
    return [
      [
        "as written, or in phases: every tap meets every input once",
        k ** small.length * product(small),
      ],
      ["zeros put between the inputs, then a convolution", k ** small.length * product(large)],
    ];
  },
  sub_pixel({ k, s }, small, large) {
    return [
      [
        "as written: convolve, then put the phases side by side",
        k ** small.length * product(large),
      ],
      ["as one transposed convolution", (s * k) ** small.length * product(small)],
    ];
  },
};

/** Nearest in difference form, the blur, and the border as it is written; all border: as written. */
function blurredCost(layer, small, large, written) {
  const { interpolation, s, k, padding } = layer;
  const q = blurOf(interpolation, s);
  const radius = (q.length - 1) / 2;
  const border = 2 * radius + (padding === "valid" ? 0 : k - 1);
  const name = "nearest in difference form, then the blur; the border as written";
  if (large.some((side) => side <= border)) return [`${name} (here all is border)`, written];
  const rows = radius + k - 1;
  const ends = small.map((side, axis) => {
    const pixels = Math.min(side, 2 * reachOfRows(rows, s, interpolation));
    const read = 2 * rows - (padding === "valid" ? k - 1 : 0);
    const others = product(large.filter((_, other) => other !== axis));
    const cut = small.map((one, other) => (other === axis ? pixels : one));
    return (
      k ** small.length * read * others +
      passes(
        interpolation,
        cut,
        cut.map((one) => s * one),
      )
    );
  });
  const inner = k ** small.length * product(small) + product(large) * q.length * small.length;
  return [name, inner + sum(q.length > 1 ? ends : [])];
}

/** How many pixels, from an end of the input on, the first outputs read. */
function reachOfRows(rows, s, interpolation) {
  const last = range(rows).map(
    (row) =>
      Math.floor(
        (2 * (2 * row + 1 - s) - INTERPOLATIONS[interpolation].diameter * 2 * s) / (4 * s),
      ) + 1,
  );
  return Math.max(...last) + INTERPOLATIONS[interpolation].diameter;
}
