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
// Unpacks the data of the report (packing.py): Allure finds its own in `allureReportData`, as base64; ours are texts.
const flowproofUnpacked = {};
const flowproofUnpack = async (packed) => {
  const zipped = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to));
  const base64 = (from, to) => {
    let binary = "";
    for (let at = from; at < to; at += 32768) binary += String.fromCharCode(...bytes.subarray(at, Math.min(to, at + 32768)));
    return btoa(binary);
  };
  const program = document.createElement("script");
  let from = 8 + Number(text(0, 8));
  for (const [name, length] of JSON.parse(text(8, from))) {
    const [begin, end] = [from, from + length];
    from = end;
    if (name === "flowproof:app") program.src = `data:text/javascript;base64,${base64(begin, end)}`;
    else if (name.startsWith("flowproof/")) flowproofUnpacked[name.slice(10)] = () => text(begin, end);
    else Object.defineProperty(window.allureReportData, name, { get: () => base64(begin, end), enumerable: true });
  }
  document.body.append(program);
};
// Adds the overview below the headline, and a button for each page that opens over the report.
const flowproofPages = (titles, overview) => {
  const make = (kind, ...more) => Object.assign(document.createElement(kind), ...more);
  const bar = make("div", { id: "flowproof-bar" });
  const summary = make("section", { id: "flowproof-overview", innerHTML: overview });
  const layers = titles.map((title) => {
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
      if (!frame.srcdoc) frame.srcdoc = flowproofUnpacked[title]();
      layer.showModal();
    };
    return layer;
  });
  // Allure may render its header again at any time; our buttons then go back beside its own, and the overview below.
  const place = () => {
    const header = document.querySelector('[data-testid="toggle-layout-button"]')?.parentElement;
    if (header && bar.parentElement !== header) header.prepend(bar);
    const tabs = document.querySelector('[data-testid="nav-tab-results"]');
    let title = document.querySelector('[data-testid="report-header"]');
    while (tabs && title && !title.parentElement.contains(tabs)) title = title.parentElement;
    if (tabs && title && title.nextElementSibling !== summary) title.after(summary);
  };
  const start = () => {
    document.body.append(bar, ...layers);
    new MutationObserver(place).observe(document.body, { childList: true, subtree: true });
    place();
  };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start);
};
