/* Sliders for two to four voices, and the formula that the API takes. */

import {button, copy, find, make} from "../basics/dom.js";
import {sampleOf} from "../basics/languages.js";
import {settings} from "../basics/settings.js";
import {playSample} from "../sound/samples.js";
import {catalogue} from "./catalogue.js";

const MIN = 2;
const MAX = 4;
const BEGIN = [
  ["af_heart", 2],
  ["bf_emma", 1],
];

export function showBlend() {
  const parts = [...settings.get("voice").matchAll(/([\w-]+)(?:\(([\d.]+)\))?/g)].map(([, id, weight]) => [
    id,
    Number(weight || 1),
  ]);
  for (const [id, weight] of parts.length >= MIN ? parts.slice(0, MAX) : BEGIN) add(id, weight);
  find("blend").open = parts.length >= MIN;
  find("blend-add").addEventListener("click", () =>
    add(catalogue.voices.find(({id}) => !formula().includes(id))?.id || BEGIN[0][0], 1),
  );
  find("blend-copy").addEventListener("click", () => copy(formula(), find("blend-formula")));
  find("blend-use").addEventListener("click", () => settings.set("voice", formula()));
  find("blend-hear").addEventListener("click", hear);
}

function hear() {
  const first = catalogue.voices.find(({id}) => id === rows()[0].querySelector("select").value);
  playSample(
    {model: "gpt-4o-mini-tts", voice: formula(), input: sampleOf({...first, shortName: "a blend"})},
    find("blend-hear"),
  );
}

const rows = () => [...find("blend-rows").children];

function add(id, weight) {
  const voice = make(
    "select",
    {"aria-label": "Voice of the blend"},
    ...catalogue.voices.map((one) => new Option(`${one.shortName} (${one.id})`, one.id)),
  );
  const slider = make("input", {type: "range", min: 0.1, max: 5, step: 0.1, "aria-label": "Its weight"});
  const shown = make("output", {}, String(weight));
  const remove = button("×", () => (row.remove(), show()), {className: "round", "aria-label": "Remove this voice"});
  const row = make("div", {className: "bar blend-row"}, voice, slider, shown, remove);
  voice.value = id;
  slider.value = weight;
  row.addEventListener("input", () => {
    shown.textContent = slider.value;
    show();
  });
  find("blend-rows").append(row);
  show();
}

/* The blend as the API takes it; equal voices are added up there. */
function formula() {
  return rows()
    .map((row) => {
      const id = row.querySelector("select").value;
      const weight = row.querySelector("input").value;
      return Number(weight) === 1 ? id : `${id}(${weight})`;
    })
    .join("+");
}

function show() {
  const all = rows();
  find("blend-formula").textContent = formula();
  find("blend-add").disabled = all.length >= MAX;
  for (const row of all) row.querySelector("button").disabled = all.length <= MIN;
}
