"use strict";

const EVERY_MS = 1000;
const time = new Intl.DateTimeFormat("nb-NO", { dateStyle: "short", timeStyle: "medium" });
const KINDS = { privat: "Privat melder", offentlig: "Offentlig melder" };
const STATES = {
  AKSEPTERT: "Tatt imot av plattformen",
  SENDT_FAGSYSTEM: "Sendt til fagsystemet",
  AVVIST_FAGSYSTEM: "Kom ikke inn i fagsystemet",
  SENDT_PRINT: "Sendt til utskrift",
  AVVIST_PRINT: "Kunne ikke skrives ut",
  LEVERT: "Levert",
};

function element(name, text, className) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function counts(pairs) {
  const list = element("dl");
  for (const [name, count] of pairs) list.append(element("dt", name), element("dd", String(count)));
  return list;
}

function account(one) {
  const item = element("li");
  item.append(
    element("h3", one.title),
    element("p", one.name, "quiet"),
    counts([["Venter i køen", one.waiting], ["Hentet, ikke kvittert ut", one.held], ["Lyttere", one.consumers]]),
  );
  return item;
}

function step(state) {
  const what = STATES[state.tilstand] ?? state.tilstand;
  const item = element("li", state.beskrivelse ? `${what}: ${state.beskrivelse}` : what);
  item.append(element("p", `${state.tilstand} · ${time.format(new Date(state.tidspunkt))}`, "quiet"));
  return item;
}

function look(one) {
  if (one.tilstand === "AVVIST_PRINT") return "rejected";
  if (one.tilstand !== "LEVERT") return "under-way";
  return one.states.some((state) => state.tilstand.startsWith("AVVIST")) ? "rejected" : "delivered";
}

function report(one, owners) {
  const item = element("li", "", look(one));
  const last = one.states.at(-1);
  const kind = KINDS[one.kind] ?? one.messageType;
  const version = one.messageType.split(".").at(-1).replace("v", "versjon ");
  const states = element("ol");
  states.append(...one.states.map(step));
  item.id = one.id;
  item.append(
    element("h3", `Til ${owners.get(one.account) ?? one.kontoId}, bydel ${one.bydelsnummer}`),
    element("p", last?.tilstand === "LEVERT" ? `Levert: ${last.beskrivelse}` : STATES[last?.tilstand] ?? "", "badge"),
    element("p", `${kind}, ${version}. Kvitteringer: ${one.receipts}`),
    element("p", one.id, "quiet"),
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
    const owners = new Map(accounts.map((one) => [one.name, one.title]));
    document.getElementById("clock").textContent = time.format(new Date(clock.now));
    show("accounts", accounts.map(account));
    show("reports", reports.reverse().map((one) => report(one, owners)));
    document.getElementById("none").hidden = reports.length > 0;
    connection.textContent = "Siden oppdateres hvert sekund.";
  } catch {
    connection.textContent = "Får ikke kontakt med simulatoren. Prøver igjen hvert sekund.";
  }
  setTimeout(refresh, EVERY_MS);
}

refresh();
