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
