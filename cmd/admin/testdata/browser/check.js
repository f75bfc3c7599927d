// check.js BASE OUT: looks at the status pages below BASE with a real Chromium.
// BASE/ lists them as JSON: [{"path", "shows": [text], "hides": [text]}]. Each
// is checked in dark and light, on a phone and a wide screen, with and without
// script; axe-core must find no violation. Screenshots go to the folder OUT.
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, out] = process.argv.slice(2);
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const failures = [];
const check = (ok, what) => {
  if (!ok) failures.push(what);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function open(path, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const requests = [];
  page.on("request", (r) => requests.push(r.url()));
  page.on("pageerror", (e) => failures.push(`${path}: the script failed: ${e.message}`));
  page.on("console", (m) => {
    if (m.type() === "error") failures.push(`${path}: the console says: ${m.text()}`);
  });
  page.on("dialog", (d) => {
    failures.push(`${path}: a dialog opened: ${d.message()}`);
    d.dismiss();
  });
  await page.goto(base + path, { waitUntil: "load" });
  return { context, page, requests };
}

const pages = await (await fetch(base)).json();
for (const { path, shows, hides } of pages) {
  for (const [name, options] of Object.entries({
    light: { colorScheme: "light" },
    dark: { colorScheme: "dark" },
    phone: { colorScheme: "light", viewport: { width: 390, height: 800 } },
  })) {
    const { context, page, requests } = await open(path, { ...options, bypassCSP: true }); // axe is injected
    check(requests.length === 1, `${path}: ${requests.length} requests to load: ${requests}`);
    const text = await page.locator("body").innerText();
    for (const want of shows) check(text.includes(want), `${path} ${name}: does not show ${JSON.stringify(want)}`);
    for (const not of hides ?? []) check(!text.includes(not), `${path} ${name}: shows ${JSON.stringify(not)}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(wide <= 0, `${path} ${name}: scrolls sideways by ${wide} px`);
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    for (const v of violations) failures.push(`${path} ${name}: axe: ${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(" | ")}`);
    await page.screenshot({ path: `${out}/${path.replaceAll("/", "")}-${name}.png`, fullPage: true });
    await context.close();
  }
}

// With its policy in force: keyboard, tooltip, refresh, countdown.
{
  const { context, page } = await open(pages[0].path, {});
  const cell = page.locator(".days button").nth(26);
  await cell.focus();
  const tip = await cell.evaluate((e) => getComputedStyle(e, "::after").content);
  check(tip.includes("query_error"), `the tooltip of a failing day is ${tip}`);
  const before = await page.locator("footer time").getAttribute("datetime");
  await page.waitForFunction((was) => document.querySelector("footer time").dateTime !== was, before, { timeout: 30000 });
  check(await page.evaluate(() => [...document.querySelectorAll(".days button")].indexOf(document.activeElement)) === 26, "a refresh loses the keyboard's focus");
  const shown = await page.locator("time[data-until]").first().innerText();
  check(/^(now|in \d+[smh])/.test(shown), `the countdown shows ${shown}`);
  await context.close();
}
// Without script the page reloads itself.
{
  const { context, page } = await open(pages[0].path, { javaScriptEnabled: false });
  check((await page.locator("noscript meta").count()) === 1 || (await page.content()).includes('http-equiv="refresh"'), "without script nothing reloads the page");
  await context.close();
}
await browser.close();
for (const f of failures) console.error(f);
console.log(`${pages.length} pages checked, ${failures.length} failures`);
process.exit(failures.length > 0 ? 1 : 0);
