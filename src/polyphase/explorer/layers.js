// What layers there are, what their settings may be, and what is said of those that may not.

class Wrong extends Error {}

const SIDES = [1, 16];
const SEEDS = [0, 9999];
const MOST_LAYERS = 4;
const MOST_OUTPUT = 64;

// Of every kind: its name, and the ranges of its kernel and of its factor (or stride), inclusive.
const KINDS = {
  interpolate: { name: "Interpolation", s: [1, 5] },
  interpolate_conv: { name: "Interpolation, then convolution", k: [1, 7], s: [1, 5] },
  conv_transpose: { name: "Transposed convolution", k: [1, 7], s: [1, 5] },
  sub_pixel: { name: "Sub-pixel convolution", k: [1, 5], s: [1, 4] },
};
const PADDINGS = ["same", "valid"];
const SOURCES = {
  hand: "by hand",
  random: "random, as Keras starts",
  ones: "all ones",
  bilinear: "bilinear start",
  trained: "trained on photographs",
};

/** Say what a whole number may be if it is another. */
function whole(text, [low, high], name) {
  const number = Number(text);
  if (String(text).trim() === "" || !Number.isInteger(number) || number < low || number > high) {
    throw new Wrong(
      `The ${name} is a whole number from ${low} to ${high}. Received: ${quoted(text)}.`,
    );
  }
  return number;
}

/** A number of a cell, from -1000 to 1000. */
function numberOf(text) {
  const number = Number(String(text).trim().replace("−", "-").replace(",", "."));
  if (String(text).trim() === "" || !(Math.abs(number) <= 1000)) {
    throw new Wrong(
      `A value is a number from -1000 to 1000, such as 0.25. Received: ${quoted(text)}.`,
    );
  }
  return number;
}

function oneOf(text, allowed, name) {
  if (!allowed.includes(text)) {
    throw new Wrong(`The ${name} is one of ${allowed.join(", ")}. Received: ${quoted(text)}.`);
  }
  return text;
}

const quoted = (text) =>
  String(text).trim() === "" ? "nothing" : `"${String(text).slice(0, 40)}"`;

/** Check a layer by itself. */
function checkLayer(layer, rank) {
  const { k, s } = KINDS[oneOf(layer.kind, Object.keys(KINDS), "operator")];
  whole(layer.s, s, layer.kind === "conv_transpose" ? "stride" : "factor");
  if (layer.kind.startsWith("interpolate")) {
    oneOf(layer.interpolation, Object.keys(INTERPOLATIONS), "interpolation");
  }
  if (!hasKernel(layer)) return;
  whole(layer.k, k, "kernel size");
  oneOf(layer.padding, PADDINGS, "padding");
  if (layer.kind === "conv_transpose") checkOutputPadding(layer);
  checkWeights(layer, rank);
}

function checkOutputPadding({ outputPadding, s }) {
  if (outputPadding !== null && !range(s).includes(outputPadding)) {
    throw new Wrong(
      `Keras wants an output_padding less than the stride: none, or 0 to ${s - 1}. ` +
        `Received: ${outputPadding}.`,
    );
  }
}

function checkWeights(layer, rank) {
  const { source, seed, epoch } = layer.weights;
  oneOf(source, Object.keys(SOURCES), "weights");
  if (source === "random") whole(seed, SEEDS, "seed");
  if (source === "hand") checkTable(layer.weights.table, kernelShape(layer, rank));
  if (source !== "trained") return;
  const known =
    layer.kind === "conv_transpose" &&
    rank === 2 &&
    layer.s === 2 &&
    layer.k in TRAINED &&
    layer.padding === "same" &&
    layer.outputPadding === null;
  if (!known) {
    throw new Wrong(
      "The trained kernels are those of transposed convolutions of images with kernel 3 or 4, stride 2, " +
        `padding same and no output_padding. Received: ${described(layer, rank)}.`,
    );
  }
  whole(epoch, [0, TRAINED[layer.k].length - 1], "epoch");
}

function checkTable(numbers, [rows, columns]) {
  numbers.flat().forEach(numberOf);
  if (numbers.length !== rows || numbers.some((row) => row.length !== columns)) {
    throw new Wrong(
      `The kernel has ${rows}×${columns} numbers. Received: ` +
        `${numbers.length}×${numbers.map((row) => row.length).join(" and ")}.`,
    );
  }
}

/** Check the output that a layer would have, before it is computed. */
function checkOutput(layer, shape, rank) {
  const sides = rank === 2 ? shape : shape.slice(1);
  sides.forEach((side) => {
    const { length } = AXES[layer.kind](layer, side);
    if (length < 1) {
      throw new Wrong(
        layer.kind === "conv_transpose"
          ? `Nothing is left of a side of ${side} with output_padding ${layer.outputPadding}. ` +
              "Use a greater output_padding, or none."
          : `A kernel of ${count(layer.k, "tap")} does not fit into ` +
              `${count(layer.kind === "sub_pixel" ? side : side * layer.s, "pixel")}. ` +
              "Use padding same, a smaller kernel or a larger input.",
      );
    }
    if (length > MOST_OUTPUT) {
      throw new Wrong(
        `An output side would be ${length}, and ${MOST_OUTPUT} is the most that is shown here. ` +
          "Use a smaller input, a smaller factor or fewer layers.",
      );
    }
  });
}

/** A layer in a few words. */
function described(layer, rank) {
  const square = (size) => (rank === 2 ? `${size}×${size}` : `${size}`);
  const convolved = `convolution ${square(layer.k)}`;
  return {
    interpolate: () => `${layer.interpolation} ×${layer.s}`,
    interpolate_conv: () => `${layer.interpolation} ×${layer.s}, ${convolved}`,
    conv_transpose: () => `transposed ${convolved}, stride ${layer.s}`,
    sub_pixel: () => `sub-pixel ${convolved}, ×${layer.s}`,
  }[layer.kind]();
}
