// The state of the page, and how it is written into the address: readable, and complete.

const PRESETS = {
  impulse: ([height, width], r, c) =>
    r === Math.floor((height - 1) / 2) && c === Math.floor((width - 1) / 2) ? 1 : 0,
  constant: () => 1,
  edge: ([, width], r, c) => (c >= width / 2 ? 1 : 0),
  ramp: ([, width], r, c) => (width === 1 ? 0 : Math.round((1000 * c) / (width - 1)) / 1000),
  checker: (shape, r, c) => (r + c) % 2,
  digit: ([height, width], r, c) =>
    Number(DIGIT[Math.floor((7 * r) / height)][Math.floor((5 * c) / width)]),
};
const DIGIT = ["01110", "10001", "00001", "00110", "00001", "10001", "01110"];
const DIGIT_SHAPE = [7, 5];

const preset = (name, shape) => table(...shape, (r, c) => PRESETS[name](shape, r, c));

const presetOf = (input) =>
  Object.keys(PRESETS).find(
    (name) => greatestDifference(preset(name, shapeOf(input)), input) === 0,
  );

const LAYER = {
  kind: "conv_transpose",
  interpolation: "nearest",
  k: 3,
  s: 2,
  padding: "same",
  outputPadding: null,
  weights: { source: "ones" },
  even: false,
};
const START = { rank: 2, input: preset("constant", [5, 5]), layers: [LAYER], chosen: 0 };

/** Check a state as a whole; return it. Every layer's output is the next one's input. */
function checked(state) {
  oneOf(String(state.rank), ["1", "2"], "rank");
  checkInput(state.input, state.rank);
  whole(state.layers.length, [1, MOST_LAYERS], "number of layers");
  whole(state.chosen, [0, state.layers.length - 1], "chosen layer");
  let shape = shapeOf(state.input);
  state.layers.forEach((layer) => {
    checkLayer(layer, state.rank);
    checkOutput(layer, shape, state.rank);
    shape = axesOf(layer, shape, state.rank).map(({ length }) => length);
  });
  return state;
}

function checkInput(input, rank) {
  if (rank === 1 && input.length !== 1) {
    throw new Wrong(`A signal has one row of values. Received: ${input.length} rows.`);
  }
  if (input.some((row) => row.length !== input[0].length)) {
    throw new Wrong(
      "Every row of the input has as many values as the first. Received: rows that differ.",
    );
  }
  input.flat().forEach(numberOf);
  shapeOf(input).forEach((side) => whole(side, SIDES, "side of the input"));
}

/** An input of another shape: a preset stays one, other values are cut or filled with zeros. */
function resized(input, shape) {
  const same = presetOf(input);
  return same ? preset(same, shape) : reshaped(input, shape);
}

/** The state along another number of axes: a kernel's middle row, or the product of a row with itself. */
function inRank(state, rank) {
  const middle = (numbers) => [numbers[Math.floor(numbers.length / 2)]];
  const width = state.input[0].length;
  const shape = rank === 1 ? [1, width] : [width, width];
  const input =
    rank === 1 && !presetOf(state.input) ? middle(state.input) : resized(state.input, shape);
  const layers = state.layers.map((layer) => {
    if (layer.weights.source === "trained") return { ...layer, weights: { source: "ones" } };
    if (layer.weights.source !== "hand") return layer;
    const numbers = layer.weights.table;
    const square = () => filled(layer, 2, (r, c) => numbers[0][r] * numbers[0][c]);
    return {
      ...layer,
      weights: { source: "hand", table: rank === 1 ? middle(numbers) : square() },
    };
  });
  return { rank, input, layers };
}

// Tables: rows by "/", values by ",".
const written = (numbers) =>
  numbers.map((row) => row.map((number) => number || 0).join(",")).join("/");
const readTable = (text) => text.split("/").map((row) => row.split(",").map(numberOf));

function writtenInput(input, rank) {
  const shape = shapeOf(input);
  const same = presetOf(input);
  return same ? `${same}-${rank === 2 ? shape.join("x") : shape[1]}` : written(input);
}

function readInput(text, rank) {
  const [, name, sides] = /^([a-z]+)-([\dx]+)$/.exec(text) ?? [];
  if (!name) return readTable(text);
  oneOf(name, Object.keys(PRESETS), "input");
  const shape = sides.split("x").map((side) => whole(side, SIDES, "side of the input"));
  if (shape.length !== rank)
    throw new Wrong(`The input has ${count(rank, "side")}. Received: ${quoted(text)}.`);
  return preset(name, rank === 1 ? [1, ...shape] : shape);
}

function writtenLayer(layer) {
  const { weights } = layer;
  const numbers =
    {
      random: () => `random-${weights.seed}`,
      trained: () => `trained-${weights.epoch}`,
      hand: () => `(${written(weights.table)})`,
      bilinear: () => "bilinear-start",
    }[weights.source]?.() ?? weights.source;
  const kernel = [`k${layer.k}`, layer.padding];
  const more = [numbers, ...(layer.even && canBeUneven(layer) ? ["even"] : [])];
  const settings = {
    interpolate: [layer.interpolation, `x${layer.s}`],
    interpolate_conv: [layer.interpolation, `x${layer.s}`, ...kernel, ...more],
    conv_transpose: [
      `x${layer.s}`,
      ...kernel,
      ...(layer.outputPadding === null ? [] : [`op${layer.outputPadding}`]),
      ...more,
    ],
    sub_pixel: [`x${layer.s}`, ...kernel, ...more],
  }[layer.kind];
  return [layer.kind, ...settings].join(":");
}

function readLayer(text) {
  const [kind, ...settings] = text.split(":");
  const layer = { ...LAYER, kind: oneOf(kind, Object.keys(KINDS), "operator") };
  settings.forEach((setting) => Object.assign(layer, readSetting(setting)));
  return layer;
}

function readSetting(text) {
  if (Object.hasOwn(INTERPOLATIONS, text)) return { interpolation: text };
  if (PADDINGS.includes(text)) return { padding: text };
  if (text === "even") return { even: true };
  if (text === "ones") return { weights: { source: "ones" } };
  if (text === "bilinear-start") return { weights: { source: "bilinear" } };
  if (/^\(.*\)$/.test(text))
    return { weights: { source: "hand", table: readTable(text.slice(1, -1)) } };
  const [, name, number] = /^([a-z]+)-?(\d*)$/.exec(text) ?? [];
  const value = Number(number);
  const known = {
    x: { s: value },
    k: { k: value },
    op: { outputPadding: value },
    random: { weights: { source: "random", seed: value } },
    trained: { weights: { source: "trained", epoch: value } },
  };
  if (!Object.hasOwn(known, name ?? "")) throw new Wrong(`A layer has no setting ${quoted(text)}.`);
  return known[name];
}

/** Write a state as the part of an address behind its "#". */
function toHash({ rank, input, layers, chosen }) {
  const parts = [
    `rank=${rank}`,
    `input=${writtenInput(input, rank)}`,
    `layers=${layers.map(writtenLayer).join(";")}`,
  ];
  return [...parts, ...(layers.length > 1 ? [`layer=${chosen + 1}`] : [])].join("&");
}

/** The letters of an address: browsers may write some of them as a % and two digits. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Wrong(`A % in the address stands for no letter. Received: ${quoted(text)}.`);
  }
}

/** Read what `toHash` wrote; what is left out is as at the start. */
function fromHash(text) {
  const values = {};
  decoded(text)
    .split("&")
    .filter(Boolean)
    .forEach((part) => {
      const [name, ...rest] = part.split("=");
      values[oneOf(name, ["rank", "input", "layers", "layer"], "name in the address")] =
        rest.join("=");
    });
  const rank = Number(oneOf(values.rank ?? "2", ["1", "2"], "rank"));
  const input = readInput(values.input ?? (rank === 2 ? "constant-5x5" : "constant-5"), rank);
  const layers =
    values.layers === undefined ? START.layers : values.layers.split(";").map(readLayer);
  const chosen = whole(values.layer ?? layers.length, [1, layers.length], "layer") - 1;
  return checked({ rank, input, layers, chosen });
}
