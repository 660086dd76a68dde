// Controls: a name, what is chosen, and a place that says what is wrong with what was entered.

let controlsMade = 0;

/** A control in its field. `change(text)` is called with what was entered, and may throw `Wrong`. */
function field(app, name, control, change) {
  controlsMade += 1;
  control.id = `control-${controlsMade}`;
  const wrong = make("small", { className: "wrong", role: "alert", id: `${control.id}-wrong` });
  control.setAttribute("aria-describedby", wrong.id);
  const label = make("label", { htmlFor: control.id }, name);
  const element = make("div", { className: `field ${control.type}` }, label, control, wrong);
  const say = (message) => {
    wrong.textContent = message;
    control.toggleAttribute("aria-invalid", message !== "");
  };
  const value = () => (control.type === "checkbox" ? control.checked : control.value);
  control.addEventListener("change", () => app.attempt(() => change(value()), say));
  return {
    element,
    control,
    label,
    say,
    /** Show a value; null: there is nothing to choose here. */
    show(shown) {
      element.hidden = shown === null;
      say("");
      if (control.type === "checkbox") control.checked = Boolean(shown);
      else if (shown !== null) control.value = shown;
    },
  };
}

const numberField = (app, name, [low, high], change) =>
  field(app, name, make("input", { type: "number", min: low, max: high, step: 1 }), change);
const valueField = (app, name, change) =>
  field(
    app,
    name,
    make("input", { type: "text", inputMode: "decimal", autocomplete: "off" }),
    change,
  );
const checkField = (app, name, change) =>
  field(app, name, make("input", { type: "checkbox" }), change);
const choiceField = (app, name, options, change) =>
  field(app, name, make("select", {}, ...optionsOf(options)), change);
const fieldsOf = (...fields) =>
  make("div", { className: "fields" }, ...fields.map(({ element }) => element));
const optionsOf = (options) =>
  Object.entries(options).map(([value, words]) => make("option", { value }, words));
const themselves = (names) => Object.fromEntries(names.map((name) => [name, name]));

/** A button whose complaint, if it has one, stands below it. */
function actionButton(app, words, change) {
  const wrong = make("small", { className: "wrong", role: "alert" });
  const button = make("button", { type: "button" }, words);
  button.addEventListener("click", () =>
    app.attempt(change, (message) => {
      wrong.textContent = message;
    }),
  );
  return {
    element: make("div", { className: "action" }, button, wrong),
    button,
    clear: () => {
      wrong.textContent = "";
    },
  };
}

/** A layer with other settings; what cannot stay beside them gives way. */
function adapted(layer, changes, rank) {
  const next = { ...layer, ...changes };
  const { k = [1, 1], s } = KINDS[next.kind];
  if (changes.kind) {
    next.k = Math.min(Math.max(next.k, k[0]), k[1]);
    next.s = Math.min(next.s, s[1]);
  }
  if (next.outputPadding >= next.s) next.outputPadding = null;
  next.even = next.even && canBeUneven(next);
  if (!hasKernel(next)) return next;
  return { ...next, weights: fitting(layer, next, rank, changes.kind) };
}

function fitting(layer, next, rank, kind) {
  const { source } = next.weights;
  if (kind && source !== "random" && source !== "hand") return { source: "ones" };
  if (source === "hand") {
    return { source, table: reshaped(next.weights.table, kernelShape(next, rank)) };
  }
  if (source !== "trained" || layer.weights.source !== "trained") return next.weights;
  const stays =
    next.s === 2 && next.k in TRAINED && next.padding === "same" && next.outputPadding === null;
  return stays
    ? next.weights
    : { source: "hand", table: reshaped(kernelOf(layer, rank), kernelShape(next, rank)) };
}

/** The controls of the chosen layer. */
function layerControls(app) {
  const set = (changes) => app.withLayer((layer, rank) => adapted(layer, changes, rank));
  const limits = (name) => KINDS[app.layer().kind][name];
  const weights = (source) => {
    const layer = app.layer();
    const chosen = {
      hand: () => ({ source, table: app.kernel() }),
      random: () => ({ source, seed: 1 }),
      trained: () => ({ source, epoch: TRAINED[layer.k]?.length - 1 }),
    }[source]?.() ?? { source };
    return app.withLayer(() => ({
      ...layer,
      weights: chosen,
      even: layer.even && source !== "hand",
    }));
  };
  const kinds = Object.fromEntries(Object.entries(KINDS).map(([kind, { name }]) => [kind, name]));
  const seeded = (text) => ({ source: "random", seed: whole(text, SEEDS, "seed") });
  const fields = {
    kind: choiceField(app, "Operator", kinds, (kind) => set({ kind })),
    interpolation: choiceField(
      app,
      "Interpolation",
      themselves(Object.keys(INTERPOLATIONS)),
      (interpolation) => set({ interpolation }),
    ),
    s: numberField(app, "Factor", [1, 5], (text) =>
      set({ s: whole(text, limits("s"), app.factorName()) }),
    ),
    k: numberField(app, "Kernel size", [1, 7], (text) =>
      set({ k: whole(text, limits("k"), "kernel size") }),
    ),
    padding: choiceField(app, "Padding", themselves(PADDINGS), (padding) => set({ padding })),
    outputPadding: choiceField(
      app,
      "output_padding",
      themselves(["none", "0", "1", "2", "3", "4"]),
      (text) => set({ outputPadding: text === "none" ? null : Number(text) }),
    ),
    weights: choiceField(app, "Weights", SOURCES, weights),
    seed: numberField(app, "Seed", SEEDS, (text) => set({ weights: seeded(text) })),
    even: checkField(app, "Even phases, by the least change", (even) => set({ even })),
  };
  [fields.kind, fields.weights].forEach((one) => one.element.classList.add("whole"));
  return {
    element: fieldsOf(...Object.values(fields)),
    show: () => showLayer(fields, app.layer()),
  };
}

function showLayer(fields, layer) {
  const convolves = hasKernel(layer);
  const shown = {
    kind: layer.kind,
    interpolation: layer.kind.startsWith("interpolate") ? layer.interpolation : null,
    s: layer.s,
    k: convolves ? layer.k : null,
    padding: convolves ? layer.padding : null,
    outputPadding: layer.kind === "conv_transpose" ? (layer.outputPadding ?? "none") : null,
    weights: convolves ? layer.weights.source : null,
    seed: convolves && layer.weights.source === "random" ? layer.weights.seed : null,
    even: canBeUneven(layer) ? layer.even : null,
  };
  const { k, s } = KINDS[layer.kind];
  Object.entries(shown).forEach(([name, value]) => fields[name].show(value));
  fields.s.label.textContent = layer.kind === "conv_transpose" ? "Stride" : "Factor";
  [fields.s.control.max, fields.k.control.max] = [s[1], k?.[1] ?? 1];
}

/** The layers in a row: which is chosen, one more, one less. */
function layerStrip(app, place) {
  const list = make("ol", { className: "layers" });
  const add = actionButton(app, "Add a layer", () =>
    app.with(({ layers }) => ({
      layers: [...layers, { ...layers.at(-1), weights: addedWeights(layers.at(-1)) }],
      chosen: layers.length,
    })),
  );
  const remove = actionButton(app, "Remove the chosen layer", () =>
    app.with(({ layers, chosen }) => ({
      layers: layers.filter((_, index) => index !== chosen),
      chosen: Math.max(0, chosen - 1),
    })),
  );
  place.append(list, make("div", { className: "actions" }, add.element, remove.element));
  return () => {
    const { state, numbers } = app;
    [add, remove].forEach((one) => one.clear());
    remove.element.hidden = state.layers.length === 1;
    const size = (x) =>
      shapeOf(x)
        .slice(2 - state.rank)
        .join("×");
    list.replaceChildren(
      make("li", { className: "end" }, size(state.input)),
      ...state.layers.map((layer, index) =>
        layerItem(app, layer, index, size(numbers.parts[index].output)),
      ),
    );
  };
}

const addedWeights = ({ weights }) =>
  weights.source === "random" ? { ...weights, seed: weights.seed + 1 } : weights;

function layerItem(app, layer, index, size) {
  const { chosen, rank } = app.state;
  const button = make(
    "button",
    { type: "button", aria: { pressed: String(index === chosen) } },
    make("b", {}, `Layer ${index + 1}`),
    ` ${described(layer, rank)}`,
  );
  button.addEventListener("click", () =>
    app.attempt(
      () => app.with(() => ({ chosen: index })),
      () => {},
    ),
  );
  return make("li", {}, button, make("span", { className: "end" }, size));
}
