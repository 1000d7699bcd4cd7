// Reading files. Anybody may have written them: every field is checked, and a fault is told with its line.

class ReadError extends Error {}

const NOT_SHOWN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** A name from a file: one line, no control characters, not too long. */
function shown(given, longest = 40) {
  const safe = [...String(given).slice(0, 4 * longest)].join("").replace(NOT_SHOWN, "\ufffd");
  const letters = [...safe];
  return letters.length <= longest ? safe : `${letters.slice(0, longest - 1).join("")}…`;
}

/** A recording or a finding: {kind, name, ...}. Raises ReadError. */
function readFile(name, text) {
  let whole = null;
  try {
    whole = JSON.parse(text);
  } catch {
    whole = null;
  }
  if (isObject(whole) && whole.format === "rtfsm-ordering") return readFinding(name, whole);
  return readTrace(name, text);
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const isWordOrBool = (value) => typeof value === "string" || typeof value === "boolean";

const KINDS = {
  text: ["a string", (value) => typeof value === "string"],
  whole: ["a whole number", Number.isSafeInteger],
  number: ["a number", Number.isFinite],
  names: ["an array of strings", (value) => Array.isArray(value) && value.every((one) => typeof one === "string")],
  object: ["an object", isObject],
  finite: ["strings and booleans", (value) => isObject(value) && Object.values(value).every(isWordOrBool)],
};

function typed(where, found, key, kind, missing) {
  if (!Object.hasOwn(found, key)) {
    if (missing !== undefined) return missing;
    throw new ReadError(`${where}: lacks '${key}'`);
  }
  const [words, fits] = KINDS[kind];
  if (!fits(found[key])) throw new ReadError(`${where}: '${key}' must be ${words}`);
  return found[key];
}

function parsed(where, line) {
  try {
    return JSON.parse(line);
  } catch {
    throw new ReadError(`${where}: is no JSON`);
  }
}

function readTrace(name, text) {
  const lines = text.split("\n");
  let header = null;
  try {
    header = JSON.parse(lines[0]);
  } catch {
    header = null;
  }
  if (!isObject(header) || header.format !== "rtfsm-trace") {
    throw new ReadError(
      `${shown(name)} is no recording of rtfsm, and no finding of rtfsm fuzz: a recording begins with ` +
        'a JSON object that has "format": "rtfsm-trace"',
    );
  }
  if (!Number.isSafeInteger(header.version) || header.version < 1)
    throw new ReadError("line 1: the version must be a whole number from 1");
  if (header.version > 1) {
    throw new ReadError(
      `line 1: version ${header.version} of the format; this page reads version 1: make a newer page`,
    );
  }
  const given = typed("line 1", header, "machines", "object");
  const machines = new Map(Object.keys(given).map((one) => [one, typed("line 1", given, one, "names")]));
  if (lines.at(-1) !== "") {
    throw new ReadError(`line ${lines.length}: the file ends inside this line; the recording was cut short`);
  }
  typed("line 1", header, "rtfsm", "text");
  typed("line 1", header, "started", "number");
  const records = [];
  let before = 0;
  for (const [place, line] of lines.slice(1, -1).entries()) {
    const where = `line ${place + 2}`;
    const record = readRecord(where, parsed(where, line), machines);
    if (record.time < before) throw new ReadError(`${where}: the time goes back`);
    before = record.time;
    records.push(record);
  }
  return { kind: "trace", name, rtfsm: header.rtfsm, machines, records };
}

function readRecord(where, found, machines) {
  if (!isObject(found)) throw new ReadError(`${where}: is no JSON object`);
  const machine = typed(where, found, "machine", "text");
  const states = machines.get(machine);
  if (states === undefined) throw new ReadError(`${where}: machine '${shown(machine)}' is not in the header`);
  for (const key of ["before", "after"]) {
    const state = typed(where, found, key, "text");
    if (!states.includes(state))
      throw new ReadError(`${where}: machine '${shown(machine)}' has no state '${shown(state)}'`);
  }
  typed(where, found, "seconds", "number", 0);
  return {
    time: typed(where, found, "time", "number"),
    machine,
    instance: typed(where, found, "instance", "text"),
    event: typed(where, found, "event", "text"),
    arm: typed(where, found, "arm", "whole"),
    before: found.before,
    after: found.after,
    effects: typed(where, found, "effects", "names"),
    reason: typed(where, found, "reason", "text", null),
    words: typed(where, found, "words", "whole", 0),
    bytes: typed(where, found, "bytes", "whole", 0),
    given: new Map(Object.entries(typed(where, found, "with", "finite", {}))),
  };
}

const WHO = ["server", "wire", "host", "time"];

function readFinding(name, found) {
  const ordering = typed(name, found, "ordering", "object");
  if (!Array.isArray(ordering.moves)) throw new ReadError("ordering: 'moves' must be a list");
  const moves = ordering.moves.map((move, place) => {
    const where = `move ${place + 1}`;
    if (!isObject(move)) throw new ReadError(`${where}: is no object`);
    const who = typed(where, move, "who", "text");
    if (!WHO.includes(who))
      throw new ReadError(`${where}: '${shown(who)}' takes no part; expected one of ${WHO.join(", ")}`);
    return {
      who,
      what: typed(where, move, "what", "text"),
      args: Object.entries(typed(where, move, "args", "object", {})),
      on: typed(where, move, "on", "whole", 0),
      atOnce: move.at_once === true,
    };
  });
  const finding = typed(name, found, "finding", "object");
  const odd = ["handshake", "reads", "obeys"].filter((one) => ordering[one] === false);
  return {
    kind: "finding",
    name,
    target: typed(name, found, "target", "text", ""),
    moves,
    odd,
    law: typed("finding", finding, "law", "text"),
    detail: typed("finding", finding, "detail", "text"),
  };
}
