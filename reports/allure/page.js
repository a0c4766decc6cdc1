// Allure scrolls to the first test, but a reader begins at the top: scroll back until the reader first interacts, unless
// the URL links to a test.
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
// Adds a button for each page that opens over the report; `pages` has the HTML by title.
const flowproofPages = (pages) => {
  const make = (kind, ...more) => Object.assign(document.createElement(kind), ...more);
  const bar = make("div", { id: "flowproof-bar" });
  const layers = Object.entries(pages).map(([title, html]) => {
    const button = make("button", { className: "flowproof-open", textContent: title });
    const layer = make("dialog", { className: "flowproof-layer", ariaLabel: title });
    const close = make("button", { className: "flowproof-close", textContent: "Back to the tests" });
    const frame = make("iframe", { title });
    layer.append(close, frame);
    bar.append(button);
    close.onclick = () => layer.close();
    // A dialog gets no key event from inside a frame, so Escape is handled here; in a filled field it only clears the field.
    const leave = (event) => event.key === "Escape" && !event.target.value && layer.close();
    frame.onload = () => frame.contentWindow.addEventListener("keydown", leave);
    button.onclick = () => {
      frame.style.colorScheme = getComputedStyle(document.documentElement).colorScheme;
      if (!frame.srcdoc) frame.srcdoc = html;
      layer.showModal();
    };
    return layer;
  });
  // Allure may render its header again at any time; our buttons then go back beside its own.
  const place = () => {
    const header = document.querySelector('[data-testid="toggle-layout-button"]')?.parentElement;
    if (header && bar.parentElement !== header) header.prepend(bar);
  };
  const start = () => {
    document.body.append(bar, ...layers);
    new MutationObserver(place).observe(document.body, { childList: true, subtree: true });
    place();
  };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
};
