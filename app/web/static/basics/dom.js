/* Small helpers for elements. */

export const find = (id) => document.getElementById(id);

/* An element with these properties and children. Names with a dash are attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/* A picture from the sprite at the top of the page. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export function setIcon(button, name, label) {
  button.querySelector("use").setAttribute("href", `#icon-${name}`);
  button.setAttribute("aria-label", label);
}

export function button(text, onPress, properties = {}) {
  const made = make("button", {type: "button", ...properties}, text);
  made.addEventListener("click", onPress);
  return made;
}

let toastTimer = 0;

/* Says something for three seconds. */
export function toast(text) {
  find("toast").textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    find("toast").textContent = "";
  }, 3000);
}

/* Where the browser allows no copying, the text is selected, so that the user can copy it. */
export async function copy(text, shownIn = null) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    if (shownIn === null) return prompt("Copy this:", text);
    getSelection().selectAllChildren(shownIn);
    toast("Selected: copy it with your keyboard.");
  }
}

export function saveFile(blob, name) {
  const link = make("a", {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const two = (n) => String(n).padStart(2, "0");
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3600 ? rest.replace(/^0/, "") : `${Math.floor(whole / 3600)}:${rest}`;
}

export const many = (n, word, plural = word + "s") => `${n} ${n === 1 ? word : plural}`;

/* A slider that stays at `detent` where it comes near. */
export function holdAt(slider, detent, width) {
  slider.addEventListener("input", () => {
    if (Math.abs(slider.valueAsNumber - detent) < width) slider.valueAsNumber = detent;
  });
}
