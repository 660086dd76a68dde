"use strict";
// The page's controls. Without this script the page is complete; it adds sorting, wiping, values.

const read = (id) => JSON.parse(document.getElementById(id).textContent);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Tables: a button in every heading sorts by its column, numbers as numbers.
function sortable(table) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", className: "sort" }, ...heading.childNodes);
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = heading.ariaSort !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.ariaSort = up ? "ascending" : "descending";
      const key = (row) => row.cells[column].textContent.trim();
      const rows = [...body.rows].sort((a, b) => compared(key(a), key(b)) * (up ? 1 : -1));
      body.append(...rows);
    });
  });
}

function compared(one, other) {
  const [a, b] = [one, other].map((text) => parseFloat(text.replaceAll(",", "")));
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return Number.isNaN(a) - Number.isNaN(b) || one.localeCompare(other);
  }
  return a - b;
}

// Images: a slider that wipes from the original to a decoder's reconstruction.
function wiper(place, data) {
  const choice = make("select", {}, ...data.decoders.map(({ name }) => make("option", {}, name)));
  const slider = make("input", { type: "range", min: 0, max: 100, value: 50 });
  slider.setAttribute("aria-label", "Wipe: left the original, right the reconstruction");
  const pairs = data.originals.map((original) => {
    const over = make("img", { alt: "" });
    const under = make("img", { src: original, alt: "" });
    return { over, pair: make("span", { className: "pair" }, under, over) };
  });
  const stage = make("div", { className: "stage" }, ...pairs.map(({ pair }) => pair));
  const show = () => {
    const { name, images } = data.decoders[choice.selectedIndex];
    pairs.forEach(({ over }, index) => { over.src = images[index]; });
    stage.style.setProperty("--cut", `${slider.value}%`);
    stage.setAttribute("aria-label", `Originals and the reconstructions of ${name}`);
  };
  choice.addEventListener("change", show);
  slider.addEventListener("input", show);
  stage.setAttribute("role", "img");
  place.append(make("label", {}, "Original | ", choice), stage, slider);
  place.hidden = false;
  show();
}

// Curves: the values of an epoch under the pointer, or by the arrow keys.
function values(image, { panels, lines }) {
  const line = make("i", { className: "epoch", hidden: true });
  const output = make("output", { className: "values", hidden: true });
  const places = panels.flatMap((panel) => panel.epochs.map(([epoch, x]) => ({ epoch, x, panel })));
  let current = -1;
  const show = (index) => {
    current = Math.max(0, Math.min(places.length - 1, index));
    const { epoch, x, panel } = places[current];
    line.style.cssText = `left:${x}%;top:${panel.top}%;height:${panel.bottom - panel.top}%`;
    output.replaceChildren(make("b", {}, `Epoch ${epoch}`), ...lines.map(({ name, colour, texts }) => {
      const swatch = make("span", { className: "swatch" });
      swatch.style.background = colour;
      return make("span", {}, swatch, `${name} ${texts[epoch - 1] ?? "not trained"}`);
    }));
    line.hidden = output.hidden = false;
  };
  const frame = make("div", { className: "curves", tabIndex: 0 });
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", "Learning curves: the arrow keys show the values of an epoch");
  image.replaceWith(frame);
  frame.append(image, line);
  frame.parentElement.after(output);
  frame.addEventListener("pointermove", (event) => {
    const box = image.getBoundingClientRect();
    const x = (100 * (event.clientX - box.left)) / box.width;
    const inside = ({ panel }) => x >= panel.left - 2 && x <= panel.right + 2;
    const near = places.filter(inside).sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))[0];
    if (near) show(places.indexOf(near));
  });
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      show(current < 0 ? 0 : current + step);
    }
  });
}

document.querySelectorAll(".scroll table").forEach(sortable);
const chart = document.querySelector("#learning-curves img");
const losses = read("losses");
if (chart && losses.panels.length) values(chart, losses);
const wipe = document.getElementById("wipe");
if (wipe) wiper(wipe, read("images"));
