// What a recording and a finding are in words, and the small things that are asked of them.

function pairs(rows) {
  return rows
    .filter(([, words]) => words)
    .flatMap(([name, words]) => [el("dt", { text: name }), el("dd", { text: words, data: { of: name } })]);
}

/** Problems that follow each other and say the same, told once. */
function grouped(problems) {
  const groups = [];
  for (const problem of problems) {
    const last = groups.at(-1);
    if (last?.kind === problem.kind && last.text === problem.text) last.times += 1;
    else groups.push({ ...problem, times: 1 });
  }
  return groups;
}

function argsOf(move) {
  const words = move.args.map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [...words, ...(move.on ? [`on=${move.on}`] : []), ...(move.atOnce ? ["(at once)"] : [])].join(" ");
}

const ODD = {
  handshake: "the provider answers nothing by itself",
  reads: "the host reads no stream until the end",
  obeys: "the host does not interrupt when the user speaks",
};

function aboutFinding(file) {
  const count = file.moves.length;
  const parts = [
    `a finding of rtfsm fuzz${file.target ? ` on ${shown(file.target, 60)}` : ""}`,
    `${count} move${count === 1 ? "" : "s"}`,
  ];
  if (file.odd.length) parts.push(`while ${file.odd.map((one) => ODD[one]).join(", and ")}`);
  return parts.join(" · ");
}

/** The place of the last time that is not after this one. */
function nearest(times, time) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  if (low === times.length || low === 0) return Math.max(0, low - 1);
  return times[low] - time < time - times[low - 1] ? low : low - 1;
}

/** A look as in the picture; the style has the same shapes for it. */
function sign(look, machine) {
  return el("i", { class: `sign ${hueOf(look, machine)}`, "aria-hidden": "true" });
}
