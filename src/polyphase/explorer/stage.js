// The stage: the input, the chosen layer, the output, and what makes what.

const STEP = 0.25;
const rounded = (number) => Math.round(number * 1e6) / 1e6;

/** What a key makes of a value; undefined: nothing. */
function keyed(key, value) {
  if (/^\d$/.test(key)) return Number(key);
  if (key === "+" || key === "=") return rounded(value + STEP);
  if (key === "-" || key === "−") return rounded(value - STEP);
  return ["Delete", "Backspace"].includes(key) ? 0 : undefined;
}

/** A grid whose cells are changed, with the field that takes any number for the cell in use. */
function editableGrid(app, label, { read, write, ...heard }) {
  const grid = new Grid(label, {
    ...heard,
    point(place) {
      follow();
      heard.point?.(place);
    },
    key(place, key) {
      if (key === "Enter") {
        value.control.focus();
        value.control.select();
        return true;
      }
      const changed = keyed(key, read()[place[0]][place[1]]);
      if (changed === undefined) return false;
      app.attempt(() => write(place, changed), () => {}, `keys ${label}`);
      return true;
    },
  });
  const value = valueField(app, "Value", (text) => {
    const next = write(grid.current, rounded(numberOf(text)));
    grid.focus(grid.current);
    return next;
  });
  function follow() {
    value.label.textContent = capital(placeName(grid.current, read().length));
    value.show(String(read()[grid.current[0]][grid.current[1]]));
  }
  return { grid, value, follow };
}

function makeStage(app, place) {
  const heading = (words) => make("h2", {}, words);
  const titles = { input: heading("What goes in?"), layer: heading("Which layer?"), output: heading("What comes out?") };
  const input = inputPart(app);
  const kernel = kernelPart(app);
  const pointing = (show) => ({ point: (at) => app.point(() => show(app, at)), leave: () => app.point(null) });
  const reads = new Grid("What the chosen layer reads", pointing(showReach));
  const gives = new Grid("Output of the chosen layer", pointing(showSum));
  const end = new Grid("Output of the last layer", pointing(showEnd));
  const notes = { reads: make("p", { className: "small" }), gives: make("p", { className: "small" }), end: make("p", { className: "small" }) };
  const readsBox = make("div", { className: "box" }, make("h3", {}, "What this layer reads"), notes.reads, reads.element);
  const givesTitle = make("h3", {}, "What it makes of it");
  const endBox = make("div", { className: "box" }, make("h3", {}, "What comes out at the end"), notes.end, end.element);
  const parts = { input: input.grid, kernel: kernel.grid, reads, gives, end, read: () => (app.state.chosen ? reads : input.grid) };
  const part = (name, ...children) =>
    make("div", { className: `part ${name}`, role: "group", aria: { label: capital(name) } }, titles[name], ...children);
  place.append(
    part("input", input.element), part("layer", kernel.element),
    part("output", readsBox, givesTitle, notes.gives, gives.element, endBox),
  );
  return { parts, show: () => showStage(app, { parts, input, kernel, notes, readsBox, givesTitle, endBox }) };
}

function showStage(app, { parts, input, kernel, notes, readsBox, givesTitle, endBox }) {
  const { state, numbers } = app;
  const { x, axes, output } = numbers.chosen;
  const factors = axes.map(({ s }) => s);
  const last = numbers.parts.at(-1).output;
  input.show();
  kernel.show();
  readsBox.hidden = state.chosen === 0;
  givesTitle.hidden = state.layers.length === 1;
  endBox.hidden = state.chosen === state.layers.length - 1;
  if (!readsBox.hidden) parts.reads.show(x);
  if (!endBox.hidden) parts.end.show(last);
  parts.gives.show(output, (r, c) => {
    const phase = [r % factors[0], c % factors[1]];
    return factors.join() === "1,1" ? {} : {
      phase: phaseColour(phase, factors), words: `phase ${phaseLetter(phase, factors)}`,
    };
  });
  [[notes.reads, x], [notes.gives, output], [notes.end, last]].forEach(([note, values]) => {
    note.textContent = sizeAndRange(values, state.rank);
  });
}

function sizeAndRange(numbers, rank) {
  const [low, high] = [Math.min(...numbers.flat()), Math.max(...numbers.flat())];
  const size = rank === 2 ? `${shapeOf(numbers).join("×")} values` : count(numbers[0].length, "value");
  return low === high ? `${size}, all ${inCell(low)}` : `${size}, from ${inCell(low)} to ${inCell(high)}`;
}

/** The input: its rank, its shape, presets, the grid. */
function inputPart(app) {
  let stroke = { number: 0, value: 0 };
  const heard = {
    point: (at) => app.point(app.state.chosen ? null : () => showReach(app, at)),
    leave: () => app.point(null),
    stroke(place, begins) {
      const value = app.state.input[place[0]][place[1]];
      if (begins) stroke = { number: stroke.number + 1, value: value === app.brush ? 0 : app.brush };
      app.attempt(() => write(place, stroke.value), () => {}, `stroke ${stroke.number}`);
    },
  };
  const write = ([row, column], value) => app.with(({ input }) => ({
    input: mapped(input, (number, r, c) => (r === row && c === column ? value : number)),
  }));
  const { grid, value, follow } = editableGrid(app, "Input", {
    read: () => app.state.input, write, ...heard,
  });
  const resize = (axis) => (text) => {
    const side = whole(text, SIDES, axis === 0 ? "height" : "width");
    return app.with(({ input, rank }) => ({ input: resized(input, shapeOf(input).with(axis, side), rank) }));
  };
  const rank = choiceField(app, "Input is", { 2: "an image (2-D)", 1: "a signal (1-D)" }, (text) => app.with((state) => inRank(state, Number(text))));
  const height = numberField(app, "Height", SIDES, resize(0));
  const width = numberField(app, "Width", SIDES, resize(1));
  const chosen = choiceField(app, "Start from", { "": "choose …", ...themselves(Object.keys(PRESETS)) }, (name) => app.with((state) => ({
    input: preset(oneOf(name, Object.keys(PRESETS), "input"), name === "digit" && state.rank === 2 ? DIGIT_SHAPE : shapeOf(state.input)),
  })));
  const brush = valueField(app, "Paint with", (text) => {
    app.brush = numberOf(text);
    return app.state;
  });
  const hint = make("p", { className: "small" }, "Click or drag to paint. In the grid: arrow keys move, digits set, + and − change by 0.25, Enter goes to the value.");
  const fields = make("div", { className: "fields" }, rank.element, chosen.element, height.element, width.element);
  const below = make("div", { className: "fields" }, value.element, brush.element);
  grid.element.classList.add("paintable");
  [rank, chosen].forEach((one) => one.element.classList.add("whole"));
  return {
    grid,
    element: make("div", {}, fields, grid.element, below, hint),
    show() {
      const { input, rank: axes } = app.state;
      grid.show(input, () => ({}), Math.max(1, ...input.flat().map(Math.abs)));
      rank.show(axes);
      height.show(axes === 2 ? input.length : null);
      width.show(input[0].length);
      width.label.textContent = axes === 2 ? "Width" : "Length";
      chosen.show(Object.keys(PRESETS).find((name) => greatestDifference(preset(name, shapeOf(input)), input) === 0) ?? "");
      brush.show(app.brush);
      follow();
    },
  };
}

/** An input of another shape: a preset stays one, other values are cut or filled with zeros. */
function resized(input, shape) {
  const same = Object.keys(PRESETS).find((name) => greatestDifference(preset(name, shapeOf(input)), input) === 0);
  return same ? preset(same, shape) : reshaped(input, shape);
}

/** The state along another number of axes: a signal is an image's middle row. */
function inRank(state, rank) {
  const middle = (numbers) => [numbers[Math.floor(numbers.length / 2)]];
  const width = state.input[0].length;
  const same = resized(state.input, rank === 1 ? [1, width] : [width, width]);
  const input = rank === 1 && written(state.input) !== written(preset("impulse", shapeOf(state.input))) ? middle(state.input) : same;
  const layers = state.layers.map((layer) => {
    if (layer.weights.source === "trained") return { ...layer, weights: { source: "ones" } };
    if (layer.weights.source !== "hand") return layer;
    const numbers = layer.weights.table;
    const kernel = rank === 1 ? middle(numbers) : mapped(reshaped(numbers, kernelShape(layer, 2)), (_, r, c) => numbers[0][r] * numbers[0][c]);
    return { ...layer, weights: { source: "hand", table: kernel } };
  });
  return { rank, input, layers };
}

/** The chosen layer: its settings and its kernel. */
function kernelPart(app) {
  const controls = layerControls(app);
  const { grid, value, follow } = editableGrid(app, "Kernel", {
    read: () => app.kernel(),
    write: ([row, column], number) => app.withLayer((layer) => ({
      ...layer, even: false,
      weights: { source: "hand", table: mapped(app.kernel(), (old, r, c) => (r === row && c === column ? number : old)) },
    })),
  });
  grid.element.classList.add("taps");
  const note = make("p", { className: "small" });
  const box = make("div", { className: "kernel" }, make("h3", {}, "Its kernel"), note, grid.element, make("div", { className: "fields" }, value.element));
  return {
    grid,
    element: make("div", {}, controls.element, box),
    show() {
      const { axes, kernel } = app.numbers.chosen;
      controls.show();
      box.hidden = !hasKernel(app.layer());
      grid.show(kernel, tapLook(axes));
      note.textContent = kernelNote(app.layer(), app.state.rank);
      follow();
    },
  };
}

/** The colour and the letter of the phase that a tap belongs to. */
function tapLook(axes) {
  const factors = axes.map(({ s }) => s);
  return (r, c) => {
    const phase = phaseOfTap(axes, [r, c]);
    if (!phase || factors.join() === "1,1") return { plain: true };
    const mark = phaseLetter(phase, factors);
    return { plain: true, phase: phaseColour(phase, factors), mark, words: `phase ${mark}` };
  };
}

function kernelNote(layer, rank) {
  const phases = layer.s ** rank;
  if (layer.kind === "interpolate_conv") return "Every output uses all of its taps.";
  if (phases === 1) return "With a factor of 1 there is one phase.";
  if (layer.kind === "sub_pixel") return `${phases} kernels, one per phase, side by side.`;
  return `${phases} phases, a to ${String.fromCharCode(96 + phases)}: each tap works for one of them.`;
}
