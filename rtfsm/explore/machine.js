"use strict";
// One machine, interpreted from its tables. A test compares this with rtfsm.language.step on everything that a machine
// can reach.

class Machine {
  constructor(tables) {
    Object.assign(this, tables);
    this.stateNumbers = new Map(this.states.map((state, number) => [state.name, number]));
    this.eventNumbers = new Map(this.events.map((event, number) => [event.name, number]));
    let arm = 0;
    this.firstArms = this.cells.map((row) =>
      row.map((cell) => {
        const first = arm;
        arm += cell.length;
        return first;
      }),
    );
  }

  /** How many shapes an event has: as many as its finite fields have combinations of values. */
  shapeCount(event) {
    return this.events[event].fields.reduce((count, [, values]) => count * values.length, 1);
  }

  /** The values of the finite fields, in the order of the fields. The last one counts fastest. */
  valuesOf(event, shape) {
    const values = [];
    for (const [, domain] of [...this.events[event].fields].reverse()) {
      values.unshift(domain[shape % domain.length]);
      shape = Math.floor(shape / domain.length);
    }
    return values;
  }

  shapeOf(event, values) {
    return this.events[event].fields.reduce(
      (shape, [, domain], place) => shape * domain.length + Math.max(0, domain.indexOf(values[place])),
      0,
    );
  }

  holds(guard, event, shape, context) {
    const asked = this.guards[guard].holds;
    const rows = asked[""] ?? asked[this.events[event].name];
    return rows[rows.length === 1 ? 0 : shape][context] === "1";
  }

  /** What the machine does: the arm, where it leads, what it orders, and the guards that were asked. */
  step(state, context, event, shape) {
    const asked = [];
    const cell = this.cells[state][event];
    for (const [place, number] of cell.entries()) {
      const decision = this.decisions[number];
      if (decision.guard !== undefined) {
        const holds = this.holds(decision.guard, event, shape, context);
        asked.push([this.guards[decision.guard].name, holds]);
        if (!holds) continue;
      }
      const next = decision.update === undefined ? context : this.updates[decision.update].leads[context];
      if (next === null) throw new RangeError(`${this.name}: a context outside of what can be reached`);
      return {
        arm: this.firstArms[state][event] + place,
        decision,
        state: decision.target ?? state,
        context: next,
        effects: decision.effects ?? [],
        asked,
      };
    }
    throw new RangeError(`${this.name}: a cell without an answer`);
  }

  isOver(state) {
    return this.states[state].final === true;
  }

  /** The timer that runs in a state, or null where it rests or is over. */
  timer(state, context) {
    let timer = this.states[state].timer ?? null;
    while (timer?.unless && this.holds(timer.unless.guard, 0, 0, context)) timer = timer.unless.timer;
    return timer;
  }
}

/** What the agent does and what the host was told of the user, from the states of all that lives. */
class Whole {
  constructor(derived, machines) {
    this.agent = derived.agent;
    this.user = derived.user;
    this.machines = this.agent.machines.map((name) => machines.find((one) => one.name === name));
  }

  /** states: machine -> the names of the states of its instances; a machine without any is in its first state. */
  agentState(states) {
    let places = [0];
    for (const machine of this.machines) {
      const found = states.get(machine.name) ?? [];
      const numbers = (found.length ? found : [machine.states[machine.initial].name]).map((state) =>
        machine.stateNumbers.get(state),
      );
      places = places.flatMap((place) => [...new Set(numbers)].map((number) => place * machine.states.length + number));
    }
    return this.agent.names[Math.min(...places.map((place) => Number(this.agent.codes[place])))];
  }

  userState(states) {
    return this.user.by[(states.get("user_turn") ?? ["SILENT"])[0]];
  }
}
