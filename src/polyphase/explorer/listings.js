// The panel of code: what is shown, with Keras' layers and with Polyphase's, to be copied.

/** The code of all layers, with Keras' layers and with Polyphase's. */
function showCode({ state, numbers }) {
  const kernels = numbers.parts.map(({ kernel }) => kernel);
  const houses = [
    ["Keras", KERAS],
    ["Polyphase", POLYPHASE],
  ];
  const listings = houses.map(([name, house]) => [name, program(house, state, kernels)]);
  const note = codeNote(state);
  document
    .getElementById("code")
    .replaceChildren(
      ...(note ? [paragraph(note)] : []),
      make("div", { className: "listings" }, ...listings.filter(([, code]) => code).map(listing)),
    );
}

function listing([house, code]) {
  const copy = make("button", { type: "button" }, "Copy");
  copy.ariaLabel = `Copy the code with ${house} layers`;
  const label = `Code with ${house} layers`;
  const pre = make("pre", { tabIndex: 0, role: "region", aria: { label } }, make("code", {}, code));
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre); // where a browser keeps its clipboard to itself
      copy.textContent = "Selected";
    }
  });
  const title = make("h3", {}, `With ${house} layers`);
  return make("div", {}, make("div", { className: "title" }, title, copy), pre);
}
