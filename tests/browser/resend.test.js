// A form that is sent twice, a way back, a server that goes down: what happens between a person and a post.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { go, launch, leave, send, visitor } from './lib/browser.js';
import { Site } from './lib/site.js';

let browser, site;
before(async () => {
  site = await Site.open();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const count = (list, text) => list.filter((one) => one === text).length;

test('a double click on the button makes one post', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/1.html');
  await page.locator('[name=body]').fill('clicked twice');
  await page.locator('.post-form button').dblclick();
  await page.waitForURL(/#p\d+$/);
  await go(page, site, 'tech/thread/1.html');
  assert.equal(await page.locator('.body', { hasText: 'clicked twice' }).count(), 1);
  await leave(page);
});

test('the same form sent many times at once makes one post, and all are led to it', async () => {
  const fields = { board: 'tech', thread: '1', body: 'sent at once' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => site.post(fields)));
  assert.equal(new Set(answers.map((answer) => answer.url)).size, 1, JSON.stringify(answers));
  assert.equal(count(await site.texts('tech', 1), 'sent at once'), 1);
});

test('a thread started twice at once is one thread', async () => {
  const fields = { board: 'art', subject: 'once', body: 'a thread sent twice' };
  const answers = await Promise.all([site.post(fields), site.post(fields)]);
  assert.equal(answers[0].thread, answers[1].thread);
});

test('after the way back the form can be used again, and the same text is not posted twice', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/5.html');
  await send(page, { body: 'before the way back' });
  await page.waitForURL(/#p\d+$/);
  const first = page.url();
  await page.goBack();
  assert.equal(page.url(), `${site.url}tech/thread/5.html`);
  await send(page, { body: 'before the way back' });
  await page.waitForURL(/#p\d+$/);
  assert.equal(page.url(), first);
  await page.goBack();
  await send(page, { body: 'and now another text' });
  await page.waitForURL((url) => url.hash !== '' && url.href !== first);
  const list = await site.texts('tech', 5);
  assert.equal(count(list, 'before the way back'), 1);
  assert.equal(count(list, 'and now another text'), 1);
  await leave(page);
});

test('a reload after posting shows the post again and sends nothing', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/5.html');
  await send(page, { body: 'then a reload' });
  await page.waitForURL(/#p\d+$/);
  const answer = await page.reload();
  assert.ok([200, 304].includes(answer.status()), `${answer.status()}`);
  assert.equal(await page.locator('.post:target .body').textContent(), 'then a reload');
  assert.equal(count(await site.texts('tech', 5), 'then a reload'), 1);
  await leave(page);
});

test('a form that was opened before the server fell and came back is good', async () => {
  const page = await visitor(browser, site);
  await go(page, site, 'tech/thread/5.html');
  const { no } = await site.post({ board: 'tech', thread: '5', body: 'the last before the fall' });
  await site.kill();
  await site.start();
  await send(page, { body: 'typed while it was down' });
  await page.waitForURL(/#p\d+$/);
  assert.equal(await page.locator('.post:target .body').textContent(), 'typed while it was down');
  assert.equal(await page.locator(`#p${no} .body`).textContent(), 'the last before the fall');
  // The kill may cut a connection that the browser holds. That is this test's doing and no fault of the page.
  page.faults = page.faults.filter((fault) => !/ERR_CONNECTION_(RESET|REFUSED|CLOSED)/.test(fault));
  await leave(page);
});

test('posts that were answered outlive a kill in the middle of many', async () => {
  const { thread } = await site.post({ board: 'meta', subject: 'Kill', body: 'many follow' });
  const answered = [];
  const posters = Array.from({ length: 8 }, async (_, who) => {
    for (let i = 0; ; i += 1) {
      const text = `number ${i} of ${who}`;
      const answer = await site.post({ board: 'meta', thread, body: text }).catch(() => null);
      if (!answer) return;
      assert.ok(answer.url || answer.safe, JSON.stringify(answer));
      answered.push(text);
      if (answered.length === 60) await site.kill();
    }
  });
  await Promise.all(posters);
  assert.ok(answered.length >= 60, `${answered.length} answers`);
  await site.start();
  const list = await site.texts('meta', thread);
  for (const text of answered) assert.equal(count(list, text), 1, text);
  assert.equal(new Set(list).size, list.length, 'nothing is doubled');
});
