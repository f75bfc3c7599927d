"use strict";
(() => {
  const base = location.pathname.replace(/\/?$/, "/");
  const note = document.getElementById("connection");
  let last = "";
  const span = (ms) => {
    const s = Math.max(0, Math.round(ms / 1000));
    if (s === 0) return "now";
    if (s < 60) return "in " + s + "s";
    if (s < 3600) return "in " + Math.floor(s / 60) + "m " + (s % 60) + "s";
    return "in " + Math.floor(s / 3600) + "h " + Math.floor((s % 3600) / 60) + "m";
  };
  const tick = () => {
    for (const t of document.querySelectorAll("time[data-until]")) t.textContent = span(Date.parse(t.dateTime) - Date.now());
  };
  const swap = (text) => {
    const doc = new DOMParser().parseFromString(text, "text/html");
    const all = () => [...document.querySelectorAll("main button")];
    const focused = all().indexOf(document.activeElement);
    document.title = doc.title;
    document.querySelector("main").replaceWith(doc.querySelector("main"));
    document.querySelector("footer").replaceWith(doc.querySelector("footer"));
    if (focused >= 0 && all()[focused]) all()[focused].focus({ preventScroll: true });
    tick();
  };
  const refresh = async () => {
    try {
      const answer = await fetch(base + "status", { cache: "no-store" });
      if (!answer.ok) throw new Error("HTTP " + answer.status);
      const text = await answer.text();
      if (text !== last) {
        const page = await fetch(base + location.search, { cache: "no-store" });
        if (!page.ok) throw new Error("HTTP " + page.status);
        swap(await page.text());
        last = text;
      }
      note.hidden = true;
    } catch (error) {
      if (note.hidden) note.textContent = "No answer since " + new Date().toISOString() + ": the page shows an older state. " + error.message;
      note.hidden = false;
    }
  };
  setInterval(tick, 1000);
  setInterval(refresh, 3000);
  tick();
})();
