/* Shows a Problem as a sentence for people, with a button that helps. */

import {button, find, make} from "./dom.js";
import {settings} from "./settings.js";

const AWAY_SECONDS = 5;

/* What a person can do, by code, status or param. `needs`: the button does what the caller gives under this name, if it does. */
const HELP = {
  401: {says: "This server wants a key.", presses: "Enter the key", does: openKey},
  string_above_max_length: {
    says: "The text is too long to be spoken at once.",
    presses: "Make it a job",
    needs: "toJob",
  },
  request_too_large: {says: "This is too large for the server.", presses: "Make it a job", needs: "toJob"},
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
  const known = HELP[problem.code] || HELP[problem.status] || HELP[problem.param] || {};
  place.append(make("p", {}, [known.says, problem.message].filter(Boolean).join(" ")));
  const row = make("div", {className: "bar"});
  const does = known.needs ? help[known.needs] : known.does;
  if (does) row.append(button(known.presses, () => does()));
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

/* Does the action. Whatever fails is shown in `place`, with a button that tries again. */
export async function attempt(place, action) {
  hideProblem(place);
  try {
    await action();
  } catch (error) {
    showProblem(place, error, {again: () => attempt(place, action)});
  }
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
