// Allure scrolls to the first test; a reader begins at the top. Gives way to the reader's first touch, and to a link to a test.
(() => {
  if (location.hash.length > 1) return;
  const stop = Date.now() + 1500;
  let touched = false;
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(kind, () => (touched = true), { once: true });
  const top = () => {
    if (touched || location.hash.length > 1 || Date.now() > stop) return;
    for (const box of document.querySelectorAll("[data-tree-scroll-container]")) box.scrollTop = 0;
    requestAnimationFrame(top);
  };
  top();
})();
