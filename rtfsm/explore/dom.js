// Making elements. Text is only ever set as text: no markup is made of strings anywhere on this page.

function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "text") made.textContent = value;
    else if (name === "class") made.className = value;
    else if (name.startsWith("aria-")) made.setAttribute(name, String(value));
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const byId = (id) => document.getElementById(id);

/** Up, down, home and end move between the items of a list of buttons, which is one stop of the tab key. */
function rove(group, selector) {
  const items = () => [...group.querySelectorAll(selector)];
  const hold = (item) => {
    for (const one of items()) one.tabIndex = one === item ? 0 : -1;
  };
  if (items().length) hold(items()[0]);
  group.addEventListener("focusin", (event) => {
    const item = event.target.closest(selector);
    if (item) hold(item);
  });
  group.addEventListener("keydown", (event) => {
    const all = items();
    const here = all.indexOf(event.target.closest(selector));
    if (here === -1) return;
    const to = {
      ArrowDown: here + 1,
      ArrowRight: here + 1,
      ArrowUp: here - 1,
      ArrowLeft: here - 1,
      Home: 0,
      End: all.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    all[(to + all.length) % all.length].focus();
  });
}

const AGENT_SIGNS = { initializing: "◌", listening: "○", thinking: "◐", speaking: "●" };

function showWhole(agent, user) {
  const part = (name, value) => [
    el("dt", { text: name }),
    el(
      "dd",
      { data: { state: value } },
      el("span", { class: "sign", "aria-hidden": "true", text: AGENT_SIGNS[value] ?? "?" }),
      value,
    ),
  ];
  byId("whole").replaceChildren(...part("agent", agent), ...part("user", user));
}
