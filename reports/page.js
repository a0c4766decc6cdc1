// Allure scrolls to the first test; a reader begins at the top. Gives way to the reader's first touch, and to a link to a test.
(() => {
  let touched = location.hash.length > 1;
  let until = Infinity;
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(kind, () => (touched = true), { once: true });
  const hold = () => {
    const boxes = document.querySelectorAll("[data-tree-scroll-container]");
    if (boxes.length && until === Infinity) until = Date.now() + 1500;
    if (touched || location.hash.length > 1 || Date.now() > until) return;
    for (const box of boxes) box.scrollTop = 0;
    requestAnimationFrame(hold);
  };
  hold();
})();
// A button that lays the page of clauses and coverage, given as its HTML, over the report.
const flowproofCoverage = (html) => {
  const button = Object.assign(document.createElement("button"), { id: "flowproof-open", textContent: "Clauses and coverage" });
  const layer = Object.assign(document.createElement("dialog"), { id: "flowproof-layer" });
  const close = Object.assign(document.createElement("button"), { id: "flowproof-close", textContent: "Back to the tests" });
  const frame = Object.assign(document.createElement("iframe"), { title: "Clauses and coverage" });
  layer.append(close, frame);
  close.onclick = () => layer.close();
  button.onclick = () => {
    frame.style.colorScheme = getComputedStyle(document.documentElement).colorScheme;
    if (!frame.srcdoc) frame.srcdoc = html;
    layer.showModal();
  };
  // Allure makes its header anew when it likes; beside its buttons is the button's place.
  const place = () => {
    const bar = document.querySelector('[data-testid="toggle-layout-button"]')?.parentElement;
    if (bar && button.parentElement !== bar) bar.prepend(button);
  };
  const start = () => {
    document.body.append(button, layer);
    new MutationObserver(place).observe(document.body, { childList: true, subtree: true });
    place();
  };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
};
