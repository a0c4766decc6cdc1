// Shows the rows that contain every word of the filter; the folded details of a row are not searched.
const [form, input, output] = ["form", "input", "output"].map((name) => document.querySelector(name));
const rows = [...document.querySelectorAll(".row")].map((row) => {
  const told = row.cloneNode(true);
  for (const one of told.querySelectorAll("details")) one.remove();
  return [row, told.textContent.toLowerCase()];
});
const groups = [...document.querySelectorAll("main :is(tbody, table, section):has(.row)")];
const filter = () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const [row, text] of rows) row.hidden = !words.every((word) => text.includes(word));
  for (const group of groups) group.hidden = !group.querySelector(".row:not([hidden])");
  const shown = rows.filter(([row]) => !row.hidden).length;
  output.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
};
form.hidden = rows.length === 0;
form.onsubmit = () => false;
input.oninput = filter;
// Inside the report this page has no URL of its own: a link to a section would load the report into the frame.
const jump = (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link) return;
  event.preventDefault();
  const section = Object.assign(document.getElementById(decodeURIComponent(link.hash.slice(1))), { tabIndex: -1 });
  section.focus();
  section.scrollIntoView();
};
if (location.protocol === "about:") addEventListener("click", jump);
