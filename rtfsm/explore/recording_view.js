// A file on the screen: its picture, the event under the cursor, and what is wrong in it.

const AROUND = { trace: 6, finding: 100 };
const LISTED = 100;

class RecordingView {
  constructor(facts, machines, whole) {
    Object.assign(this, { facts, machines, whole });
    this.byName = new Map(machines.map((machine) => [machine.name, machine]));
    this.painter = new Painter(byId("lanes"));
    this.model = null;
    this.waiting = false;
    this.told = new Map();
    byId("at").addEventListener("input", () => this.go(Number(byId("at").value)));
    byId("in").addEventListener("click", () => this.zoom(0.5));
    byId("out").addEventListener("click", () => this.zoom(2));
    byId("all").addEventListener("click", () => this.zoom(Infinity));
    this.follow(byId("picture"));
    new ResizeObserver(() => this.paint()).observe(byId("picture"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  /** Make the picture of a file. Whatever is wrong with it is raised here, before anything has changed. */
  read(file) {
    this.model = file.kind === "trace" ? modelOfTrace(file, this.facts, this.machines) : modelOfFinding(file);
    this.file = file;
    this.at = 0;
    this.painter.show(this.model);
  }

  show() {
    const { file, model } = this;
    this.wrongAt = new Map(model.problems.map((problem) => [problem.place, problem]));
    byId("empty").hidden = true;
    byId("tip").hidden = true;
    byId("shown").hidden = false;
    byId("title").textContent = shown(file.name, 80);
    byId("about").textContent = file.kind === "trace" ? this.aboutTrace() : aboutFinding(file);
    byId("recording").className = file.kind;
    byId("unit").textContent = file.kind === "trace" ? "event" : "move";
    byId("h-event").textContent = file.kind === "trace" ? "This event" : "This move";
    byId("h-around").textContent = file.kind === "trace" ? "Around it" : "All moves";
    byId("at").max = String(Math.max(0, model.times.length - 1));
    byId("alive").parentElement.hidden = file.kind !== "trace";
    this.paint();
    this.renderLegend();
    this.renderWrong();
    this.go(model.problems.length ? model.problems[0].place : 0);
  }

  /** Whether it can be said what the agent and the user do: the recording is of machines that the page has. */
  get hasWhole() {
    return this.model?.kind === "trace" && this.model.judged;
  }

  aboutTrace() {
    const { model, file } = this;
    const count = file.records.length;
    const parts = [
      `${model.end.toFixed(1)} s`,
      `${count.toLocaleString("en")} event${count === 1 ? "" : "s"}`,
      `rtfsm ${shown(file.rtfsm, 20)}`,
    ];
    if (model.judged) parts.push(`held against the tables of ${this.facts.profile}`);
    else if (model.profile)
      parts.push(
        `not held against the tables: they are of ${this.facts.profile}, and it is of ${model.profile}; ` +
          `make its page with --profile ${model.profile}`,
      );
    else parts.push("not held against the tables: its machines are not those that are shipped");
    return parts.join(" · ");
  }

  paint() {
    if (this.model === null || byId("picture").clientWidth === 0) return;
    this.painter.paint();
    this.placeCursor();
  }

  zoom(factor) {
    const time = this.model.times[this.at] ?? 0;
    if (factor === Infinity) this.painter.all();
    else this.painter.zoom(time, factor);
    this.paint();
  }

  /** To an event. What depends on it is rendered once a frame at most. */
  go(place) {
    const last = this.model.times.length - 1;
    this.at = Math.max(0, Math.min(last, place));
    byId("at").value = String(this.at);
    byId("count").textContent =
      `${(this.at + 1).toLocaleString("en")} of ${this.model.times.length.toLocaleString("en")}`;
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.render();
    });
  }

  placeCursor() {
    const time = this.model.times[this.at] ?? 0;
    const x = this.painter.x(time + this.model.middle);
    byId("cursor").style.transform = `translateX(${x}px)`;
    byId("cursor").style.height = `${this.painter.bottom - TOP + 14}px`;
  }

  render() {
    if (this.model.times.length === 0) {
      for (const id of ["event", "alive", "around"]) byId(id).replaceChildren();
      byId("event").append(
        el("dd", {
          text: this.file.kind === "trace" ? "Nothing happens in it." : "It takes no move: connecting is enough.",
        }),
      );
      byId("count").textContent = "";
      return;
    }
    if (this.painter.reach(this.model.times[this.at])) this.painter.paint();
    this.placeCursor();
    const words = this.words(this.at);
    byId("at").setAttribute(
      "aria-valuetext",
      `${this.at + 1} of ${this.model.times.length}: ${words.when}, ${words.who} ${words.what}`,
    );
    byId("event").replaceChildren(
      ...(this.file.kind === "trace" ? this.step(this.file.records[this.at]) : this.move(this.file.moves[this.at])),
    );
    this.renderAround();
    if (this.file.kind === "trace") this.renderAlive();
  }

  words(place) {
    if (this.file.kind === "trace") {
      const { time, instance, event, before, after, reason } = this.file.records[place];
      const does = reason ? `ignored, ${shown(reason, 16)}` : before === after ? "" : `→ ${shown(after, 24)}`;
      return { when: `${time.toFixed(3)} s`, who: shown(instance, 24), what: shown(event, 32), does };
    }
    const move = this.file.moves[place];
    return { when: `${place + 1}`, who: move.who, what: shown(move.what, 32), does: shown(argsOf(move), 48) };
  }

  step(record) {
    const { machine: name, instance, event, before, after, effects, reason, given, words, bytes } = record;
    const finite = [...given].map(([field, value]) => `${field}=${value}`).join(", ");
    const carried = [
      words && `${words} word${words === 1 ? "" : "s"}`,
      bytes && `${bytes.toLocaleString("en")} bytes of sound`,
    ].filter(Boolean);
    const why = reason ? this.why(record) : "";
    return pairs([
      ["time", `${record.time.toFixed(3)} s, in line ${this.at + 2}`],
      ["who", `${shown(instance)} (${shown(name)})`],
      ["event", shown(finite ? `${event} (${finite})` : event, 120)],
      ["carries", carried.join(", ")],
      ["state", before === after ? `${shown(before)}, as before` : `${shown(before)} → ${shown(after)}`],
      ["orders", effects.map((one) => shown(one)).join(", ")],
      ["ignored", reason ? `${shown(reason)}${why ? `: ${why}` : ""}` : ""],
      ["wrong", this.wrongAt.has(this.at) ? this.problemWords(this.at) : ""],
    ]);
  }

  /** Why an event was ignored, by the table that has the reason. */
  why(record) {
    if (!this.model.judged) return "";
    const machine = this.byName.get(record.machine);
    const event = machine?.eventNumbers.get(record.event);
    if (event === undefined) return "";
    const cell = machine.cells[machine.stateNumbers.get(record.before)][event].map(
      (number) => machine.decisions[number],
    );
    return cell.find((decision) => decision.reason === record.reason)?.why ?? "";
  }

  move(move) {
    return pairs([
      ["who", move.who],
      ["what", shown(move.what, 80)],
      ...move.args.map(([name, value]) => [shown(name), shown(JSON.stringify(value), 200)]),
      ["on", move.on ? `the open connection, or session, with number ${move.on}` : ""],
      ["at once", move.atOnce ? "the next move follows before anybody has taken note of this one" : ""],
      ["wrong", this.wrongAt.has(this.at) ? this.problemWords(this.at) : ""],
    ]);
  }

  problemWords(place) {
    const { kind, text } = this.wrongAt.get(place);
    return `${kind}: ${shown(text, 400)}`;
  }

  renderAround() {
    const around = AROUND[this.file.kind];
    const first = Math.max(0, Math.min(this.at - around, this.model.times.length - 2 * around - 1));
    const last = Math.min(this.model.times.length - 1, first + 2 * around);
    const items = [];
    for (let place = first; place <= last; place++) {
      const { when, who, what, does } = this.words(place);
      items.push(
        el(
          "li",
          {
            "aria-current": place === this.at,
            class: this.wrongAt.has(place) ? "wrong" : "",
            on: { click: () => this.go(place) },
          },
          el("span", { class: "when", text: when }),
          el("span", { class: "who", text: who }),
          el("span", { class: "what", text: what }),
          el("span", { class: "does", text: does }),
        ),
      );
    }
    byId("around").replaceChildren(...items);
  }

  /** Every instance that is alive after the event, and the states of the whole that follow from them. */
  renderAlive() {
    const states = new Map();
    const items = [];
    for (const run of this.model.runs) {
      if (run.first > this.at || run.last <= this.at) continue;
      const standing = run.instance === run.machine;
      if (!standing && run.look === "NONE") continue;
      if (!states.has(run.machine)) states.set(run.machine, []);
      states.get(run.machine).push(run.state);
      if (items.length === LISTED) continue;
      const who = el("span", { class: "who", text: shown(run.instance) });
      items.push(el("li", {}, sign(run.look, run.machine), who, el("b", { text: shown(run.state) })));
    }
    byId("alive").replaceChildren(...items);
    if (this.hasWhole) showWhole(this.whole.agentState(states), this.whole.userState(states));
  }

  renderLegend() {
    const items = this.model.lanes.flatMap((lane) =>
      lane.legend.length
        ? [
            el(
              "li",
              {},
              el("span", { class: "dim", text: shown(lane.label, 18) }),
              ...lane.legend.flatMap((state) => [sign(lane.looks[state], lane.machine), shown(state, 24)]),
            ),
          ]
        : [],
    );
    const cut = this.model.lanes.some((lane) => lane.runs.some((run) => run.cut));
    if (cut) items.push(el("li", {}, el("i", { class: "edge" }), "cut while it was live"));
    if (this.model.problems.length) items.push(el("li", {}, el("i", { class: "mark", text: "▲" }), "wrong"));
    byId("legend").replaceChildren(...items);
  }

  renderWrong() {
    const { problems } = this.model;
    const groups = grouped(problems);
    const items = groups.slice(0, LISTED).map(({ place, kind, text, times }) => {
      const often = times > 1 ? ` (${times} times)` : "";
      const words = `${this.model.kind === "trace" ? `${this.words(place).when}  ` : ""}${kind}: ${shown(text, 300)}${often}`;
      return el("li", {}, el("button", { text: words, on: { click: () => this.go(place) } }));
    });
    if (groups.length > LISTED) items.push(el("li", { class: "dim", text: `and ${groups.length - LISTED} more` }));
    const none = this.model.judged
      ? "Nothing: every step is one that the tables have."
      : "No gap. Nothing more was looked for.";
    byId("wrong").replaceChildren(...(items.length ? items : [el("li", { class: "dim", text: none })]));
  }

  /** Press and drag to scrub; over a bar, say what it is. */
  follow(picture) {
    const tip = el("div", { id: "tip", hidden: true });
    picture.append(tip);
    const x = (event) => event.clientX - picture.getBoundingClientRect().left;
    const scrub = (event) => {
      const time = this.painter.timeAt(x(event));
      this.go(nearest(this.model.times, this.model.kind === "finding" ? Math.floor(time) : time));
    };
    picture.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      picture.setPointerCapture(event.pointerId);
      scrub(event);
      byId("at").focus({ preventScroll: true });
      event.preventDefault();
    });
    picture.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) scrub(event);
      const y = event.clientY - picture.getBoundingClientRect().top;
      const segment = this.painter.at(x(event), y);
      tip.hidden = segment === null;
      if (segment === null) return;
      const long = this.model.kind === "finding" ? "" : `, ${segment.begin.toFixed(3)} to ${segment.end.toFixed(3)} s`;
      tip.textContent = `${shown(segment.instance)}: ${shown(segment.state)}${long}`;
      tip.style.transform = `translate(${Math.min(x(event) + 12, picture.clientWidth - 280)}px, ${y + 16}px)`;
    });
    picture.addEventListener("pointerleave", () => {
      tip.hidden = true;
    });
    picture.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.painter.zoom(this.painter.timeAt(x(event)), event.deltaY > 0 ? 1.25 : 0.8);
        this.paint();
      },
      { passive: false },
    );
  }
}
