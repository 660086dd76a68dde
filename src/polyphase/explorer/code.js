// The code of what is shown: with Keras' own layers, and with Polyphase's.

const numpyRow = (row) => `[${row.map((number) => String(number || 0)).join(", ")}]`;
const numpy = (numbers) => `[${numbers.map(numpyRow).join(",\n    ")}]`;
const python = (value) =>
  value === false ? "False" : typeof value === "string" ? `"${value}"` : value;
const call = (name, positional, named) => {
  const keywords = Object.entries(named).map(([key, value]) => `${key}=${python(value)}`);
  return `${name}(${[...positional, ...keywords].join(", ")})`;
};

/** The lines that make one layer and run it; null where Keras has no such layer. */
const KERAS = {
  interpolate({ interpolation, s }, rank) {
    if (interpolation === "mitchell" || (rank === 1 && interpolation !== "nearest")) return null;
    const named = rank === 2 ? { interpolation } : {};
    return [`y = ${call(`keras.layers.UpSampling${rank}D`, [s], named)}(y)`];
  },
  interpolate_conv(layer, rank, kernel) {
    const upsampled = KERAS.interpolate(layer, rank);
    return upsampled && [...upsampled, ...withKernel("keras.layers.Conv", layer, rank, kernel)];
  },
  conv_transpose: (layer, rank, kernel) => withKernel("keras.layers.Conv", layer, rank, kernel),
  sub_pixel(layer, rank, kernel) {
    const wide = withKernel("keras.layers.Conv", layer, rank, kernel, layer.s ** rank);
    const woven =
      rank === 2
        ? `y = keras.ops.depth_to_space(y, ${layer.s}, data_format="channels_last")`
        : "y = keras.ops.reshape(y, (1, -1, 1))";
    return [...wide, ...(layer.s > 1 ? [woven] : [])];
  },
};

const POLYPHASE = {
  interpolate: ({ interpolation, s }, rank) => [
    `y = ${call(`pp.layers.UpSampling${rank}D`, [s], { interpolation })}(y)`,
  ],
  interpolate_conv: (layer, rank, kernel) =>
    withKernel("pp.layers.UpSampleConv", layer, rank, kernel, 1, {
      size: layer.s,
      interpolation: layer.interpolation,
    }),
  conv_transpose: (layer, rank, kernel) => withKernel("pp.layers.Conv", layer, rank, kernel),
  sub_pixel: (layer, rank, kernel) =>
    withKernel("pp.layers.SubPixelConv", layer, rank, kernel, 1, { size: layer.s }),
};

/** A layer with a kernel: made, built for its input, given its kernel, run. */
function withKernel(stem, layer, rank, kernel, filters = 1, named = {}) {
  const isTransposed = layer.kind === "conv_transpose";
  const name = `${stem}${rank}D${isTransposed ? "Transpose" : ""}`;
  const strides = isTransposed ? { strides: layer.s } : {};
  const outputPadding =
    isTransposed && layer.outputPadding !== null ? { output_padding: layer.outputPadding } : {};
  const settings = {
    ...named,
    ...strides,
    padding: layer.padding,
    ...outputPadding,
    use_bias: false,
  };
  return [
    `layer = ${call(name, [filters, layer.k], settings)}`,
    "layer.build(y.shape)",
    `layer.set_weights([${arranged(layer, rank, kernel)}])`,
    "y = layer(y)",
  ];
}

/** The kernel as Keras lays it out: taps, then channels; of a sub-pixel convolution a channel per phase. */
function arranged({ kind, k, s }, rank, kernel) {
  const shape = rank === 2 ? `${k}, ${k}` : `${k}`;
  const numbers = `np.array(${rank === 2 ? numpy(kernel) : numpyRow(kernel[0])})`;
  if (kind !== "sub_pixel") return `${numbers}.reshape(${shape}, 1, 1)`;
  const blocks =
    rank === 2 ? `reshape(${s}, ${k}, ${s}, ${k}).transpose(1, 3, 0, 2)` : `reshape(${s}, ${k}).T`;
  return `${numbers}.${blocks}.reshape(${shape}, 1, ${s ** rank})`;
}

/** The whole program: the input, every layer, and the output printed; null where Keras has not all. */
function program(house, { input, layers, rank }, kernels) {
  const written = layers.map((layer, index) => house[layer.kind](layer, rank, kernels[index]));
  if (written.includes(null)) return null;
  const shape = rank === 2 ? shapeOf(input).join(", ") : input[0].length;
  const x = rank === 2 ? numpy(input) : numpyRow(input[0]);
  return [
    "import keras",
    "import numpy as np",
    ...(house === POLYPHASE ? ["import polyphase as pp"] : []),
    "",
    `y = np.array(${x}, "float32").reshape(1, ${shape}, 1)`,
    ...written.flatMap((lines) => ["", ...lines]),
    "",
    `print(keras.ops.convert_to_numpy(y)[0, ${rank === 2 ? ":, :" : ":"}, 0].round(4))`,
  ].join("\n");
}

/** What there is to say beside the code of Keras. */
function codeNote({ layers, rank }) {
  const used = layers
    .filter((layer) => layer.kind.startsWith("interpolate"))
    .map((layer) => layer.interpolation);
  if (used.includes("mitchell")) return "Keras has no mitchell: use the Polyphase layer.";
  if (rank === 1 && used.some((name) => name !== "nearest")) {
    return "Keras' UpSampling1D only repeats: use the Polyphase layer.";
  }
  if (used.some((name) => name.startsWith("lanczos"))) {
    return "Keras has Lanczos on JAX and TensorFlow, not on PyTorch; the Polyphase layer has it on all three.";
  }
  return used.includes("bicubic")
    ? "Keras' bicubic gives these numbers on JAX only; the Polyphase layer gives them on every backend."
    : "";
}
