// The parts of the stage that are changed: the input, and the chosen layer with its kernel.

const STEP = 0.25;
const rounded = (number) => Math.round(number * 1e6) / 1e6;

/** What a key makes of a value; undefined: nothing. */
function keyed(key, value) {
  if (/^\d$/.test(key)) return Number(key);
  if (key === "+" || key === "=") return rounded(value + STEP);
  if (key === "-" || key === "−") return rounded(value - STEP);
  return ["Delete", "Backspace"].includes(key) ? 0 : undefined;
}

const changed = (numbers, [row, column], value) =>
  mapped(numbers, (number, r, c) => (r === row && c === column ? value : number));

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
      const next = keyed(key, read()[place[0]][place[1]]);
      if (next === undefined) return false;
      app.attempt(() => write(place, next), value.say, `keys ${label}`);
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

/** The input: its rank, its shape, presets, the grid. */
function inputPart(app) {
  let stroke = { number: 0, value: 0 };
  const heard = {
    point: (at) => app.point(app.state.chosen ? null : () => showReach(app, at)),
    leave: () => app.point(null),
    stroke(place, begins) {
      const value = app.state.input[place[0]][place[1]];
      if (begins)
        stroke = { number: stroke.number + 1, value: value === app.brush ? 0 : app.brush };
      app.attempt(
        () => write(place, stroke.value),
        () => {},
        `stroke ${stroke.number}`,
      );
    },
  };
  const write = (at, value) => app.with(({ input }) => ({ input: changed(input, at, value) }));
  const { grid, value, follow } = editableGrid(app, "Input", {
    read: () => app.state.input,
    write,
    ...heard,
  });
  const resize = (axis) => (text) => {
    const side = whole(text, SIDES, axis === 0 ? "height" : "width");
    return app.with(({ input, rank }) => ({
      input: resized(input, shapeOf(input).with(axis, side), rank),
    }));
  };
  const ranks = { 2: "an image (2-D)", 1: "a signal (1-D)" };
  const rank = choiceField(app, "Input is", ranks, (text) =>
    app.with((state) => inRank(state, Number(text))),
  );
  const height = numberField(app, "Height", SIDES, resize(0));
  const width = numberField(app, "Width", SIDES, resize(1));
  const presets = { "": "choose …", ...themselves(Object.keys(PRESETS)) };
  const chosen = choiceField(app, "Start from", presets, (name) =>
    app.with((state) => {
      const shape = name === "digit" && state.rank === 2 ? DIGIT_SHAPE : shapeOf(state.input);
      return { input: preset(oneOf(name, Object.keys(PRESETS), "input"), shape) };
    }),
  );
  const brush = valueField(app, "Paint with", (text) => {
    app.brush = numberOf(text);
    return app.state;
  });
  const hint = paragraph(
    "Click or drag to paint. In the grid: arrow keys move, digits set, + and − change " +
      `by ${STEP}, Enter goes to the value.`,
    "small hint",
  );
  const fields = fieldsOf(rank, chosen, height, width);
  const below = fieldsOf(value, brush);
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
      chosen.show(presetOf(input) ?? "");
      brush.show(app.brush);
      follow();
    },
  };
}

/** The chosen layer: its settings and its kernel. */
function kernelPart(app) {
  const controls = layerControls(app);
  const { grid, value, follow } = editableGrid(app, "Kernel", {
    read: () => app.kernel(),
    write: (at, number) =>
      app.withLayer((layer) => ({
        ...layer,
        even: false,
        weights: { source: "hand", table: changed(app.kernel(), at, number) },
      })),
  });
  grid.element.classList.add("taps");
  const note = small("");
  const box = make("div", {}, make("h3", {}, "Its kernel"), note, grid.element, fieldsOf(value));
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
