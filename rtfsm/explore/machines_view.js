// The machines side by side: what each is in, what every event would do to it, and what was done.

const SOURCES = { wire: "from the provider", host: "from the host", inside: "from the other machines", time: "time" };

class MachinesView {
  constructor(facts, machines, whole) {
    this.facts = facts;
    this.machines = machines;
    this.whole = whole;
    this.cards = new Map(machines.map((machine) => [machine.name, new Card(machine, this)]));
    byId("cards").replaceChildren(...[...this.cards.values()].map((card) => card.element));
    byId("undo").addEventListener("click", () => this.go(this.position - 1));
    byId("redo").addEventListener("click", () => this.go(this.position + 1));
    byId("anew").addEventListener("click", () => this.begin());
    rove(byId("log"), "button");
    this.begin();
  }

  begin() {
    const first = (machine) => [machine.name, { state: machine.initial, context: machine.births[0] }];
    this.history = [{ places: new Map(this.machines.map(first)), entry: null }];
    this.go(0);
  }

  get places() {
    return this.history[this.position].places;
  }

  go(position) {
    if (position < 0 || position >= this.history.length) return;
    this.position = position;
    this.render();
  }

  /** Let a machine take an event; everything that was undone is forgotten. */
  fire(name, event, shape) {
    const card = this.cards.get(name);
    const before = this.places.get(name);
    const outcome = card.machine.step(before.state, before.context, event, shape);
    this.keep(
      name,
      { state: outcome.state, context: outcome.context },
      { machine: name, event, shape, before, outcome },
    );
  }

  /** A new instance takes the place of the one that is over, or begins with another context. */
  renew(name, context) {
    const { machine } = this.cards.get(name);
    this.keep(name, { state: machine.initial, context }, { machine: name, born: true });
  }

  keep(name, place, entry) {
    const places = new Map(this.places).set(name, place);
    this.history.splice(this.position + 1, this.history.length, { places, entry });
    this.go(this.position + 1);
  }

  /** What an effect may be for another machine: fire it there, in a new instance where it begins one. */
  deliver(route, given) {
    const { machine, chosen } = this.cards.get(route.machine);
    const event = machine.eventNumbers.get(route.event);
    const place = this.places.get(route.machine);
    if (route.births && place.state !== machine.initial) this.renew(route.machine, machine.births[0]);
    const values = machine.events[event].fields.map(([name], at) => given?.[name] ?? chosen(event)[at]);
    this.fire(route.machine, event, machine.shapeOf(event, values));
  }

  /** Show where things stand. Whoever was at a control that is made anew, or goes, is led to its successor. */
  render() {
    const held = document.activeElement;
    const at = ["#log", "#last"].find((list) => held.closest(list));
    const before = this.position ? this.history[this.position - 1].places : this.places;
    for (const [name, card] of this.cards) card.render(this.places.get(name), before.get(name));
    byId("undo").disabled = this.position === 0;
    byId("redo").disabled = this.position === this.history.length - 1;
    this.renderLog();
    this.tellWhole();
    const current = byId("log").querySelector("[aria-current=true] button") ?? byId("redo");
    if (at === "#log") current.focus();
    else if (at === "#last") (byId("last").querySelector(".deliver") ?? current).focus();
    else if (held.closest(".births[hidden], .again[hidden]")) held.closest(".card").querySelector(".event").focus();
  }

  tellWhole() {
    const states = new Map(
      this.machines.map((machine) => [machine.name, [machine.states[this.places.get(machine.name).state].name]]),
    );
    showWhole(this.whole.agentState(states), this.whole.userState(states));
  }

  renderLog() {
    const { entry } = this.history[this.position];
    byId("last").replaceChildren(...(entry === null ? hint() : this.told(entry)));
    const items = this.history.slice(1).map(({ entry: one }, place) =>
      el(
        "li",
        { class: place + 1 > this.position ? "undone" : "", "aria-current": place + 1 === this.position },
        el("button", {
          text: this.line(one),
          tabindex: place + 1 === this.position ? 0 : -1,
          on: { click: () => this.go(place + 1) },
        }),
      ),
    );
    byId("log").replaceChildren(...items.reverse());
  }

  line({ machine: name, event, shape, before, outcome, born }) {
    const { machine } = this.cards.get(name);
    if (born) return `${name}: another one begins`;
    const does = { TO: `→ ${machine.states[outcome.state].name}`, STAY: "stays", IGNORE: "ignored", REFUSE: "refused" };
    return `${name}: ${machine.states[before.state].name}, ${eventWords(machine, event, shape)} ${does[outcome.decision.kind]}`;
  }

  /** The latest step at length. */
  told(entry) {
    const { machine: name, event, shape, before, outcome, born } = entry;
    const { machine } = this.cards.get(name);
    if (born) return [el("p", {}, el("strong", { text: name }), ": another one begins")];
    const { decision, asked, effects } = outcome;
    const where = decision.kind === "TO" ? `→ ${machine.states[outcome.state].name}` : "stays";
    const states = `${machine.states[before.state].name} ${where}`;
    return [
      el(
        "p",
        { class: "what" },
        ...eventWords(machine, event, shape)
          .split(/(?=\()/)
          .map((text) => el("strong", { text })),
      ),
      el("p", {}, `${name}: `, el("b", { text: states })),
      decision.kind === "IGNORE"
        ? el("p", { class: "ignored" }, `Ignored (${decision.reason}): ${decision.why}.`)
        : null,
      decision.kind === "REFUSE" ? el("p", { class: "refused" }, `Refused: ${decision.why}.`) : null,
      asked.length
        ? el("p", { class: "asked dim" }, asked.map(([guard, holds]) => `${guard}? ${holds ? "yes" : "no"}`).join("  "))
        : null,
      decision.rearm ? el("p", { class: "dim", text: "Its timer starts anew." }) : null,
      effects.length ? el("ol", { class: "effects" }, ...effects.map((effect) => this.effect(effect))) : null,
    ].filter(Boolean);
  }

  effect(effect) {
    const to = { host: "to the host", wire: "to the provider", machines: "to the machines" }[effect.to];
    const routes = this.facts.routes[effect.name] ?? [];
    return el(
      "li",
      {},
      el("code", { text: effect.text }),
      " ",
      el("span", { class: "dim", text: to }),
      ...routes.map((route) =>
        el("button", {
          class: "deliver",
          title: "The router decides whether, and to whom. Here it is up to you.",
          text: `${route.births ? "begin " : "→ "}${route.machine}: ${route.event}`,
          on: { click: () => this.deliver(route, effect.with) },
        }),
      ),
    );
  }
}

function hint() {
  return [
    el("p", {
      class: "dim",
      text: "Fire an event on one of the machines. What is dimmed is ignored or refused where it is now.",
    }),
  ];
}

function eventWords(machine, event, shape) {
  const { name, fields } = machine.events[event];
  const values = machine.valuesOf(event, shape);
  const words = fields.map(([field], place) => `${field}=${values[place]}`).join(", ");
  return words ? `${name}(${words})` : name;
}

/** One machine. */
class Card {
  constructor(machine, view) {
    this.machine = machine;
    this.view = view;
    this.chosen = (event) =>
      this.rows[event].selects.map((select, place) => machine.events[event].fields[place][1][select.selectedIndex]);
    const id = `m-${machine.name}`;
    this.states = machine.states.map((state) =>
      el("li", { title: state.meaning, data: { kind: state.final ? "final" : "" } }, el("span", { text: state.name })),
    );
    this.meaning = el("p", { class: "meaning" });
    this.context = el("p", { class: "context" });
    this.births = this.birthControls();
    this.rows = machine.events.map((_, event) => this.row(event));
    const groups = Object.entries(SOURCES).flatMap(([source, words]) => {
      const own = this.rows.filter((_, event) => machine.events[event].from === source);
      return own.length ? [el("h3", { text: words }), ...own.map((row) => row.element)] : [];
    });
    const events = el("div", { class: "events", role: "group", "aria-label": `Events of ${machine.name}` }, ...groups);
    rove(events, "button.event");
    this.element = el(
      "article",
      { class: "card", "aria-labelledby": id, id: `card-${machine.name}` },
      el("h2", { id, text: machine.name }),
      el("ul", { class: "states", "aria-label": `States of ${machine.name}` }, ...this.states),
      this.meaning,
      this.context,
      this.births,
      events,
    );
  }

  row(event) {
    const { machine } = this;
    const { name, meaning, fields } = machine.events[event];
    const preview = el("span", { class: "preview" });
    const selects = fields.map(([field, values, usual]) =>
      el(
        "select",
        { "aria-label": `${field} of ${name}`, on: { change: () => this.preview(event) } },
        ...values.map((value, at) => el("option", { text: `${field}=${value}`, selected: at === usual })),
      ),
    );
    const button = el(
      "button",
      { class: "event", title: meaning, data: { event: name }, on: { click: () => this.fire(event) } },
      el("span", { class: "name", text: name }),
      preview,
    );
    const element = el(
      "div",
      { class: "row" },
      button,
      selects.length ? el("div", { class: "fields" }, ...selects) : null,
    );
    return { element, button, preview, selects };
  }

  /** Where instances are told something at birth, what it is can be chosen. */
  birthControls() {
    const { machine } = this;
    const rows = machine.births.map((context) => machine.contexts[context]);
    const told = machine.context.map((_, place) => [...new Set(rows.map((row) => row[place]))]);
    this.told = told.map((values, place) => ({ values, place })).filter(({ values }) => values.length > 1);
    this.toldSelects = this.told.map(({ values, place }) =>
      el(
        "select",
        {
          "aria-label": `${machine.context[place]} at birth`,
          on: { change: () => this.view.renew(machine.name, this.birth()) },
        },
        ...values.map((value) => el("option", { text: `${machine.context[place]}=${value}` })),
      ),
    );
    const again = el("button", {
      class: "again",
      text: "Begin another",
      on: { click: () => this.view.renew(machine.name, this.birth()) },
    });
    this.again = again;
    return el(
      "div",
      { class: "births" },
      el("span", { class: "dim", text: "begins with" }),
      ...this.toldSelects,
      again,
    );
  }

  birth() {
    const { machine } = this;
    const wanted = this.told.map(({ values, place }, at) => [place, values[this.toldSelects[at].selectedIndex]]);
    return (
      machine.births.find((context) => wanted.every(([place, value]) => machine.contexts[context][place] === value)) ??
      machine.births[0]
    );
  }

  fire(event) {
    this.view.fire(this.machine.name, event, this.machine.shapeOf(event, this.chosen(event)));
  }

  render(place, before) {
    const { machine } = this;
    this.place = place;
    for (const [number, item] of this.states.entries()) {
      if (number === place.state) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
      item.dataset.was = String(number === before.state && before.state !== place.state);
    }
    const state = machine.states[place.state];
    const timer = machine.timer(place.state, place.context);
    const waits = timer && `waits ${timer.seconds} s (${timer.name}${timer.cap ? `, at most ${timer.cap} s` : ""})`;
    this.meaning.textContent = [state.meaning, waits || (state.final ? "over" : "rests")].join("; ");
    const values = machine.contexts[place.context];
    const usual = machine.contexts[machine.births[0]];
    const old = machine.contexts[before.context];
    this.context.replaceChildren(
      ...machine.context.map((name, at) =>
        el("span", {
          data: { usual: values[at] === usual[at], new: values[at] !== old[at] },
          text: `${name}=${values[at]}`,
        }),
      ),
    );
    this.births.hidden = !(machine.isOver(place.state) || (place.state === machine.initial && this.told.length));
    this.again.hidden = !machine.isOver(place.state);
    for (const event of machine.events.keys()) this.preview(event);
  }

  /** What an event would do now. */
  preview(event) {
    const { machine, place } = this;
    const { button, preview } = this.rows[event];
    const outcome = machine.step(place.state, place.context, event, machine.shapeOf(event, this.chosen(event)));
    const { kind, reason } = outcome.decision;
    button.dataset.kind = kind;
    preview.textContent = {
      TO: `→ ${machine.states[outcome.state].name}`,
      STAY: "stays",
      IGNORE: reason ?? "",
      REFUSE: "✕ refused",
    }[kind];
  }
}
