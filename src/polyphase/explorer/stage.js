// The stage: the input, the chosen layer, the output, and what makes what.

function makeStage(app, place) {
  const titles = { input: "What goes in?", layer: "Which layer?", output: "What comes out?" };
  const input = inputPart(app);
  const kernel = kernelPart(app);
  const pointing = (show) => ({
    point: (at) => app.point(() => show(app, at)),
    leave: () => app.point(null),
  });
  const reads = new Grid("What the chosen layer reads", pointing(showReach));
  const gives = new Grid("Output of the chosen layer", pointing(showSum));
  const end = new Grid("Output of the last layer", pointing(showEnd));
  const notes = { reads: small(""), gives: small(""), end: small("") };
  notes.gives.setAttribute("role", "status");
  const box = (words, ...children) =>
    make("div", { className: "box" }, make("h3", {}, words), ...children);
  const readsBox = box("What this layer reads", notes.reads, reads.element);
  const givesTitle = make("h3", {}, "What it makes of it");
  const endBox = box("What comes out at the end", notes.end, end.element);
  const read = () => (app.state.chosen ? reads : input.grid);
  const parts = { input: input.grid, kernel: kernel.grid, reads, gives, end, read };
  const part = (name, ...children) =>
    make(
      "div",
      { className: `part ${name}`, role: "group", aria: { label: capital(name) } },
      make("h2", {}, titles[name]),
      ...children,
    );
  place.append(
    part("input", input.element),
    part("layer", kernel.element),
    part("output", readsBox, givesTitle, notes.gives, gives.element, endBox),
  );
  return {
    parts,
    show: () => showStage(app, { parts, input, kernel, notes, readsBox, givesTitle, endBox }),
  };
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
    return factors.join() === "1,1"
      ? {}
      : {
          phase: phaseColour(phase, factors),
          words: `phase ${phaseLetter(phase, factors)}`,
        };
  });
  [
    [notes.reads, x],
    [notes.gives, output],
    [notes.end, last],
  ].forEach(([note, values]) => {
    note.textContent = sizeAndRange(values, state.rank);
  });
}

function sizeAndRange(numbers, rank) {
  const [low, high] = [Math.min(...numbers.flat()), Math.max(...numbers.flat())];
  const size =
    rank === 2 ? `${shapeOf(numbers).join("×")} values` : count(numbers[0].length, "value");
  return low === high
    ? `${size}, all ${inCell(low)}`
    : `${size}, from ${inCell(low)} to ${inCell(high)}`;
}
