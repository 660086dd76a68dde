"use strict";
// What is wider than its place says that it scrolls; a figure that is made smaller opens at full size.
(() => {
  const places = ".scroll, .card, article .table-wrapper, article p:has(> img), article .cell_output:has(> img)";
  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

  function noted(box) {
    const image = box.querySelector("img");
    const hint = made("span", { textContent: "Scroll sideways to see the rest." });
    const button = made("button", { type: "button", textContent: "Full size" });
    const note = made("p", { className: "wide" });
    const refresh = () => {
      hint.hidden = box.scrollWidth <= box.clientWidth + 1;
      const full = box.classList.contains("full");
      button.hidden = !image || !(full || image.naturalWidth > image.clientWidth + 1);
      note.hidden = hint.hidden && button.hidden;
    };
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", box.classList.toggle("full"));
      refresh();
    });
    note.append(hint, button);
    box.after(note);
    return refresh;
  }

  const all = [...document.querySelectorAll(places)].map(noted);
  const refresh = () => all.forEach((one) => one());
  addEventListener("resize", refresh);
  addEventListener("load", refresh);
  document.addEventListener("toggle", refresh, true);  // of what was folded
  refresh();
})();
