// What is drawn of a file: lanes of bars, as rtfsm.timeline.lanes makes them, and for a finding a lane for each who.

/** A model of what is drawn: {kind, middle, end, times, lanes, runs, problems}. One run is one state of one instance. */
function modelOfTrace(trace, facts, machines) {
  const { records } = trace;
  const times = records.map((record) => record.time);
  const end = times.at(-1) || 1;
  const fits = profileOf(facts.profiles, trace.machines);
  const judged = fits === facts.profile ? machines : [];
  const known = facts.lanes.filter((lane) => trace.machines.has(lane.machine));
  const others = [...trace.machines.keys()].filter((name) => !facts.lanes.some((lane) => lane.machine === name)).sort();
  const lanes = [
    ...known,
    ...others.map((machine) => ({ machine, label: machine, looks: strangeLooks(trace.machines.get(machine)) })),
  ]
    .slice(0, facts.most.lanes)
    .map((lane) => laneOf(lane, records, end, facts));
  return {
    kind: "trace",
    middle: 0,
    end,
    times,
    lanes,
    profile: fits,
    judged: judged.length > 0,
    runs: lanes.flatMap((lane) => lane.runs),
    problems: problemsOf(records, judged, facts.most.problems),
  };
}

function strangeLooks(states) {
  const turns = ["LIVE", "BUSY", "WAIT", "TAIL"];
  return Object.fromEntries(states.map((state, place) => [state, place ? turns[(place + 3) % 4] : "NONE"]));
}

function laneOf({ machine, label, looks }, records, end, { cutting, most }) {
  const taken = new Map();
  for (const [place, record] of records.entries()) {
    if (record.machine !== machine) continue;
    if (!taken.has(record.instance)) taken.set(record.instance, []);
    taken.get(record.instance).push(place);
  }
  const runs = [];
  const bars = [];
  const ends = [];
  for (const [instance, places] of taken) {
    const own = runsOf({ machine, instance, looks }, places, records, end, cutting);
    runs.push(...own);
    const segments = own.filter((run) => run.look !== "NONE");
    if (segments.length === 0) continue;
    const free = ends.findIndex((until) => until <= segments[0].begin);
    const row = Math.min(free === -1 ? ends.length : free, most.rows - 1);
    ends[row] = segments.at(-1).end;
    bars.push({ instance, row, segments });
  }
  const seen = new Set(runs.filter((run) => run.look !== "NONE").map((run) => run.state));
  const legend = Object.keys(looks).filter((state) => seen.has(state));
  return { machine, label, looks, rows: Math.max(1, ends.length), bars, runs, legend };
}

/** The states of one instance, in order. first, last: places of the records between which it is in that state. */
function runsOf({ machine, instance, looks }, places, records, end, cutting) {
  const standing = instance === machine;
  const runs = [];
  const first = records[places[0]];
  let run = { state: first.before, begin: standing ? 0 : first.time, first: standing ? -1 : places[0] };
  const close = (until, last, cut) => {
    const look = Object.hasOwn(looks, run.state) ? looks[run.state] : "NONE";
    runs.push({ ...run, machine, instance, look, end: Math.max(run.begin, until), last, cut: cut && look === "LIVE" });
  };
  for (const place of places) {
    const record = records[place];
    if (record.after === run.state) continue;
    close(record.time, place, cutting.includes(record.event));
    run = { state: record.after, begin: record.time, first: place };
  }
  close(end, Infinity, false);
  return runs;
}

const WHO_LOOKS = { server: "LIVE", wire: "CUT", host: "BUSY", time: "WAIT" };

/** A finding has no times but those that its moves let pass: its moves are drawn one after the other. */
function modelOfFinding(finding) {
  const { moves } = finding;
  const lanes = WHO.map((who) => {
    const segments = moves.flatMap((move, place) =>
      move.who === who
        ? [
            {
              machine: who,
              instance: move.what,
              state: move.what,
              look: WHO_LOOKS[who],
              begin: place,
              end: place + 0.94,
              first: place,
              last: place + 1,
              cut: false,
            },
          ]
        : [],
    );
    const bars = segments.map((segment) => ({ instance: segment.instance, row: 0, segments: [segment] }));
    return { machine: who, label: who, rows: 1, bars, runs: segments, legend: [] };
  });
  const text = `${finding.law}: ${finding.detail}`;
  return {
    kind: "finding",
    middle: 0.47,
    end: Math.max(1, moves.length),
    times: moves.map((_, place) => place),
    lanes,
    profile: null,
    judged: true,
    runs: [],
    problems: [{ place: Math.max(0, moves.length - 1), kind: "LAW", text }],
  };
}
