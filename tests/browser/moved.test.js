// A thread goes to another board while somebody reads it, and the page that tells what staff did.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { HtmlValidate } from 'html-validate';
import { go, launch, leave, overflow, visitor } from './lib/browser.js';
import { Site } from './lib/site.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const validator = new HtmlValidate({ root: true, extends: ['html-validate:standard'] });

let browser, site;
before(async () => {
  site = await Site.open((dir) => {
    const file = path.join(dir, 'content/site.yaml');
    fs.writeFileSync(file, `${fs.readFileSync(file, 'utf8')}\npublic_log: true\n`);
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Puts an act into the inbox and waits until it is done. */
async function act(deed) {
  const file = path.join(site.dir, 'posts-inbox/act.json');
  fs.writeFileSync(`${file}.draft`, `${JSON.stringify({ by: 'neji', ...deed })}\n`);
  fs.renameSync(`${file}.draft`, file);
  while (fs.existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function judge(page, name, to) {
  const text = fs.readFileSync(path.join(site.dir, 'public', to), 'utf8');
  assert.equal((await validator.validateString(text, name)).results.length, 0, name);
  await page.addScriptTag({ path: AXE });
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(violations.map(({ id }) => id), [], name);
  assert.equal(await overflow(page), null, name);
}

test('who has the old page open is told where the thread is, and the old address leads there', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true, width: 360 });
  await go(page, site, 'tech/thread/1.html');
  await act({ act: 'move', board: 'tech', thread: 1, to: 'art', why: 'off topic' });
  const told = page.locator('#reply .empty a');
  await told.waitFor();
  await told.click();
  await page.waitForURL(/\/art\/thread\/\d+\.html$/);
  const there = page.url();
  assert.equal(await page.locator('h1').textContent(), 'Posting by dropping a file');
  await go(page, site, 'tech/thread/1.html');
  await page.waitForURL(there);
  await leave(page);
});

test('what stands at the old address, and the public log, are fit for all', async () => {
  await act({ act: 'set', board: 'meta', threads: [4], flag: 'locked', on: true, why: 'w'.repeat(900) });
  const page = await visitor(browser, site, { javaScriptEnabled: true, width: 360, bypassCSP: true });
  await go(page, site, 'log.html');
  assert.match(await page.locator('.rows').textContent(), /Locked \/meta\/ No\. 4: www.*Moved \/tech\/ No\. 1 → \/art\/: off topic/s);
  await judge(page, 'log', 'log.html');
  const still = fs.readFileSync(path.join(site.dir, 'public/tech/thread/1.html'), 'utf8');
  await page.route('**/tech/thread/1.html', (route) => route.fulfill({
    contentType: 'text/html', body: still.replace(/<meta http-equiv="refresh"[^>]*>/, ''),
  }));
  await go(page, site, 'tech/thread/1.html');
  assert.equal(await page.locator('h1').textContent(), 'Thread moved');
  await judge(page, 'moved', 'tech/thread/1.html');
  await leave(page);
});
