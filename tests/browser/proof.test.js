// Under attack: a browser with script works for its post by itself, one without is told that somebody will look at it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { go, launch, leave, send, visitor } from './lib/browser.js';
import { PROGRAM, Site } from './lib/site.js';

let browser, site;
before(async () => {
  site = await Site.open((dir) => {
    fs.appendFileSync(path.join(dir, 'content/site.yaml'), '\nproof_bits: 10\n');
  });
  execFileSync(PROGRAM, ['--root', site.dir, 'mod', '--by', 'neji', 'posture', 'guarded']);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const mine = (page) => page.locator('.post:target');

/** The addresses that a page asks for from now on, without the site. */
function asked(page) {
  const list = [];
  page.on('request', (request) => list.push(new URL(request.url()).pathname));
  return list;
}

test('a post goes through by itself once the browser has worked for it', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true });
  const list = asked(page);
  await go(page, site, 'tech/thread/1.html');
  assert.ok(!list.some((name) => name.includes('proof')), 'who only reads does not fetch it');
  await send(page, { body: 'I have worked for this' });
  await mine(page).waitFor();
  assert.match(await mine(page).locator('.body').innerText(), /I have worked for this/);
  assert.equal(list.filter((name) => name.endsWith('/post')).length, 2);
  assert.equal(await page.locator('[name=body]').inputValue(), '');
  // And the next one, on the same page.
  await send(page, { body: 'and once more' });
  await page.locator('.post .body', { hasText: 'and once more' }).waitFor();
  await leave(page);
});

test('a new thread is worked for as well, and held as the site is on its guard', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true });
  await go(page, site, 'tech/');
  await page.locator('.new summary').click();
  await send(page, { subject: 'Line\r\nends & 日本語', body: 'One\nTwo\r\nÄ 🦀' });
  await page.locator('.notice', { hasText: 'Somebody will look at it' }).waitFor();
  await leave(page);
});

test('where there are no workers the page itself does the work', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true });
  await page.addInitScript(() => { window.Worker = class { constructor() { throw Error('none here'); } }; });
  await go(page, site, 'tech/thread/1.html');
  await send(page, { body: 'worked for without a worker' });
  await page.locator('.post .body', { hasText: 'without a worker' }).waitFor();
  await leave(page);
});

test('a door that takes no proof is not served for ever, and the text stays', async () => {
  const page = await visitor(browser, site, { javaScriptEnabled: true });
  let posts = 0;
  await go(page, site, 'tech/thread/1.html');
  const script = site.files('.js').find((name) => name.includes('proof'));
  const proof = { challenge: 'c', bits: 1, numbers: 2, script: new URL(script, site.url).pathname };
  await page.route('**/post', (route) => {
    posts += 1;
    return route.fulfill({ status: 428, json: { error: { code: 'proof_needed', message: 'work', proof } } });
  });
  await send(page, { body: 'never good enough' });
  await page.locator('.notice.error', { hasText: 'Not sent.' }).waitFor();
  assert.equal(posts, 4);
  assert.equal(await page.locator('[name=body]').inputValue(), 'never good enough');
  await leave(page);
});

test('without script a post is held, and the receipt says so', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/1.html');
  await send(page, { body: 'I have no script' });
  await page.locator('text=Somebody will look at it before it is shown.').waitFor();
  const held = JSON.parse(execFileSync(PROGRAM, ['--root', site.dir, 'mod', 'held', '--json'], { encoding: 'utf8' })).held;
  const own = held.find((post) => post.body === 'I have no script');
  assert.equal(own.why, 'it came without a proof of work');
  await leave(page);
});

test('the script finds what anybody can check, with the default in a moment', async (t) => {
  const page = await visitor(browser, site, { javaScriptEnabled: true });
  await go(page, site, 'tech/thread/1.html');
  const script = site.files('.js').find((name) => name.includes('proof'));
  const challenge = `6a3b1c2d-17-${'0'.repeat(32)}`;
  const [proof, ms] = await page.evaluate(async ([url, riddle]) => {
    const { search } = await import(url);
    const began = performance.now();
    return [search(riddle, Infinity).next().value, performance.now() - began];
  }, [new URL(script, site.url).href, { challenge, bits: 17, numbers: 8 }]);
  assert.ok(proof.startsWith(`${challenge}-`));
  const numbers = proof.slice(challenge.length + 1).split('-').map(Number);
  assert.equal(numbers.length, 8);
  for (const n of numbers) {
    const hash = createHash('sha256').update(`${challenge}-${n}`).digest();
    assert.ok(hash.readUInt32BE() < 2 ** (32 - 17), `${n}: ${hash.toString('hex')}`);
  }
  t.diagnostic(`${numbers.at(-1)} hashes in ${Math.round(ms)} ms, ${Math.round(numbers.at(-1) / ms)} a millisecond`);
  await leave(page);
});
