// The panel of equal forms: the other kernel, the other output, and how far both differ.

const equation = (...parts) => make("div", { className: "tables equation" }, ...parts);
const sign = (words) => make("span", { className: "sign" }, words);
const differs = (difference) =>
  `Both outputs computed here differ by at most ${short(difference, 2)}.`;
const squared = (size, rank) => (rank === 2 ? `${size}×${size}` : `${size}`);

const DISGUISES = {
  interpolate(chosen) {
    if (chosen.layer.interpolation !== "nearest") {
      return blurredForm(chosen, "nearest upsampling, then a fixed blur of the large output");
    }
    return [
      paragraph(
        "It is the simplest one: it copies. Every other interpolation is nearest upsampling " +
          "and then a fixed blur.",
      ),
    ];
  },
  interpolate_conv({ layer, kernel, equal }, rank) {
    if (layer.interpolation !== "nearest") {
      return blurredForm({ equal }, "nearest upsampling, the same convolution, then a fixed blur");
    }
    const wide = matrix(equal.kernel, "W, the transposed convolution", tapLook(equal.axes));
    return [
      paragraph(
        "Yes: upsampling and then convolving is one transposed convolution, with a kernel of " +
          `${squared(layer.k + layer.s - 1, rank)} taps and stride ${layer.s}.`,
      ),
      equation(matrix(kernel, "w, the convolution"), sign("→"), wide),
      small(
        "W[q] = Σ w[r − q + k − 1], r = 0 … s − 1, along each axis. " +
          `${differs(equal.difference)} ${inKeras(layer, rank)}`,
      ),
    ];
  },
  conv_transpose({ layer, kernel, axes, equal }, rank) {
    const phases = small(
      `It also is ${count(equal.phases.count, "convolution")} of the input, one per ` +
        "phase (above), put side by side: that output differs by at most " +
        `${short(equal.phases.difference, 2)}.`,
    );
    if (!equal.kernel) {
      return [
        paragraph(
          "No upsampling and convolution is the same: the kernel is smaller than the stride " +
            "and leaves gaps that no upsampling leaves.",
        ),
        phases,
      ];
    }
    const exact = equal.residual < 1e-9;
    const narrow = matrix(equal.kernel, "w, convolution after nearest");
    return [
      paragraph(upsampledWords(layer, equal.residual, rank)),
      equation(matrix(kernel, "W, this layer", tapLook(axes)), sign(exact ? "=" : "≈"), narrow),
      small(differs(equal.difference)),
      phases,
    ];
  },
  sub_pixel({ layer, kernel, axes, equal }, rank) {
    const wide = matrix(equal.kernel, "W, the transposed convolution", tapLook(equal.axes));
    return [
      paragraph(
        `Yes: it is one transposed convolution of ${squared(layer.s * layer.k, rank)} taps with ` +
          `stride ${layer.s}, each of whose phases is a kernel turned round.`,
      ),
      equation(matrix(kernel, "kernels of the phases", tapLook(axes)), sign("→"), wide),
      small(`W[p + s (k − 1 − a)] = w[a, phase p], along each axis. ${differs(equal.difference)}`),
    ];
  },
};

function equalPanel(chosen, rank) {
  return DISGUISES[chosen.layer.kind](chosen, rank);
}

function upsampledWords({ k, s }, residual, rank) {
  const size = squared(k - s + 1, rank);
  if (residual < 1e-9)
    return `Yes: it is nearest upsampling by ${s}, then a convolution of ${size} taps.`;
  return (
    "No: no upsampling and convolution is the same. The nearest one has a convolution of " +
    `${size} taps, and ${short(100 * residual, 3)} % of the kernel is left over.`
  );
}

function inKeras({ k, s, padding }, rank) {
  const name = `Conv${rank}DTranspose(1, ${k + s - 1}, strides=${s}`;
  if (padding === "same" && k % 2) return `In Keras: ${name}, padding="same").`;
  const before = k - 1 - zerosBefore(k, padding);
  const after = padding === "valid" ? k - 1 : k - 1 - before;
  return (
    `In Keras: ${name}, padding="valid"), of which ${before} in front and ${after} behind are cut ` +
    "off along each axis."
  );
}

function blurredForm({ equal }, words) {
  const where = equal.within
    ? `Away from the border both outputs differ by at most ${short(equal.difference, 2)}.`
    : "This input is so small that all of it is border: there they differ.";
  return [
    paragraph(`Yes, away from the border: ${words}.`),
    equation(matrix([equal.q], "q, the blur along each axis")),
    small(
      `${where} Near the border the weights of an interpolation are divided by what is left of them ` +
        "inside, which a blur does not do.",
    ),
  ];
}
