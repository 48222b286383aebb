// The browser, and a watch on everything that a page of ours must never do.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/**
 * Opens a page of a fresh visitor. Script is off unless asked for, since the site has none; `faults` gathers what is
 * wrong whatever the page: requests to other hosts, complaints on the console (broken policy among them), script
 * errors, dialogs.
 */
export async function visitor(browser, site, options = {}) {
  const { width = 1280, height = 800, ...rest } = options;
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width, height }, ...rest });
  context.setDefaultTimeout(15_000);
  const faults = [];
  await context.route('**', (route) => {
    const url = route.request().url();
    if (url.startsWith(site.url)) return route.continue();
    faults.push(`request to another host: ${url}`);
    return route.abort();
  });
  context.on('console', (message) => {
    // The browser logs each answer of 400 and above; which statuses come is for the tests to say.
    const told = message.text().startsWith('Failed to load resource: the server responded with a status of');
    if (message.type() === 'error' && !told) faults.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => faults.push(`script: ${error.error()}`));
  context.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  const page = await context.newPage();
  page.faults = faults;
  return page;
}

/** Goes to an address below the site and checks the status. */
export async function go(page, site, to, status = 200) {
  const answer = await page.goto(new URL(to, site.url).href);
  assert.equal(answer.status(), status, `status of ${to}`);
}

/** Closes a visitor's page, and fails if anything was wrong on it. */
export async function leave(page) {
  await page.context().close();
  assert.deepEqual(page.faults, []);
}

/** How many pixels the document is wider than the window, and what sticks out. */
export function overflow(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const excess = root.scrollWidth - root.clientWidth;
    if (excess <= 0) return null;
    const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > root.clientWidth);
    return `${excess} px: ${wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 100)).join('\n')}`;
  });
}

/** Takes a picture for people, if `NEJIBOARD_SHOTS` names a folder for them. */
export async function shoot(page, name) {
  const folder = process.env.NEJIBOARD_SHOTS;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

/** Sends the form that is on the page. */
export async function send(page, fields) {
  for (const [name, text] of Object.entries(fields)) await page.locator(`.post-form [name=${name}]`).fill(text);
  await page.locator('.post-form button').click();
}
