// What the theme's script adds for those who have JavaScript. Without it the other tests hold.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { go, launch, leave, overflow, shoot, visitor } from './lib/browser.js';
import { KINDS } from './lib/kinds.js';
import { REPOSITORY, Site } from './lib/site.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let browser, site, page;
before(async () => {
  site = await Site.open();
  browser = await launch();
});
afterEach(async () => {
  // What a test has not left is left here, so that one that fails does not disturb the next.
  await page?.context().close();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

const reader = async (to, options = {}) => {
  page = await visitor(browser, site, { javaScriptEnabled: true, ...options });
  if (to !== undefined) await go(page, site, to);
};
const text = () => page.locator('[name=body]');
const reply = (thread, body) => site.post({ board: 'tech', thread, body });
let threads = 0;
/** A thread of a test's own, with so many replies. Its words are its own too: the same ones would be a resend. */
const fresh = async (replies = 3, subject = 'A thread to try') => {
  threads += 1;
  const { thread } = await site.post({ board: 'tech', subject, body: `Opening post ${threads}.` });
  const numbers = [];
  for (let i = 1; i <= replies; i += 1) numbers.push((await reply(thread, `Reply ${i}.\n${'A line.\n'.repeat(8)}`)).no);
  return { thread, numbers, to: `tech/thread/${thread}.html` };
};
const hide = (away) => page.evaluate((hidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}, away);
/** Counts requests for pages from here on. */
const asked = () => {
  const list = [];
  page.on('request', (request) => { if (request.resourceType() === 'fetch' && request.method() !== 'HEAD') list.push(new URL(request.url()).pathname); });
  return list;
};

test('the script is small', async () => {
  await reader('');
  const href = await page.evaluate(() => document.querySelector('script[src]').src);
  const size = (await (await fetch(href)).arrayBuffer()).byteLength;
  assert.ok(size <= 20_480, `${size} bytes`);
});

test('a reply appears while one reads, and nothing moves', async () => {
  const { thread, numbers, to } = await fresh(6);
  await reader(to, { width: 360, height: 640 });
  const title = await page.title();
  const third = page.locator(`#p${numbers[2]}`);
  await third.evaluate((e) => e.scrollIntoView());
  const before = await third.boundingBox();
  const { no } = await reply(thread, `>>${numbers[0]}\nThis is news.`);
  await page.waitForFunction((id) => document.getElementById(id), `p${no}`);
  assert.equal(await page.locator(`#p${numbers[0]} footer a`).textContent(), `>>${no}`, 'the answer is listed above');
  // A window scrolls by whole pixels.
  const moved = Math.abs((await third.boundingBox()).y - before.y);
  assert.ok(moved < 1, `what is read has moved by ${moved} px`);
  assert.equal(await page.title(), `(1) ${title}`);
  assert.equal(await page.locator('[role=status]').textContent(), '1 new reply');
  assert.equal(await page.locator('.new-post').getAttribute('id'), `p${no}`);
  await page.locator(`#p${no}`).scrollIntoViewIfNeeded();
  await page.waitForFunction((words) => document.title === words, title);
  await leave(page);
});

test('who writes at the end of a thread is not pushed away by news', async () => {
  const { thread, to } = await fresh(1);
  await reader(to, { height: 500 });
  await text().focus();
  await page.keyboard.type('I am wri');
  const before = await text().boundingBox();
  await reply(thread, 'News.\n'.repeat(10));
  await page.getByText('News.').first().waitFor();
  const moved = Math.abs((await text().boundingBox()).y - before.y);
  assert.ok(moved < 1, `moved by ${moved} px`);
  await page.keyboard.type('ting');
  assert.equal(await text().inputValue(), 'I am writing');
  await leave(page);
});

test('a removed post goes, and a thread that is locked or gone says so', async () => {
  const { thread, numbers, to } = await fresh(2);
  await reader(to);
  site.edit(`tech/${thread}.md`, (words) => words.replace(`"no": ${numbers[0]},`, `"no": ${numbers[0]}, "deleted": true,`)
    .replace(`"no":${numbers[0]},`, `"no":${numbers[0]},"deleted":true,`));
  await page.locator(`#p${numbers[0]}.gone`).waitFor();
  site.edit(`tech/${thread}.md`, (words) => words.replace('"subject"', '"locked": true, "subject"'));
  await page.locator('[role=status]', { hasText: 'This thread is locked' }).waitFor();
  assert.equal(await page.locator('.post-form').count(), 0);
  assert.equal(await page.getByRole('button', { name: 'Check now' }).count(), 0);
  await leave(page);
  const other = await fresh(0);
  await reader(other.to);
  fs.rmSync(path.join(site.dir, `content/tech/${other.thread}.md`));
  await page.locator('[role=status]', { hasText: 'This thread is gone.' }).waitFor();
  await leave(page);
});

test('a thread that is locked while one writes keeps the text', async () => {
  const { thread, to } = await fresh(0);
  await reader(to);
  await text().fill('An hour of work.');
  site.edit(`tech/${thread}.md`, (words) => words.replace('"subject"', '"locked": true, "subject"'));
  await page.locator('[role=status]', { hasText: 'This thread is locked' }).waitFor();
  assert.equal(await text().inputValue(), 'An hour of work.');
  await leave(page);
});

test('a hidden tab asks nothing, and asks at once when it is seen again', async () => {
  const { thread, to } = await fresh(1);
  await reader();
  await page.clock.install();
  await go(page, site, to);
  await hide(true);
  const list = asked();
  await page.clock.runFor(300_000);
  assert.deepEqual(list, []);
  const { no } = await reply(thread, 'Meanwhile.');
  await hide(false);
  await page.locator(`#p${no}`).waitFor();
  assert.equal(list.length, 1);
  await leave(page);
});

test('a quiet thread is asked less and less, and at most once a minute', async () => {
  const { to } = await fresh(1);
  await reader();
  await page.clock.install();
  await go(page, site, to);
  const list = asked();
  let answered = 0;
  page.on('requestfinished', () => { answered += 1; });
  for (let second = 0; second < 600; second += 1) {
    const before = answered;
    const known = list.length;
    await page.clock.runFor(1000);
    if (list.length > known) while (answered === before) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(list.length >= 10 && list.length <= 18, `${list.length} in ten minutes`);
  await leave(page);
});

test('a reply that comes to a long thread appears on its whole page and on its tail', async () => {
  const { thread } = await site.post({ board: 'tech', subject: 'Long', body: 'The opening post.' });
  const numbers = [];
  for (let i = 0; i < 105; i += 1) numbers.push((await reply(thread, `number ${i}`)).no);
  for (const to of [`tech/thread/${thread}.html`, `tech/thread/${thread}-tail.html`]) {
    await reader(to);
    const list = asked();
    const { no } = await reply(thread, `>>${numbers[104]}\n>>${numbers[0]}\nfor ${to}`);
    await page.locator(`#p${no}`).waitFor();
    assert.deepEqual([...new Set(list)], [`/tech/thread/${thread}-tail.html`]);
    const ids = await page.locator('.thread > .post').evaluateAll((all) => all.map((e) => Number(e.id.slice(1))));
    assert.deepEqual(ids, ids.toSorted((a, b) => a - b));
    await page.locator(`#p${no} .body a`).first().click();
    assert.equal(page.url(), `${site.url}${to}#p${numbers[104]}`, 'a quote of what is here leads nowhere else');
    await leave(page);
  }
});

test('a quick reply keeps the place, quotes what is selected, and leads to the post', async () => {
  const { numbers, to } = await fresh(6);
  await reader(to, { width: 360, height: 640 });
  const third = page.locator(`#p${numbers[2]}`);
  await third.evaluate((e) => e.scrollIntoView());
  await third.locator('.body').evaluate((e) => getSelection().setBaseAndExtent(e.firstChild, 0, e.firstChild, 8));
  const before = await third.boundingBox();
  await third.locator('.no').click();
  assert.deepEqual(await third.boundingBox(), before);
  assert.equal(await text().inputValue(), `>>${numbers[2]}\n>Reply 3.\n`);
  assert.equal(await page.locator('#reply.floating').count(), 1);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('#reply.floating').count(), 0);
  assert.deepEqual(await third.boundingBox(), before);
  assert.equal(await third.locator('.no').evaluate((e) => e === document.activeElement), true, 'the focus is back');
  await third.locator('.no').click();
  await text().fill(`>>${numbers[2]}\nMine.`);
  await page.keyboard.press('Control+Enter');
  const mine = page.locator('.post.mine');
  await mine.waitFor();
  assert.equal(new URL(page.url()).hash, `#${await mine.getAttribute('id')}`);
  assert.equal(await mine.evaluate((e) => e === document.activeElement), true);
  assert.equal(await text().inputValue(), '');
  assert.equal(await page.locator('#reply.floating').count(), 0);
  await leave(page);
});

test('the number of a post on the index leads to a reply to it', async () => {
  await reader('tech/');
  const no = page.locator('article.thread .post:not(.op) .no').first();
  const number = (await no.textContent()).slice(4);
  await no.click();
  await page.waitForURL(/\/tech\/thread\/\d+\.html#p\d+$/);
  assert.equal(await text().inputValue(), `>>${number}\n`);
  assert.equal(await page.locator('#reply.floating').count(), 1);
  await page.reload();
  assert.equal(await page.locator('#reply.floating').count(), 0, 'once is enough');
  await leave(page);
});

test('own posts and the answers to them are marked, also after a while', async () => {
  const { thread, to } = await fresh(1);
  await reader(to);
  await text().fill('Mine.');
  await page.locator('.send button').click();
  await page.locator('.post.mine .you').waitFor();
  const id = await page.locator('.post.mine').getAttribute('id');
  const { no } = await reply(thread, `>>${id.slice(1)}\nAn answer.`);
  await page.locator(`#p${no}.answer .body .quotelink .you`).waitFor();
  await page.reload();
  await page.locator(`#p${no}.answer`).waitFor();
  assert.equal(await page.locator('.post.mine').getAttribute('id'), id);
  assert.equal(await page.locator(`#${id} .name .you`).textContent(), '(You)');
  await leave(page);
});

test('a post that is refused, or cannot be sent, keeps its text; sent again it is one post', async () => {
  const { thread, to } = await fresh(1);
  await reader(to);
  const long = `${'line\n'.repeat(500)}end`;
  await text().fill(long);
  await page.locator('.send button').click();
  await page.locator('.notice.error[role=alert]', { hasText: 'The body is too long: 501 of at most 400 lines.' }).waitFor();
  assert.equal(await text().inputValue(), long);
  await text().fill('Sent twice.');
  await page.context().setOffline(true);
  await page.locator('.send button').click();
  await page.locator('.notice.error', { hasText: 'Your text is kept' }).waitFor();
  assert.equal(await text().inputValue(), 'Sent twice.');
  await page.context().setOffline(false);
  // The post arrives, its answer does not.
  let lost = 0;
  await page.route('**/post', async (route) => {
    await route.fetch();
    lost += 1;
    await route.abort();
  });
  await page.locator('.send button').click();
  await page.waitForFunction(() => document.querySelector('.notice.error'));
  while (!lost) await page.waitForTimeout(50);
  await page.unroute('**/post');
  await page.reload();
  assert.equal(await text().inputValue(), 'Sent twice.', 'a draft is kept over a reload');
  await page.locator('.send button').click();
  await page.locator('.post.mine').waitFor();
  const texts = await site.texts('tech', thread);
  assert.equal(texts.filter((one) => one === 'Sent twice.').length, 1);
  await page.reload();
  assert.equal(await text().inputValue(), '');
  await page.context().close();
});

test('a new thread leads to itself, and is watched; name and options are remembered', async () => {
  await reader('tech/');
  await page.locator('.new summary').click();
  await page.locator('[name=name]').fill('Kim');
  await page.locator('[name=subject]').fill('Mine <b>');
  await text().fill('A new thread.');
  await page.locator('.post-form button').click();
  await page.waitForURL(/\/tech\/thread\/(\d+)\.html#p\1$/);
  await page.locator('.op.mine').waitFor();
  assert.equal(await page.locator('[name=name]').inputValue(), 'Kim');
  await page.locator('.watcher summary').click();
  assert.deepEqual(await page.locator('.watcher li a').allTextContents(), ['Mine <b>']);
  assert.equal(await page.getByRole('button', { name: 'Unwatch', exact: true }).count(), 1);
  await leave(page);
});

test('where something else answers, the form is sent as a form', async () => {
  const { to } = await fresh(0);
  await reader(to);
  let tries = 0;
  await page.route('**/post', (route) => {
    tries += 1;
    return tries === 1 ? route.fulfill({ contentType: 'text/html', body: '<p>ok' }) : route.continue();
  });
  await text().fill('As a form.');
  await page.locator('.send button').click();
  await page.waitForURL(/#p\d+$/);
  assert.equal(await page.locator('.post:target .body').textContent(), 'As a form.');
  await leave(page);
});

test('a quoted post is shown under the pointer and the focus, on other boards too, one from another', async () => {
  await reader('meta/thread/4.html', { height: 500 });
  const far = page.locator('#p4 .body a', { hasText: '>>>/tech/3' });
  await far.scrollIntoViewIfNeeded();
  const list = asked();
  await far.hover();
  const popup = page.locator('.popup');
  await popup.waitFor();
  const [whole, words] = [await popup.boundingBox(), await popup.textContent()];
  assert.match(words, /No. 3/);
  assert.ok(whole.x >= 0 && whole.y >= 0 && whole.x + whole.width <= 1280 && whole.y + whole.height <= 500, JSON.stringify(whole));
  await popup.locator('a.quotelink').first().hover();
  await page.locator('.popup').nth(1).waitFor();
  await page.mouse.move(1270, 490);
  await page.waitForFunction(() => !document.querySelector('.popup'));
  await far.hover();
  await popup.waitFor();
  assert.deepEqual(list, ['/tech/thread/1.html'], 'fetched once');
  await page.keyboard.press('Escape');
  assert.equal(await popup.count(), 0);
  // By keyboard.
  await page.mouse.move(1270, 490);
  await page.locator('#p4 .body a', { hasText: '>>4' }).focus();
  await page.keyboard.press('Tab');
  await popup.waitFor();
  assert.equal(await far.getAttribute('aria-describedby'), await popup.getAttribute('id'));
  await page.keyboard.press('Tab');
  await page.waitForTimeout(400);
  await page.keyboard.press('Tab');
  assert.equal(await popup.locator(':focus').count(), 1, 'behind the menu of the post, the next stop is in it');
  await leave(page);
});

test('a quoted post that is in view is lit up in its place', async () => {
  await reader('meta/thread/4.html', { height: 3000 });
  await page.locator('#p8 .body a').hover();
  await page.locator('#p5.highlight').waitFor();
  assert.equal(await page.locator('.popup').count(), 0);
  await page.mouse.move(0, 0);
  await page.waitForFunction(() => !document.querySelector('.highlight'));
  await leave(page);
});

test('a finger follows a quote', async () => {
  await reader('meta/thread/4.html', { width: 360, hasTouch: true });
  await page.locator('#p8 .body a').tap();
  assert.equal(new URL(page.url()).hash, '#p5');
  await page.waitForTimeout(400);
  assert.equal(await page.locator('.popup').count(), 0);
  await leave(page);
});

test('omitted posts and cut posts open in place', async () => {
  const long = await site.post({ board: 'tech', subject: 'Cut', body: `${'word '.repeat(1200)}the end` });
  await reader('tech/');
  await page.locator(`#p${long.no} .whole`).click();
  await page.locator(`#p${long.no} .body`, { hasText: 'the end' }).waitFor();
  assert.equal(page.url(), `${site.url}tech/`);
  const { thread, numbers } = await fresh(6);
  await go(page, site, 'tech/');
  const all = page.locator(`article.thread[data-no="${thread}"]`);
  const ids = () => all.locator('.post').evaluateAll((posts) => posts.map((e) => Number(e.id.slice(1))));
  const before = await ids();
  assert.equal(before.length, 4);
  await all.locator('.expand').click();
  await page.waitForFunction((id) => document.getElementById(id), `p${numbers[0]}`);
  assert.deepEqual(await ids(), [thread, ...numbers]);
  assert.equal(await all.locator('.omitted').isVisible(), false);
  await all.getByRole('link', { name: 'Collapse thread' }).click();
  await page.waitForFunction((id) => !document.getElementById(id), `p${numbers[0]}`);
  assert.deepEqual(await ids(), before);
  assert.equal(await all.locator('.expand').textContent(), 'View thread');
  await leave(page);
});

test('a watched thread tells of new replies on other pages, in all tabs', async () => {
  const { thread, numbers, to } = await fresh(2, 'To be watched');
  await reader();
  await page.clock.install();
  await go(page, site, to);
  await page.getByRole('button', { name: 'Watch', exact: true }).click();
  const other = await page.context().newPage();
  await go(other, site, 'art/');
  await go(page, site, 'tech/');
  await reply(thread, 'One.');
  await reply(thread, 'Two.');
  await page.clock.runFor(130_000);
  await page.locator('.watcher summary', { hasText: 'Watched (2)' }).waitFor();
  await other.locator('.watcher summary', { hasText: 'Watched (2)' }).waitFor();
  await other.close();
  await page.locator('.watcher summary').click();
  assert.equal(await page.locator('.watcher .unread').textContent(), '2');
  await page.locator('.watcher li a').click();
  await page.waitForURL(`${site.url}${to}#p${numbers[1]}`);
  await page.locator('.watcher summary', { hasText: /^Watched$/ }).waitFor();
  await page.locator('.watcher summary').click();
  await page.getByRole('button', { name: 'Unwatch: To be watched' }).click();
  assert.equal(await page.locator('.watcher').isVisible(), false);
  assert.equal(await page.getByRole('button', { name: 'Watch', exact: true }).count(), 1);
  await leave(page);
});

test('what is hidden stays hidden until it is shown', async () => {
  await reader('tech/thread/5.html');
  const post = page.locator('#p15');
  await post.scrollIntoViewIfNeeded();
  await post.getByRole('button', { name: 'More about No. 15' }).click();
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
  assert.equal(await post.locator('.body').isVisible(), false);
  await page.reload();
  await page.locator('#p15.hidden-post').waitFor();
  await go(page, site, 'tech/catalog.html');
  const card = page.locator('.card[data-no="5"]');
  await card.scrollIntoViewIfNeeded();
  await card.getByRole('button', { name: 'More about No. 5' }).click();
  await page.getByRole('button', { name: 'Hide', exact: true }).click();
  assert.equal(await card.locator('.teaser').isVisible(), false);
  await go(page, site, 'tech/thread/5.html');
  await page.locator('#p15.hidden-post').waitFor();
  assert.equal(await page.locator('.op .body').isVisible(), true, 'on its own page a thread is shown');
  await post.getByRole('button', { name: 'Show No. 15' }).click();
  assert.equal(await post.locator('.body').isVisible(), true);
  await page.reload();
  assert.equal(await post.locator('.body').isVisible(), true);
  await leave(page);
});

test('the catalog is filtered and sorted, and remembers its order', async () => {
  await reader('tech/catalog.html');
  const shown = () => page.locator('.card:visible').evaluateAll((all) => all.map((e) => Number(e.dataset.no)));
  const all = await shown();
  await page.getByLabel('Filter').fill('OLDEST machine');
  assert.deepEqual(await shown(), [5]);
  await page.getByLabel('Filter').fill('');
  await page.getByLabel('Order').selectOption('newest');
  assert.deepEqual(await shown(), all.toSorted((a, b) => b - a));
  await page.getByLabel('Order').selectOption('most replies');
  await page.reload();
  assert.equal(await page.getByLabel('Order').inputValue(), 'replies');
  const counts = await page.locator('.card').evaluateAll((cards) => cards.map((e) => Number(e.dataset.replies)));
  assert.deepEqual(counts, counts.toSorted((a, b) => b - a));
  await page.getByLabel('Order').selectOption('last reply');
  assert.deepEqual(await shown(), all);
  await leave(page);
});

test('a draft is kept for each thread', async () => {
  await reader('tech/thread/5.html');
  await text().fill('A draft.');
  await go(page, site, 'tech/thread/1.html');
  assert.equal(await text().inputValue(), '');
  await go(page, site, 'tech/thread/5.html');
  assert.equal(await text().inputValue(), 'A draft.');
  await text().fill('');
  await page.reload();
  assert.equal(await text().inputValue(), '');
  await leave(page);
});

test('keys move through the page, and the sheet of help tells of them and turns them off', async () => {
  const { numbers, to } = await fresh(3);
  await reader(to, { height: 300 });
  const at = () => page.evaluate(() => document.activeElement.id);
  await page.keyboard.press('j');
  assert.equal(await at(), `p${numbers[0]}`);
  await page.keyboard.press('j');
  await page.keyboard.press('k');
  assert.equal(await at(), `p${numbers[0]}`);
  await page.keyboard.press('r');
  assert.equal(await text().inputValue(), `>>${numbers[0]}\n`);
  await page.keyboard.type('jk');
  assert.equal(await text().inputValue(), `>>${numbers[0]}\njk`, 'no keys while one types');
  await page.keyboard.press('Escape');
  await page.keyboard.press('w');
  await page.locator('.watcher', { hasText: 'Watched' }).waitFor();
  await page.keyboard.press('?');
  await page.locator('dialog.help').waitFor();
  assert.equal(await page.locator('dialog.help kbd').count(), 11);
  await page.getByLabel('Keyboard shortcuts').uncheck();
  await page.keyboard.press('Escape');
  await page.locator('dialog.help').waitFor({ state: 'detached' });
  await page.keyboard.press('c');
  await page.getByRole('button', { name: 'Keys and help' }).click();
  await page.getByLabel('Keyboard shortcuts').check();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.keyboard.press('c');
  await page.waitForURL(/catalog/);
  await page.keyboard.press('/');
  assert.equal(await page.getByLabel('Filter').evaluate((e) => e === document.activeElement), true);
  await leave(page);
});

test('the menu of a post is reached with the keyboard, and gives the focus back', async () => {
  await reader('tech/thread/5.html');
  const dots = page.locator('#p5 .dots');
  await dots.focus();
  await page.keyboard.press('Enter');
  assert.deepEqual(await page.locator('.menu button').allTextContents(), ['Quote', 'Copy link']);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Quote');
  await page.keyboard.press('Escape');
  assert.equal(await dots.evaluate((e) => e === document.activeElement), true);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  assert.equal(await text().inputValue(), '>>5\n');
  await leave(page);
});

test('a style is chosen once for all pages and tabs', async () => {
  await reader('tech/');
  const other = await page.context().newPage();
  await go(other, site, 'art/');
  await page.getByLabel('Night').check();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.style), 'night');
  await other.waitForFunction(() => document.documentElement.dataset.style === 'night');
  assert.equal(await other.getByLabel('Night').isChecked(), true);
  await other.close();
  await go(page, site, 'meta/');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.style), 'night');
  assert.equal(await page.getByLabel('Night').isChecked(), true);
  await leave(page);
});

test('without storage everything else works', async () => {
  await reader();
  await page.addInitScript(() => Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } }));
  const { thread, to } = await fresh(1);
  await go(page, site, to);
  const { no } = await reply(thread, 'Seen.');
  await page.locator(`#p${no}`).waitFor();
  await page.getByLabel('Night').check();
  await text().fill('Mine.');
  await page.locator('.send button').click();
  await page.waitForURL(/#p\d+$/);
  await leave(page);
});

test('how long ago is told beside the exact time', async () => {
  const { to } = await fresh(0);
  await reader(to);
  await page.waitForFunction(() => document.querySelector('.op header').dataset.ago);
  assert.match(await page.locator('.op time').getAttribute('title'), /ago|now/);
  assert.match(await page.locator('.op time').textContent(), /^\d{4}-\d\d-\d\d/);
  await leave(page);
});

for (const width of [360, 1280]) {
  test(`the script moves nothing as a page loads, and fits into the window: ${width} px`, async () => {
    await reader(undefined, { width });
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) window.shifts.push([value, ...sources.map(({ node }) => node?.outerHTML?.slice(0, 80))]);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    // Late, so that the page has been seen before.
    await page.route('**/board.*.js', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    for (const [name, come] of Object.entries(KINDS)) {
      if (['open form', 'refused'].includes(name)) continue;
      await come(page, site);
      await page.locator('.help-button').waitFor();
      await page.waitForTimeout(300);
      assert.deepEqual(await page.evaluate(() => window.shifts), [], name);
      assert.equal(await overflow(page), null, name);
    }
    await leave(page);
  });

  test(`axe finds nothing in what the script adds: ${width} px`, async () => {
    const { thread, numbers, to } = await fresh(3);
    await reader(to, { width, bypassCSP: true });
    await page.getByRole('button', { name: 'Watch', exact: true }).click();
    const look = async (name) => {
      await shoot(page, `script-${name}-${width}`);
      await page.addScriptTag({ path: AXE });
      const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), [], name);
    };
    await page.locator('.watcher summary').click();
    await look('watcher');
    await page.locator('.watcher summary').click();
    const { no } = await reply(thread, `>>${numbers[0]}\nNews.`);
    await page.locator(`#p${no}`).waitFor();
    await page.locator(`#p${no}`).scrollIntoViewIfNeeded();
    await page.locator(`#p${numbers[0]} .no`).evaluate((e) => e.click());
    await look('quick-reply');
    await page.keyboard.press('Escape');
    await page.locator(`#p${numbers[2]} .dots`).click();
    await look('menu');
    await page.keyboard.press('Escape');
    await page.locator(`#p${numbers[2]} .dots`).click();
    await page.getByRole('button', { name: 'Hide', exact: true }).click();
    await look('hidden');
    await page.setViewportSize({ width, height: 260 });
    await page.locator(`#p${no} .body .quotelink`).hover();
    await page.locator('.popup').waitFor();
    await look('preview');
    await page.setViewportSize({ width, height: 800 });
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await look('help');
    await page.keyboard.press('Escape');
    await go(page, site, 'tech/catalog.html');
    await look('catalog');
    await leave(page);
  });
}

test('a page that an edited theme changes is loaded anew on one\'s own machine', async () => {
  await reader('tech/index.html');
  await page.evaluate(() => { window.before = true; });
  await page.waitForTimeout(1500);
  const file = path.join(site.dir, 'themes/default/partials/boardhead.hbs');
  const words = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, `${words}<p class="edited">Edited.</p>\n`);
  await page.locator('.edited').waitFor();
  assert.equal(await page.evaluate(() => window.before), undefined);
  await page.waitForTimeout(1500);
  fs.writeFileSync(file, words);
  await page.locator('.edited').waitFor({ state: 'detached' });
  await leave(page);
});
