/* Changes the speed of samples at the same pitch (WSOLA): windows are taken at other distances, each where it fits best.

Why not the browser's own: only <audio> elements have one, and they cannot play samples that still come. */

const WINDOW_SECONDS = 0.03;
const SEARCH_SECONDS = 0.008;

/* `count` samples from `start` on, `rate` times as fast. `follows` is where the samples would go on after the piece before, or
null; the answer has the same for the next piece. */
export function stretch(samples, start, count, rate, rateHz, follows = null) {
  if (rate === 1) return {piece: samples.slice(start, start + count), follows: null};
  const hop = Math.round((WINDOW_SECONDS * rateHz) / 2);
  const search = Math.round(SEARCH_SECONDS * rateHz);
  const piece = new Float32Array(Math.max(1, Math.round(count / rate)));
  for (let out = 0; out < piece.length; out += hop) {
    const from = follows === null ? start : bestFit(samples, follows, start + Math.round(out * rate), hop, search);
    const n = Math.min(hop, piece.length - out);
    for (let i = 0; i < n; i++) {
      const share = follows === null ? 1 : i / n;
      piece[out + i] = (1 - share) * (samples[follows + i] ?? 0) + share * (samples[from + i] ?? 0);
    }
    follows = from + n;
  }
  return {piece, follows};
}

/* The place near `wanted` whose samples are most like those at `follows`. */
function bestFit(samples, follows, wanted, length, search) {
  let best = wanted;
  let most = -Infinity;
  for (let from = Math.max(0, wanted - search); from <= wanted + search; from += 2) {
    let sum = 0;
    for (let i = 0; i < length; i += 2) sum += (samples[from + i] ?? 0) * (samples[follows + i] ?? 0);
    if (sum > most) {
      most = sum;
      best = from;
    }
  }
  return best;
}
