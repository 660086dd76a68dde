// All numbers of a state: what every layer gives, and everything about the chosen one.

/** Return the output of every layer, and what there is to say of the chosen one. */
function computed(state) {
  checked(state);
  const { input, layers, rank, chosen } = state;
  const parts = [];
  layers.reduce((x, layer) => {
    const [axes, kernel] = [axesOf(layer, shapeOf(x), rank), kernelOf(layer, rank)];
    parts.push({ layer, x, axes, kernel, output: applied(axes, kernel, x) });
    return parts.at(-1).output;
  }, input);
  return { parts, chosen: { ...parts[chosen], ...analysed(parts[chosen], rank) } };
}

function analysed({ layer, x, axes, kernel, output }, rank) {
  const phases = phasesOf(axes, kernel);
  const sides = (numbers) => shapeOf(numbers).slice(2 - rank);
  return {
    phases,
    constant: constantOf(axes, phases),
    overlaps: overlaps(axes),
    spectrum: spectrumOf(output),
    harmonics: harmonicsOf(axes, output),
    equal: EQUALS[layer.kind](layer, axes, kernel, x, output),
    costs: COSTS[layer.kind](layer, sides(x), sides(output)),
  };
}

/** The waves whose period divides the layer's: `{frequency, magnitude}`, the constant first. */
function harmonicsOf(axes, output) {
  const [rows, columns] = axes.map(({ s }) => s);
  return range(rows).flatMap((p) =>
    range(columns).map((q) => {
      const frequency = [p / rows, q / columns];
      return { phase: [p, q], frequency, magnitude: wave(output, frequency) };
    }),
  );
}

/** The same as plain data, for whoever reads the page from outside. */
function compute(state) {
  const { parts, chosen } = computed(state);
  const kernels = parts.map(({ kernel }) => kernel);
  const { axes, layer, equal, ...numbers } = chosen;
  const { axes: _, ...other } = equal;
  return {
    ...numbers,
    equal: other,
    outputs: parts.map(({ output }) => output),
    keras: program(KERAS, state, kernels),
    polyphase: program(POLYPHASE, state, kernels),
  };
}
