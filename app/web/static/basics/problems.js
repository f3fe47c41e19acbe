/* Shows a Problem as a sentence for people, with a button that helps. */

import {button, find, make} from "./dom.js";
import {settings} from "./settings.js";

const AWAY_SECONDS = 5;

/* What a person can do, by code or status. `again` repeats the action; `toJob` makes a job of the text. */
const HELP = {
  401: {says: "This server wants a key.", presses: "Enter the key", does: openKey},
  string_above_max_length: {
    says: "The text is too long to be spoken at once.",
    presses: "Make it a job",
    does: (help) => help.toJob?.(),
  },
  request_too_large: {says: "This is too large for the server.", presses: "Make it a job", does: (help) => help.toJob?.()},
  voice: {presses: "Choose another voice", does: () => find("voice-search").focus()},
};

function openKey() {
  find("options").showModal();
  find("key").focus();
}

export function hideProblem(place) {
  clearTimeout(place.timer);
  place.hidden = true;
  place.replaceChildren();
}

/* Shows `problem` in `place`. `help`: `again`, and `toJob` where there is such a way. */
export function showProblem(place, problem, help = {}) {
  hideProblem(place);
  const known =
    HELP[problem.code] || HELP[problem.status] || (/voice/.test(problem.message) && problem.status === 400 ? HELP.voice : {});
  place.append(make("p", {}, [known.says, problem.message].filter(Boolean).join(" ")));
  const row = make("div", {className: "bar"});
  if (known.presses && !(known.does.length && !help.toJob)) row.append(button(known.presses, () => known.does(help)));
  if (help.again) offerAgain(row, place, problem, help.again);
  if (problem.id) row.append(make("small", {className: "soft"}, problem.id));
  place.append(row);
  place.hidden = false;
  if (problem.status === 401)
    settings.addEventListener(
      "key",
      () => {
        if (!place.hidden) help.again?.();
      },
      {once: true},
    );
}

/* A server that is busy or gone is tried again by itself. */
function offerAgain(row, place, problem, again) {
  const now = button("Try again", () => {
    hideProblem(place);
    again();
  });
  row.append(now);
  let seconds = problem.retrySeconds ?? (problem.status === 0 && problem.code === null ? AWAY_SECONDS : 0);
  if (!seconds) return;
  row.append(button("Leave it", () => hideProblem(place)));
  const count = () => {
    if (seconds <= 0) return now.click();
    now.textContent = `Try again (in ${seconds} s by itself)`;
    seconds -= 1;
    place.timer = setTimeout(count, 1000);
  };
  count();
}
