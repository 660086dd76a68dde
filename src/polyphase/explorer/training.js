// The panel of a real run: a transposed convolution that learns to enlarge photographs.

/** The panel; it returns what shows the state in it. */
function makeTraining(app, place) {
  const sizes = { 3: "3×3", 4: "4×4" };
  const size = choiceField(app, "Kernel", sizes, (text) =>
    trainedLayer(app, Number(text), Number(slider.value)),
  );
  const slider = make("input", { type: "range", min: 0, max: TRAINED[3].length - 1, step: 1 });
  const epoch = field(app, "Epoch", slider, () => app.state);
  slider.addEventListener("input", () =>
    app.attempt(
      () => trainedLayer(app, Number(size.control.value), Number(slider.value)),
      () => {},
      "slider",
    ),
  );
  const says = make("p", { role: "status" });
  const picture = make("div", { className: "picture" });
  place.append(
    paragraph(
      "One kernel with stride 2 learned to enlarge photographs, from random weights. Move the " +
        "slider: the layer above gets the kernel it had after that epoch.",
    ),
    fieldsOf(size, epoch),
    says,
    picture,
    small(
      "Grey photographs, halved by averaging, are to become what they were; squared error, Adam, " +
        "785 patches per epoch. χ over the epochs, in powers of ten.",
    ),
  );
  return () => {
    const layer = app.layer();
    const used = layer.weights.source === "trained";
    if (used) {
      size.show(layer.k);
      epoch.show(layer.weights.epoch);
    }
    const [k, at] = [Number(size.control.value), Number(slider.value)];
    epoch.label.textContent = `Epoch ${at}`;
    const chis = TRAINED[k].map((kernel) => chiOf(kernel));
    const shown = `Kernel ${k}×${k} after epoch ${at}: χ = ${short(chis[at], 3)}.`;
    slider.ariaValueText = `epoch ${at}, chi ${short(chis[at], 3)}`;
    says.textContent = used
      ? shown
      : `${shown} It is not the layer above; move the slider to put it there.`;
    const ends = [chis[0], chis.at(-1)].map((chi) => short(chi, 3)).join(" to ");
    picture.innerHTML = curve(chis, at, `Chi over ${chis.length - 1} epochs, from ${ends}`);
  };
}

function trainedLayer(app, k, epoch) {
  const layer = { ...LAYER, k, weights: { source: "trained", epoch } };
  const { state } = app;
  return {
    ...app.withLayer(() => layer),
    ...(state.rank === 2
      ? {}
      : { rank: 2, input: preset("constant", [6, 6]), layers: [layer], chosen: 0 }),
  };
}

function chiOf(kernel) {
  const axes = axesOf({ ...LAYER, k: kernel.length }, [4, 4], 2);
  return constantOf(axes, phasesOf(axes, kernel)).chi;
}
