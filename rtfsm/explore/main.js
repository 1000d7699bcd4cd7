// The page comes to life: tabs, files, keys.

const TABS = ["machines", "recording"];

class Page {
  constructor(facts) {
    this.facts = facts;
    this.machines = facts.machines.map((tables) => new Machine(tables));
    this.whole = new Whole(facts.derived, this.machines);
    this.view = new MachinesView(facts, this.machines, this.whole);
    this.recording = new RecordingView(facts, this.machines, this.whole);
    for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => this.turnTo(name));
    byId("tab-machines").parentElement.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
      event.preventDefault();
      const other = event.key === "Home" ? TABS[0] : event.key === "End" ? TABS[1] : TABS[this.tab === TABS[0] ? 1 : 0];
      this.turnTo(other);
      byId(`tab-${other}`).focus();
    });
    byId("file").addEventListener("change", (event) => this.take(event.target.files));
    document.addEventListener("keydown", (event) => this.key(event));
    this.drop();
    this.turnTo(TABS[0]);
    if (facts.trace) this.open(facts.trace.name, facts.trace.text);
  }

  turnTo(name) {
    this.tab = name;
    for (const one of TABS) {
      const chosen = one === name;
      byId(one).hidden = !chosen;
      byId(`tab-${one}`).setAttribute("aria-selected", String(chosen));
      byId(`tab-${one}`).tabIndex = chosen ? 0 : -1;
    }
    byId("whole").hidden = name === "recording" && !this.recording.hasWhole;
    if (name === "machines") this.view.tellWhole();
    else if (this.recording.model) {
      this.recording.paint();
      this.recording.go(this.recording.at);
    }
  }

  /** Show a file, or say why it cannot be shown; what was shown before stays then. */
  open(name, text) {
    byId("notice").textContent = "";
    try {
      const file = readFile(name, text);
      this.recording.read(file);
      this.turnTo("recording");
      this.recording.show();
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      byId("notice").textContent = `${shown(name, 60)}: ${error.message}`;
    }
  }

  async take(files) {
    if (files.length === 0) return;
    const [file] = files;
    this.open(file.name, await file.text());
    byId("file").value = "";
  }

  drop() {
    const hold = (event) => {
      if (![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      document.body.classList.toggle("dropping", event.type !== "drop" && event.type !== "dragleave");
    };
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) document.addEventListener(kind, hold);
    document.addEventListener("drop", (event) => this.take(event.dataTransfer.files));
  }

  key(event) {
    const typing = event.target.closest?.("select, input:not([type=range])");
    if (this.tab === "machines") {
      const command = event.ctrlKey || event.metaKey;
      const key = event.key.toLowerCase();
      if (!command || (key !== "z" && key !== "y")) return;
      event.preventDefault();
      this.view.go(this.view.position + (key === "z" && !event.shiftKey ? -1 : 1));
    } else if (this.recording.model && !typing && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (event.target.closest?.("[role=tablist]") || event.target.id === "at") return this.scale(event);
      const last = this.recording.model.times.length - 1;
      const to = { ArrowLeft: this.recording.at - 1, ArrowRight: this.recording.at + 1, Home: 0, End: last }[event.key];
      if (to === undefined) return this.scale(event);
      event.preventDefault();
      this.recording.go(to);
    }
    return undefined;
  }

  scale(event) {
    const factor = { "+": 0.5, "-": 2, 0: Infinity }[event.key];
    if (factor === undefined || event.ctrlKey) return;
    event.preventDefault();
    this.recording.zoom(factor);
  }
}

const page = new Page(JSON.parse(byId("data").textContent));
