// A recording held against the tables of this page, as rtfsm.timeline.problems does it.

/** The profile whose machines have the states that a recording names, or null. */
function profileOf(profiles, machines) {
  const same = (states, other) => other !== undefined && states.join() === other.join();
  return (
    Object.keys(profiles).find((profile) => {
      const names = Object.keys(profiles[profile]);
      return names.length === machines.size && names.every((name) => same(profiles[profile][name], machines.get(name)));
    }) ?? null
  );
}

/** The problems of a recording, in order: {place, kind, text}. machines: this page's, or none where they do not fit. */
function problemsOf(records, machines, most) {
  const tables = new Map(machines.map((machine) => [machine.name, new Judge(machine)]));
  const left = new Map();
  const contexts = new Map();
  const problems = [];
  for (const [place, record] of records.entries()) {
    const who = `${record.machine}\n${record.instance}`;
    let problem = null;
    if (left.has(who) && left.get(who) !== record.before) {
      contexts.delete(who);
      const text = `${record.instance} was left in ${left.get(who)}, and takes ${record.event} in ${record.before}`;
      problem = { place, kind: "GAP", text };
    }
    left.set(who, record.after);
    const table = tables.get(record.machine);
    if (table !== undefined) {
      const { wrong, after } = table.judge(record, contexts.get(who));
      contexts.set(who, after);
      if (problem === null && wrong !== null) problem = { place, ...wrong };
    }
    if (problem !== null && problems.length < most) problems.push(problem);
  }
  return problems;
}

class Judge {
  constructor(machine) {
    this.machine = machine;
    this.known = new Map(machine.reached.map((contexts, state) => [machine.states[state].name, new Set(contexts)]));
  }

  judge(record, contexts) {
    const machine = this.machine;
    const event = machine.eventNumbers.get(record.event);
    if (event === undefined) {
      const text = `the table of ${record.machine} knows no event ${record.event}`;
      return { wrong: { kind: "TABLE", text }, after: this.known.get(record.after) };
    }
    const possible = this.possible(record, event, contexts?.size ? contexts : this.known.get(record.before));
    const fitting = possible.filter((step) => this.alike(step, record));
    if (fitting.length === 0) {
      const meant = possible.length ? this.told(possible[0]) : "has no answer";
      const text = `on ${record.event} in ${record.before} the table of ${record.machine} ${meant}; ${recorded(record)}`;
      return { wrong: { kind: "TABLE", text }, after: this.known.get(record.after) };
    }
    const exact = fitting.filter((step) => step.arm === record.arm);
    const same = exact.length ? exact : fitting;
    const after = new Set(same.map((step) => step.context));
    const { decision } = same[0];
    if (decision.kind !== "REFUSE") return { wrong: null, after };
    const text = `${record.event} in ${record.before} of ${record.instance}: ${decision.why}`;
    return { wrong: { kind: "REFUSED", text }, after };
  }

  possible(record, event, contexts) {
    const state = this.machine.stateNumbers.get(record.before);
    const { fields } = this.machine.events[event];
    const steps = [];
    for (let shape = 0; shape < this.machine.shapeCount(event); shape++) {
      const values = this.machine.valuesOf(event, shape);
      const agrees = fields.every(([name], place) => [undefined, values[place]].includes(record.given.get(name)));
      if (agrees) for (const context of contexts) steps.push(this.machine.step(state, context, event, shape));
    }
    return steps.sort((one, other) => one.arm - other.arm);
  }

  alike(step, record) {
    return (
      this.machine.states[step.state].name === record.after &&
      step.effects.map((effect) => effect.name).join() === record.effects.join() &&
      (step.decision.reason ?? null) === record.reason
    );
  }

  told({ decision, effects }) {
    if (decision.kind === "IGNORE") return `ignores it as ${decision.reason}`;
    if (decision.kind === "REFUSE") return "refuses it";
    const where = decision.target === undefined ? "stays" : `goes to ${this.machine.states[decision.target].name}`;
    return `${where} and orders ${effects.map((effect) => effect.name).join(", ") || "nothing"}`;
  }
}

function recorded(record) {
  if (record.reason !== null) return `the recording ignores it as ${record.reason}`;
  const where = record.before === record.after ? "stays" : `goes to ${record.after}`;
  return `the recording ${where} and orders ${record.effects.join(", ") || "nothing"}`;
}
