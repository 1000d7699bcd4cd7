// The lanes on a canvas: drawn anew when the view, the size or the colours change, and not while the cursor moves.

const LEFT = 12;
const LABELS = 140;
const MARGIN = 14;
const ROW = 18;
const GAP = 12;
const TOP = 30;
const BAR = 14;
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600,
];

class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.painted = 0;
    this.model = null;
  }

  show(model) {
    this.model = model;
    this.tops = [];
    let top = TOP;
    for (const lane of model.lanes) {
      this.tops.push(top);
      top += lane.rows * ROW + GAP;
    }
    this.bottom = top;
    this.height = top + 26;
    this.all();
  }

  all() {
    this.from = 0;
    this.to = this.model.end;
  }

  get room() {
    return Math.max(100, this.width - LABELS - MARGIN);
  }

  x(time) {
    return LABELS + ((time - this.from) / (this.to - this.from)) * this.room;
  }

  timeAt(x) {
    return this.from + ((x - LABELS) / this.room) * (this.to - this.from);
  }

  /** Zoom around a time: factor 0.5 shows half as long. */
  zoom(time, factor) {
    const long = Math.min(this.model.end, Math.max(this.model.end / 10000, (this.to - this.from) * factor));
    const share = (time - this.from) / (this.to - this.from);
    this.look(time - Math.min(1, Math.max(0, share)) * long, long);
  }

  /** Move the view so that a time is in it; says whether it had to. */
  reach(time) {
    if (time >= this.from && time <= this.to) return false;
    const long = this.to - this.from;
    this.look(time - long / 2, long);
    return true;
  }

  look(from, long) {
    this.from = Math.max(0, Math.min(this.model.end - long, from));
    this.to = this.from + long;
  }

  paint() {
    const { canvas, model } = this;
    const ratio = window.devicePixelRatio || 1;
    this.width = canvas.parentElement.clientWidth;
    canvas.style.width = `${this.width}px`;
    canvas.style.height = `${this.height}px`;
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(this.height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    this.colours = coloursOf(canvas);
    this.patterns = patternsOf(pen, this.colours);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    this.scale(pen);
    for (const [place, lane] of model.lanes.entries()) this.lane(pen, lane, this.tops[place]);
    if (model.kind === "trace") this.events(pen);
    this.wrong(pen);
    this.painted += 1;
  }

  scale(pen) {
    const span = this.to - this.from;
    const most = Math.max(1, Math.floor(this.room / 90));
    const step =
      this.model.kind === "finding" ? Math.ceil(span / most) : (STEPS.find((one) => span / one <= most) ?? span / most);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    pen.textAlign = "center";
    const last = this.model.kind === "finding" ? Math.min(this.to, this.model.times.length - 1) : this.to;
    for (let number = Math.ceil(this.from / step - 1e-9); number * step <= last + step * 1e-9; number++) {
      const x = Math.round(this.x(number * step + this.model.middle)) + 0.5;
      pen.strokeStyle = this.colours.line;
      line(pen, x, TOP - 6, x, this.bottom);
      pen.fillStyle = this.colours.dim;
      const words = this.model.kind === "finding" ? `${number * step + 1}` : `${(number * step).toFixed(digits)} s`;
      pen.fillText(words, Math.min(this.width - 20, x), 12);
    }
  }

  lane(pen, lane, top) {
    pen.fillStyle = this.colours.ink;
    pen.textAlign = "left";
    pen.fillText(shown(lane.label, 18), LEFT, top + BAR / 2, LABELS - LEFT - 10);
    pen.strokeStyle = this.colours.line;
    const under = Math.round(top + lane.rows * ROW + GAP / 2 - 3) + 0.5;
    line(pen, LEFT, under, this.width - MARGIN, under);
    pen.save();
    pen.beginPath();
    pen.rect(LABELS - 1, 0, this.room + 2, this.height);
    pen.clip();
    for (const bar of lane.bars) for (const segment of bar.segments) this.segment(pen, segment, top + bar.row * ROW);
    pen.restore();
  }

  segment(pen, segment, top) {
    if (segment.end < this.from || segment.begin > this.to) return;
    // What is out of view is left out, so that the name stands where it can be read.
    const left = Math.max(this.x(segment.begin), LABELS - 4);
    const wide = Math.max(1.5, Math.min(this.x(segment.end), LABELS + this.room + 4) - left);
    drawLook(pen, this, hueOf(segment.look, segment.machine), left, top, wide, BAR);
    if (segment.cut && segment.end <= this.to) {
      pen.fillStyle = this.colours.cut;
      pen.fillRect(left + wide - 3, top - 2, 3, BAR + 4);
    }
    const name = shown(segment.state === segment.instance ? segment.state : segment.instance, 24);
    const named = segment.look === "LIVE" || this.model.kind === "finding";
    if (named && wide > 34 && segment.instance !== segment.machine && pen.measureText(name).width < wide - 8) {
      pen.fillStyle = segment.look === "LIVE" ? this.colours.onlive : this.colours.ink;
      if (segment.look !== "LIVE") {
        pen.save();
        pen.strokeStyle = this.colours.back;
        pen.lineWidth = 4;
        pen.lineJoin = "round";
        pen.strokeText(name, left + 5, top + BAR / 2 + 0.5);
        pen.restore();
      }
      pen.fillText(name, left + 5, top + BAR / 2 + 0.5);
    }
  }

  /** A tick for each event, so that one sees where much happens. */
  events(pen) {
    pen.textAlign = "left";
    pen.fillStyle = this.colours.dim;
    pen.fillText("events", LEFT, this.bottom + 5);
    pen.strokeStyle = this.colours.dim;
    pen.globalAlpha = 0.35;
    pen.beginPath();
    let last = -1;
    for (const time of this.model.times) {
      const x = Math.round(this.x(time)) + 0.5;
      if (x === last || x < LABELS || x > LABELS + this.room + 1) continue;
      last = x;
      pen.moveTo(x, this.bottom + 1);
      pen.lineTo(x, this.bottom + 7);
    }
    pen.stroke();
    pen.globalAlpha = 1;
  }

  wrong(pen) {
    pen.fillStyle = this.colours.cut;
    pen.strokeStyle = this.colours.cut;
    pen.setLineDash([3, 3]);
    for (const problem of this.model.times.length ? this.model.problems : []) {
      const x = Math.round(this.x(this.model.times[problem.place] + this.model.middle)) + 0.5;
      if (x < LABELS || x > LABELS + this.room + 1) continue;
      line(pen, x, TOP - 4, x, this.bottom + 10);
      pen.beginPath();
      pen.moveTo(x, this.bottom + 10);
      pen.lineTo(x - 6, this.bottom + 21);
      pen.lineTo(x + 6, this.bottom + 21);
      pen.fill();
    }
    pen.setLineDash([]);
  }

  /** The segment at a place of the canvas, or null. */
  at(x, y) {
    const time = this.timeAt(x);
    const near = ((this.to - this.from) / this.room) * 2;
    for (const [place, lane] of this.model.lanes.entries()) {
      const row = Math.floor((y - this.tops[place]) / ROW);
      if (row < 0 || row >= lane.rows || y > this.tops[place] + row * ROW + BAR) continue;
      for (const bar of lane.bars) {
        if (bar.row !== row) continue;
        const found = bar.segments.find(
          (segment) => segment.begin <= time && time <= Math.max(segment.end, segment.begin + near),
        );
        if (found) return found;
      }
    }
    return null;
  }
}

function line(pen, x, y, toX, toY) {
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
  pen.stroke();
}

function coloursOf(element) {
  const style = getComputedStyle(element);
  const names = ["ink", "dim", "line", "back", "live", "onlive", "wait", "busy", "cut", "tail", "user"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Each look has a shape of its own, so that none is told by its colour alone. */
function patternsOf(pen, colours) {
  const tile = (draw) => {
    const small = document.createElement("canvas");
    small.width = small.height = 12;
    const own = small.getContext("2d");
    own.scale(2, 2);
    draw(own);
    const pattern = pen.createPattern(small, "repeat");
    pattern.setTransform(new DOMMatrix().scale(0.5));
    return pattern;
  };
  const ground = (own, colour, alpha) => {
    own.globalAlpha = alpha;
    own.fillStyle = colour;
    own.fillRect(0, 0, 6, 6);
    own.globalAlpha = 1;
  };
  return {
    LIVE: colours.live,
    USER: colours.user,
    WAIT: tile((own) => {
      ground(own, colours.wait, 0.45);
      own.strokeStyle = colours.tail;
      own.beginPath();
      for (const [x, y, toX, toY] of [
        [-1, 7, 7, -1],
        [-1, 1, 1, -1],
        [5, 7, 7, 5],
      ]) {
        own.moveTo(x, y);
        own.lineTo(toX, toY);
      }
      own.stroke();
    }),
    BUSY: tile((own) => {
      ground(own, colours.busy, 0.35);
      own.fillStyle = colours.busy;
      own.beginPath();
      own.arc(3, 3, 1.7, 0, 7);
      own.fill();
    }),
    CUT: tile((own) => {
      ground(own, colours.cut, 0.18);
      own.strokeStyle = colours.cut;
      own.beginPath();
      own.moveTo(0, 0);
      own.lineTo(6, 6);
      own.moveTo(6, 0);
      own.lineTo(0, 6);
      own.stroke();
    }),
  };
}

/** The user's voice has a colour of its own: whose turn it is should be seen from afar. */
const hueOf = (look, machine) => (look === "LIVE" && machine === "user_turn" ? "USER" : look);

function drawLook(pen, { patterns, colours }, look, left, top, wide, high) {
  if (look === "TAIL") {
    pen.strokeStyle = colours.tail;
    pen.lineWidth = 1.5;
    pen.strokeRect(left + 0.75, top + high / 2 - 3, Math.max(0.5, wide - 1.5), 6);
    return;
  }
  pen.fillStyle = patterns[look];
  pen.beginPath();
  pen.roundRect(left, top, wide, high, Math.min(3, wide / 2));
  pen.fill();
}
