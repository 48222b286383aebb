// Staff posts under its mark, on a phone and without script, and readers see that it is staff.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { go, launch, leave, overflow, visitor } from './lib/browser.js';
import { PROGRAM, Site } from './lib/site.js';

const PASSWORD = 'correct horse battery';

let browser, site;
before(async () => {
  site = await Site.open((dir) => {
    const words = ['--root', dir, 'mod', 'user', 'add', 'kenji', '--role', 'moderator'];
    const { status, stderr } = spawnSync(PROGRAM, words, { input: `${PASSWORD}\n` });
    assert.equal(status, 0, String(stderr));
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

test('a moderator answers on a phone without script, and readers see the mark', async () => {
  await site.post({ board: 'tech', thread: '1', name: 'Kenji ♯♯ Mod', body: 'I am staff, too' });
  const page = await visitor(browser, site, { width: 360, height: 640 });
  await go(page, site, 'mod/');
  await page.getByLabel('Name').fill('kenji');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Start a thread' }).waitFor();
  assert.equal(await overflow(page), null);
  await go(page, site, 'mod/post/tech/1');
  assert.deepEqual(await page.getByLabel('Signed as').locator('option').allTextContents(), ['## Janitor', '## Mod']);
  assert.equal(await page.getByLabel('Signed as').inputValue(), 'mod');
  await page.getByLabel('Name; may be empty').fill('Kenji');
  await page.getByLabel('Text', { exact: true }).fill('Please stay on topic.');
  await page.getByRole('button', { name: 'Post', exact: true }).click();
  await page.getByRole('status').waitFor();
  assert.match(await page.getByRole('status').textContent(), /Done: post/);
  assert.equal(await overflow(page), null);
  await go(page, site, 'tech/thread/1.html');
  const ours = page.locator('.post', { hasText: 'Please stay on topic.' });
  assert.equal(await ours.locator('.capcode').textContent(), '## Mod');
  const colour = (locator) => locator.evaluate((element) => getComputedStyle(element).color);
  assert.notEqual(await colour(ours.locator('.capcode')), await colour(ours.locator('.name')));
  const theirs = page.locator('.post', { hasText: 'I am staff, too' });
  assert.equal(await theirs.locator('.capcode').count(), 0);
  assert.equal(await theirs.locator('.name').textContent(), 'Kenji ＊＊ Mod');
  assert.equal(await overflow(page), null);
  await leave(page);
});
