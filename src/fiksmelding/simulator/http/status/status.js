"use strict";

const EVERY_MS = 1000;
const time = new Intl.DateTimeFormat("nb-NO", { dateStyle: "short", timeStyle: "medium" });

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function account(one) {
  const item = element("li");
  item.append(
    element("h3", one.name),
    element("p", one.title),
    element("p", `${one.waiting} venter, ${one.held} under behandling, ${one.consumers} lytter`),
  );
  return item;
}

function report(one) {
  const last = one.states.at(-1);
  const rejected = one.states.some((state) => state.tilstand.startsWith("AVVIST"));
  const item = element("li", "", rejected ? "rejected" : last?.tilstand === "LEVERT" ? "delivered" : "");
  const states = element("ol");
  for (const state of one.states) {
    const when = time.format(new Date(state.tidspunkt));
    states.append(element("li", `${state.tilstand} ${when}${state.beskrivelse ? `: ${state.beskrivelse}` : ""}`));
  }
  const kind = one.messageType.split(".").slice(-2).join(" ");
  item.append(
    element("h3", one.id),
    element("p", `${kind} til ${one.account ?? one.kontoId}, bydel ${one.bydelsnummer}. Kvitteringer: ${one.receipts}`),
    states,
  );
  return item;
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function show(id, items) {
  document.getElementById(id).replaceChildren(...items);
}

async function refresh() {
  const connection = document.getElementById("connection");
  try {
    const [clock, accounts, reports] = await Promise.all(
      ["/control/clock", "/control/accounts", "/control/reports"].map(get),
    );
    document.getElementById("clock").textContent = time.format(new Date(clock.now));
    show("accounts", accounts.map(account));
    show("reports", reports.reverse().map(report));
    document.getElementById("none").hidden = reports.length > 0;
    connection.textContent = "Oppdateres hvert sekund.";
  } catch {
    connection.textContent = "Får ikke kontakt med simulatoren. Prøver igjen.";
  }
  setTimeout(refresh, EVERY_MS);
}

refresh();
