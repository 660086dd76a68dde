// The state in use, what changes it, and the address that holds it.

const app = {
  state: START,
  numbers: computed(START),
  brush: 1,
  pointed: null,
  gesture: "",
  layer: () => app.state.layers[app.state.chosen],
  kernel: () => app.numbers.chosen.kernel,
  factorName: () => (app.layer().kind === "conv_transpose" ? "stride" : "factor"),
  with: (change) => ({ ...app.state, ...change(app.state) }),
  withLayer: (change) =>
    app.with(({ layers, chosen, rank }) => ({
      layers: layers.map((layer, index) => (index === chosen ? change(layer, rank) : layer)),
    })),
  /** Make a change, or say what is wrong with it. Of one gesture the address keeps the last state. */
  attempt(change, say, gesture = "") {
    const before = shapesOf(app);
    try {
      const next = change();
      Object.assign(app, { numbers: computed(next), state: next });
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      say(error.message);
      return;
    }
    remember(gesture);
    render();
    app.point(shapesOf(app) === before ? app.pointed : null);
  },
  /** Mark cells of the grids by name; those of grids that are not named are not. */
  mark({ read = null, kernel = null, gives = null, end = null }) {
    const { parts } = stage;
    [parts.input, parts.reads].forEach((grid) => grid.mark(grid === parts.read() ? read : null));
    parts.kernel.mark(kernel);
    parts.gives.mark(gives);
    parts.end.mark(end);
  },
  /** Show what belongs to a cell, now and after every change; null: to none. */
  point(show) {
    app.pointed = show;
    if (show) show();
    else app.clear();
  },
  clear() {
    app.mark({});
    app.say("Point at an output, or walk to it by the arrow keys: its sum is written here.");
  },
  say(words) {
    document.getElementById("sum").textContent = words;
  },
};

/** Which cells there are: a cell that was pointed at may be gone after a change. */
const shapesOf = ({ state, numbers }) =>
  [state.chosen, ...numbers.parts.map(({ x, output }) => [shapeOf(x), shapeOf(output)])].join();

const stage = makeStage(app, document.getElementById("stage"));
const showStrip = layerStrip(app, document.getElementById("layers"));
const showTraining = makeTraining(app, document.getElementById("training"));
const notice = document.getElementById("notice");

function render() {
  showStrip();
  stage.show();
  showPanels(app);
  showTraining();
  showCode(app);
  notice.hidden = true;
}

/** Write the state into the address: a step back leads to the state before, but not into a gesture. */
function remember(gesture) {
  const hash = `#${toHash(app.state)}`;
  if (hash === location.hash) return;
  const replaces = gesture !== "" && gesture === app.gesture;
  history[replaces ? "replaceState" : "pushState"](null, "", hash);
  app.gesture = gesture;
}

/** Take the state from the address; where that is wrong, say so and show the start. */
function readAddress() {
  let message = "";
  try {
    app.state = fromHash(location.hash.slice(1));
    app.numbers = computed(app.state);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    Object.assign(app, { state: START, numbers: computed(START) });
    message = `This address does not describe a case, so the first one is shown. ${error.message}`;
  }
  app.gesture = "";
  render();
  app.point(null);
  notice.textContent = message;
  notice.hidden = message === "";
}

addEventListener("hashchange", readAddress);
readAddress();
window.explorer = { compute, fromHash, toHash };
